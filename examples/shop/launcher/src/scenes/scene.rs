//! What every scene does: it says what happens, keeps the table, and judges how it came out.

use std::fmt::Display;
use std::time::{Duration, Instant};

use shop_service::PRICE;
use tokio::task::JoinHandle;
use unanimous::{Outcome, Xid};

use super::Cast;
use crate::Failure;
use crate::customer::{Answer, Wish};
use crate::databases::{Snapshot, eventually};
use crate::process::Process;
use crate::shop::{Role, Shop};
use crate::table::Table;

/// Longer than any branch takes to end once its participant is back.
const SETTLED: Duration = Duration::from_secs(20);

/// How a scene has to come out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Committed,
    RolledBack,
}

/// A scene under way.
pub(super) struct Scene<'a> {
    cast: Cast,
    shop: &'a mut Shop,
    before: Snapshot,
    table: Table,
    is_settled: bool,
    mistakes: Vec<String>,
}

/// One line of a scene: what happened, and to whom.
pub(super) fn say(what: &str, text: impl Display) {
    println!("  {what:<10} {text}");
}

pub(super) fn heading(number: u8, title: &str, story: &str) {
    println!("\nScene {number}: {title}\n  {story}\n");
}

impl<'a> Scene<'a> {
    pub(super) async fn open(number: u8, cast: Cast, shop: &'a mut Shop) -> Result<Self, Failure> {
        heading(number, cast.title, cast.story);
        let mut table = Table::new(cast.article.sku, cast.user);
        let before = shop
            .databases()
            .snapshot(cast.article.sku, cast.user)
            .await?;
        table.add("before", before);
        Ok(Self {
            cast,
            shop,
            before,
            table,
            is_settled: false,
            mistakes: Vec::new(),
        })
    }

    /// Orders; the answer comes when it comes.
    pub(super) fn send(&self) -> Result<JoinHandle<Result<Answer, Failure>>, Failure> {
        let Cast {
            user,
            article,
            count,
            ..
        } = self.cast;
        let wish = Wish {
            user: user.to_owned(),
            sku: article.sku.to_owned(),
            count,
        };
        say("sent", &wish);
        let customer = self.shop.customer()?;
        Ok(tokio::spawn(async move { customer.order(wish).await }))
    }

    /// Orders, and stops the order service after its calls, before it asks for the decision.
    pub(super) async fn send_and_pause(
        &mut self,
    ) -> Result<JoinHandle<Result<Answer, Failure>>, Failure> {
        self.order()?.hold("after-calls").await?;
        let sent = self.send()?;
        self.order()?.reached("after-calls").await?;
        say(
            "paused",
            "the order, after its calls: all three hold, nothing is decided",
        );
        self.observe("paused").await?;
        Ok(sent)
    }

    /// Lets the paused order go on, and returns what it answers.
    pub(super) async fn release(
        &mut self,
        sent: JoinHandle<Result<Answer, Failure>>,
    ) -> Result<Answer, Failure> {
        self.order()?.release("after-calls").await?;
        say("released", "the order");
        answered(sent).await
    }

    pub(super) async fn kill(&mut self, role: Role) -> Result<(), Failure> {
        let process = self.shop.process(role)?;
        let id = process.id();
        process.kill().await?;
        say(
            "killed",
            format!("{}, pid {}", role.name(), id.unwrap_or_default()),
        );
        Ok(())
    }

    pub(super) async fn start(&mut self, role: Role) -> Result<(), Failure> {
        let id = self.shop.start(role).await?;
        say("started", format!("{}, pid {id}", role.name()));
        Ok(())
    }

    /// Adds a row to the table.
    pub(super) async fn observe(&mut self, moment: &'static str) -> Result<Snapshot, Failure> {
        let Cast { user, article, .. } = self.cast;
        let snapshot = self.shop.databases().snapshot(article.sku, user).await?;
        self.table.add(moment, snapshot);
        Ok(snapshot)
    }

    /// Shows the branches of the transaction that wait for one of the services.
    pub(super) async fn show_tried(&mut self, role: Role) -> Result<(), Failure> {
        let xid = self.xid().await?;
        let branches = self.shop.databases().branches(&xid).await?;
        let mut of_role = branches
            .iter()
            .filter(|branch| branch.participant == role.name());
        match of_role.next() {
            Some(branch) => {
                say(
                    "its row",
                    format!("{} of {}: {branch}", branch.call_id, branch.participant),
                );
                self.demand(
                    branch.is_tried(),
                    "the row of the dead participant is still tried",
                );
            }
            None => self.demand(false, "the dead participant has a row"),
        }
        Ok(())
    }

