// What rustc says of a plain function, at the same places.
use unanimous::{Error, global_transactional};

#[global_transactional]
async fn wrong_ok() -> Result<u8, Error> {
    Ok("text")
}

#[global_transactional]
async fn trailing_semicolon() -> Result<u8, Error> {
    Ok(1);
}

#[global_transactional]
async fn wrong_question_mark() -> Result<u8, Error> {
    let number: u8 = "1".parse()?;
    Ok(number)
}

fn main() {
    let _ = (wrong_ok(), trailing_semicolon(), wrong_question_mark());
}

async fn caller() -> Result<u8, Error> {
    wrong_ok().await?;
    trailing_semicolon().await
}
// mistakes: 3
