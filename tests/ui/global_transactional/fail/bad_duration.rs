use unanimous::{Error, global_transactional};

#[global_transactional(timeout = "30 seconds", settle = 5)]
async fn no_unit() -> Result<(), Error> {
    Ok(())
}

#[global_transactional(timeout = "0s", settle = "1000h")]
async fn too_short_and_too_long() -> Result<(), Error> {
    Ok(())
}

#[global_transactional(timeout = 5 * 6)]
async fn number() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = (no_unit(), too_short_and_too_long(), number());
}

async fn caller() -> Result<(), Error> {
    no_unit().await?;
    too_short_and_too_long().await?;
    number().await
}
// mistakes: 5
