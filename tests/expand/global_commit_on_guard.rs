//! A guard may call methods of the error, and have names of its own that are those of parameters.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

impl Failure {
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Business(word) if word.starts_with("no "))
    }
}

mod word {
    pub(super) fn is_harmless(error: &super::Failure) -> bool {
        error.is_harmless()
    }
}

#[derive(PartialEq)]
struct Key {
    word: bool,
}

#[global_transactional(commit_on(error if error.is_harmless()))]
async fn purchase(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(e if matches!(e, Failure::Business(word) if word.starts_with("no "))))]
async fn by_macro(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(Failure::Business(text) if match text.split_once(' ') {
    Some((word, _)) => word == "no",
    None => false,
}))]
async fn by_match(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(Failure::Business(text) if if let Some((word, _)) = text.split_once(' ') {
    word == "no"
} else {
    false
}))]
async fn by_let(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(error if word::is_harmless(error)))]
async fn by_module(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(error if Key { word: true } == (Key { word: error.is_harmless() })))]
async fn by_field(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

#[global_transactional(commit_on(Failure::Business(text) if *text == "no {word}"))]
async fn by_text(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

pub(crate) async fn run() {
    let world = World::start().await;
    world
        .commits_with_error(purchase(&world.probe, "no coupon"))
        .await;
    world.rolls_back(purchase(&world.probe, "no")).await;
    world
        .commits_with_error(by_macro(&world.probe, "no coupon"))
        .await;
    world.rolls_back(by_macro(&world.probe, "no")).await;
    world
        .commits_with_error(by_match(&world.probe, "no coupon"))
        .await;
    world.rolls_back(by_match(&world.probe, "no")).await;
    world
        .commits_with_error(by_let(&world.probe, "no coupon"))
        .await;
    world.rolls_back(by_let(&world.probe, "no")).await;
    world
        .commits_with_error(by_module(&world.probe, "no coupon"))
        .await;
    world.rolls_back(by_module(&world.probe, "no")).await;
    world
        .commits_with_error(by_field(&world.probe, "no coupon"))
        .await;
    world.rolls_back(by_field(&world.probe, "no")).await;
    world
        .commits_with_error(by_text(&world.probe, "no {word}"))
        .await;
    world.rolls_back(by_text(&world.probe, "no")).await;
}
