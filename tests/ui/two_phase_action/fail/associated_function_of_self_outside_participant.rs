use unanimous::{Error, two_phase_action};

struct Accounts;

impl Accounts {
    #[two_phase_action(commit = Self::confirm, rollback = Self::cancel)]
    async fn debit(user: &str) -> Result<(), Error> {
        let _ = user;
        Ok(())
    }

    async fn confirm(_: &str) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(_: &str) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller() -> Result<(), Error> {
    Accounts::debit("ann").await
}

fn main() {}
