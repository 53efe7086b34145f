//! The frames of the stream, as plain types.

use std::sync::Arc;

use prost::Message as _;

use super::convert::{at_most, cut, enumeration, parsed, present, text};
use super::{Problem, WireError, v1};
use crate::ids::{Alias, Incarnation, Xid};
use crate::limits;
use crate::message::{
    Attach, AttachRefused, Attached, Began, Begin, BeginRefused, BranchResult, Commit,
    DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, PhaseTwo,
    Register, Report, ReportAnswer,
};

/// Names a request or a delivery on its stream. 0 names the stream itself.
pub type FrameId = u64;
/// Names one of the attachments of a stream.
pub type AttachmentId = u64;

/// What a client sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FromClient {
    /// The first frame.
    Hello {
        /// The newest version that the client speaks.
        version: u32,
        /// A name for people.
        application: Arc<str>,
    },
    /// A request; its answer repeats the id.
    Request(ServerRequest),
    /// All attachments of the client.
    Attach(Vec<(AttachmentId, Attach)>),
    /// The attachment that the frame's id names is taken back.
    Detach,
    /// What came of a phase two.
    BranchAnswer {
        /// Where it was delivered.
        attachment: AttachmentId,
        /// The transaction.
        xid: Xid,
        /// The branch.
        alias: Alias,
        /// What came of it.
        result: BranchResult,
    },
    /// Every resource of the attachment has stored this horizon.
    HorizonAck {
        /// Where it was announced.
        attachment: AttachmentId,
        /// Whose horizon it is.
        incarnation: Incarnation,
        /// Up to where.
        counter: u64,
    },
}

/// A request that is answered by one [`ServerAnswer`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerRequest {
    /// Begin a transaction.
    Begin(Begin),
    /// Let a branch join.
    Register(Register),
    /// Keep what an unfenced phase one returned.
    Report(Report),
    /// Decide for commit.
    Commit(Commit),
    /// Decide for rollback.
    Rollback(Xid),
    /// Tell the outcome.
    Outcome(Xid),
    /// Tell the outcomes of tried rows.
    InDoubt(Vec<InDoubtQuestion>),
}

/// What a server sends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FromServer {
    /// The first frame.
    Welcome {
        /// The version that both speak.
        version: u32,
    },
    /// A request was not carried out or, with id 0, the stream ends.
    Failure {
        /// Who is at fault.
        kind: FailureKind,
        /// What is wrong, for people.
        why: Arc<str>,
    },
    /// The answer to a request.
    Answer(ServerAnswer),
    /// What came of each attachment.
    Attached(Vec<(AttachmentId, Result<Attached, AttachRefused>)>),
    /// Perform phase two; answered by a `BranchAnswer`.
    PhaseTwo(AttachmentId, PhaseTwo),
    /// Clean below the horizon; answered by a `HorizonAck` once it is stored.
    Horizon(AttachmentId, Incarnation, Horizon),
}

/// The answer to a [`ServerRequest`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerAnswer {
    /// To `Begin`.
    Begin(Result<Began, BeginRefused>),
    /// To `Register`.
    Register(Result<Joined, JoinRefused>),
    /// To `Report`.
    Report(ReportAnswer),
    /// To `Commit`, `Rollback` and `Outcome`.
    Decision(DecisionAnswer),
    /// To `InDoubt`.
    InDoubt(Vec<InDoubtAnswer>),
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FailureKind {
    /// The frame was malformed, or its version is not spoken.
    Protocol,
    /// The coordinator's store failed.
    Failed,
    /// The coordinator refuses service.
    Refused,
    /// The coordinator cannot answer now.
    Unavailable,
}

enumeration! { v1::FailureKind, FailureKind, failure_to, failure_from {
    v1::FailureKind::Protocol => FailureKind::Protocol,
    v1::FailureKind::Failed => FailureKind::Failed,
    v1::FailureKind::Refused => FailureKind::Refused,
    v1::FailureKind::Unavailable => FailureKind::Unavailable,
}}

