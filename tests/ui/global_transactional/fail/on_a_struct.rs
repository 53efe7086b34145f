use unanimous::global_transactional;

#[global_transactional]
struct Purchase;

fn main() {
    let _ = Purchase;
}

async fn caller() -> Purchase {
    Purchase
}
