use unanimous::{Error, global_transactional};

fn length(error: Error) -> usize {
    error.to_string().len()
}

#[global_transactional(map_err = length)]
async fn purchase() -> Result<(), String> {
    Ok(())
}

fn main() {
    let _ = purchase();
}

async fn caller() -> Result<(), String> {
    purchase().await
}
