//! Phase two is linked to the trace of the request that began the transaction.

use std::borrow::Cow;

use futures_util::FutureExt as _;

use super::*;
use crate::branch::fakes::Captured;
use crate::branch::{Action, ActionSpec, BoxFuture, Branch, Participant, PhaseTwoError};
use crate::context::Ambient;
use crate::{GlobalTransaction, Propagation, outside};

pub(super) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-01";

const SEND: ActionSpec = ActionSpec::new("send", file!(), line!());

/// Sends nothing, under one of two names.
#[derive(Clone)]
struct Mailer(&'static str);

impl Mailer {
    async fn send(&self) -> Result<(), Error> {
        let send = Action::new(&SEND, self);
        send.run(std::future::ready(Ok(()))).await
    }
}

impl Participant for Mailer {
    fn name(&self) -> Cow<'static, str> {
        self.0.into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[SEND]
    }

    fn any_instance(&self) -> bool {
        true
    }

    fn phase_two(self: Arc<Self>, _: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Two services on one coordinator: the first begins a transaction, takes part in it, and calls the
/// second, which takes part as well.
struct Services {
    first: Runtime,
    begins: Handler,
}

impl Services {
    async fn start(propagation: Propagation) -> Self {
        let first = Runtime::builder().coordinator("memory:");
        let first = first.participant(Arc::new(Mailer("first"))).build().await;
        let first = first.unwrap();
        let second = Runtime::builder().coordinator_value(first.coordinator_value());
        let second = second.participant(Arc::new(Mailer("second"))).build().await;
        let second = second.unwrap();
        first.ready().await;
        second.ready().await;
        let joins = Handler::new(|_| async {
            Mailer("second").send().await.unwrap();
            ok()
        });
        let joins = ServerLayer::new(&second).layer(joins);
        let begins = Handler::new(move |_| {
            let mut called = ClientLayer::new().layer(joins.clone());
            async move {
                let body = async {
                    Mailer("first").send().await?;
                    let answer = called.call(request("/second", &[])).await;
                    assert_eq!(answer.unwrap().status(), 200);
                    Ok::<_, Error>(())
                };
                let order = GlobalTransaction::named("order").propagation(propagation);
                order.run(body).await.unwrap().into_result().unwrap();
                ok()
            }
        });
        Self { first, begins }
    }

    async fn serve(&self, headers: &[(&'static str, &str)]) {
        let mut served = ServerLayer::new(&self.first).layer(self.begins.clone());
        let response = served.call(request("/orders", headers)).await.unwrap();
        assert_eq!(response.status(), 200);
        self.settled().await;
    }

    async fn settled(&self) {
        let minute = Duration::from_secs(60);
        assert!(self.first.quiet(minute).await, "phase two does not end");
    }
}

/// The field of every span of a phase two, with its quotes.
fn told(captured: &Captured) -> Vec<String> {
    let text = captured.text();
    let spans = text.split("span phase_two").skip(1);
    let field = |span: &str| {
        let mut lines = span.lines();
        let found = lines.find_map(|line| line.strip_prefix("traceparent="));
        found.unwrap_or_default().to_owned()
    };
    spans.map(field).collect()
}

fn of_both(trace: &str) -> Vec<String> {
    vec![format!("{trace:?}"); 2]
}

#[tokio::test]
async fn phase_two_is_in_the_trace_of_a_request_that_carried_no_transaction() {
    let captured = Captured::start();
    let services = Services::start(Propagation::Required).await;
    services.serve(&[("traceparent", TRACE)]).await;
    assert_eq!(told(&captured), of_both(TRACE));
}

#[tokio::test]
async fn a_transaction_of_its_own_is_in_the_trace_of_the_request_too() {
    let captured = Captured::start();
    let services = Services::start(Propagation::RequiresNew).await;
    let carried = format!("1;xid={};call=POST._orders:1;left=60000", xid());
    let headers = [("unanimous-call", carried.as_str()), ("traceparent", TRACE)];
    services.serve(&headers).await;
    assert_eq!(told(&captured), of_both(TRACE));
}

#[tokio::test]
async fn a_malformed_trace_is_ignored_and_never_logged() {
    let captured = Captured::start();
    let services = Services::start(Propagation::Required).await;
    let long = format!("01{}-{}", &TRACE[2..], "canary".repeat(50));
    for malformed in ["canary", &TRACE[..54], "", &long] {
        services.serve(&[("traceparent", malformed)]).await;
    }
    // Which of two would be meant?
    services
        .serve(&[("traceparent", TRACE), ("traceparent", OTHER)])
        .await;
    assert_eq!(told(&captured), vec![String::new(); 10]);
    assert!(!captured.text().contains("canary"));
}

#[tokio::test]
async fn no_trace_of_the_caller_reaches_what_another_request_begins() {
    let captured = Captured::start();
    let services = Services::start(Propagation::Required).await;
    // The layer stands in a process whose own code runs in a trace: the request has none.
    traced(TRACE, services.serve(&[])).await;
    assert_eq!(told(&captured), vec![String::new(); 2]);
}

#[tokio::test]
async fn what_begins_by_hand_is_in_the_trace_that_it_was_given() {
    let captured = Captured::start();
    let services = Services::start(Propagation::Required).await;
    let begin = || {
        let order = GlobalTransaction::named("order").runtime(&services.first);
        order.run(Mailer("first").send())
    };
    traced(OTHER, traced(TRACE, begin())).await.unwrap();
    services.settled().await;
    traced(TRACE, traced("not a trace", begin())).await.unwrap();
    services.settled().await;
    begin().await.unwrap();
    services.settled().await;
    let own = format!("{TRACE:?}");
    assert_eq!(told(&captured), [own, String::new(), String::new()]);
}

#[tokio::test]
async fn the_work_of_a_message_is_in_the_trace_that_it_is_attached_in() {
    let captured = Captured::start();
    let services = Services::start(Propagation::Required).await;
    let body = async {
        let call = Context::current().unwrap().send("mail.queue")?;
        let received: ReceivedCall = call.to_string().parse().unwrap();
        let work = received.attach(Mailer("first").send());
        let answered = traced(TRACE, outside(services.first.scope(work))).await?;
        call.answered(&answered.answer()).unwrap();
        Ok::<_, Error>(())
    };
    let order = GlobalTransaction::named("order").runtime(&services.first);
    order.run(body).await.unwrap().into_result().unwrap();
    services.settled().await;
    assert_eq!(told(&captured), [format!("{TRACE:?}")]);
}

#[tokio::test]
async fn c3_a_trace_is_left_behind_at_whichever_poll_its_future_is_dropped() {
    let own = Some(TRACE.to_owned());
    let current = || Ambient::current().trace().map(|trace| trace.0.to_string());
    for polls in 0..=4 {
        let mut future = Box::pin(traced(TRACE, async {
            for _ in 0..3 {
                assert_eq!(current(), own);
                tokio::task::yield_now().await;
            }
            current()
        }));
        for poll in 1..=polls {
            let ended = future.as_mut().now_or_never();
            assert_eq!(ended, (poll == 4).then(|| own.clone()));
            assert_eq!(current(), None, "after {poll}");
        }
        drop(future);
        assert_eq!(current(), None);
    }
}
