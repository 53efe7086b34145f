use unanimous::{Error, participant};

struct Mailer {
    shard: u32,
}

#[participant(name = self.shard)]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Mailer { shard: 1 };
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann").await
}
