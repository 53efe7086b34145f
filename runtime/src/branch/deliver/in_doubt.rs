//! Questions about tried rows whose decision was not heard (RM6), and their answers (RM7).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use tokio::sync::watch;
use unanimous_protocol::message::{InDoubtAnswer, InDoubtQuestion};
use unanimous_protocol::{ActionName, BranchKind, Decision, ParticipantName, limits};

use super::perform::{Done, Work};
use super::{AttachState, Inner, Provided, chain};
use crate::branch::fence::{DynFence, InDoubtRow, PhaseTwoCause};
use crate::coordinator::Coordinator;
use crate::events::Event;

/// What the last rounds came to, for people who wait.
#[derive(Debug, Default)]
pub(super) struct Rounds(Mutex<BTreeMap<ParticipantName, Round>>);

/// A round in which every question was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round {
    /// At which attachment; none yet: 0.
    pub(super) nth: u64,
    /// Rows whose decision was told and could not be carried out: the next round tries again.
    pub(super) failed: usize,
}

impl Rounds {
    fn ended(&self, participant: &ParticipantName, round: Round) {
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.insert(participant.clone(), round);
    }

    pub(super) fn last(&self, participant: &ParticipantName) -> Round {
        let rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.get(participant).copied().unwrap_or_default()
    }
}

/// Each resource asks for itself: a slow database delays nobody else (G7).
pub(super) async fn ask_for_ever(inner: &Arc<Inner>, coordinator: &Arc<dyn Coordinator>) {
    if !inner.is_answered {
        return;
    }
    let provided: Vec<_> = inner.registry.iter().cloned().collect();
    let loops = provided.iter().filter_map(|provided| {
        let fence = provided.fence()?;
        Some(
            Asker {
                inner,
                coordinator,
                provided,
                fence,
            }
            .ask_for_ever(),
        )
    });
    join_all(loops).await;
}

/// Asks for one resource.
struct Asker<'a> {
    inner: &'a Inner,
    coordinator: &'a Arc<dyn Coordinator>,
    provided: &'a Arc<Provided>,
    fence: &'a dyn DynFence,
}

/// Which rows a round asks about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Age {
    /// All: they were tried before this attachment, so their decision may have been missed.
    Any,
    /// Those old enough that a decision is overdue.
    Old,
}

