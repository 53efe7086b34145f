//! Provers: a user's participant, delivered to in every way the protocol allows.

mod faults;
mod orders;
mod report;
mod session;
mod twice;

use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use unanimous_protocol::Decision;

pub use report::{Breach, Broken, Problem, Proof, Rule};

use self::session::{End, Instance, Session};
use crate::testing::{Phase, Point};
use crate::{Participant, RuntimeBuilder};

/// Proves that a participant's actions keep the rules of the pattern.
///
/// Every part fails, too, if a named point of a phase was never reached in it.
///
/// It takes three closures: one that makes the participant, with whatever it needs, anew for
/// every run; one that runs phase one; one that reads the state. States are compared by their
/// `Debug` text, so what has no order is sorted first, and what differs by chance is left out.
///
/// See [the module](crate::testing) for an example.
pub struct Prover<'a> {
    subject: Box<dyn Subject + 'a>,
    patience: Duration,
}

/// Everything is in this process: what takes longer waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is proved, and how long one delivery of it may take.
struct Subjected<'a> {
    subject: &'a dyn Subject,
    patience: Duration,
}

/// Makes worlds.
trait Subject {
    fn make<'a>(
        &'a self,
        builder: RuntimeBuilder,
    ) -> LocalBoxFuture<'a, (RuntimeBuilder, Box<dyn Instance + 'a>)>;
}

/// The three closures of a user.
struct Closures<W, M, T, S> {
    make: M,
    run_try: T,
    state: S,
    world: PhantomData<fn() -> W>,
}

/// One world and what is done to it.
struct Made<'a, W, T, S> {
    world: W,
    run_try: &'a T,
    state: &'a S,
}

impl<W, M, T, S, R, E, V> Subject for Closures<W, M, T, S>
where
    M: AsyncFn(RuntimeBuilder) -> (RuntimeBuilder, W),
    T: AsyncFn(&W) -> Result<R, E>,
    S: AsyncFn(&W) -> V,
    E: Display,
    V: Debug,
{
    fn make<'a>(
        &'a self,
        builder: RuntimeBuilder,
    ) -> LocalBoxFuture<'a, (RuntimeBuilder, Box<dyn Instance + 'a>)> {
        Box::pin(async move {
            let (builder, world) = (self.make)(builder).await;
            let (run_try, state) = (&self.run_try, &self.state);
            let made: Box<dyn Instance + 'a> = Box::new(Made {
                world,
                run_try,
                state,
            });
            (builder, made)
        })
    }
}

impl<W, T, S, R, E, V> Instance for Made<'_, W, T, S>
where
    T: AsyncFn(&W) -> Result<R, E>,
    S: AsyncFn(&W) -> V,
    E: Display,
    V: Debug,
{
    fn run_try(&self) -> LocalBoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let tried = (self.run_try)(&self.world).await;
            tried.map(drop).map_err(|error| error.to_string())
        })
    }

    fn state(&self) -> LocalBoxFuture<'_, String> {
        Box::pin(async move { format!("{:?}", (self.state)(&self.world).await) })
    }
}

/// The points behind a fence, in either phase.
const CLOSING: [Point; 3] = [
    Point::BeforeRowCloses,
    Point::BeforeLocalCommit,
    Point::AfterLocalCommit,
];

/// What one undisturbed commit and one undisturbed rollback look like.
#[derive(Debug)]
struct Reference {
    initial: String,
    tried: String,
    committed: String,
    action: String,
    /// Whether an action is behind a fence.
    fenced: bool,
    /// Whether all are.
    all_fenced: bool,
    reports: bool,
}

impl Reference {
    /// The breach, if phase two has not ended.
    fn failing(&self, session: &Session<'_>, end: &End) -> Option<Breach> {
        let way_out = match end {
            End::Done => return None,
            End::Parked(_) => report::GIVEN_UP,
            End::Failed(error) => report::way_out_of(error)
                .unwrap_or_else(|| Rule::Completion.way_out(self.all_fenced)),
            End::Unreadable(_) | End::Dropped => Rule::Completion.way_out(self.all_fenced),
        };
        let states = ("it ends".to_owned(), end.to_string());
        Some(self.breach(session, Rule::Completion, states, way_out))
    }

    fn breach(
        &self,
        session: &Session<'_>,
        rule: Rule,
        (expected, found): (String, String),
        way_out: &'static str,
    ) -> Breach {
        Breach {
            rule,
            action: self.action.clone(),
            delivered: session.delivered(),
            expected,
            found,
            way_out,
        }
    }

