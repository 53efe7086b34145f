//! Macros that write annotated items for other crates, which need not know of ours: every path
//! leads through `$crate`.

#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]

pub use ::tx;

/// Writes a transactional function: its name, its parameter, the type of its value, and the body.
#[macro_export]
macro_rules! transactional {
    ($(#[$meta:meta])* $vis:vis $name:ident($parameter:ident: $ty:ty) -> $ok:ty $body:block) => {
        $(#[$meta])*
        #[$crate::tx::global_transactional(
            name = "written by a macro",
            timeout = "30s",
            commit_on($crate::tx::Error::NoRuntime),
            map_err = |error| error,
            crate = $crate::tx
        )]
        $vis async fn $name(
            $parameter: $ty,
        ) -> ::core::result::Result<$ok, $crate::tx::Error> $body
    };
}

/// Writes a participant with a fence: a type with one action, `hold`, which calls the function of
/// each phase.
#[macro_export]
macro_rules! ledger {
    (
        $(#[$meta:meta])*
        $vis:vis struct $type:ident { $pool:ident, $counts:ident: $counts_type:ty }
        $name:expr, hold($amount:ident: $amount_type:ty), $memo:ty
    ) => {
        $(#[$meta])*
        $vis struct $type {
            /// The database.
            $vis $pool: $crate::tx::sqlx::SqlitePool,
            /// What happened.
            $vis $counts: $counts_type,
        }

        #[$crate::tx::participant(name = $name, fence = self.$pool, crate = $crate::tx)]
        impl $type {
            /// Holds an amount.
            ///
            /// # Errors
            ///
            /// When the transaction fails.
            #[two_phase_action(commit = confirm, rollback = cancel)]
            $vis async fn hold(
                &self,
                transaction: &mut $crate::tx::FenceTx<$crate::tx::sqlx::Sqlite>,
                $amount: $amount_type,
                memo: $memo,
            ) -> ::core::result::Result<$amount_type, $crate::tx::Error> {
                let _ = (transaction.connection(), memo);
                self.$counts.tried();
                ::core::result::Result::Ok($amount)
            }

            async fn confirm(
                &self,
                memo: $memo,
                #[tried] held: &$amount_type,
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = (memo, held);
                self.$counts.confirmed();
                ::core::result::Result::Ok(())
            }

            async fn cancel(
                &self,
                $amount: &$amount_type,
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = $amount;
                self.$counts.cancelled();
                ::core::result::Result::Ok(())
            }
        }
    };
}

/// Writes a free action with a fence: its state, and what it records.
#[macro_export]
macro_rules! held {
    (
        $(#[$meta:meta])*
        $vis:vis $name:ident(
            $db:ident, $counts:ident: $counts_type:ty, $user:ident: $user_type:ty,
            $amount:ident: $amount_type:ty
        ) -> $ok:ty
    ) => {
        $(#[$meta])*
        #[$crate::tx::two_phase_action(
            alias = ["held by a macro"],
            commit = __confirm,
            rollback = __cancel($counts, tried),
            fence = $db,
            crate = $crate::tx
        )]
        $vis async fn $name(
            tx: &mut $crate::tx::FenceTx<$crate::tx::sqlx::Sqlite>,
            #[state] $db: &$crate::tx::sqlx::SqlitePool,
            #[state] $counts: &$counts_type,
            #[recorded(name = "user", default)] $user: $user_type,
            $amount: $amount_type,
        ) -> ::core::result::Result<$ok, $crate::tx::Error> {
            let _ = (tx.connection(), $db.is_closed(), $user);
            $counts.tried();
            ::core::result::Result::Ok($amount)
        }

        async fn __confirm(
            _: &mut $crate::tx::FenceTx<$crate::tx::sqlx::Sqlite>,
            _: &$crate::tx::sqlx::SqlitePool,
            $counts: &$counts_type,
            $user: $user_type,
            $amount: $amount_type,
        ) -> ::core::result::Result<(), $crate::tx::Error> {
            let _ = ($user, $amount);
            $counts.confirms().await;
            ::core::result::Result::Ok(())
        }

        async fn __cancel(
            $counts: &$counts_type,
            tried: &$ok,
        ) -> ::core::result::Result<(), $crate::tx::Error> {
            let _ = tried;
            $counts.cancels().await;
            ::core::result::Result::Ok(())
        }
    };
}

/// Writes a free action without a fence that needs nothing on commit.
#[macro_export]
macro_rules! jotted {
    (
        $(#[$meta:meta])*
        $vis:vis $name:ident($counts:ident: $counts_type:ty, $word:ident: $word_type:ty)
    ) => {
        $(#[$meta])*
        #[$crate::tx::two_phase_action(commit = none, rollback = __erase, crate = $crate::tx)]
        $vis async fn $name(
            #[state] $counts: $counts_type,
            $word: $word_type,
        ) -> ::core::result::Result<(), $crate::tx::Error> {
            let _ = $word;
            $counts.tried();
            ::core::result::Result::Ok(())
        }

        async fn __erase(
            $counts: $counts_type,
            $word: $word_type,
        ) -> ::core::result::Result<(), $crate::tx::Error> {
            let _ = $word;
            $counts.cancels().await;
            ::core::result::Result::Ok(())
        }
    };
}

/// Writes a participant without a fence, with an action that keeps a value and one that needs
/// nothing on commit.
#[macro_export]
macro_rules! shelf {
    (
        $(#[$meta:meta])*
        $vis:vis struct $type:ident { $counts:ident: $counts_type:ty }
        $action:ident($article:ident: $article_type:ty) as $wire:literal,
        keeps $kept:ident: $kept_type:ty
    ) => {
        $(#[$meta])*
        $vis struct $type {
            $counts: $counts_type,
        }

        #[$crate::tx::participant(name = "shelf", crate = $crate::tx)]
        impl $type {
            #[two_phase_action(commit = sell, rollback = put_back, alias = ["deduct"])]
            async fn $action(
                &self,
                #[recorded(name = $wire)] $article: $article_type,
                #[skip] value: $kept_type,
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = $article;
                if let ::core::option::Option::Some(branch) = $crate::tx::BranchContext::current() {
                    branch.keep(::core::stringify!($kept), &value)?;
                }
                self.$counts.tried();
                ::core::result::Result::Ok(())
            }

            async fn sell(
                &self,
                $article: $article_type,
                #[kept] $kept: $kept_type,
                #[recorded(name = "colour", default)] colour: &str,
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = ($article, $kept, colour);
                self.$counts.confirmed();
                ::core::result::Result::Ok(())
            }

            async fn put_back(
                &self,
                #[recorded(name = $wire)] what: $article_type,
                #[kept] $kept: ::core::option::Option<$kept_type>,
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = (what, $kept);
                self.$counts.cancelled();
                ::core::result::Result::Ok(())
            }

            #[two_phase_action(commit = none, rollback = forget)]
            async fn remember(
                &self,
                words: &[u8],
            ) -> ::core::result::Result<(), $crate::tx::Error> {
                let _ = words;
                self.$counts.tried();
                ::core::result::Result::Ok(())
            }

            async fn forget(&self) -> ::core::result::Result<(), $crate::tx::Error> {
                self.$counts.cancelled();
                ::core::result::Result::Ok(())
            }
        }
    };
}
