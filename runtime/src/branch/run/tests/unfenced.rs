//! A phase one without a fence.

use futures_util::FutureExt as _;
use unanimous_protocol::message::ReportRefused;

use super::*;
use crate::__private::{how_tried, run_unfenced};
use crate::branch::fakes::unavailable;

async fn send(
    process: &Process,
    how: How<Outcome>,
    body: impl Future<Output = Outcome>,
) -> Outcome {
    run_unfenced(&DEBIT, &*process.mail, seven(), how, async || body.await).await
}

#[tokio::test]
async fn rm2_an_unfenced_branch_joins_with_its_arguments_before_it_runs() {
    let process = Process::start().await;
    let body = async {
        process.log.say("body");
        Ok(5)
    };
    assert_eq!(
        process
            .transaction(send(&process, how(), body))
            .await
            .unwrap(),
        5
    );
    assert_eq!(
        process.log.take(),
        ["register mail.debit:1", "body", "commit"]
    );
    let registered = process.coordinator.script().registered.remove(0);
    assert_eq!(registered.kind, BranchKind::Unfenced);
    assert_eq!(registered.arguments.as_deref(), Some(r#"{"amount":7}"#));
    assert_eq!(process.commits()[0].succeeded, names(&[1]));
}

#[tokio::test]
async fn a_value_that_a_partner_wants_is_reported_before_the_caller_is_answered() {
    let process = Process::start().await;
    let result = process
        .transaction(send(&process, how_tried(), async { Ok(5) }))
        .await;
    assert_eq!(result.unwrap(), 5);
    let log = process.log.take();
    assert_eq!(
        log,
        ["register mail.debit:1", "report mail.debit:1", "commit"]
    );
    let reported = process.coordinator.script().reported.remove(0);
    assert_eq!(reported.value.tried.as_deref(), Some("5"));
}

#[tokio::test]
async fn the_first_report_stands_and_answers_the_caller() {
    let process = Process::start().await;
    let standing = |tried: &str| Reported {
        tried: Some(tried.into()),
        ..Reported::default()
    };
    process
        .coordinator
        .script()
        .reports
        .push_back(Ok(Ok(standing("4"))));
    let result = process
        .transaction(send(&process, how_tried(), async { Ok(5) }))
        .await;
    assert_eq!(result.unwrap(), 4);
    assert_eq!(process.commits()[0].succeeded, names(&[1]));
    process
        .coordinator
        .script()
        .reports
        .push_back(Ok(Ok(standing("{}"))));
    let result = process
        .transaction(send(&process, how_tried(), async { Ok(5) }))
        .await;
    assert!(
        matches!(result, Err(Error::StoredAnswer { .. })),
        "{result:?}"
    );
    assert!(process.commits().is_empty());
}

#[tokio::test]
async fn a_report_that_is_refused_or_lost_fails_the_call() {
    let process = Process::start().await;
    let table: [(_, Expected); 3] = [
        (Ok(Err(ReportRefused::AlreadyDecided)), |e| {
            matches!(e, Error::AlreadyDecided { .. })
        }),
        (Ok(Err(ReportRefused::NotJoined)), |e| {
            matches!(e, Error::Coordinator(_))
        }),
        (Err(unavailable()), |e| matches!(e, Error::Coordinator(_))),
    ];
    for (answer, expected) in table {
        process.coordinator.script().reports.push_back(answer);
        let result = process
            .transaction(send(&process, how_tried(), async { Ok(5) }))
            .await;
        assert!(expected(result.as_ref().unwrap_err()), "{result:?}");
        assert!(process.commits().is_empty());
    }
}

#[tokio::test]
async fn an_error_is_not_reported_and_fails_the_call() {
    let process = Process::start().await;
    let body = async { Err(Error::NoRuntime) };
    let result = process.transaction(send(&process, how_tried(), body)).await;
    assert!(matches!(result, Err(Error::NoRuntime)), "{result:?}");
    assert_eq!(process.log.take(), ["register mail.debit:1", "rollback"]);
}

#[tokio::test]
async fn a_dropped_body_is_dropped_inside_its_context_before_the_call_has_failed() {
    /// Says in which surroundings it is dropped.
    struct Guard<'a>(&'a Log);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let branch = BranchContext::current().map(|branch| branch.call_id().to_string());
            let failed = Scope::current().map(|scope| scope.rollback_only().is_some());
            self.0.say(format!("dropped in {branch:?} {failed:?}"));
        }
    }
    let process = Process::start().await;
    let result = process
        .transaction(async {
            let body = async {
                let _guard = Guard(&process.log);
                std::future::pending().await
            };
            let mut call = Box::pin(send(&process, how(), body));
            assert!(call.as_mut().now_or_never().is_none());
            drop(call);
            Ok(1)
        })
        .await;
    assert!(
        matches!(
            result,
            Err(Error::RollbackOnly {
                cause: CallFailure::Dropped,
                ..
            })
        ),
        "{result:?}"
    );
    let log = process.log.take();
    assert_eq!(
        log[1..],
        [r#"dropped in Some("mail.debit:1") Some(false)"#, "rollback"]
    );
}

#[tokio::test]
async fn kept_values_are_reported_though_no_partner_wants_the_returned_one() {
    let process = Process::start().await;
    let body = async {
        BranchContext::current().unwrap().keep("number", &42)?;
        Ok(5)
    };
    process
        .transaction(send(&process, how(), body))
        .await
        .unwrap();
    let reported = process.coordinator.script().reported.remove(0).value;
    let kept = [("number".into(), "42".into())].into();
    assert_eq!((reported.tried, reported.kept), (None, kept));
}