    /// The points of phase one of such an action.
    fn try_points(&self) -> Vec<Point> {
        let mut points = vec![
            Point::BeforeRegister,
            Point::AfterRegister,
            Point::BeforeBusiness,
            Point::AfterBusiness,
        ];
        if self.fenced {
            points.extend(CLOSING);
        }
        if self.reports {
            points.extend([Point::BeforeReport, Point::AfterReport]);
        }
        points.push(Point::BeforeAnswer);
        points
    }

    /// The points of phase two of such an action.
    fn phase_two_points(&self) -> Vec<Point> {
        let mut points = vec![
            Point::Delivered,
            Point::BeforeBusiness,
            Point::AfterBusiness,
        ];
        if self.fenced {
            points.extend(CLOSING);
        }
        points.push(Point::BeforeAnswer);
        points
    }

    fn points(&self) -> Vec<(Phase, Point)> {
        let tries = self.try_points().into_iter();
        let mut points: Vec<_> = tries.map(|point| (Phase::Try, point)).collect();
        for phase in [Phase::Commit, Phase::Rollback] {
            let ours = self.phase_two_points().into_iter();
            points.extend(ours.map(|point| (phase, point)));
        }
        points
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    proof: Proof,
    problems: Vec<Problem>,
}

impl<'a> Prover<'a> {
    /// A prover for a participant: `make` makes it, with a database of its own, say;
    /// `run_try` calls an action of it; `state` reads what the action changes.
    pub fn new<P, R, E, V>(
        make: impl AsyncFn() -> P + 'a,
        run_try: impl AsyncFn(&Arc<P>) -> Result<R, E> + 'a,
        state: impl AsyncFn(&Arc<P>) -> V + 'a,
    ) -> Self
    where
        P: Participant,
        R: 'a,
        E: Display + 'a,
        V: Debug + 'a,
    {
        let make = async move |builder: RuntimeBuilder| {
            let participant = Arc::new(make().await);
            let builder = builder.participant(Arc::clone(&participant) as _);
            (builder, participant)
        };
        Self::of(make, run_try, state)
    }

    /// A prover for whatever a runtime provides: `make` gets the builder, provides to it, and
    /// gives back the world that the other closures see.
    pub fn of<W: 'a, R: 'a, E: Display + 'a, V: Debug + 'a>(
        make: impl AsyncFn(RuntimeBuilder) -> (RuntimeBuilder, W) + 'a,
        run_try: impl AsyncFn(&W) -> Result<R, E> + 'a,
        state: impl AsyncFn(&W) -> V + 'a,
    ) -> Self {
        let world = PhantomData;
        Self {
            subject: Box::new(Closures {
                make,
                run_try,
                state,
                world,
            }),
            patience: PATIENCE,
        }
    }

    /// How long one delivery of a phase may take, on tokio's clock, before the prover tells that it
    /// does not end. Default: 60 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Delivers every phase twice.
    pub async fn twice(&self) -> Result<Proof, Broken> {
        self.run(&[Part::Twice]).await
    }

    /// Lets every phase fail, and be dropped, at each of its points in turn, and repeats it. A
    /// point that is reached several times, by several calls of one transaction or by a phase that
    /// is delivered again, is taken each time in turn: the first four and the last four times.
    pub async fn faults(&self) -> Result<Proof, Broken> {
        self.run(&[Part::Faults]).await
    }

    /// Delivers try, commit and rollback in every order that can occur, up to four of them: a
    /// rollback without a try and a try after its rollback are among them. Behind a fence also in
    /// those that only a faulty coordinator would send.
    pub async fn orders(&self) -> Result<Proof, Broken> {
        self.run(&[Part::Orders]).await
    }

    /// All three.
    pub async fn prove(&self) -> Result<Proof, Broken> {
        self.run(&[Part::Twice, Part::Faults, Part::Orders]).await
    }

    /// The same for a test.
    ///
    /// # Panics
    ///
    /// When a rule is broken, with the message of [`Broken`].
    pub async fn assert_proved(&self) -> Proof {
        match self.prove().await {
            Ok(proof) => proof,
            Err(broken) => panic!("{broken}"),
        }
    }

