//! Under load, instances of the first version of a participant are replaced by the second. Some
//! are killed with branches under way, which instances of the other version are then asked to end.
//! Nothing parks, every row ends, and what was sold was paid.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use unanimous::Runtime;
use unanimous::sqlx::{SqlitePool, query_as, raw_sql};

const FREE: i64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(90);

/// One process; killed when it is dropped.
struct Instance {
    version: u8,
    child: Child,
    orders: Option<ChildStdin>,
    says: Receiver<String>,
}

impl Instance {
    fn start(version: u8, coordinator: &str, database: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolling"));
        command.arg(version.to_string()).arg(coordinator);
        command.arg(database).stdin(Stdio::piped());
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the instance starts");
        let output = child.stdout.take().expect("its output is piped");
        let (said, says) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let orders = child.stdin.take();
        Self {
            version,
            child,
            orders,
            says,
        }
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("it still listens");
        writeln!(orders, "{order}").expect("it still listens");
    }

    /// Waits until it says something that holds these words.
    fn says(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        let mut last = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.says.recv_timeout(left) {
                Ok(line) if line.contains(words) => return,
                Ok(line) => last = line,
                Err(error) => {
                    panic!(
                        "version {} never says {words:?} ({error}); last: {last}",
                        self.version
                    )
                }
            }
        }
    }

    /// Some purchases more.
    fn buys(&self) {
        // What was said before is not looked at.
        while self.says.try_recv().is_ok() {}
        (0..10).for_each(|_| self.says("bought"));
    }

    /// Kills it while it confirms.
    fn killed_while_it_confirms(mut self) {
        self.order("hold");
        self.says("held");
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Stops buying; phase two still arrives.
    fn rests(&mut self) {
        self.order("rest");
        self.says("resting");
    }

    /// Stops as a deployment stops it.
    fn stops(mut self) {
        self.orders = None;
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "version {}: {status}", self.version);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It has ended already where the test got so far.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn opened(folder: &Path) -> (Runtime, String) {
    let log = folder.join("log.redb");
    let runtime = Runtime::builder()
        .coordinator(format!("embedded:{}?listen=127.0.0.1:0", log.display()))
        .build()
        .await
        .expect("a coordinator");
    let address = runtime.coordinator_value().address();
    let (_, port) = address.rsplit_once(':').expect("it listens");
    let url = format!("unanimous://127.0.0.1:{port}");
    (runtime, url)
}

async fn books(database: &Path) -> SqlitePool {
    let db = unanimous::sqlite::durable(database)
        .await
        .expect("a database");
    let schema =
        "CREATE TABLE books (what TEXT PRIMARY KEY, free INTEGER, held INTEGER, gone INTEGER);
                  INSERT INTO books VALUES ('shelf', 1000000, 0, 0), ('purse', 1000000, 0, 0)";
    raw_sql(schema).execute(&db).await.expect("a table");
    db
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_versions_side_by_side_under_load_park_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("stock.db");
    let db = books(&database).await;
    let (coordinator, url) = opened(folder.path()).await;
    let start = |version| {
        let instance = Instance::start(version, &url, &database);
        instance.says("ready");
        instance
    };
    tokio::task::block_in_place(|| {
        let (old, mut other_old) = (start(1), start(1));
        old.buys();
        other_old.buys();
        let new = start(2);
        new.buys();
        old.buys();
        // Its branches are left to the first version, which knows `take` not at all and `charge`
        // with another parameter: each of the two says that it is not here.
        new.killed_while_it_confirms();
        for instance in [&old, &other_old] {
            instance.says("nothing was recorded under this name");
        }
        let (mut new, mut other_new) = (start(2), start(2));
        new.buys();
        // Its branches are left to whoever can: the second version can.
        old.killed_while_it_confirms();
        other_old.buys();
        new.buys();
        other_old.rests();
        other_old.stops();
        other_new.buys();
        new.rests();
        other_new.rests();
        assert!(
            tokio::runtime::Handle::current().block_on(coordinator.quiet(PATIENCE)),
            "phase two does not end"
        );
        new.stops();
        other_new.stops();
    });
    let open = coordinator.admin().list(false, 1_000).await;
    let open = open.expect("the coordinator answers");
    let waiting = |one: &&_| {
        let unanimous::protocol::message::TransactionSummary {
            waiting, parked, ..
        } = one;
        waiting + parked > 0
    };
    let waiting: Vec<_> = open.iter().filter(waiting).collect();
    assert!(waiting.is_empty(), "{waiting:?}");
    check(&db).await;
    coordinator.shutdown().await;
}

/// Every row has ended and none is parked; what left the shelf was paid.
async fn check(db: &SqlitePool) {
    let rows: (i64, i64, i64) = query_as(
        "SELECT count(*), count(*) FILTER (WHERE state = 1), count(parked) FROM unanimous_fence",
    )
    .fetch_one(db)
    .await
    .expect("the fence");
    assert!(rows.0 > 100, "{rows:?}");
    assert_eq!((rows.1, rows.2), (0, 0), "tried and parked rows");
    let books: Vec<(String, i64, i64, i64)> =
        query_as("SELECT what, free, held, gone FROM books ORDER BY what")
            .fetch_all(db)
            .await
            .expect("the books");
    let [(_, free, held, gone), shelf] = &books[..] else {
        panic!("{books:?}")
    };
    assert_eq!((*held, free + gone), (0, FREE), "{books:?}");
    assert_eq!((shelf.1, shelf.2, shelf.3), (*free, 0, *gone), "{books:?}");
    assert!(*gone > 50, "{books:?}");
}
