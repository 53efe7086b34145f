//! Every form in which a parameter is recorded, read back as it was passed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use unanimous::participant;

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal};

/// One shape: a participant whose only action hands `$name` to both partners, and a run of it. The
/// type arrives as the tokens that a person writes, except in the last shape.
macro_rules! recorded {
    ($shape:ident, $name:ident: [$($ty:tt)+], $passed:expr) => {
        pub(crate) async fn $shape(ending: Ending) {
            struct Recording(Journal);

            #[participant(name = "recording")]
            impl Recording {
                #[two_phase_action(commit = confirm, rollback = cancel)]
                async fn act(&self, $name: $($ty)+) -> Result<(), Failure> {
                    self.0.tried(format!("{:?}", $name));
                    Ok(())
                }

                async fn confirm(&self, $name: $($ty)+) -> Result<(), Failure> {
                    self.0.confirmed(format!("{:?}", $name));
                    Ok(())
                }

                async fn cancel(&self, $name: $($ty)+) -> Result<(), Failure> {
                    self.0.cancelled(format!("{:?}", $name));
                    Ok(())
                }
            }

            run(ending, Recording, async |participant| {
                participant.act($passed).await
            })
            .await;
        }
    };
}

macro_rules! recorded_type {
    ($shape:ident, $name:ident: $ty:ty, $passed:expr) => {
        recorded!($shape, $name: [$ty], $passed);
    };
}

recorded!(owned, text: [String], "a".to_owned());
recorded!(array, bytes: [[u8; 3]], [1, 2, 3]);
recorded!(owned_option, count: [Option<u8>], Some(1));
recorded!(lent_str, text: [&str], "a");
recorded!(lent_slice, words: [&[String]], &["a".to_owned()]);
recorded!(lent_type, counts: [&BTreeMap<String, u8>], &BTreeMap::from([("a".to_owned(), 1)]));
recorded!(optional_lent_str, text: [Option<&str>], Some("a"));
recorded!(optional_lent_type, count: [Option<&u8>], Some(&1));
recorded!(borrowed_copy_on_write, text: [Cow<'_, str>], Cow::Borrowed("a"));
recorded!(raw_identifiers, r#type: [&str], "a");
recorded!(named_like_our_locals, __branch: [&str], "a");
recorded_type!(type_of_a_macro, text: &str, "a");

/// What the body makes of a `mut` parameter is its own: phase two reads what the caller passed.
pub(crate) async fn mutable_parameter(ending: Ending) {
    struct Recording(Journal);

    #[participant(name = "recording")]
    impl Recording {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn act(&self, mut text: String) -> Result<(), Failure> {
            self.0.tried(&text);
            text.clear();
            drop(text);
            Ok(())
        }

        async fn confirm(&self, text: String) -> Result<(), Failure> {
            self.0.confirmed(text);
            Ok(())
        }

        async fn cancel(&self, mut text: String) -> Result<(), Failure> {
            text.push('.');
            self.0.cancelled(text.trim_end_matches('.'));
            Ok(())
        }
    }

    run(ending, Recording, async |participant| {
        participant.act("a".to_owned()).await
    })
    .await;
}