    async fn run(&self, parts: &[Part]) -> Result<Proof, Broken> {
        let mut findings = Findings::default();
        if let Err(problem) = self.run_parts(parts, &mut findings).await {
            findings.problems.push(problem);
        }
        let Findings { proof, problems } = findings;
        if problems.is_empty() {
            Ok(proof)
        } else {
            Err(Broken { problems })
        }
    }

    async fn run_parts(&self, parts: &[Part], findings: &mut Findings) -> Result<(), Problem> {
        let subject = &Subjected {
            subject: &*self.subject,
            patience: self.patience,
        };
        let reference = reference(subject, findings).await?;
        for part in parts {
            findings.proof.points.clear();
            match part {
                Part::Twice => twice::run(subject, &reference, findings).await?,
                Part::Faults => faults::run(subject, &reference, findings).await?,
                Part::Orders => orders::run(subject, &reference, findings).await?,
            }
            // Where a rule is broken, a sequence ends early.
            if findings.problems.is_empty() {
                let mut all = reference.points().into_iter();
                let missed = all.find(|point| !findings.proof.points.contains(point));
                if let Some((phase, point)) = missed {
                    return Err(Problem::NotReached(phase, point));
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Twice,
    Faults,
    Orders,
}

impl Debug for Prover<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prover").finish_non_exhaustive()
    }
}

/// One undisturbed commit and one undisturbed rollback.
async fn reference(subject: &Subjected<'_>, findings: &mut Findings) -> Result<Reference, Problem> {
    let session = Session::open(subject).await?;
    findings.proof.runs += 1;
    let initial = session.state().await?;
    if let End::Failed(error) = session.deliver_try().await? {
        return Err(Problem::Try(error));
    }
    if session.branches().is_empty() {
        return Err(Problem::NoBranch);
    }
    let tried = session.state().await?;
    let end = readable(session.deliver(Decision::Commit).await?)?;
    let committed = session.state().await?;
    if end == End::Done && initial == tried && tried == committed {
        return Err(Problem::Blind(initial));
    }
    let reference = Reference {
        initial,
        tried,
        committed,
        action: session.action(),
        fenced: session.is_fenced(),
        all_fenced: session.all_have_rows(),
        reports: session.reports(),
    };
    // Where nothing disturbs it and it fails, there is nothing to compare with.
    if let Some(breach) = reference.failing(&session, &end) {
        return Err(breach.into());
    }

    let session = Session::open(subject).await?;
    let mut checks = Checks::new(&reference, findings);
    checks.findings.proof.runs += 1;
    let expected = &reference.initial;
    checks.state(&session, Rule::Determinism, expected).await?;
    session.deliver_try().await?;
    let end = readable(session.deliver(Decision::Rollback).await?)?;
    if let Some(breach) = reference.failing(&session, &end) {
        return Err(breach.into());
    }
    checks.state(&session, Rule::Conservation, expected).await?;
    Ok(reference)
}

/// What is written and cannot be read back breaks no rule of the pattern, and parks every branch.
fn readable(end: End) -> Result<End, Problem> {
    match end {
        End::Unreadable(error) => Err(Problem::Unreadable(error)),
        end => Ok(end),
    }
}

/// Compares what is with what the rules ask for.
struct Checks<'a> {
    reference: &'a Reference,
    findings: &'a mut Findings,
}

impl<'a> Checks<'a> {
    fn new(reference: &'a Reference, findings: &'a mut Findings) -> Self {
        Self {
            reference,
            findings,
        }
    }

    /// The sequence is over.
    fn over(&mut self, session: &Session<'_>) {
        self.findings.proof.points.extend(session.reached());
    }

    /// The state is this one, or the rule is broken. Tells whether it is.
    async fn state(
        &mut self,
        session: &Session<'_>,
        rule: Rule,
        expected: &str,
    ) -> Result<bool, Problem> {
        let found = session.state().await?;
        let holds = found == expected;
        if !holds {
            let reference = self.reference;
            let way_out = rule.way_out(reference.all_fenced);
            let breach = reference.breach(session, rule, (expected.to_owned(), found), way_out);
            self.findings.problems.push(breach.into());
        }
        Ok(holds)
    }

    /// Phase two has ended, or the rule of completion is broken. Tells whether it has.
    fn ended(&mut self, session: &Session<'_>, end: &End) -> bool {
        let failing = self.reference.failing(session, end);
        let holds = failing.is_none();
        self.findings.problems.extend(failing.map(Problem::from));
        holds
    }
}