impl Asker<'_> {
    /// At each attachment, then periodically.
    async fn ask_for_ever(self) {
        let mut states = self.inner.attach_state.subscribe();
        let (mut asked, mut latest_ms) = (0, i64::MIN);
        loop {
            let state = states.borrow_and_update().clone();
            let pool = self.fence.pool_key();
            let nth = match state {
                // RM10: a database that was left out is compared with what it acknowledged first.
                AttachState::Attached { nth, left_out, .. } if !left_out.contains(&pool) => nth,
                _ => {
                    if states.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            // While the wall clock stands before what it has shown, rows look younger than they are.
            let now_ms = self.inner.surroundings.clock.wall_ms();
            latest_ms = latest_ms.max(now_ms);
            let age = if nth == asked && now_ms == latest_ms {
                Age::Old
            } else {
                Age::Any
            };
            if let Some(failed) = self.round(age).await {
                asked = nth;
                let participant = &self.provided.resource().participant;
                self.inner.rounds.ended(participant, Round { nth, failed });
            }
            self.tell_given_up().await;
            if self.wait(&mut states).await.is_err() {
                return;
            }
        }
    }

    /// Until the next round is due, or the attachment has changed.
    async fn wait(
        &self,
        states: &mut watch::Receiver<AttachState>,
    ) -> Result<(), watch::error::RecvError> {
        tokio::select! {
            changed = states.changed() => changed,
            () = self.inner.surroundings.clock.sleep(limits::IN_DOUBT_INTERVAL) => Ok(()),
        }
    }

    /// Asks about every row of that age, a page at a time. None unless every question was answered;
    /// else how many rows could not be brought to what was decided.
    async fn round(&self, age: Age) -> Option<usize> {
        let before_ms = match age {
            Age::Any => i64::MAX,
            Age::Old => self.overdue_ms(),
        };
        let (mut after, mut failed) = (None, 0);
        loop {
            let mut page = self.page(before_ms, after).await?;
            after = page.last().cloned();
            let last_page = page.len() < limits::IN_DOUBT_BATCH_MAX;
            page.retain(|row| !self.inner.under_way.is_heard_or_running(&row.key));
            if !page.is_empty() {
                failed += self.ask(page).await?;
            }
            if last_page {
                return Some(failed);
            }
        }
    }

    async fn page(&self, before_ms: i64, after: Option<InDoubtRow>) -> Option<Vec<InDoubtRow>> {
        let resource = self.provided.resource();
        let (participant, limit) = (resource.participant.clone(), limits::IN_DOUBT_BATCH_MAX);
        match self
            .fence
            .in_doubt(participant, before_ms, after, limit)
            .await
        {
            Ok(rows) => Some(rows),
            Err(error) => {
                tracing::warn!(%resource, error = %chain(&error), "rows in doubt cannot be read");
                None
            }
        }
    }

    fn overdue_ms(&self) -> i64 {
        let age_ms = i64::try_from(limits::IN_DOUBT_AGE.as_millis()).unwrap_or(i64::MAX);
        self.inner
            .surroundings
            .clock
            .wall_ms()
            .saturating_sub(age_ms)
    }

    /// One question, and what its answers ask for. None if it was not answered; else how many rows
    /// could not be brought to what was decided.
    async fn ask(&self, rows: Vec<InDoubtRow>) -> Option<usize> {
        let questions = rows.iter().map(|row| self.question(row, None)).collect();
        let answers = match self.coordinator.in_doubt(questions).await {
            Ok(answers) => answers,
            Err(error) => {
                let resource = self.provided.resource();
                tracing::debug!(%resource, %error, "a question about rows in doubt was not answered");
                return None;
            }
        };
        if answers.len() != rows.len() {
            let (questions, answers) = (rows.len(), answers.len());
            tracing::warn!(
                questions,
                answers,
                "answers that cannot be told apart are ignored"
            );
            return None;
        }
        let answered = stream::iter(rows.into_iter().zip(answers));
        let answered = answered.map(|(row, answer)| self.answered(row, answer));
        let failed = answered
            .buffer_unordered(limits::DELIVERIES_MAX)
            .filter(|done| std::future::ready(!done))
            .count()
            .await;
        Some(failed)
    }

    fn question(&self, row: &InDoubtRow, given_up: Option<ActionName>) -> InDoubtQuestion {
        InDoubtQuestion {
            xid: row.key.xid.clone(),
            call: row.key.call.clone(),
            resource: self.provided.resource().clone(),
            given_up,
        }
    }

    /// Tells of the rows that wait for an operator: the coordinator may have forgotten them, and
    /// nobody could retry them then (OP2). They ask nothing (RM6), so no answer is acted on.
    async fn tell_given_up(&self) {
        let mut after = None;
        loop {
            let resource = self.provided.resource();
            let (participant, limit) = (resource.participant.clone(), limits::IN_DOUBT_BATCH_MAX);
            let mut page = match self.fence.given_up(participant, after, limit).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%resource, error = %chain(&error), "rows given up cannot be read");
                    return;
                }
            };
            after = page.last().cloned();
            let last_page = page.len() < limit;
            page.retain(|row| !self.inner.under_way.is_heard_or_running(&row.key));
            let told = page
                .iter()
                .map(|row| self.question(row, Some(row.action.clone())));
            let told: Vec<_> = told.collect();
            if !told.is_empty()
                && let Err(error) = self.coordinator.in_doubt(told).await
            {
                tracing::debug!(%resource, %error, "the coordinator was not told of rows given up");
                return;
            }
            if last_page {
                return;
            }
        }
    }

    /// False if the decision was told and could not be carried out.
    async fn answered(&self, row: InDoubtRow, answer: InDoubtAnswer) -> bool {
        match answer {
            InDoubtAnswer::Wait => true,
            InDoubtAnswer::Committed => self.perform(&row, Decision::Commit).await,
            // What is forgotten never committed this branch, or it would have ended (TC11).
            InDoubtAnswer::RolledBack | InDoubtAnswer::Forgotten => {
                self.perform(&row, Decision::Rollback).await
            }
            InDoubtAnswer::Foreign => {
                self.alarm(&row);
                true
            }
        }
    }

    /// Acts only if the row is still tried, which the fence tests in the same local transaction
    /// (RM7).
    async fn perform(&self, row: &InDoubtRow, decision: Decision) -> bool {
        let Some(_running) = self.inner.under_way.start(&row.key) else {
            // The coordinator delivers it, and knows what comes of it.
            return true;
        };
        let work = Work {
            provided: Arc::clone(self.provided),
            key: row.key.clone(),
            action: row.action.clone(),
            // The row is there; what is done without one is not asked for.
            kind: BranchKind::Fenced,
            decision,
            cause: PhaseTwoCause::Answered,
        };
        let done = if work.is_known() {
            self.inner.fenced(self.fence, &work, None).await
        } else {
            work.unknown()
        };
        self.inner.tell(&work, &done);
        matches!(done, Done::Ended | Done::Ignored | Done::Park(_))
    }

    /// The row is kept: no answer is known, and none may be invented.
    fn alarm(&self, row: &InDoubtRow) {
        if !self.inner.under_way.alarm(&row.key) {
            return;
        }
        let (xid, call) = (row.key.xid.clone(), row.key.call.clone());
        let resource = self.provided.resource().clone();
        tracing::error!(%xid, %call, %resource, "the coordinator does not know the transaction of a tried branch, which is kept until an operator decides");
        self.inner.surroundings.events.emit(&Event::Foreign {
            xid,
            call,
            resource,
        });
    }
}
