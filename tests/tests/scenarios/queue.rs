//! The transaction carried by hand: through the messages of a work queue, and onto other tasks.

use std::pin::pin;

use unanimous::carry::ReceivedCall;
use unanimous::{CallFailure, Completed, Context, Error, GlobalTransaction, Outcome, TolerateExt};

use crate::cancellation::polled;
use crate::vault::{Failure, Fault, POLLS, Vault};
use crate::world::{LONG, Site, World, xid};

/// What a message carries, and what its worker answers.
type Job = (String, tokio::sync::oneshot::Sender<String>);

/// A worker of a queue: each message is a call of its sender's transaction.
async fn work(mut queue: tokio::sync::mpsc::UnboundedReceiver<Job>, vault: Vault) {
    while let Some((message, reply)) = queue.recv().await {
        let call: ReceivedCall = message.parse().expect("what was sent is well-formed");
        // The sender hears of an answer that never comes by the end of `reply`.
        if let Ok(answered) = call.attach(vault.take("b", 1)).await {
            let _ = reply.send(answered.answer());
        }
    }
}

/// One message to the worker, as a call of the surrounding transaction.
async fn ask(queue: &tokio::sync::mpsc::UnboundedSender<Job>) -> Result<(), Failure> {
    let call = Context::current()
        .expect("a transaction surrounds it")
        .send("money.queue")?;
    let (reply, answer) = tokio::sync::oneshot::channel();
    queue
        .send((call.to_string(), reply))
        .expect("the worker is there");
    match answer.await {
        Ok(answer) => call.answered(&answer).expect("a well-formed answer"),
        Err(error) => call.lost(error),
    }
    Ok(())
}

async fn run<T>(
    world: &World,
    body: impl Future<Output = Result<T, Failure>>,
) -> Completed<T, Failure> {
    let run = GlobalTransaction::named("queue").run(body);
    world.run(run).await.expect("it begins")
}

fn cause(ran: &Completed<(), Failure>) -> CallFailure {
    let Some(Error::RollbackOnly { cause, .. }) = ran.failure() else {
        panic!("{ran:?}")
    };
    *cause
}

#[tokio::test]
async fn a_worker_joins_the_transaction_that_its_message_names() {
    let site = Site::new();
    let world = World::start(&site).await;
    let (queue, jobs) = tokio::sync::mpsc::unbounded_channel();
    let worker = world.runtime.scope(work(jobs, world.vaults[1].clone()));
    let sender = async {
        let ran = run(&world, async {
            world.vaults[0].take("b", 1).await?;
            ask(&queue).await
        });
        assert_eq!(ran.await.outcome, Some(Outcome::Committed));
        // What fails at the worker fails here, although the body goes on.
        world.vaults[1].script.tries.then(Fault::Fail);
        let ran = run(&world, ask(&queue)).await;
        assert_eq!(cause(&ran), CallFailure::Marked);
        drop(queue);
    };
    tokio::join!(worker, sender);
    world.settle().await;
    for vault in &world.vaults[..2] {
        assert_eq!(vault.history("b").await, [1, 1, 0]);
    }
    world.end().await;
}

/// A queue delivers a message twice: one branch, one effect, one answer.
#[tokio::test]
async fn g12_a_message_delivered_twice_takes_effect_once() {
    let site = Site::new();
    let world = World::start(&site).await;
    let vault = &world.vaults[0];
    let ran = run(&world, async {
        let sent = Context::current().expect("inside").send("stock.queue")?;
        let mut answers = Vec::new();
        for _ in 0..2 {
            let received: ReceivedCall = sent.to_string().parse().expect("it is well-formed");
            assert_eq!(received.xid(), &xid());
            assert_eq!(received.call_id(), sent.call_id());
            assert_eq!(received.call_id().as_str(), "stock.queue:1");
            assert!(received.left() <= LONG);
            let answered = received.attach(vault.take("b", 1)).await?;
            answers.push(answered.answer());
        }
        assert_eq!(answers[0], answers[1]);
        sent.answered(&answers[1]).expect("a well-formed answer");
        Ok(())
    });
    assert_eq!(ran.await.outcome, Some(Outcome::Committed));
    world.settle().await;
    assert_eq!(vault.history("b").await, [1, 1, 0]);
    world.end().await;
}

