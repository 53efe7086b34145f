use unanimous::{Error, two_phase_action};

struct Money(i64);

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(money: Money) -> Result<(), Error> {
    let _ = money.0;
    Ok(())
}

async fn confirm(_: Money) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: Money) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(Money(5)).await
}

fn main() {}
// mistakes: 2
