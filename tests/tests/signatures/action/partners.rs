//! The methods of phase two: what they take, in which order and form, and what they return.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{BranchContext, FenceTx, PhaseTwoError, participant};

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal, database};

struct Partners(Journal);

impl Partners {
    fn confirmed(&self, what: impl Debug) {
        self.0.confirmed(format!("{what:?}"));
    }

    fn cancelled(&self, what: impl Debug) {
        self.0.cancelled(format!("{what:?}"));
    }

    fn tried(&self, what: impl Debug) {
        self.0.tried(format!("{what:?}"));
    }
}

#[participant(name = "partners")]
impl Partners {
    #[two_phase_action(commit = any_order_done, rollback = any_order_undone)]
    async fn any_order(&self, text: String, count: u8, flag: bool) -> Result<(), Failure> {
        self.tried((&text, count, flag));
        Ok(())
    }

    async fn any_order_done(&self, flag: bool, text: &str, count: u8) -> Result<(), Failure> {
        self.confirmed((text, count, flag));
        Ok(())
    }

    async fn any_order_undone(&self, count: u8, flag: bool, text: String) -> Result<(), Failure> {
        self.cancelled((text, count, flag));
        Ok(())
    }

    #[two_phase_action(commit = lent_done, rollback = lent_undone)]
    async fn owned(&self, text: String, bytes: Vec<u8>, many: [u8; 2]) -> Result<(), Failure> {
        self.tried((text, bytes, many));
        Ok(())
    }

    async fn lent_done(&self, text: &str, bytes: &[u8], many: &[u8; 2]) -> Result<(), Failure> {
        self.confirmed((text, bytes, many));
        Ok(())
    }

    async fn lent_undone(
        &self,
        text: Cow<'_, str>,
        bytes: &Vec<u8>,
        many: &[u8],
    ) -> Result<(), Failure> {
        self.cancelled((text, bytes, many));
        Ok(())
    }

    #[two_phase_action(commit = owned_done, rollback = owned_undone)]
    async fn lent(
        &self,
        text: &str,
        bytes: &[u8],
        word: Option<&str>,
        cow: Cow<'_, str>,
    ) -> Result<(), Failure> {
        self.tried((text, bytes, word, &cow));
        Ok(())
    }

    async fn owned_done(
        &self,
        text: String,
        bytes: Vec<u8>,
        word: Option<String>,
        cow: String,
    ) -> Result<(), Failure> {
        self.confirmed((text, bytes, word, cow));
        Ok(())
    }

    async fn owned_undone(
        &self,
        text: Cow<'_, str>,
        bytes: &Vec<u8>,
        word: Option<String>,
        cow: &str,
    ) -> Result<(), Failure> {
        self.cancelled((text, bytes, word, cow));
        Ok(())
    }

    #[two_phase_action(commit = nothing_done, rollback = nothing_undone)]
    async fn nothing(&self) -> Result<(), Failure> {
        self.tried(());
        Ok(())
    }

    async fn nothing_done(&self) -> Result<(), Failure> {
        self.confirmed(());
        Ok(())
    }

    async fn nothing_undone(&self) -> Result<(), Failure> {
        self.cancelled(());
        Ok(())
    }

    #[two_phase_action(commit = subset_done, rollback = subset_undone)]
    async fn subset(&self, text: &str, count: u8) -> Result<(), Failure> {
        self.tried((text.len(), count));
        Ok(())
    }

    async fn subset_done(&self, count: u8) -> Result<(), Failure> {
        self.confirmed((1, count));
        Ok(())
    }

    async fn subset_undone(&self, text: &str) -> Result<(), Failure> {
        self.cancelled((text.len(), 7));
        Ok(())
    }

    #[two_phase_action(commit = Self::counted, rollback = Self::counted_back)]
    async fn first(&self, count: u8) -> Result<(), Failure> {
        self.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = counted, rollback = counted_back)]
    async fn second(&self, count: &u8, text: &str) -> Result<(), Failure> {
        self.tried(*count + u8::from(text.is_empty()));
        Ok(())
    }

    async fn counted(&self, count: u8) -> Result<(), Failure> {
        self.confirmed(count);
        Ok(())
    }

    async fn counted_back(&self, count: &u8) -> Result<(), Failure> {
        self.cancelled(*count);
        Ok(())
    }

    #[two_phase_action(commit = shared_done, rollback = shared_undone)]
    async fn shared(self: Arc<Self>, text: &str) -> Result<(), Failure> {
        let moved = self;
        moved.tried(text);
        Ok(())
    }

    async fn shared_done(self: Arc<Self>, text: &str) -> Result<(), Failure> {
        let moved = self;
        moved.confirmed(text);
        Ok(())
    }

    async fn shared_undone(self: Arc<Self>, text: String) -> Result<(), Failure> {
        self.cancelled(text);
        Ok(())
    }

    #[two_phase_action(commit = context_done, rollback = context_undone)]
    async fn context(&self, count: u8) -> Result<(), Failure> {
        let context = BranchContext::current().ok_or(Failure::Business("no branch"))?;
        self.tried((context.try_key(), count));
        Ok(())
    }

    async fn context_done(&self, context: &BranchContext, count: u8) -> Result<(), Failure> {
        self.confirmed((context.try_key(), count));
        Ok(())
    }

    async fn context_undone(&self, count: u8, branch: &BranchContext) -> Result<(), Failure> {
        assert_ne!(branch.key(), branch.try_key());
        self.cancelled((branch.try_key(), count));
        Ok(())
    }

    #[two_phase_action(commit = tried_done, rollback = tried_undone)]
    async fn returning(&self, text: &str) -> Result<Vec<u8>, Failure> {
        self.tried(text.as_bytes());
        Ok(text.into())
    }

    async fn tried_done(&self, #[tried] bytes: &[u8]) -> Result<(), Failure> {
        self.confirmed(bytes);
        Ok(())
    }

    async fn tried_undone(&self, #[tried] bytes: Option<&Vec<u8>>) -> Result<(), Failure> {
        self.cancelled(bytes.ok_or(Failure::Business("it answered"))?);
        Ok(())
    }
}

