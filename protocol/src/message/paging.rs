//! A list that is longer than one answer.

use super::admin::{AdminRequest, TransactionSummary};
use crate::ids::Xid;
use crate::limits;

/// Asks for transactions page by page, since an answer holds [`limits::LIST_MAX`] at most: ask for
/// [`request`](Self::request), hand the answer to [`answered`](Self::answered), until there is no
/// request any more.
#[derive(Clone, Debug)]
pub struct Paging {
    finished: bool,
    limit: usize,
    stage: Stage,
    after: Option<Xid>,
    found: Vec<TransactionSummary>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Unfinished,
    /// The last page: what began meanwhile, then the last finished ones.
    Finished,
    Done,
}

impl Paging {
    /// All transactions that are not finished, oldest first, and with `finished` the last ones that
    /// are; at most `limit` in all.
    #[must_use]
    pub fn new(finished: bool, limit: usize) -> Self {
        Self {
            finished,
            limit,
            stage: Stage::Unfinished,
            after: None,
            found: Vec::new(),
        }
    }

    /// What to ask next; nothing once everything is found.
    #[must_use]
    pub fn request(&self) -> Option<AdminRequest> {
        let limit = self.page();
        (limit > 0 && self.stage != Stage::Done).then(|| AdminRequest::List {
            finished: self.stage == Stage::Finished,
            limit,
            after: self.after.clone(),
        })
    }

    /// Takes the answer to the last request.
    pub fn answered(&mut self, page: Vec<TransactionSummary>) {
        let is_last = page.len() < self.page();
        if let Some(last) = page.last() {
            self.after = Some(last.xid.clone());
        }
        match self.stage {
            Stage::Unfinished => {
                self.found.extend(page);
                if is_last {
                    self.stage = if self.finished {
                        Stage::Finished
                    } else {
                        Stage::Done
                    };
                }
            }
            Stage::Finished | Stage::Done => {
                // What finished meanwhile was found before.
                let new = |one: &TransactionSummary| self.found.iter().all(|it| it.xid != one.xid);
                let new: Vec<_> = page.into_iter().filter(new).collect();
                self.found.extend(new);
                self.stage = Stage::Done;
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn into_found(self) -> Vec<TransactionSummary> {
        self.found
    }

    fn page(&self) -> usize {
        let room = self.limit.saturating_sub(self.found.len());
        room.min(limits::LIST_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::state::GlobalState;

    fn transaction(counter: u64) -> TransactionSummary {
        TransactionSummary {
            xid: format!("u1.1.00000000000000aa.{counter}").parse().unwrap(),
            name: "purchase".parse().unwrap(),
            application: "shop".to_owned(),
            state: GlobalState::Open,
            reason: None,
            age: Duration::ZERO,
            branches: 0,
            waiting: 0,
            parked: 0,
            why: None,
        }
    }

    /// A coordinator with transactions 1 to `open` open, and two finished ones.
    fn pages(open: u64, mut paging: Paging) -> (usize, Vec<u64>) {
        let counter = |xid: &Xid| xid.own().unwrap().counter;
        let mut asked = 0;
        while let Some(request) = paging.request() {
            let AdminRequest::List {
                finished,
                limit,
                after,
            } = request
            else {
                panic!("{request:?}");
            };
            assert!(limit <= limits::LIST_MAX, "an answer holds no more");
            asked += 1;
            let from = after.as_ref().map_or(1, |xid| counter(xid) + 1);
            let done = [9_002, 9_001].into_iter().filter(|_| finished);
            let page = (from..=open).chain(done).take(limit);
            paging.answered(page.map(transaction).collect());
        }
        let found = paging.into_found();
        (asked, found.iter().map(|one| counter(&one.xid)).collect())
    }

    #[test]
    fn a_list_that_is_longer_than_one_answer_is_asked_for_page_by_page() {
        let max = limits::LIST_MAX as u64;
        for (open, finished, limit, requests, expected) in [
            (0, false, usize::MAX, 1, 0),
            (max - 1, false, usize::MAX, 1, max - 1),
            (max, false, usize::MAX, 2, max),
            (2 * max + 5, false, usize::MAX, 3, 2 * max + 5),
            (2 * max + 5, false, limits::LIST_MAX + 7, 2, max + 7),
            (max + 1, true, usize::MAX, 3, max + 3),
            (max, true, limits::LIST_MAX, 1, max),
            (3, true, 4, 2, 4),
        ] {
            let (asked, found) = pages(open, Paging::new(finished, limit));
            assert_eq!((asked, found.len() as u64), (requests, expected), "{open}");
            let unfinished = (1..=open).take(found.len());
            assert!(found.iter().copied().zip(unfinished).all(|(a, b)| a == b));
        }
    }
}
