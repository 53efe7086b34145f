//! Every shape of function that the annotations accept, each run to a commit and to a rollback.
//! A shape that is on the list and is not run fails, and so does one that is run and not listed.

#![deny(warnings)]

mod action;
mod global;
#[path = "../expand/world.rs"]
#[allow(dead_code, reason = "the expansion cases use the rest of it")]
mod world;

use std::fmt::Debug;

use world::{Failure, World};

/// How a run is to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    Commit,
    Rollback,
}

impl Ending {
    /// What a body returns that has done its work.
    fn with<T>(self, value: T) -> Result<T, Failure> {
        match self {
            Self::Commit => Ok(value),
            Self::Rollback => Failure::business("as the table says"),
        }
    }

    fn fails(self) -> bool {
        self == Self::Rollback
    }

    /// Runs a call, which must end so: what it returned if it was to commit.
    async fn of<T: Debug, E: Debug>(
        self,
        world: &World,
        call: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        match self {
            Self::Commit => Some(world.commits(call).await),
            Self::Rollback => {
                world.rolls_back(call).await;
                None
            }
        }
    }
}

/// Two tests per shape, and that no shape of the list is left out.
macro_rules! table {
    ($($module:ident: $($shape:ident)*;)*) => {
        mod commits {
            $($(
                #[tokio::test]
                async fn $shape() {
                    super::$module::$shape(crate::Ending::Commit).await;
                }
            )*)*
        }

        mod rolls_back {
            $($(
                #[tokio::test]
                async fn $shape() {
                    super::$module::$shape(crate::Ending::Rollback).await;
                }
            )*)*
        }

        #[test]
        fn every_shape_of_the_list_is_run() {
            let sorted = |mut names: Vec<&'static str>| {
                names.sort_unstable();
                names
            };
            let run = sorted(vec![$($(stringify!($shape)),*),*]);
            assert_eq!(run, sorted(LISTED.concat()));
        }
    };
}
pub(crate) use table;
