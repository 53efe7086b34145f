// Mistakes in a body are told at the same tokens as in a plain function.
use unanimous::{Error, global_transactional};

#[global_transactional]
async fn moved(words: Vec<String>) -> Result<usize, Error> {
    drop(words);
    Ok(words.len())
}

#[global_transactional]
async fn borrowed(words: &mut Vec<String>) -> Result<(), Error> {
    let first = &words[0];
    words.push(first.clone());
    words.push(first.clone());
    Ok(())
}

#[global_transactional]
async fn returned(word: String) -> Result<&'static str, Error> {
    Ok(&word)
}

fn main() {
    let _ = (moved, borrowed, returned);
}

async fn caller(words: &mut Vec<String>) -> Result<(), Error> {
    borrowed(words).await
}
// mistakes: 3
