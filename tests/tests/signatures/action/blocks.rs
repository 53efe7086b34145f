//! The impl block around an action, and what stands beside it.

use std::fmt::Display;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use shop_proto::v1::account_server::Account;
use shop_proto::v1::{DebitReply, DebitRequest};
use tonic::{Request, Response, Status};
use tracing::instrument;
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal, World, database};

pub(crate) async fn generic_impl(ending: Ending) {
    trait Repo: Send + Sync + 'static {
        type Id: Clone + Display + Send + Sync + serde::Serialize + serde::de::DeserializeOwned;

        fn save(&self, id: &Self::Id) -> impl Future<Output = bool> + Send;
    }

    struct InMemory;

    impl Repo for InMemory {
        type Id = u64;

        async fn save(&self, id: &u64) -> bool {
            *id > 0
        }
    }

    struct Accounts<R, const N: usize> {
        repo: R,
        journal: Journal,
    }

    #[participant(name = format!("account-{N}"))]
    impl<R, const N: usize> Accounts<R, N>
    where
        R: Repo,
    {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn open(&self, id: R::Id, others: &[R::Id]) -> Result<usize, Failure> {
            self.journal.tried(&id);
            Ok(others.len() + N)
        }

        async fn confirm(&self, id: &R::Id, others: Vec<R::Id>) -> Result<(), Failure> {
            assert!(self.repo.save(id).await && others.len() == 1);
            self.journal.confirmed(id);
            Ok(())
        }

        async fn cancel(&self, id: R::Id) -> Result<(), Failure> {
            self.journal.cancelled(id);
            Ok(())
        }
    }

    let make = |journal| Accounts::<_, 2> {
        repo: InMemory,
        journal,
    };
    run(ending, make, async |accounts| {
        assert_eq!(accounts.open(7, &[8]).await?, 3);
        Ok(())
    })
    .await;
}

/// The trait has no transaction, and no partners.
struct Ledger {
    db: SqlitePool,
    journal: Journal,
}

pub(crate) async fn native_trait_implementation(ending: Ending) {
    trait Service {
        async fn debit(&self, amount: i64) -> Result<(), Failure>;
    }

    struct Native(Ledger);

    #[participant(name = "native", fence = self.0.db)]
    impl Service for Native {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            self.0.journal.tried(amount);
            Ok(())
        }

        async fn confirm(&self, amount: i64) -> Result<(), Failure> {
            self.0.journal.confirmed(amount);
            Ok(())
        }

        async fn cancel(&self, amount: i64) -> Result<(), Failure> {
            self.0.journal.cancelled(amount);
            Ok(())
        }
    }

    let db = database().await;
    let make = |journal| Native(Ledger { db, journal });
    run(ending, make, async |native| native.debit(1).await).await;
}

pub(crate) async fn trait_method_with_send_future(ending: Ending) {
    trait Service {
        fn debit(&self, amount: i64) -> impl Future<Output = Result<(), Failure>> + Send;
        fn credit(&self, amount: i64) -> impl Future<Output = Result<(), Failure>> + Send;
    }

    struct Sending(Ledger);

    #[participant(name = "sending", fence = self.0.db)]
    impl Service for Sending {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            self.0.journal.tried(amount);
            Ok(())
        }

        #[allow(clippy::manual_async_fn)]
        #[two_phase_action(commit = confirm, rollback = cancel)]
        fn credit(
            &self,
            tx: &mut FenceTx<Sqlite>,
            amount: i64,
        ) -> impl Future<Output = Result<(), Failure>> + Send {
            async move {
                unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                self.0.journal.tried(amount);
                Ok(())
            }
        }

        async fn confirm(&self, amount: i64) -> Result<(), Failure> {
            self.0.journal.confirmed(amount);
            Ok(())
        }

        async fn cancel(&self, amount: i64) -> Result<(), Failure> {
            self.0.journal.cancelled(amount);
            Ok(())
        }
    }

    async fn generic(service: Arc<impl Service + Send + Sync + 'static>) -> Result<(), Failure> {
        service.debit(1).await?;
        service.credit(2).await
    }

    let db = database().await;
    run(ending, |journal| Sending(Ledger { db, journal }), generic).await;
}