impl ServerRequest {
    /// The frame that carries this request under this id.
    #[must_use]
    pub fn to_frame(&self, id: FrameId) -> v1::ClientFrame {
        use v1::client_frame::Body;
        let body = match self {
            Self::Begin(begin) => Body::Begin(begin.into()),
            Self::Register(register) => Body::Register(register.into()),
            Self::Report(report) => Body::Report(report.into()),
            Self::Commit(commit) => Body::Commit(commit.into()),
            Self::Rollback(xid) => Body::Rollback(xid.into()),
            Self::Outcome(xid) => Body::Outcome(xid.into()),
            Self::InDoubt(questions) => Body::InDoubt(questions.as_slice().into()),
        };
        v1::ClientFrame {
            id,
            body: Some(body),
        }
    }
}

impl FromClient {
    /// How long the frame is that carries this, at most.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        self.to_frame(FrameId::MAX).encoded_len()
    }

    /// The frame that carries this under this id.
    #[must_use]
    pub fn to_frame(&self, id: FrameId) -> v1::ClientFrame {
        use v1::client_frame::Body;
        let body = match self {
            Self::Request(request) => return request.to_frame(id),
            Self::Hello {
                version,
                application,
            } => Body::Hello(v1::Hello {
                version: *version,
                application: cut(application),
            }),
            Self::Attach(attachments) => {
                let attach = |(id, attach): &(AttachmentId, Attach)| v1::Attach {
                    id: *id,
                    ..attach.into()
                };
                Body::Attach(v1::AttachAll {
                    attachments: attachments.iter().map(attach).collect(),
                })
            }
            Self::Detach => Body::Detach(v1::Empty {}),
            Self::BranchAnswer {
                attachment,
                xid,
                alias,
                result,
            } => Body::BranchAnswer(v1::BranchAnswer {
                attachment: *attachment,
                xid: xid.to_string(),
                alias: alias.0,
                result: Some(result.into()),
            }),
            Self::HorizonAck {
                attachment,
                incarnation,
                counter,
            } => Body::HorizonAck(v1::HorizonAck {
                attachment: *attachment,
                incarnation: Some((*incarnation).into()),
                counter: *counter,
            }),
        };
        v1::ClientFrame {
            id,
            body: Some(body),
        }
    }

    /// What a frame carries.
    ///
    /// # Errors
    ///
    /// When anything in it is missing, unknown or beyond its limit.
    pub fn of_frame(frame: v1::ClientFrame) -> Result<Self, WireError> {
        use v1::client_frame::Body;
        Ok(Self::Request(match present("body", frame.body)? {
            Body::Hello(hello) => {
                let application = text("application", hello.application)?;
                return Ok(Self::Hello {
                    version: hello.version,
                    application,
                });
            }
            Body::Attach(all) => return attachments(all).map(Self::Attach),
            Body::Detach(_) => return Ok(Self::Detach),
            Body::BranchAnswer(answer) => {
                return Ok(Self::BranchAnswer {
                    attachment: answer.attachment,
                    xid: parsed("xid", &answer.xid)?,
                    alias: Alias(answer.alias),
                    result: present("result", answer.result)?.try_into()?,
                });
            }
            Body::HorizonAck(ack) => {
                return Ok(Self::HorizonAck {
                    attachment: ack.attachment,
                    incarnation: present("incarnation", ack.incarnation)?.into(),
                    counter: ack.counter,
                });
            }
            Body::Begin(begin) => ServerRequest::Begin(begin.try_into()?),
            Body::Register(register) => ServerRequest::Register(register.try_into()?),
            Body::Report(report) => ServerRequest::Report(report.try_into()?),
            Body::Commit(commit) => ServerRequest::Commit(commit.try_into()?),
            Body::Rollback(xid) => ServerRequest::Rollback(xid.try_into()?),
            Body::Outcome(xid) => ServerRequest::Outcome(xid.try_into()?),
            Body::InDoubt(questions) => ServerRequest::InDoubt(questions.try_into()?),
        }))
    }
}

fn attachments(all: v1::AttachAll) -> Result<Vec<(AttachmentId, Attach)>, WireError> {
    at_most("attachments", all.attachments.len(), limits::RESOURCES_MAX)?;
    let attach = |attach: v1::Attach| {
        if attach.id == 0 {
            return Err(WireError::missing("id"));
        }
        Ok((attach.id, attach.try_into()?))
    };
    all.attachments.into_iter().map(attach).collect()
}

