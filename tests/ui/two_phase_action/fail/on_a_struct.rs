use unanimous::two_phase_action;

#[two_phase_action(commit = confirm, rollback = cancel)]
struct Debit;

fn main() {
    let _ = Debit;
}

async fn caller() -> Debit {
    Debit
}
