use unanimous::global_transactional;

#[global_transactional(map_err = |error| error.to_string().len())]
async fn purchase() -> Result<(), String> {
    Ok(())
}

async fn caller() -> Result<(), String> {
    purchase().await
}

fn main() {
    let _ = caller();
}