impl ServerAnswer {
    fn to_body(&self) -> v1::server_frame::Body {
        use v1::server_frame::Body;
        match self {
            Self::Begin(answer) => Body::Begin(answer.into()),
            Self::Register(answer) => Body::Register(answer.into()),
            Self::Report(answer) => Body::Report(answer.into()),
            Self::Decision(answer) => Body::Decision(answer.into()),
            Self::InDoubt(answers) => Body::InDoubt(answers.as_slice().into()),
        }
    }
}

impl FromServer {
    /// How long the frame is that carries this, at most.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        self.to_frame(FrameId::MAX).encoded_len()
    }

    /// The frame that carries this under this id.
    #[must_use]
    pub fn to_frame(&self, id: FrameId) -> v1::ServerFrame {
        use v1::server_frame::Body;
        let body = match self {
            Self::Welcome { version } => Body::Welcome(v1::Welcome { version: *version }),
            Self::Failure { kind, why } => Body::Failure(v1::Failure {
                kind: failure_to(*kind).into(),
                why: cut(why),
            }),
            Self::Answer(answer) => answer.to_body(),
            Self::Attached(verdicts) => Body::Attach(v1::AttachAnswer {
                verdicts: verdicts.iter().map(verdict_to).collect(),
            }),
            Self::PhaseTwo(attachment, phase_two) => Body::PhaseTwo(v1::PhaseTwo {
                attachment: *attachment,
                ..phase_two.into()
            }),
            Self::Horizon(attachment, incarnation, horizon) => {
                Body::Horizon(v1::HorizonAnnounced {
                    attachment: *attachment,
                    incarnation: Some((*incarnation).into()),
                    horizon: Some(horizon.into()),
                })
            }
        };
        v1::ServerFrame {
            id,
            body: Some(body),
        }
    }

    /// What a frame carries.
    ///
    /// # Errors
    ///
    /// When anything in it is missing, unknown or beyond its limit.
    pub fn of_frame(frame: v1::ServerFrame) -> Result<Self, WireError> {
        use v1::server_frame::Body;
        Ok(match present("body", frame.body)? {
            Body::Welcome(welcome) => Self::Welcome {
                version: welcome.version,
            },
            Body::Failure(failure) => Self::Failure {
                kind: failure_from("kind", failure.kind)?,
                why: text("why", failure.why)?,
            },
            Body::Begin(answer) => Self::Answer(ServerAnswer::Begin(answer.try_into()?)),
            Body::Register(answer) => Self::Answer(ServerAnswer::Register(answer.try_into()?)),
            Body::Report(answer) => Self::Answer(ServerAnswer::Report(answer.try_into()?)),
            Body::Decision(answer) => Self::Answer(ServerAnswer::Decision(answer.try_into()?)),
            Body::InDoubt(answers) => Self::Answer(ServerAnswer::InDoubt(answers.try_into()?)),
            Body::Attach(answer) => {
                at_most("verdicts", answer.verdicts.len(), limits::RESOURCES_MAX)?;
                let verdicts = answer.verdicts.into_iter().map(verdict_from);
                Self::Attached(verdicts.collect::<Result<_, _>>()?)
            }
            Body::PhaseTwo(phase_two) => {
                Self::PhaseTwo(phase_two.attachment, phase_two.try_into()?)
            }
            Body::Horizon(announced) => Self::Horizon(
                announced.attachment,
                present("incarnation", announced.incarnation)?.into(),
                present("horizon", announced.horizon)?.try_into()?,
            ),
        })
    }
}

type Verdict = (AttachmentId, Result<Attached, AttachRefused>);

fn verdict_to((id, verdict): &Verdict) -> v1::AttachVerdict {
    use v1::attach_verdict::Verdict;
    let verdict = match verdict {
        Ok(attached) => Verdict::Attached(attached.into()),
        Err(refused) => Verdict::Refused(refused.into()),
    };
    v1::AttachVerdict {
        id: *id,
        verdict: Some(verdict),
    }
}

fn verdict_from(verdict: v1::AttachVerdict) -> Result<Verdict, WireError> {
    use v1::attach_verdict::Verdict;
    let id = verdict.id;
    Ok(match present("verdict", verdict.verdict)? {
        Verdict::Attached(attached) => (id, Ok(attached.try_into()?)),
        Verdict::Refused(refused) => (id, Err(refused.try_into()?)),
    })
}
