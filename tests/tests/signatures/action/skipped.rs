//! What is marked `#[skip]` is not recorded, so it may have any type.

use std::fmt::Display;

use unanimous::participant;

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal};

struct Skipping(Journal);

#[participant(name = "skipping")]
impl Skipping {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn dynamic(
        &self,
        #[skip] next: &(dyn Fn() -> u8 + Sync),
        count: u8,
    ) -> Result<(), Failure> {
        assert_eq!(next(), 7);
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn exclusive(&self, count: u8, #[skip] log: &mut Vec<u8>) -> Result<(), Failure> {
        log.push(count);
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn generic<T, const N: usize>(
        &self,
        #[skip] items: [T; N],
        count: u8,
    ) -> Result<(), Failure>
    where
        T: Into<u8> + Send,
    {
        assert_eq!(items.map(Into::into), [7; N]);
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn existential(
        &self,
        #[skip] shown: impl Display + Send,
        count: u8,
    ) -> Result<(), Failure> {
        assert_eq!(shown.to_string(), "7");
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn nested(&self, #[skip] words: &[&str], count: u8) -> Result<(), Failure> {
        assert_eq!(words, ["a", "b"]);
        self.0.tried(count);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn pattern(
        &self,
        #[skip] (first, [second, _]): (u8, [u8; 2]),
        count: u8,
    ) -> Result<(), Failure> {
        assert_eq!((first, second), (1, 2));
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

pub(crate) async fn skipped_dynamic_reference(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        skipping.dynamic(&|| 7, 1).await
    })
    .await;
}

pub(crate) async fn skipped_exclusive_reference(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        let mut log = Vec::new();
        skipping.exclusive(1, &mut log).await?;
        assert_eq!(log, [1]);
        Ok(())
    })
    .await;
}

pub(crate) async fn skipped_generic(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        skipping.generic([7, 7], 1).await
    })
    .await;
}

pub(crate) async fn skipped_impl_trait(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        skipping.existential(7, 1).await
    })
    .await;
}

pub(crate) async fn skipped_nested_reference(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        skipping.nested(&["a", "b"], 1).await
    })
    .await;
}

pub(crate) async fn skipped_pattern(ending: Ending) {
    run(ending, Skipping, async |skipping| {
        skipping.pattern((1, [2, 3]), 1).await
    })
    .await;
}
