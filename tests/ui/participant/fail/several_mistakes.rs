// All are reported, each at its own place, and the callers get no error of their own.
use unanimous::{Error, Runtime, participant};

struct Mailer;

#[participant(name = "mailer", map_er = refuse, crate = unanimous)]
impl Mailer {
    #[two_phase_action(commit = sent)]
    async fn prepare(&self, to: &[&str], #[skip] log: &mut Vec<String>) -> Result<(), Error> {
        log.extend(to.iter().map(ToString::to_string));
        Ok(())
    }

    #[two_phase_action(commit = send, rollback = discard)]
    async fn write(&mut self, text: String) -> Result<usize, Error> {
        Ok(text.len())
    }

    fn send(&self, text: &str) -> Result<(), Error> {
        let _ = text;
        Ok(())
    }

    async fn discard<T>(&self, _: T) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(mailer: Mailer) -> Result<(), Error> {
    mailer.prepare(&["ann"], &mut Vec::new()).await?;
    let written: usize = mailer.write("text".to_owned()).await?;
    let _ = (written, Runtime::builder().participant(std::sync::Arc::new(mailer)));
    Ok(())
}

fn main() {
    let _ = caller;
}
// mistakes: 9
