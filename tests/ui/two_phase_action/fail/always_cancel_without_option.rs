use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Parcels {
    db: SqlitePool,
}

#[participant(name = "parcels", fence = self.db)]
impl Parcels {
    #[two_phase_action(commit = send, rollback = call_back, always_cancel)]
    async fn book(&self, tx: &mut FenceTx<Sqlite>) -> Result<u32, Error> {
        let _ = (tx, &self.db);
        Ok(7)
    }

    async fn send(&self, #[tried] number: &u32, #[kept] carrier: String) -> Result<(), Error> {
        let _ = (number, carrier);
        Ok(())
    }

    async fn call_back(&self, #[tried] number: &u32, #[kept] carrier: String) -> Result<(), Error> {
        let _ = (number, carrier);
        Ok(())
    }
}

fn main() {}

async fn caller(parcels: &Parcels) -> Result<u32, Error> {
    parcels.book().await
}
// mistakes: 2