    /// Waits until the others have ended their branches; shows what the coordinator waits for.
    pub(super) async fn show_waiting(&mut self, role: Role) -> Result<(), Failure> {
        let xid = self.xid().await?;
        let others_ended = async || {
            let branches = self.shop.databases().branches(&xid).await?;
            let mut others = branches
                .iter()
                .filter(|branch| branch.participant != role.name());
            Ok(others.all(|branch| !branch.is_tried()))
        };
        eventually("the other branches end", others_ended).await?;
        let shown = self.shop.observer()?.admin().show(&xid.parse()?).await?;
        for branch in shown.branches {
            if let (true, Some(why)) = (
                branch.resource.participant.as_str() == role.name(),
                branch.why,
            ) {
                say("waits", format!("{}: {why}", branch.call));
            }
        }
        Ok(())
    }

    /// The transaction of the customer's order.
    pub(super) async fn xid(&self) -> Result<String, Failure> {
        let mut xids = self.shop.databases().xids(self.cast.user).await?;
        xids.pop().ok_or_else(|| "no order was written".into())
    }

    /// Waits until the coordinator knows of no branch that still has to end, and no file does.
    pub(super) async fn settle(&mut self, xid: &Xid) -> Result<(), Failure> {
        let start = Instant::now();
        let settled = self.shop.observer()?.settled(xid, SETTLED).await;
        self.demand(settled, "the coordinator saw every branch end");
        self.shop.databases().ended(xid.as_str()).await?;
        if !self.is_settled {
            let took = start.elapsed().as_millis();
            say("settled", format!("{took} ms later"));
        }
        self.is_settled = true;
        Ok(())
    }

    /// Notes what has to be so.
    pub(super) fn demand(&mut self, holds: bool, what: &str) {
        if !holds {
            self.mistakes.push(what.to_owned());
        }
    }

    pub(super) fn order(&mut self) -> Result<&mut Process, Failure> {
        self.shop.process(Role::Order)
    }

    /// Shows the transaction, its branches and the table, and judges them.
    pub(super) async fn close(mut self, answer: &Answer, due: Ending) -> Result<bool, Failure> {
        let text = self.xid().await?;
        let xid: Xid = text.parse()?;
        self.settle(&xid).await?;
        let outcome = self.outcome(&xid).await?;
        say("xid", format!("{xid}, {outcome}"));
        let is_due = match due {
            Ending::Committed => outcome == Outcome::Committed,
            Ending::RolledBack => matches!(outcome, Outcome::RolledBack { .. }),
        };
        self.demand(is_due, "the coordinator tells the outcome");
        self.demand(
            answer.xid() == Some(&text),
            "the answer names the transaction",
        );
        self.demand(
            answer.is_committed() == (due == Ending::Committed),
            "the answer tells it",
        );
        self.show_branches(&text, due).await?;
        let after = self.observe("after").await?;
        println!("\n{}", self.table);
        let due = self.due(due);
        if after != due {
            self.mistakes.push(format!("it should be {due:?}"));
        }
        for mistake in &self.mistakes {
            say("WRONG", mistake);
        }
        if self.mistakes.is_empty() {
            say("ok", "it all adds up");
        }
        Ok(self.mistakes.is_empty())
    }

    /// The outcome, as soon as the coordinator can be asked.
    async fn outcome(&self, xid: &Xid) -> Result<Outcome, Failure> {
        let observer = self.shop.observer()?;
        let known = async || {
            let outcome = observer.outcome(xid).await;
            Ok(!matches!(outcome, Outcome::Unknown { .. }))
        };
        eventually(
            &format!("the coordinator tells the outcome of {xid}"),
            known,
        )
        .await?;
        Ok(observer.outcome(xid).await)
    }

    async fn show_branches(&mut self, xid: &str, due: Ending) -> Result<(), Failure> {
        let branches = self.shop.databases().branches(xid).await?;
        for (index, branch) in branches.iter().enumerate() {
            let label = if index == 0 { "branches" } else { "" };
            say(
                label,
                format!("{:<8} {:<43} {branch}", branch.participant, branch.call_id),
            );
        }
        let ended = |branch: &str| match due {
            Ending::Committed => branch == "confirmed",
            Ending::RolledBack => branch.starts_with("cancelled"),
        };
        let all = branches.iter().all(|branch| ended(&branch.to_string()));
        self.demand(all, "every branch ends as the transaction did");
        let three = due == Ending::RolledBack || branches.len() == 3;
        self.demand(three, "each of the three has one branch");
        Ok(())
    }

    /// What the databases must hold in the end.
    fn due(&self, ending: Ending) -> Snapshot {
        let (mut due, count) = (self.before, i64::from(self.cast.count));
        match ending {
            Ending::Committed => {
                due.free -= count;
                due.sold += count;
                due.balance -= count * PRICE;
                due.revenue += count * PRICE;
                due.confirmed += 1;
            }
            Ending::RolledBack => due.cancelled += 1,
        }
        due
    }
}

/// Waits for the answer to an order.
pub(super) async fn answered(sent: JoinHandle<Result<Answer, Failure>>) -> Result<Answer, Failure> {
    let answer = sent.await??;
    say("answer", &answer);
    Ok(answer)
}
