use unanimous_protocol::{RollbackReason, UnknownWhy};

use super::*;

#[test]
fn failures_are_told_at_the_edge_and_unknown_is_never_unavailable() {
    use tonic::Code;

    let cases = [
        (
            Error::RolledBack {
                xid: xid(),
                reason: RollbackReason::TimedOut,
            },
            Code::Aborted,
            409,
        ),
        (Error::AlreadyDecided { xid: xid() }, Code::Aborted, 409),
        (
            Error::Unknown {
                xid: xid(),
                why: UnknownWhy::NoAnswer,
            },
            Code::Unknown,
            500,
        ),
        (Error::TimedOut { xid: xid() }, Code::DeadlineExceeded, 504),
        (Error::ShuttingDown, Code::Unavailable, 503),
        (Error::NoRuntime, Code::Internal, 500),
    ];
    for (error, code, http) in cases {
        let (text, is_unknown) = (error.to_string(), error.is_unknown());
        assert_eq!(error.http_status(), http, "{text}");
        let status = tonic::Status::from(error);
        assert_eq!(status.code(), code, "{text}");
        assert_eq!(status.message(), text);
        let named = status
            .metadata()
            .get(XID_METADATA)
            .map(|xid| xid.to_str().unwrap());
        assert_eq!(named, is_unknown.then_some(xid().as_str()));
        assert_eq!(Error::find_in(&status).unwrap().to_string(), text);
    }
}
