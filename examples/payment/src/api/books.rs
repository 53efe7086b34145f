//! The API's books: cards, authorisations, and the answers that were given under each key.

use std::collections::BTreeMap;

use super::{Authorise, Authorised};

/// One card.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Card {
    /// What can still be spent.
    pub free: i64,
    /// What authorisations hold.
    pub held: i64,
    /// What was taken.
    pub captured: i64,
}

/// Everything that the API knows.
#[derive(Clone, Debug, Default)]
pub struct Books {
    cards: BTreeMap<String, Card>,
    authorisations: BTreeMap<String, Authorisation>,
    answers: BTreeMap<String, Answer>,
    /// How many requests had an effect.
    effects: u32,
}

/// What became of the authorisation under a key.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Authorisation {
    Held(Authorise),
    Captured,
    /// Or voided before it came.
    Void,
}

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Refused {
    NoMoney,
    Never(&'static str),
}

pub(super) type Answer = Result<Option<Authorised>, Refused>;

impl Books {
    pub(super) fn new(cards: &[(&str, i64)]) -> Self {
        let card = |(name, free): &(&str, i64)| {
            let free = *free;
            let card = Card {
                free,
                ..Card::default()
            };
            ((*name).to_owned(), card)
        };
        Self {
            cards: cards.iter().map(card).collect(),
            ..Self::default()
        }
    }

    /// A card as it stands; empty for one that is not known.
    #[must_use]
    pub fn card(&self, name: &str) -> Card {
        self.cards.get(name).copied().unwrap_or_default()
    }

    /// How many requests changed anything.
    #[must_use]
    pub fn effects(&self) -> u32 {
        self.effects
    }

    pub(super) fn authorise(&mut self, key: &str, wanted: &Authorise) -> Answer {
        self.once(key, |books| {
            if books.authorisations.contains_key(key) {
                return Err(Refused::Never("this authorisation is void"));
            }
            let card = books.cards.entry(wanted.card.clone()).or_default();
            if card.free < wanted.amount {
                return Err(Refused::NoMoney);
            }
            card.free -= wanted.amount;
            card.held += wanted.amount;
            let held = Authorisation::Held(wanted.clone());
            books.authorisations.insert(key.to_owned(), held);
            books.effects += 1;
            Ok(Some(Authorised {
                amount: wanted.amount,
            }))
        })
    }

    pub(super) fn capture(&mut self, key: &str, authorisation: &str) -> Answer {
        self.once(key, |books| {
            let Some(Authorisation::Held(held)) = books.authorisations.get(authorisation).cloned()
            else {
                return Err(Refused::Never("nothing is held under this authorisation"));
            };
            let card = books.cards.entry(held.card).or_default();
            card.held -= held.amount;
            card.captured += held.amount;
            let key = authorisation.to_owned();
            books.authorisations.insert(key, Authorisation::Captured);
            books.effects += 1;
            Ok(Some(Authorised {
                amount: held.amount,
            }))
        })
    }

    pub(super) fn void(&mut self, key: &str, authorisation: &str) -> Answer {
        self.once(key, |books| {
            match books.authorisations.get(authorisation).cloned() {
                Some(Authorisation::Captured) => {
                    return Err(Refused::Never("what was captured cannot be voided"));
                }
                Some(Authorisation::Held(held)) => {
                    let card = books.cards.entry(held.card).or_default();
                    card.held -= held.amount;
                    card.free += held.amount;
                    books.effects += 1;
                }
                Some(Authorisation::Void) | None => {}
            }
            let key = authorisation.to_owned();
            books.authorisations.insert(key, Authorisation::Void);
            Ok(None)
        })
    }

    /// A key is performed once; a repeat is answered from memory.
    fn once(&mut self, key: &str, perform: impl FnOnce(&mut Self) -> Answer) -> Answer {
        if let Some(answer) = self.answers.get(key) {
            return answer.clone();
        }
        let answer = perform(self);
        self.answers.insert(key.to_owned(), answer.clone());
        answer
    }
}
