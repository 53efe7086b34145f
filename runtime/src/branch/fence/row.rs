//! Rows of `unanimous_fence`: reading and writing them inside a local transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, Sqlite};
use unanimous_protocol::message::{Json, Kept, TraceContext};
use unanimous_protocol::{ActionName, Decision, Digest, OwnXid, ParticipantName, RowState};

use super::connection::{FenceTx, database};
use super::{Delivery, FenceError, InDoubtRow, RowKey, StoredAnswer, TryRow};

/// One fence row.
pub(super) struct Row {
    pub(super) participant: ParticipantName,
    pub(super) action: ActionName,
    pub(super) state: RowState,
    /// None only in markers.
    pub(super) digest: Option<Digest>,
    pub(super) arguments: Option<Json>,
    pub(super) stored: StoredAnswer,
    /// Whether the try that wrote the row also stored its answer. Always so, unless somebody
    /// committed the local transaction behind the fence's back.
    pub(super) answered: bool,
    pub(super) parked: Option<Arc<str>>,
    pub(super) trace: Option<TraceContext>,
}

/// Inserts the row of a try; false where the branch has a row already.
pub(super) async fn insert_tried(
    tx: &mut FenceTx<Sqlite>,
    row: &TryRow,
    now_ms: i64,
) -> Result<bool, FenceError> {
    let (incarnation, counter) = own_columns(&row.key)?;
    let inserted = sqlx::query(
        "INSERT INTO unanimous_fence (xid, call_id, participant, action, incarnation, counter, state, digest, arguments, trace, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (xid, call_id) DO NOTHING",
    )
    .bind(row.key.xid.as_str())
    .bind(row.key.call.as_str())
    .bind(row.participant.as_str())
    .bind(row.action.as_str())
    .bind(incarnation)
    .bind(counter)
    .bind(RowState::Tried.number())
    .bind(&row.digest.0[..])
    .bind(&*row.arguments)
    .bind(row.trace.as_ref().map(|trace| &*trace.0))
    .bind(now_ms)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(inserted.rows_affected() == 1)
}