pub(crate) async fn any_order(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.any_order("a".to_owned(), 1, true).await;
    run(ending, Partners, call).await;
}

pub(crate) async fn lent_what_is_owned(ending: Ending) {
    let call = async |partners: Arc<Partners>| {
        let text = "a".to_owned();
        partners.owned(text, vec![1], [2, 3]).await
    };
    run(ending, Partners, call).await;
}

pub(crate) async fn owned_what_is_lent(ending: Ending) {
    let call = async |partners: Arc<Partners>| {
        let cow = Cow::Borrowed("c");
        partners.lent("a", &[1], Some("b"), cow).await
    };
    run(ending, Partners, call).await;
}

pub(crate) async fn no_parameters(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.nothing().await;
    run(ending, Partners, call).await;
}

pub(crate) async fn subset(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.subset("a", 7).await;
    run(ending, Partners, call).await;
}

pub(crate) async fn named_through_self(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.first(1).await;
    run(ending, Partners, call).await;
}

pub(crate) async fn partner_of_several_actions(ending: Ending) {
    let call = async |partners: Arc<Partners>| {
        partners.first(1).await?;
        partners.second(&2, "text").await
    };
    run(ending, Partners, call).await;
}

pub(crate) async fn shared_self(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.shared("a").await;
    run(ending, Partners, call).await;
}

pub(crate) async fn asked_context(ending: Ending) {
    let call = async |partners: Arc<Partners>| partners.context(1).await;
    run(ending, Partners, call).await;
}

pub(crate) async fn tried_unfenced(ending: Ending) {
    let call = async |partners: Arc<Partners>| {
        assert_eq!(partners.returning("a").await?, b"a");
        Ok(())
    };
    run(ending, Partners, call).await;
}

pub(crate) async fn tried_fenced(ending: Ending) {
    struct Orders {
        db: SqlitePool,
        journal: Journal,
    }

    #[participant(name = "orders", fence = self.db)]
    impl Orders {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn create(&self, _tx: &mut FenceTx<Sqlite>, sku: &str) -> Result<String, Failure> {
            self.journal.tried(format!("{sku}-1"));
            Ok(format!("{sku}-1"))
        }

        async fn confirm(&self, #[tried] id: &str) -> Result<(), Failure> {
            self.journal.confirmed(id);
            Ok(())
        }

        async fn cancel(
            &self,
            #[tried] id: &String,
            _tx: &mut FenceTx<Sqlite>,
        ) -> Result<(), Failure> {
            self.journal.cancelled(id);
            Ok(())
        }
    }

    let db = database().await;
    let make = |journal| Orders { db, journal };
    run(ending, make, async |orders| {
        assert_eq!(orders.create("tea").await?, "tea-1");
        Ok(())
    })
    .await;
}

/// One shape: partners whose results carry this error.
macro_rules! errors {
    ($($shape:ident: $error:ty;)*) => {
        $(
            pub(crate) async fn $shape(ending: Ending) {
                struct Raising(Journal);

                #[participant(name = "raising")]
                impl Raising {
                    #[two_phase_action(commit = confirm, rollback = cancel)]
                    async fn act(&self, count: u8) -> Result<(), Failure> {
                        self.0.tried(count);
                        Ok(())
                    }

                    async fn confirm(&self, count: u8) -> Result<(), $error> {
                        self.0.confirmed(count);
                        Ok(())
                    }

                    async fn cancel(&self, count: u8) -> Result<(), $error> {
                        self.0.cancelled(count);
                        Ok(())
                    }
                }

                run(ending, Raising, async |raising| raising.act(1).await).await;
            }
        )*
    };
}

errors! {
    anyhow_error: anyhow::Error;
    boxed_error: Box<dyn Error + Send + Sync>;
    own_error: PhaseTwoError;
    status_error: tonic::Status;
    text_error: String;
}
