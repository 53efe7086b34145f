//! Names on the wire: of recorded parameters, of kept values, and of actions.

use std::borrow::Cow;

use unanimous::{BranchContext, participant};

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal};

fn keep(name: &str, value: &(impl serde::Serialize + ?Sized)) -> Result<(), Failure> {
    let branch = BranchContext::current().expect("phase one has a branch");
    Ok(branch.keep(name, value).map_err(unanimous::Error::from)?)
}

/// A parameter has another name on the wire than in the source, in either of the three methods.
pub(crate) async fn recorded_under_a_name(ending: Ending) {
    struct Shelf(Journal);

    #[participant(name = "shelf")]
    impl Shelf {
        #[two_phase_action(commit = sell, rollback = put_back)]
        async fn take(
            &self,
            #[recorded(name = "sku")] article: &str,
            #[recorded(name = "type")] mut r#kind: Cow<'_, str>,
        ) -> Result<(), Failure> {
            kind.to_mut().push('!');
            self.0
                .tried(format!("{article} {}", kind.trim_end_matches('!')));
            Ok(())
        }

        async fn sell(&self, article: String, kind: String) -> Result<(), Failure> {
            self.0.confirmed(format!("{article} {kind}"));
            Ok(())
        }

        async fn put_back(
            &self,
            #[recorded(name = "type")] what: &str,
            #[recorded(name = "sku")] which: Cow<'_, str>,
        ) -> Result<(), Failure> {
            self.0.cancelled(format!("{which} {what}"));
            Ok(())
        }
    }

    run(ending, Shelf, async |shelf| {
        shelf.take("tea", Cow::Borrowed("green")).await
    })
    .await;
}

/// What only other versions record is its type's default here.
pub(crate) async fn recorded_default(ending: Ending) {
    struct Shelf(Journal);

    #[participant(name = "shelf")]
    impl Shelf {
        #[two_phase_action(commit = sell, rollback = put_back)]
        async fn take(
            &self,
            #[recorded(default)] count: u8,
            #[recorded(name = "word", default)] note: Option<&str>,
        ) -> Result<(), Failure> {
            self.0.tried(format!("{count} {note:?}"));
            Ok(())
        }

        async fn sell(
            &self,
            count: u8,
            note: Option<&str>,
            #[recorded(name = "colour", default)] colour: &str,
            #[recorded(name = "sizes", default)] sizes: Vec<u8>,
        ) -> Result<(), Failure> {
            assert_eq!((colour, sizes.len()), ("", 0));
            self.0.confirmed(format!("{count} {note:?}"));
            Ok(())
        }

        async fn put_back(
            &self,
            #[recorded(name = "tone", default)] tone: Option<&str>,
            note: Option<String>,
            count: &u8,
        ) -> Result<(), Failure> {
            assert_eq!(tone, None);
            self.0.cancelled(format!("{count} {note:?}"));
            Ok(())
        }
    }

    run(ending, Shelf, async |shelf| shelf.take(2, Some("a")).await).await;
}

/// Kept values are read by their names, owned, lent, or perhaps.
pub(crate) async fn kept(ending: Ending) {
    struct Gateway(Journal);

    #[participant(name = "gateway")]
    impl Gateway {
        #[two_phase_action(commit = capture, rollback = release)]
        async fn authorise(&self, card: &str) -> Result<(), Failure> {
            keep("code", &42_u8)?;
            keep("lines", &["x", "y"])?;
            keep("type", "debit")?;
            self.0.tried(card);
            Ok(())
        }

        async fn capture(
            &self,
            card: &str,
            #[kept] code: u8,
            #[kept] lines: &[String],
            #[kept] r#type: &str,
            #[kept] absent: Option<&str>,
        ) -> Result<(), Failure> {
            assert_eq!((code, lines.len(), r#type, absent), (42, 2, "debit", None));
            self.0.confirmed(card);
            Ok(())
        }

        async fn release(
            &self,
            #[kept] code: Option<&u8>,
            #[kept]
            #[recorded(name = "lines")]
            written: Option<Vec<String>>,
            card: Cow<'_, str>,
        ) -> Result<(), Failure> {
            assert_eq!(code, Some(&42));
            assert_eq!(written.map(|lines| lines.len()), Some(2));
            self.0.cancelled(card);
            Ok(())
        }
    }

    run(ending, Gateway, async |gateway| {
        gateway.authorise("visa").await
    })
    .await;
}

/// Each decision may have nobody to call.
pub(crate) async fn partner_none(ending: Ending) {
    struct Drafts(Journal, Ending);

    #[participant(name = "drafts")]
    impl Drafts {
        #[two_phase_action(commit = none, rollback = erase, alias = ["scribble"])]
        async fn write(&self, word: &str) -> Result<(), Failure> {
            if self.1.fails() {
                self.0.tried(word);
            }
            Ok(())
        }

        #[two_phase_action(name = "publication", commit = publish, rollback = none)]
        async fn announce(&self, word: &str) -> Result<(), Failure> {
            if !self.1.fails() {
                self.0.tried(word);
            }
            Ok(())
        }

        async fn erase(&self, word: &str) -> Result<(), Failure> {
            self.0.cancelled(word);
            Ok(())
        }

        async fn publish(&self, word: String) -> Result<(), Failure> {
            self.0.confirmed(word);
            Ok(())
        }
    }

    run(
        ending,
        |journal| Drafts(journal, ending),
        async |drafts| {
            drafts.write("a").await?;
            drafts.announce("a").await
        },
    )
    .await;
}
