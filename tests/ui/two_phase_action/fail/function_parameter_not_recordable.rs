use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = none, rollback = cancel)]
async fn debit(rows: &[&str], (left, right): (u8, u8), count: &mut u8) -> Result<(), Error> {
    let _ = (rows, left, right, count);
    Ok(())
}

async fn cancel() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(&["a"], (1, 2), &mut 3).await
}

fn main() {}
// mistakes: 3
