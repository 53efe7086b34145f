// What rustc says of a plain function, and as often.
use unanimous::{Error, global_transactional};

#[global_transactional(map_err = |error| error, commit_on(_))]
async fn purchase() -> Result<Order, Error> {
    Ok(Order)
}

fn main() {
    let _ = purchase();
}

async fn caller() -> Result<(), Error> {
    let _ = purchase().await?;
    Ok(())
}
// mistakes: 2
