use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Parcels {
    db: SqlitePool,
}

#[participant(name = "parcels", fence = self.db)]
impl Parcels {
    #[two_phase_action(commit = send, rollback = none, always_cancel = true)]
    async fn book(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = (tx, &self.db);
        Ok(())
    }

    #[two_phase_action(commit = send, rollback = none, always_cancel)]
    async fn order(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(parcels: &Parcels) -> Result<(), Error> {
    parcels.book().await?;
    parcels.order().await
}
// mistakes: 2
