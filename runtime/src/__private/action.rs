//! What the expansions of `#[participant]` and `#[two_phase_action]` call.
//!
//! The generic functions here hold no logic: they are instantiated once per action.

use std::borrow::{Borrow, Cow};
use std::fmt;
#[cfg(feature = "sqlite")]
use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::global::{Codec, Fallible, FromTransactionError, How};
use crate::Error;
use crate::branch::Branch;
#[cfg(feature = "sqlite")]
use crate::branch::fence::{DynFence, Fence, FenceDatabase, FenceTx};
use crate::branch::record::{Readable, text_of};
use crate::branch::run::{self, Ended, Finishing, Replay};
use crate::branch::{ActionSpec, Participant, PhaseTwoError, SourceLocation};
use crate::context::Ambient;
use crate::global::calls::Ending;

pub use crate::branch::record::Recorder;

/// Starts to record the arguments of an action that is called here and now.
#[must_use]
pub fn record() -> Recorder {
    if Ambient::has_scope() {
        Recorder::new()
    } else {
        Recorder::refused()
    }
}

/// Phase one of a fenced action: the body runs in the fence's local transaction.
///
/// The participant is no type parameter: its type must outlive the runtime, and where it does not,
/// that is reported at the impl block alone.
///
/// Dropping the future fails the call and rolls the local transaction back.
#[cfg(feature = "sqlite")]
pub async fn run_fenced<DB, R, B>(
    spec: &ActionSpec,
    participant: &dyn Participant,
    fence: FenceOf<'_, DB>,
    arguments: Recorder,
    how: How<R>,
    body: B,
) -> R
where
    DB: FenceDatabase,
    B: AsyncFnOnce(&mut FenceTx<DB>) -> R,
{
    if arguments.refused {
        return (how.fail)(run::outside(spec, Some(participant)));
    }
    let beginning = match run::begin_fenced(spec, participant, fence.erased, arguments) {
        Ok(beginning) => beginning,
        Err(error) => return (how.fail)(error),
    };
    let (phase, mut transaction) = match beginning.await {
        Ok(run::Begun::Run(phase, transaction)) => (phase, transaction),
        Ok(run::Begun::Replay(replay)) => return how.replay(*replay),
        Err(error) => return (how.fail)(error),
    };
    let Some(lent) = transaction.downcast_mut() else {
        return (how.fail)(phase.other_database());
    };
    let result = phase.enter(body(lent)).await;
    match run::finish_fenced(phase, transaction, how.ended(&result)).await {
        Ok(()) => result,
        Err(error) => (how.fail)(error),
    }
}

/// Phase one of an action without a fence.
///
/// Dropping the future drops the body inside its context, and then fails the call.
pub async fn run_unfenced<R, B: AsyncFnOnce() -> R>(
    spec: &ActionSpec,
    participant: &dyn Participant,
    arguments: Recorder,
    how: How<R>,
    body: B,
) -> R {
    if arguments.refused {
        return (how.fail)(run::outside(spec, Some(participant)));
    }
    let beginning = match run::begin_unfenced(spec, participant, arguments) {
        Ok(beginning) => beginning,
        Err(error) => return (how.fail)(error),
    };
    let phase = match beginning.await {
        Ok(phase) => phase,
        Err(error) => return (how.fail)(error),
    };
    let result = phase.enter(body()).await;
    let finished = match run::finish_unfenced(phase, how.ended(&result)) {
        Finishing::Now(finished) => finished,
        Finishing::Later(finishing) => finishing.await,
    };
    match finished {
        Ok(None) => result,
        Ok(Some(replay)) => how.replay(*replay),
        Err(error) => (how.fail)(error),
    }
}

impl<R> How<R> {
    /// How a body ended, with its value as text where it is to be stored.
    pub(crate) fn ended(&self, result: &R) -> Ended {
        if (self.ending)(result) != Ending::Ok {
            return Ended::Failed;
        }
        match self.codec.as_ref().and_then(|codec| (codec.encode)(result)) {
            None => Ended::Succeeded(None),
            Some(Ok(json)) => Ended::Succeeded(Some(json)),
            Some(Err(error)) => Ended::Unstorable(error),
        }
    }

    /// The value that an earlier delivery left.
    pub(crate) fn replay(&self, replay: Replay) -> R {
        match self
            .codec
            .as_ref()
            .map(|codec| (codec.decode)(replay.json()))
        {
            Some(Ok(result)) => {
                replay.answered();
                result
            }
            Some(Err(_)) | None => (self.fail)(replay.unreadable()),
        }
    }
}

/// A value that is stored as JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as what an action returned",
    label = "needs `serde::Serialize` and `serde::de::DeserializeOwned`",
    note = "a repeated try answers from the row in which a fenced action's value is stored",
    note = "a `#[tried]` parameter of a commit or rollback method reads the stored value"
)]
pub trait Storable: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Storable for T {}

