use unanimous::global_transactional;

#[global_transactional]
async fn purchase() -> Option<u8> {
    Some(1)
}

fn main() {
    let _ = purchase();
}

async fn caller() -> Option<u8> {
    purchase().await
}