/// Inserts a row although nothing was tried: the marker of an empty rollback, or what an operator
/// resolved by hand.
pub(super) async fn insert_untried(
    tx: &mut FenceTx<Sqlite>,
    delivery: &Delivery,
    state: RowState,
    now_ms: i64,
) -> Result<(), FenceError> {
    let key = &delivery.key;
    let (incarnation, counter) = own_columns(key)?;
    sqlx::query(
        "INSERT INTO unanimous_fence (xid, call_id, participant, action, incarnation, counter, state, created_ms, ended_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key.xid.as_str())
    .bind(key.call.as_str())
    .bind(delivery.participant.as_str())
    .bind(delivery.action.as_str())
    .bind(incarnation)
    .bind(counter)
    .bind(state.number())
    .bind(now_ms)
    .bind(now_ms)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Stores the answer of a try in the row that it inserted; true if exactly that row was there.
pub(super) async fn store_answer(
    tx: &mut FenceTx<Sqlite>,
    key: &RowKey,
    stored: &StoredAnswer,
) -> Result<bool, FenceError> {
    let kept = print_kept(&stored.kept).map_err(|why| FenceError::Row(key.clone(), why))?;
    let updated = sqlx::query(
        "UPDATE unanimous_fence SET answer = ?, names = ?, abandoned = ?, marked = ?, kept = ?
         WHERE xid = ? AND call_id = ? AND state = ?",
    )
    .bind(stored.answer.as_deref())
    .bind(print_set(&stored.names))
    .bind(print_set(&stored.abandoned))
    .bind(stored.marked)
    .bind(kept)
    .bind(key.xid.as_str())
    .bind(key.call.as_str())
    .bind(RowState::Tried.number())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(updated.rows_affected() == 1)
}

/// Ends a tried row; true if exactly that row was there.
pub(super) async fn end(
    tx: &mut FenceTx<Sqlite>,
    key: &RowKey,
    state: RowState,
    now_ms: i64,
) -> Result<bool, FenceError> {
    let updated = sqlx::query(
        "UPDATE unanimous_fence SET state = ?, ended_ms = ?, parked = NULL
         WHERE xid = ? AND call_id = ? AND state = ?",
    )
    .bind(state.number())
    .bind(now_ms)
    .bind(key.xid.as_str())
    .bind(key.call.as_str())
    .bind(RowState::Tried.number())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(updated.rows_affected() == 1)
}

/// Writes on a tried row that its participant gave up, or that an operator wants it again.
pub(super) async fn set_parked(
    tx: &mut FenceTx<Sqlite>,
    key: &RowKey,
    parked: Option<(Decision, &str)>,
) -> Result<(), FenceError> {
    let parked = parked.map(|(decision, reason)| format!("{decision}: {reason}"));
    sqlx::query(
        "UPDATE unanimous_fence SET parked = ? WHERE xid = ? AND call_id = ? AND state = ?",
    )
    .bind(parked)
    .bind(key.xid.as_str())
    .bind(key.call.as_str())
    .bind(RowState::Tried.number())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Reads the row of a branch.
pub(super) async fn load(
    tx: &mut FenceTx<Sqlite>,
    key: &RowKey,
) -> Result<Option<Row>, FenceError> {
    let columns: Option<Columns> = sqlx::query_as(
        "SELECT participant, action, state, digest, arguments, answer, names, abandoned, marked, kept, parked, trace
         FROM unanimous_fence WHERE xid = ? AND call_id = ?",
    )
    .bind(key.xid.as_str())
    .bind(key.call.as_str())
    .fetch_optional(&mut *tx)
    .await
    .map_err(database)?;
    let row = columns.map(Columns::into_row).transpose();
    row.map_err(|why| FenceError::Row(key.clone(), why))
}

#[derive(FromRow)]
struct Columns {
    participant: String,
    action: String,
    state: u8,
    digest: Option<Vec<u8>>,
    arguments: Option<String>,
    answer: Option<String>,
    names: Option<String>,
    abandoned: Option<String>,
    marked: Option<bool>,
    kept: Option<String>,
    parked: Option<String>,
    trace: Option<String>,
}

impl Columns {
    fn into_row(self) -> Result<Row, String> {
        let digest = self.digest.map(<[u8; 32]>::try_from).transpose();
        let digest = digest.map_err(|other| format!("its digest has {} bytes", other.len()))?;
        Ok(Row {
            participant: parse(&self.participant)?,
            action: parse(&self.action)?,
            state: RowState::from_number(self.state)
                .ok_or_else(|| format!("its state is {}", self.state))?,
            digest: digest.map(Digest),
            arguments: self.arguments.map(Into::into),
            answered: self.names.is_some(),
            stored: StoredAnswer {
                answer: self.answer.map(Into::into),
                names: parse_set(self.names.as_deref())?,
                abandoned: parse_set(self.abandoned.as_deref())?,
                marked: self.marked.unwrap_or(false),
                kept: parse_kept(self.kept.as_deref())?,
            },
            parked: self.parked.as_deref().map(reason_of),
            trace: self.trace.map(|trace| TraceContext(trace.into())),
        })
    }
}

impl FromRow<'_, SqliteRow> for InDoubtRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let read = |index: usize| row.try_get::<&str, _>(index);
        let decode = |why: String| sqlx::Error::Decode(why.into());
        Ok(Self {
            key: RowKey {
                xid: parse(read(0)?).map_err(decode)?,
                call: parse(read(1)?).map_err(decode)?,
            },
            action: parse(read(2)?).map_err(decode)?,
            created_ms: row.try_get(3)?,
        })
    }
}

/// The columns `incarnation` and `counter`: null where another kind of coordinator chose the xid.
fn own_columns(key: &RowKey) -> Result<(Option<Vec<u8>>, Option<i64>), FenceError> {
    let Some(OwnXid {
        incarnation,
        counter,
    }) = key.xid.own()
    else {
        return Ok((None, None));
    };
    match i64::try_from(counter) {
        Ok(counter) => Ok((Some(incarnation.to_bytes().to_vec()), Some(counter))),
        Err(_) => Err(FenceError::Row(
            key.clone(),
            "its counter is too large to store".into(),
        )),
    }
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A set as text: its members, sorted, with commas between them. None of them can hold one.
pub(super) fn print_set<T: Display>(set: &BTreeSet<T>) -> String {
    set.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn parse_set<T: FromStr<Err: Display> + Ord>(
    text: Option<&str>,
) -> Result<BTreeSet<T>, String> {
    text.filter(|text| !text.is_empty()).map_or_else(
        || Ok(BTreeSet::new()),
        |text| text.split(',').map(parse).collect(),
    )
}

/// Kept values as one JSON object; nothing where there are none.
fn print_kept(kept: &Kept) -> Result<Option<String>, String> {
    if kept.is_empty() {
        return Ok(None);
    }
    let values: Result<BTreeMap<&str, &RawValue>, _> = kept
        .iter()
        .map(|(name, json)| serde_json::from_str(json).map(|value| (&**name, value)))
        .collect();
    values
        .and_then(|values| serde_json::to_string(&values))
        .map(Some)
        .map_err(|error| format!("a kept value is no JSON: {error}"))
}

fn parse_kept(text: Option<&str>) -> Result<Kept, String> {
    let Some(text) = text else {
        return Ok(Kept::new());
    };
    let values: BTreeMap<Arc<str>, Box<RawValue>> =
        serde_json::from_str(text).map_err(|error| format!("its kept values: {error}"))?;
    Ok(values
        .into_iter()
        .map(|(name, value)| (name, value.get().into()))
        .collect())
}

/// The reason in the column `parked`, whose text is `decision: reason`.
fn reason_of(parked: &str) -> Arc<str> {
    parked
        .split_once(": ")
        .map_or(parked, |(_, reason)| reason)
        .into()
}
