use unanimous::global_transactional;

#[global_transactional]
async fn purchase() {}

fn main() {
    let _ = purchase();
}

async fn caller() {
    purchase().await;
}
