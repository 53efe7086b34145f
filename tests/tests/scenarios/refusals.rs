//! What `build()` refuses: the message names the mistake and the way out, and nothing changes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use unanimous::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::{
    BuildError, FenceTx, GlobalTransaction, Participant, Runtime, RuntimeBuilder, participant,
};

use crate::logs;
use crate::vault::{Failure, SCHEMA, Script, Vault};
use crate::world::{Site, World, builder};

/// Linked into this program, and never provided.
struct Forgotten {
    db: SqlitePool,
}

#[participant(name = "forgotten", fence = self.db)]
impl Forgotten {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self, _tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Its name is whatever the test wants.
struct Named(String);

#[participant(name = self.0.clone())]
impl Named {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The message alone: it says what to write without its sources, which many a log leaves out.
async fn refusal(builder: RuntimeBuilder) -> String {
    let error: BuildError = builder.build().await.expect_err("it is refused");
    error.to_string()
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

/// There is no default: which coordinator is right depends on the deployment.
#[tokio::test]
async fn without_a_coordinator_the_choices_are_listed() {
    assert!(
        std::env::var_os("UNANIMOUS_COORDINATOR").is_none(),
        "the variable names one"
    );
    let error = Runtime::builder().build().await.expect_err("it is refused");
    assert!(matches!(error, BuildError::NoCoordinator), "{error:?}");
    let choices = [
        "UNANIMOUS_COORDINATOR",
        "memory:",
        "embedded:PATH",
        "unanimous://",
    ];
    says(&error.to_string(), &choices);
}

#[tokio::test]
async fn addresses_that_name_no_coordinator_are_refused_with_the_choices() {
    let table = [
        ("", "no scheme"),
        ("nowhere", "no scheme"),
        ("memory:x", "takes nothing"),
        ("embedded:", "embedded:./unanimous.redb"),
        ("embedded:a.redb?wat=1", "listen=ADDR, wait=30s, restored"),
        ("embedded:a.redb?wait=soon", "30s"),
        ("unanimous:7070", "unanimous://HOST:PORT"),
        ("unanimous://127.0.0.1", "port"),
        ("unanimous://127.0.0.1:99999", "not a port"),
        ("http://127.0.0.1:7070", "unknown scheme"),
    ];
    for (url, way_out) in table {
        let text = refusal(builder().coordinator(url)).await;
        says(&text, &[way_out, "embedded:PATH"]);
        assert!(text.contains(&format!("`{url}`")), "{text}");
        assert!(!Path::new("a.redb").exists(), "{url} left a file");
    }
}

#[test]
fn outside_a_tokio_runtime_nothing_is_built() {
    let site = Site::new();
    let built = builder()
        .coordinator(site.embedded())
        .build()
        .now_or_never();
    let error = built.expect("it does not wait").expect_err("it is refused");
    says(&error.to_string(), &["tokio runtime"]);
    assert!(!site.file("unanimous.redb").exists());
}

/// E3: a database that may lose what it committed holds no fence, and is left as it was.
#[tokio::test]
async fn e3_databases_that_may_lose_commits_are_refused_and_left_alone() {
    let site = Site::new();
    let plain = SqliteConnectOptions::new()
        .filename(site.file("plain.db"))
        .create_if_missing(true);
    let table = [
        (plain.clone(), "synchronous"),
        (plain.clone().pragma("synchronous", "OFF"), "synchronous"),
        (plain.pragma("journal_mode", "MEMORY"), "journal_mode"),
        (
            SqliteConnectOptions::new().in_memory(true),
            "unanimous::sqlite::durable",
        ),
    ];
    for (options, way_out) in table {
        let db = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await;
        let db = db.expect("it opens");
        sqlx::raw_sql(SCHEMA)
            .execute(&db)
            .await
            .expect("the tables");
        let tables = tables(&db).await;
        let vault = Vault {
            name: "plain",
            db: db.clone(),
            script: Arc::new(Script::default()),
        };
        let builder = builder()
            .coordinator(site.embedded())
            .participant(Arc::new(vault));
        says(
            &refusal(builder).await,
            &["participant `plain`", "vault.rs", way_out],
        );
        assert_eq!(self::tables(&db).await, tables, "{way_out}");
    }
}

async fn tables(db: &SqlitePool) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema ORDER BY name";
    sqlx::query_scalar(sql)
        .fetch_all(db)
        .await
        .expect("it can be read")
}

#[tokio::test]
async fn without_the_right_to_create_tables_missing_ones_are_named() {
    let site = Site::new();
    let vault = site.vault("stock").await;
    let before = tables(&vault.db).await;
    let embedded = || builder().coordinator(site.embedded()).create_tables(false);
    let text = refusal(embedded().participant(Arc::new(vault.clone()))).await;
    says(&text, &["participant `stock`", "unanimous::sqlite::SCHEMA"]);
    assert_eq!(tables(&vault.db).await, before);
    sqlx::raw_sql(unanimous::sqlite::SCHEMA)
        .execute(&vault.db)
        .await
        .expect("a migration");
    embedded()
        .participant(Arc::new(vault))
        .build()
        .await
        .expect("the tables are there");
}

#[tokio::test]
async fn names_that_are_doubled_or_none_are_refused() {
    let named = |name: &str| Arc::new(Named(name.to_owned())) as Arc<dyn Participant>;
    let two = builder()
        .coordinator("memory:")
        .participant(named("twin"))
        .participant(named("twin"));
    says(
        &refusal(two).await,
        &["`twin`", "refusals.rs", "name = EXPR"],
    );
    let refused = Named("alone".to_owned()).start().await;
    says(
        &refused.expect_err("no transaction").to_string(),
        &["alone.start", "#[global_transactional]"],
    );
    for name in ["", "with\u{7}bell", &"long".repeat(40)] {
        let text = refusal(builder().coordinator("memory:").participant(named(name))).await;
        says(&text, &["participant", "refusals.rs"]);
    }
}

/// Linking alone never makes a process a handler; forgetting to provide is told.
#[tokio::test]
async fn what_is_linked_and_not_provided_is_warned_of_or_refused() {
    let site = Site::new();
    let world = World::start(&site).await;
    let warned = logs::warnings(&["Forgotten", "not provided"]);
    assert!(
        warned.iter().any(|line| line.contains("refusals.rs")),
        "{warned:#?}"
    );
    let vault = Arc::new(world.vaults[0].clone());
    let strict = builder()
        .coordinator("memory:")
        .participant(vault)
        .require_linked();
    let text = refusal(strict).await;
    says(
        &text,
        &[
            "Forgotten",
            "refusals.rs",
            ".participant(Arc::new(..))",
            "require_linked",
        ],
    );
    let stray = Forgotten {
        db: world.vaults[0].db.clone(),
    };
    let body = async { stray.start().await };
    let ran = world
        .run(GlobalTransaction::named("stray").run(body))
        .await
        .expect("it begins");
    let refused = ran.body.expect_err("it is not provided").transaction();
    says(&refused.to_string(), &["forgotten.start", "refusals.rs:"]);
    assert!(
        !text.contains("vault.rs"),
        "what was provided is not in it: {text}"
    );
    world.end().await;
}

#[tokio::test]
async fn an_instance_of_another_pool_is_refused_where_it_is_called() {
    let (site, other) = (Site::new(), Site::new());
    let world = World::start(&site).await;
    let stranger = other.vault("stock").await;
    let call = crate::world::buy(std::slice::from_ref(&stranger), "b", 1);
    let error = world
        .run(call)
        .await
        .expect_err("it is not provided")
        .transaction();
    says(
        &error.to_string(),
        &["stock.hold", "vault.rs:", ".participant(Arc::new(..))"],
    );
    assert_eq!(stranger.history("b").await, [0, 0, 0]);
    world.end().await;
}

/// L8: two owners of one log.
#[tokio::test]
async fn l8_a_log_that_is_in_use_is_refused() {
    let site = Site::new();
    let world = World::start(&site).await;
    let url = format!("embedded:{}", site.file("unanimous.redb").display());
    let text = refusal(builder().coordinator(&url)).await;
    says(&text, &["unanimous.redb", "in use"]);
    world.buy("b", 1).await.expect("its owner goes on");
    world.end().await;
    builder()
        .coordinator(&url)
        .build()
        .await
        .expect("it is free again");
}

/// Matrix 18: a log that is no log, or whose bytes have changed, is refused and left as it was.
#[tokio::test]
async fn matrix_18_foreign_and_damaged_logs_are_refused_and_left_alone() {
    let site = Site::new();
    let world = World::start(&site).await;
    world.buy("b", 1).await.expect("it commits");
    world.end().await;
    let whole = fs::read(site.file("unanimous.redb")).expect("it is there");
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    // Every page of the tree is covered by a checksum; the first bytes are the file's own.
    let used = whole
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("it is not empty");
    let mut table = vec![
        ("a text".to_owned(), b"this is no log\n".to_vec()),
        ("zeros".to_owned(), vec![0; 8_192]),
        ("half".to_owned(), whole[..whole.len() / 2].to_vec()),
        ("its first byte".to_owned(), changed(0)),
    ];
    for at in (4_096..=used).step_by(1_021) {
        table.push((format!("byte {at}"), changed(at)));
    }
    let mut refused = 0;
    for (what, bytes) in table {
        let file = site.file("damaged.redb");
        fs::write(&file, &bytes).expect("it can be written");
        let url = format!("embedded:{}", file.display());
        let must = !what.starts_with("byte");
        match builder().coordinator(&url).build().await {
            // A byte that no record and no page uses; or one that redb's own repair put right.
            Ok(runtime) => {
                assert!(!must, "{what} was served");
                runtime.shutdown().await;
            }
            Err(error) => {
                refused += 1;
                says(&error.to_string(), &["damaged.redb"]);
                assert!(
                    fs::read(&file).expect("it is there") == bytes,
                    "{what} was changed"
                );
            }
        }
    }
    assert!(refused >= 4);
}

#[tokio::test]
async fn a_path_that_can_be_no_log_is_refused() {
    let site = Site::new();
    let folder = site.file("folder");
    fs::create_dir(&folder).expect("it is new");
    for path in [folder.clone(), site.file("missing").join("unanimous.redb")] {
        let url = format!("embedded:{}", path.display());
        says(
            &refusal(builder().coordinator(&url)).await,
            &[&path.display().to_string()],
        );
    }
    assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 0);
}

/// Nothing that a refused start did is in the way of the next one.
#[tokio::test]
async fn a_refused_start_leaves_the_log_free() {
    let site = Site::new();
    let (one, two) = (site.vault("stock").await, site.vault("stock").await);
    let url = format!(
        "embedded:{}?wait=600s",
        site.file("unanimous.redb").display()
    );
    let twice = builder()
        .coordinator(&url)
        .participant(Arc::new(one))
        .participant(Arc::new(two));
    says(
        &refusal(twice).await,
        &["two participants are named `stock`"],
    );
    World::start(&site).await.end().await;
}
