//! Questions about tried rows whose decision was not heard (RM6), and their answers (RM7).

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use tokio::sync::watch;
use unanimous_protocol::message::{InDoubtAnswer, InDoubtQuestion};
use unanimous_protocol::{ActionName, BranchKind, Decision, limits};

use super::perform::Work;
use super::{AttachState, Inner, Provided, chain};
use crate::branch::fence::{DynFence, InDoubtRow, PhaseTwoCause};
use crate::coordinator::Coordinator;
use crate::events::Event;

/// Each resource asks for itself: a slow database delays nobody else (G7).
pub(super) async fn ask_for_ever(inner: &Arc<Inner>, coordinator: &Arc<dyn Coordinator>) {
    if !coordinator.capabilities().answers_in_doubt {
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
            if self.round(age).await {
                asked = nth;
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

    /// Asks about every row of that age, a page at a time. True if every question was answered.
    async fn round(&self, age: Age) -> bool {
        let before_ms = match age {
            Age::Any => i64::MAX,
            Age::Old => self.overdue_ms(),
        };
        let mut after = None;
        loop {
            let Some(mut page) = self.page(before_ms, after).await else {
                return false;
            };
            after = page.last().cloned();
            let last_page = page.len() < limits::IN_DOUBT_BATCH_MAX;
            page.retain(|row| !self.inner.under_way.is_heard_or_running(&row.key));
            if !page.is_empty() && !self.ask(page).await {
                return false;
            }
            if last_page {
                return true;
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

    /// One question, and what its answers ask for.
    async fn ask(&self, rows: Vec<InDoubtRow>) -> bool {
        let questions = rows.iter().map(|row| self.question(row, None)).collect();
        let answers = match self.coordinator.in_doubt(questions).await {
            Ok(answers) => answers,
            Err(error) => {
                let resource = self.provided.resource();
                tracing::debug!(%resource, %error, "a question about rows in doubt was not answered");
                return false;
            }
        };
        if answers.len() != rows.len() {
            let (questions, answers) = (rows.len(), answers.len());
            tracing::warn!(
                questions,
                answers,
                "answers that cannot be told apart are ignored"
            );
            return false;
        }
        let answered = stream::iter(rows.into_iter().zip(answers));
        let answered = answered.map(|(row, answer)| self.answered(row, answer));
        answered
            .buffer_unordered(limits::DELIVERIES_MAX)
            .collect::<()>()
            .await;
        true
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

    async fn answered(&self, row: InDoubtRow, answer: InDoubtAnswer) {
        match answer {
            InDoubtAnswer::Wait => {}
            InDoubtAnswer::Committed => self.perform(&row, Decision::Commit).await,
            // What is forgotten never committed this branch, or it would have ended (TC11).
            InDoubtAnswer::RolledBack | InDoubtAnswer::Forgotten => {
                self.perform(&row, Decision::Rollback).await;
            }
            InDoubtAnswer::Foreign => self.alarm(&row),
        }
    }

    /// Acts only if the row is still tried, which the fence tests in the same local transaction
    /// (RM7).
    async fn perform(&self, row: &InDoubtRow, decision: Decision) {
        let Some(_running) = self.inner.under_way.start(&row.key) else {
            return;
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