pub(crate) async fn async_trait_implementation(ending: Ending) {
    #[async_trait]
    trait Service: Send + Sync {
        async fn debit(&self, user: &str, amount: i64) -> Result<i64, Failure>;
    }

    struct Boxed(Ledger);

    #[participant(name = "boxed", fence = self.0.db)]
    #[async_trait]
    impl Service for Boxed {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn debit(
            &self,
            tx: &mut FenceTx<Sqlite>,
            user: &str,
            amount: i64,
        ) -> Result<i64, Failure> {
            unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
            self.0.journal.tried(format!("{user} {amount}"));
            Ok(amount)
        }

        async fn confirm(&self, user: String, #[tried] amount: &i64) -> Result<(), Failure> {
            self.0.journal.confirmed(format!("{user} {amount}"));
            Ok(())
        }

        async fn cancel(&self, user: &str, amount: i64) -> Result<(), Failure> {
            self.0.journal.cancelled(format!("{user} {amount}"));
            Ok(())
        }
    }

    let db = database().await;
    let make = |journal| Boxed(Ledger { db, journal });
    run(ending, make, async |boxed| {
        let service: &dyn Service = &*boxed;
        assert_eq!(service.debit("ann", 7).await?, 7);
        Ok(())
    })
    .await;
}

/// Types of the trait are recorded, returned, and taken by the partners, which are not the trait's.
pub(crate) async fn types_of_the_trait(ending: Ending) {
    trait Service<A> {
        type Id: Clone + Send;
        type Error;
        const LIMIT: i64;

        async fn debit(&self, user: Self::Id, amount: A) -> Result<Self::Id, Self::Error>;
    }

    struct Typed(Ledger);

    #[participant(name = "typed", fence = self.0.db)]
    impl Service<i64> for Typed {
        type Id = String;
        type Error = Failure;
        const LIMIT: i64 = 9;

        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn debit(
            &self,
            _tx: &mut FenceTx<Sqlite>,
            user: Self::Id,
            amount: i64,
        ) -> Result<Self::Id, Self::Error> {
            let amount = amount.min(Self::LIMIT);
            self.0.journal.tried(format!("{user} {amount}"));
            Ok(user)
        }

        async fn confirm(
            &self,
            #[tried] who: &Self::Id,
            user: &Self::Id,
            amount: i64,
        ) -> Result<(), Self::Error> {
            let user: <Self as Service<i64>>::Id = Self::Id::from(user);
            assert_eq!(who, &user);
            let amount = amount.min(Self::LIMIT);
            self.0.journal.confirmed(format!("{user} {amount}"));
            Ok(())
        }

        async fn cancel(&self, user: Self::Id) -> Result<(), Self::Error> {
            self.0.journal.cancelled(format!("{user} 9"));
            Ok(())
        }
    }

    let db = database().await;
    let make = |journal| Typed(Ledger { db, journal });
    run(ending, make, async |typed| {
        assert_eq!(typed.debit("ann".to_owned(), 10).await?, "ann");
        Ok(())
    })
    .await;
}

struct Till(Journal);

#[participant(name = "till")]
impl Till {
    /// Documented, and called as it is written less nothing.
    #[must_use = "the outcome"]
    #[inline]
    #[doc(alias = "take")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    #[allow(clippy::unused_async)]
    #[expect(unused_variables, reason = "the annotation leaves the lint in place")]
    async fn documented(&self, count: u8, #[skip] ignored: u8) -> Result<(), Failure> {
        let unused = ();
        self.0.tried(count);
        Ok(())
    }

    #[deprecated(note = "use `documented`")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn deprecated(&self, count: u8) -> Result<(), Failure> {
        self.0.tried(count);
        Ok(())
    }

    #[instrument(skip(self), err(Debug))]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn above(&self, count: u8) -> Result<(), Failure> {
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    #[instrument(skip(self), fields(count = count + 1))]
    async fn below(&self, count: u8) -> Result<(), Failure> {
        self.0.tried(count);
        Ok(())
    }

    #[cfg(not(target_os = "none"))]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn conditional(&self, count: u8) -> Result<(), Failure> {
        self.0.tried(count);
        Ok(())
    }

    #[cfg(target_os = "none")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn conditional(&self, count: NoSuchType) -> Result<(), Failure> {
        Ok(count.into())
    }

    #[global_transactional(name = "alone", timeout = "10s")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn alone(&self, count: u8, #[skip] ending: Ending) -> Result<(), Failure> {
        self.0.tried(count);
        ending.with(())
    }

    #[instrument(skip_all)]
    async fn confirm(&self, count: u8) -> Result<(), Failure> {
        self.0.confirmed(count);
        Ok(())
    }

    async fn cancel(&self, count: u8) -> Result<(), Failure> {
        self.0.cancelled(count);
        Ok(())
    }
}

pub(crate) async fn attributes_beside(ending: Ending) {
    #[expect(deprecated, reason = "the attribute stays on the method")]
    run(ending, Till, async |till: Arc<Till>| {
        till.documented(1, 0).await?;
        till.deprecated(2).await
    })
    .await;
}

pub(crate) async fn instrumented(ending: Ending) {
    run(ending, Till, async |till: Arc<Till>| {
        till.above(1).await?;
        till.below(2).await
    })
    .await;
}

