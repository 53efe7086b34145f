use unanimous::{Error, participant, two_phase_action};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(
        &self,
        to: &str,
        #[cfg(debug_assertions)] pages: i64,
        #[skip]
        #[cfg(debug_assertions)]
        log: &mut Vec<String>,
    ) -> Result<(), Error> {
        let _ = (to, pages, log);
        Ok(())
    }

    async fn send(&self, #[cfg(debug_assertions)] to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

#[two_phase_action(commit = none, rollback = take_back)]
async fn add(#[cfg(debug_assertions)] count: u8) -> Result<(), Error> {
    let _ = count;
    Ok(())
}

async fn take_back(_: u8) -> Result<(), Error> {
    Ok(())
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1, &mut Vec::new()).await?;
    add(1).await
}

fn main() {}
// mistakes: 3