/// What a fenced action returns: a `Result` whose value is stored in its row.
#[diagnostic::on_unimplemented(
    message = "a fenced action returns a `Result`, not `{Self}`",
    label = "`Ok` is stored for a repeated try, `Err` rolls the local transaction back"
)]
pub trait Fenced: FencedFallible {
    /// The failure, as the action's own result.
    fn from_failure(error: Error) -> Self;
}

impl<T: Storable, E: FromTransactionError> Fenced for Result<T, E> {
    fn from_failure(error: Error) -> Self {
        Err(E::from_transaction_error(error))
    }
}

/// A [`Fenced`] result whose error `map_err` makes.
#[diagnostic::on_unimplemented(
    message = "a fenced action returns a `Result`, not `{Self}`",
    label = "`Ok` is stored for a repeated try, `Err` rolls the local transaction back"
)]
pub trait FencedFallible: Fallible {
    /// The text of the value, if it is `Ok`.
    fn encode(&self) -> Option<Result<Cow<'static, str>, serde_json::Error>>;

    /// An `Ok` from its text.
    fn decode(json: &str) -> Result<Self, serde_json::Error>;
}

impl<T: Storable, E> FencedFallible for Result<T, E> {
    fn encode(&self) -> Option<Result<Cow<'static, str>, serde_json::Error>> {
        self.as_ref().ok().map(text_of)
    }

    fn decode(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Ok)
    }
}

/// The witness of a fenced action whose error converts by itself.
#[must_use]
pub const fn how_fenced<R: Fenced>() -> How<R> {
    how_fenced_mapped(R::from_failure)
}

/// The witness of a fenced action with `map_err`.
#[must_use]
pub const fn how_fenced_mapped<R: FencedFallible>(fail: fn(Error) -> R) -> How<R> {
    let codec = Codec {
        encode: R::encode,
        decode: R::decode,
    };
    How {
        fail,
        ending: R::ending,
        commit_on: None,
        text: None,
        codec: Some(codec),
    }
}

/// The witness of an unfenced action whose value a partner takes as `#[tried]`.
#[must_use]
pub const fn how_tried<R: Fenced>() -> How<R> {
    how_fenced()
}

/// The same with `map_err`.
#[must_use]
pub const fn how_tried_mapped<R: FencedFallible>(fail: fn(Error) -> R) -> How<R> {
    how_fenced_mapped(fail)
}

/// An error of a commit or rollback method.
///
/// Every error that converts into `Box<dyn Error + Send + Sync>` is one, and [`PhaseTwoError`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a phase-two method",
    label = "needs `Into<Box<dyn Error + Send + Sync>>`, or be `unanimous::PhaseTwoError`"
)]
pub trait IntoPhaseTwoError {
    /// Converts it.
    fn into_phase_two_error(self) -> PhaseTwoError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<PhaseTwoError>> IntoPhaseTwoError for E {
    fn into_phase_two_error(self) -> PhaseTwoError {
        self.into()
    }
}

/// What a commit or rollback method returns.
#[diagnostic::on_unimplemented(
    message = "a phase-two method returns `Result<(), E>`, not `{Self}`",
    label = "`Ok(())` ends the branch, `Err` repeats it"
)]
pub trait PhaseTwoAnswer {
    /// As the runtime wants it.
    fn into_answer(self) -> Result<(), PhaseTwoError>;
}

impl<E: IntoPhaseTwoError> PhaseTwoAnswer for Result<(), E> {
    fn into_answer(self) -> Result<(), PhaseTwoError> {
        self.map_err(E::into_phase_two_error)
    }
}

/// What a participant is.
#[diagnostic::on_unimplemented(
    message = "a participant is shared between threads, and `{Self}` cannot be",
    label = "`{Self}` is not `Send` and `Sync`",
    note = "hold an `Arc` in place of an `Rc`, a `Mutex` or an atomic in place of a `RefCell` or a `Cell`"
)]
pub trait Shared {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync> Shared for T {}

/// The witness of a participant's type.
pub const fn shared<T: Shared>() {}

/// What a participant's `phase_two` returns.
pub type PhaseTwoFuture<'a> = BoxFuture<'a, Result<(), PhaseTwoError>>;

/// The answer of a commit or rollback method, as the runtime wants it.
pub fn ended<R: PhaseTwoAnswer>(answer: R) -> Result<(), PhaseTwoError> {
    answer.into_answer()
}

/// The fence of a participant, its database known.
///
/// Everything generated for a fence goes through [`fence_of`], so that an expression that leads to
/// no fence is reported once, where it is written, and not once per use.
#[cfg(feature = "sqlite")]
pub struct FenceOf<'a, DB> {
    erased: &'a dyn DynFence,
    database: PhantomData<fn() -> DB>,
}

