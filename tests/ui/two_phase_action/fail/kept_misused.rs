use unanimous::{BranchContext, Error, participant};

struct Gateway;

#[participant(name = "gateway")]
impl Gateway {
    #[two_phase_action(commit = capture, rollback = release)]
    async fn authorise(&self, #[kept] card: &str) -> Result<u64, Error> {
        let _ = card;
        Ok(1)
    }

    async fn capture(
        &self,
        #[kept] (number, _): (u64, u8),
        #[kept(name = "number")] other: u64,
        #[kept] names: Vec<&str>,
        #[kept] #[tried] answer: &u64,
        #[kept] #[recorded(default)] note: String,
        #[recorded(name = "branch")] branch: &BranchContext,
    ) -> Result<(), Error> {
        let _ = (number, other, names, answer, note, branch);
        Ok(())
    }

    async fn release(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(gateway: &Gateway) -> Result<u64, Error> {
    gateway.authorise("visa").await
}
// mistakes: 7
