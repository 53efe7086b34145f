use unanimous::participant;

#[participant(name = "mailer")]
struct Mailer;

#[participant(name = "mailer")]
fn mailer() {}

fn main() {
    mailer();
    let _ = Mailer;
}

async fn caller() -> Mailer {
    mailer();
    Mailer
}
// mistakes: 2
