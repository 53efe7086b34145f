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
