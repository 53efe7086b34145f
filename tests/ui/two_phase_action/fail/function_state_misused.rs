use std::fmt::Display;

use unanimous::{Error, two_phase_action};

struct Row<'a>(&'a str);

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit<'a>(
    #[state] log: &mut Vec<String>,
    #[state] name: &'a String,
    #[state] shown: &dyn Display,
    #[state] row: &Row<'static>,
    #[state] part: &Row<'_>,
    #[state] (left, right): &(u8, u8),
    #[state] #[skip] number: u8,
    #[state(name)] word: char,
) -> Result<(), Error> {
    let _ = (log, name, shown, row.0, part.0, left, right, number, word);
    Ok(())
}

async fn confirm() -> Result<(), Error> {
    Ok(())
}

async fn cancel() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit().await
}

fn main() {}
// mistakes: 7
