//! Without a fence a rollback may come before phase one answered: it takes an `Option`.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Tickets {
    journal: Journal,
}

type Answer<T> = Result<T, Failure>;

#[participant(name = "tickets")]
impl Tickets {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn book(&self, seats: Vec<u8>) -> Answer<Vec<u8>> {
        self.journal.tried(seats.len());
        if seats.is_empty() {
            Failure::business("nothing to book")
        } else {
            Ok(seats)
        }
    }

    async fn confirm(&self, #[tried] booked: &[u8]) -> Result<(), Failure> {
        self.journal.confirmed(booked.len());
        Ok(())
    }

    async fn cancel(&self, seats: &[u8], #[tried] booked: Option<&[u8]>) -> Result<(), Failure> {
        assert_eq!(booked.is_some(), !seats.is_empty());
        self.journal.cancelled(seats.len());
        Ok(())
    }
}

#[global_transactional]
async fn travel(tickets: &Tickets, seats: &[u8], fails: bool) -> Result<usize, Failure> {
    let booked = tickets.book(seats.to_vec()).await?;
    if fails {
        Failure::business("no hotel")
    } else {
        Ok(booked.len())
    }
}

pub(crate) async fn run() {
    let (world, tickets) = World::with_one(|journal| Tickets {
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(travel(&tickets, &[4, 5], false)).await, 2);
    world.rolls_back(travel(&tickets, &[4, 5], true)).await;
    world.rolls_back(travel(&tickets, &[], false)).await;
}