pub(crate) async fn conditional_methods(ending: Ending) {
    run(ending, Till, async |till| till.conditional(1).await).await;
}

pub(crate) async fn parallel_branches(ending: Ending) {
    run(ending, Till, async |till: Arc<Till>| {
        try_join_all((1..=5).map(|count| till.conditional(count))).await?;
        Ok(())
    })
    .await;
}

pub(crate) async fn transaction_of_one_branch(ending: Ending) {
    let (world, till) = World::with_one(|journal| Till(journal.clone())).await;
    ending.of(&world, till.alone(1, ending)).await;
}

pub(crate) async fn name_of_the_instance(ending: Ending) {
    struct Shard {
        number: u8,
        journal: Journal,
    }

    #[participant(name = format!("shard-{}", self.number))]
    impl Shard {
        #[two_phase_action(name = "put", commit = confirm, rollback = cancel)]
        async fn put_here(&self, key: &str) -> Result<(), Failure> {
            self.journal.tried(key);
            Ok(())
        }

        async fn confirm(&self, key: &str) -> Result<(), Failure> {
            self.journal.confirmed(key);
            Ok(())
        }

        async fn cancel(&self, key: &str) -> Result<(), Failure> {
            self.journal.cancelled(key);
            Ok(())
        }
    }

    let make = |journal| Shard { number: 7, journal };
    run(ending, make, async |shard| shard.put_here("key").await).await;
}

/// The handler delegates to an inherent action in one line.
pub(crate) async fn tonic_handler_delegates(ending: Ending) {
    struct Server {
        till: Arc<Till>,
        ending: Ending,
    }

    #[tonic::async_trait]
    impl Account for Server {
        #[global_transactional]
        async fn debit(
            &self,
            request: Request<DebitRequest>,
        ) -> Result<Response<DebitReply>, Status> {
            let count = u8::try_from(request.get_ref().amount).unwrap_or(u8::MAX);
            let done = self.till.conditional(count).await;
            match done.and_then(|()| self.ending.with(())) {
                Ok(()) => Ok(Response::new(DebitReply::default())),
                Err(error) => Err(Status::failed_precondition(error.to_string())),
            }
        }
    }

    let (world, till) = World::with_one(|journal| Till(journal.clone())).await;
    let server = Server { till, ending };
    let request = Request::new(DebitRequest {
        amount: 7,
        ..DebitRequest::default()
    });
    ending.of(&world, server.debit(request)).await;
}

/// Types of a function's own, below statements that look like ours.
pub(crate) async fn in_a_function_body(ending: Ending) {
    let unanimous = "a local";
    assert_eq!(unanimous.len(), 7);

    {
        struct Local(Journal);

        #[participant(name = "local")]
        impl Local {
            #[two_phase_action(commit = confirm, rollback = cancel)]
            async fn act(&self, count: u8) -> Result<(), Failure> {
                self.0.tried(count);
                Ok(())
            }

            async fn confirm(&self, count: u8) -> Result<(), Failure> {
                self.0.confirmed(count);
                Ok(())
            }

            async fn cancel(&self, count: u8) -> Result<(), Failure> {
                self.0.cancelled(count);
                Ok(())
            }
        }

        run(ending, Local, async |local| local.act(1).await).await;
    }
}

pub(crate) async fn written_by_a_macro(ending: Ending) {
    macro_rules! ledger {
        ($vis:vis $type:ident.$pool:ident, $name:expr, $parameter:ident: $amount:ty, $memo:ty, $body:block) => {
            $vis struct $type {
                $pool: SqlitePool,
                journal: Journal,
            }

            #[participant(name = $name, fence = self.$pool)]
            impl $type {
                #[two_phase_action(commit = confirm, rollback = cancel)]
                $vis async fn write(
                    &self,
                    _tx: &mut FenceTx<Sqlite>,
                    $parameter: $amount,
                    memo: $memo,
                    lent: &$amount,
                ) -> Result<$amount, Failure> {
                    self.journal.tried($parameter);
                    assert_eq!((memo, lent), (Some("memo"), &$parameter));
                    $body
                }

                async fn confirm(&self, $parameter: &$amount, memo: $memo) -> Result<(), Failure> {
                    assert_eq!(memo, Some("memo"));
                    self.journal.confirmed($parameter);
                    Ok(())
                }

                async fn cancel(&self, lent: $amount) -> Result<(), Failure> {
                    self.journal.cancelled(lent);
                    Ok(())
                }
            }
        };
    }

    ledger!(pub(crate) Written.pool, "written", amount: i64, Option<&str>, { Ok(9) });

    let pool = database().await;
    let make = |journal| Written { pool, journal };
    run(ending, make, async |written| {
        assert_eq!(written.write(4, Some("memo"), &4).await?, 9);
        Ok(())
    })
    .await;
}