/// The fence that an expression leads to.
#[cfg(feature = "sqlite")]
#[must_use]
pub fn fence_of<F: Fence<Database = DB>, DB>(fence: &F) -> FenceOf<'_, DB> {
    FenceOf {
        erased: fence.erased(),
        database: PhantomData,
    }
}

#[cfg(feature = "sqlite")]
impl<'a, DB: FenceDatabase> FenceOf<'a, DB> {
    /// The fence behind a pointer.
    #[must_use]
    pub fn erased(self) -> &'a dyn DynFence {
        self.erased
    }

    /// The open local transaction of a branch behind this fence.
    pub fn transaction(self, branch: &mut Branch) -> Result<&mut FenceTx<DB>, PhaseTwoError> {
        branch.open_transaction()
    }
}

#[cfg(feature = "sqlite")]
impl<DB> fmt::Debug for FenceOf<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FenceOf").finish_non_exhaustive()
    }
}

/// A type with a default: every `T: Default`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default that could stand in where nothing was recorded",
    label = "needs `impl Default for {Self}`",
    note = "or take `Option<{Self}>`, whose default is `None`"
)]
pub trait HasDefault {
    /// The default.
    fn default_value() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> HasDefault for T {
    fn default_value() -> Self {
        Self::default()
    }
}

/// One recorded argument by its name, or the type's default where nothing was recorded under it.
///
/// # Errors
///
/// As [`Branch::argument_or_default`].
pub fn argument_or_default<T: Readable + HasDefault>(
    branch: &Branch,
    name: &str,
) -> Result<T, PhaseTwoError> {
    let found = branch.argument_if_recorded(name)?;
    Ok(found.unwrap_or_else(T::default_value))
}

/// What an `Option<&T>` was recorded as, lent again: `T` may be an alias of `str`.
pub fn lent_inside<T: ToOwned + ?Sized>(owned: &Option<T::Owned>) -> Option<&T> {
    owned.as_ref().map(Borrow::borrow)
}

/// What phase one returned, if it is known here; `how` is the witness of phase one, so that a value
/// that cannot be stored is no second mistake where it is read.
///
/// # Errors
///
/// As [`Branch::tried`].
pub fn tried<R: Fallible>(branch: &Branch, how: How<R>) -> Result<Option<R::Value>, PhaseTwoError> {
    branch.tried_with(|json| how.read(json))
}

/// What phase one returned. A fence stores nothing for `()`.
///
/// # Errors
///
/// As [`Branch::tried_or_missing`].
pub fn tried_or_missing<R: Fallible>(
    branch: &Branch,
    how: How<R>,
) -> Result<R::Value, PhaseTwoError> {
    branch.tried_or_missing_with(|json| how.read(json))
}

impl<R: Fallible> How<R> {
    /// A value from its text.
    fn read(&self, json: &str) -> Result<R::Value, serde_json::Error> {
        let codec = self.codec.as_ref().map(|codec| (codec.decode)(json));
        let value = codec.transpose()?.and_then(R::into_value);
        value.ok_or_else(|| serde::de::Error::custom("nothing is stored"))
    }
}

/// The name of a participant, where it is an expression.
#[diagnostic::on_unimplemented(
    message = "a participant's name is text, and `{Self}` is none",
    label = "write `name = \"..\"`, or an expression of type `String`, `&'static str` or `Cow<'static, str>`"
)]
pub trait ParticipantName {
    /// The text.
    fn into_name(self) -> Cow<'static, str>;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Cow<'static, str>>> ParticipantName for T {
    fn into_name(self) -> Cow<'static, str> {
        self.into()
    }
}

/// The name of a participant.
pub fn participant_name<N: ParticipantName>(name: N) -> Cow<'static, str> {
    name.into_name()
}

/// A participant that is linked into the program: its name in the source and its place, nothing
/// that could be called.
#[derive(Clone, Copy, Debug)]
pub struct LinkedParticipant {
    type_name: &'static str,
    declared_at: SourceLocation,
}

inventory::collect!(LinkedParticipant);

impl LinkedParticipant {
    /// A participant of this type, declared there.
    #[must_use]
    pub const fn new(type_name: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            type_name,
            declared_at: SourceLocation { file, line },
        }
    }

    /// Every participant that is linked into the program.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }

    /// Where it is declared; the participant's own `declared_at` says the same.
    #[must_use]
    pub fn declared_at(&self) -> SourceLocation {
        self.declared_at
    }
}

impl fmt::Display for LinkedParticipant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceLocation { file, line } = self.declared_at;
        write!(f, "`{}` ({file}:{line})", self.type_name)
    }
}
