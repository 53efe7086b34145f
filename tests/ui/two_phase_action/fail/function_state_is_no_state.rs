use std::rc::Rc;

use unanimous::{Error, two_phase_action};

struct Config;

#[two_phase_action(commit = none, rollback = cancel(amount))]
async fn debit(#[state] config: Config, amount: i64) -> Result<(), Error> {
    let _ = (&config, amount);
    Ok(())
}

#[two_phase_action(commit = none, rollback = cancel(amount))]
async fn credit(#[state] local: &Rc<u8>, amount: i64) -> Result<(), Error> {
    let _ = (local, amount);
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(5).await
}

fn main() {
    let _ = credit(6);
}
// mistakes: 2
