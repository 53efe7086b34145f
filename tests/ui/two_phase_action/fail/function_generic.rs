use std::fmt::Display;

use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn prepare<T: Display, const N: usize>(to: T, rows: [u8; N]) -> Result<(), Error> {
    let _ = (to.to_string(), rows);
    Ok(())
}

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn print(#[skip] what: impl Display) -> Result<(), Error> {
    let _ = what.to_string();
    Ok(())
}

async fn confirm() -> Result<(), Error> {
    Ok(())
}

async fn cancel() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    prepare("ann", [1]).await?;
    print(5).await
}

fn main() {}
// mistakes: 3
