// #[tokio::main] makes a plain function of it.
use unanimous::{Error, global_transactional};

#[tokio::main(flavor = "current_thread")]
#[global_transactional]
async fn main() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    tokio::task::spawn_blocking(main).await.unwrap()
}