/// Whatever becomes of the answer, what the worker reserved is cancelled with the transaction.
#[tokio::test]
async fn tm1_a_call_whose_answer_is_lost_fails_unless_it_is_tolerated() {
    let site = Site::new();
    let world = World::start(&site).await;
    let vault = &world.vaults[0];
    for (way, expected) in [
        ("dropped", CallFailure::Dropped),
        ("lost", CallFailure::LostAnswer),
        ("malformed", CallFailure::LostAnswer),
        ("twice the same name", CallFailure::LostAnswer),
    ] {
        for tolerated in [false, true] {
            let label = format!("{way} {tolerated}");
            let call = async {
                let sent = Context::current().expect("inside").send("stock.queue")?;
                let received: ReceivedCall = sent.to_string().parse().expect("it is well-formed");
                received.attach(vault.take(&label, 1)).await?.body?;
                match way {
                    "dropped" => drop(sent),
                    "lost" => sent.lost("the queue is gone"),
                    malformed => {
                        sent.answered(malformed).expect_err("it is malformed");
                    }
                }
                Err::<(), _>(Failure::Scripted("its answer was lost"))
            };
            let ran = run(&world, async {
                let swallowed = if tolerated {
                    call.tolerate().await
                } else {
                    call.await
                };
                assert!(swallowed.is_err());
                Ok(())
            });
            let ran = ran.await;
            if tolerated {
                assert_eq!(ran.outcome, Some(Outcome::Committed), "{label}");
            } else {
                assert_eq!(cause(&ran), expected, "{label}");
            }
            world.settle().await;
            assert_eq!(vault.history(&label).await, [1, 0, 1], "{label}");
        }
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_no_message_of_ours_is_refused_before_anything_runs() {
    let site = Site::new();
    let world = World::start(&site).await;
    let good = "1;xid=u1.1.00000000000000aa.1;call=stock.queue:1;left=5000";
    good.parse::<ReceivedCall>().expect("it is well-formed");
    let bad = [
        "",
        "u1.1.00000000000000aa.1",
        "2;xid=u1.1.00000000000000aa.1;call=stock.queue:1;left=5000",
        "1;xid=u1.1.00000000000000aa.1;call=stock.queue:1",
        "1;xid=u1.1.00000000000000aa.1;left=5000",
        "1;xid=u1.1.00000000000000aa.1;call=;left=5000",
        "1;xid=;call=stock.queue:1;left=5000",
        "1;xid=u1.1.00000000000000aa.1;call=stock.queue:0;left=5000",
        "1;xid=u1.1.00000000000000aa.1;call=stock.queue:1;left=soon",
        "1;xid=u1.1.00000000000000aa.1;call=stock.queue:1;left=5000;more=1",
        "1;xid=u1.1.00000000000000aa.1;xid=u1.1.00000000000000aa.1;call=a:1;left=5000",
    ];
    for text in bad {
        let refused = text.parse::<ReceivedCall>();
        assert!(refused.is_err(), "`{text}` was taken: {refused:?}");
    }
    world.end().await;
}

/// A message that is worked on behind the decision, or without any time left.
#[tokio::test]
async fn matrix_37_a_message_worked_on_too_late_joins_nothing() {
    let site = Site::new();
    let world = World::start(&site).await;
    let vault = &world.vaults[0];
    let mut message = String::new();
    let ran = run(&world, async {
        world.vaults[1].take("b", 1).await?;
        let sent = Context::current().expect("inside").send("stock.queue")?;
        message = sent.to_string();
        sent.lost("it is late");
        Ok(())
    });
    assert_eq!(cause(&ran.await), CallFailure::LostAnswer);
    let late: ReceivedCall = message.parse().expect("it is well-formed");
    let late = world.run(late.attach(vault.take("b", 1))).await;
    let refused = late.expect("it runs").body.expect_err("it is decided");
    assert!(matches!(
        refused.transaction(),
        Error::AlreadyDecided { .. }
    ));

    let (head, _) = message.split_once("left=").expect("it says how much");
    let spent: ReceivedCall = format!("{head}left=0").parse().expect("it is well-formed");
    let spent = world.run(spent.attach(vault.take("b", 1))).await;
    assert!(matches!(spent, Err(Error::TimedOut { .. })), "{spent:?}");
    // Its time runs out while it works: the work is dropped.
    let short = format!("{head}left=50").parse::<ReceivedCall>();
    let short = short.expect("it is well-formed");
    let hangs = world.run(short.attach(std::future::pending::<Result<(), Failure>>()));
    assert!(matches!(hangs.await, Err(Error::TimedOut { .. })));
    world.settle().await;
    assert_eq!(vault.history("b").await, [0, 0, 0]);
    world.end().await;
}

/// In this process: on another thread, between other things, and gone when it returns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c3_a_context_attached_to_a_task_surrounds_nothing_else() {
    let site = Site::new();
    let world = World::start(&site).await;
    let ran = run(&world, async {
        let context = Context::current().expect("inside");
        let (own, vault) = (xid(), world.vaults[0].clone());
        let handed = tokio::spawn(async move {
            assert_eq!(unanimous::xid(), None);
            assert_eq!(context.xid(), &own);
            assert!(context.remaining().is_some());
            let taken = context.attach(async {
                let nested = Context::current().expect("inside");
                assert_eq!(Context::clear(async { unanimous::xid() }).await, None);
                assert_eq!(nested.call_id(), context.call_id());
                vault.take("b", 1).await
            });
            let taken = taken.await.map(drop);
            assert_eq!(unanimous::xid(), None);
            taken
        });
        handed.await.expect("it ends")
    });
    assert_eq!(ran.await.outcome, Some(Outcome::Committed));
    assert_eq!(
        Context::current().map(|context| context.xid().clone()),
        None
    );
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    world.end().await;
}

/// Matrix 37: the scope has ended when the task that was handed the context comes to its call.
#[tokio::test]
async fn matrix_37_a_context_passed_by_hand_joins_nothing_after_the_decision() {
    let site = Site::new();
    let world = World::start(&site).await;
    let mut kept = None;
    let ran = run(&world, async {
        kept = Context::current();
        world.vaults[0].take("b", 1).await.map(drop)
    });
    assert_eq!(ran.await.outcome, Some(Outcome::Committed));
    let kept = kept.expect("it was kept");
    let late = world.run(kept.attach(world.vaults[1].take("b", 1))).await;
    let refused = late.expect_err("it is decided").transaction();
    assert!(matches!(refused, Error::AlreadyDecided { .. }), "{refused}");
    world.settle().await;
    assert_eq!(world.vaults[1].history("b").await, [0, 0, 0]);
    world.end().await;
}

/// After a failure nothing more is sent.
#[tokio::test]
async fn tm2_nothing_is_sent_after_a_failure() {
    let site = Site::new();
    let world = World::start(&site).await;
    let ran = run(&world, async {
        let context = Context::current().expect("inside");
        context.send("stock.queue")?.lost("gone");
        let refused = context
            .send("stock.queue")
            .expect_err("it can only roll back");
        assert!(matches!(refused, Error::RollbackOnly { .. }), "{refused}");
        Ok(())
    });
    assert_eq!(cause(&ran.await), CallFailure::LostAnswer);
    world.end().await;
}

/// Matrix 30: the work of a message is dropped at any of its polls; its sender hears nothing, and
/// rolls back.
#[tokio::test]
async fn matrix_30_a_received_call_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let vault = &world.vaults[0];
    for polls in 0..400 {
        let label = format!("after {polls}");
        let ended = std::cell::Cell::new(false);
        let ran = run(&world, async {
            let sent = Context::current().expect("inside").send("stock.queue")?;
            let received: ReceivedCall = sent.to_string().parse().expect("it is well-formed");
            let mut work = pin!(received.attach(vault.take(&label, 1)));
            match polled(polls, &mut work).await {
                Some(answered) => {
                    ended.set(true);
                    let answer = answered?.answer();
                    sent.answered(&answer).expect("a well-formed answer");
                }
                None => sent.lost("the worker is gone"),
            }
            Ok(())
        });
        let ran = ran.await;
        world.settle().await;
        let [held, spent, released] = vault.history(&label).await;
        assert_eq!(held, spent + released, "{label}");
        assert_eq!(spent, i64::from(ended.get()), "{label}");
        assert_eq!(ran.failure().is_none(), ended.get(), "{label}: {ran:?}");
        if ended.get() {
            assert!(polls > POLLS, "it has {polls} polls only");
            return world.end().await;
        }
    }
    panic!("it never ends");
}
