//! The shop's launcher: its scenes come out right, and however it ends, nothing stays behind.

mod programs;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use unanimous::sqlx::sqlite::SqliteConnectOptions;
use unanimous::sqlx::{self, Connection as _, SqliteConnection};

/// What a shell reports for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// One shop at a time: they are timed.
static ONE: Mutex<()> = Mutex::new(());

/// A launcher under way, with a folder for temporary files of its own.
struct Launcher {
    child: Child,
    output: BufReader<ChildStdout>,
    seen: String,
    temporary: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Launcher {
    fn start(bins: &Path, arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a folder can be made");
        Self::start_in(temporary, bins, arguments)
    }

    fn start_in(temporary: TempDir, bins: &Path, arguments: &[&str]) -> Self {
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(programs::folder().join("shop"))
            .arg("--bins")
            .arg(bins)
            .args(arguments)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the launcher starts");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self {
            child,
            output,
            seen: String::new(),
            temporary,
            _alone: alone,
        }
    }

    /// Reads up to a line that contains `text`.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).expect("it writes text");
            assert!(read > 0, "no `{text}` in {}", self.seen);
            self.seen.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        assert!(kill(name, self.child.id()), "the launcher can be signalled");
    }

    /// Reads to the end; returns how it ended and what it complained about.
    fn end(&mut self) -> (ExitStatus, String) {
        self.output
            .read_to_string(&mut self.seen)
            .expect("it writes text");
        let mut complaints = String::new();
        let mut errors = self.child.stderr.take().expect("its errors are piped");
        errors
            .read_to_string(&mut complaints)
            .expect("it writes text");
        (self.child.wait().expect("it ends"), complaints)
    }

    /// Every process that it said it started.
    fn processes(&self) -> BTreeSet<u32> {
        let after = self.seen.split("pid ").skip(1);
        after
            .filter_map(|text| text.split_whitespace().next()?.parse().ok())
            .collect()
    }

    fn leaves_nothing(&self) {
        let processes = self.processes();
        assert!(processes.len() >= 4, "{processes:?}: {}", self.seen);
        for id in processes {
            assert!(!kill("0", id), "process {id} is still there: {}", self.seen);
        }
        let files: Vec<_> = fs::read_dir(self.temporary.path())
            .expect("a folder")
            .collect();
        assert!(files.is_empty(), "{files:?} are still there: {}", self.seen);
    }
}

/// Sends a signal; false if there is no such process. Signal 0 only asks.
fn kill(signal: &str, id: u32) -> bool {
    let command = format!("kill -{signal} {id} 2>/dev/null");
    Command::new("sh")
        .args(["-c", &command])
        .status()
        .expect("there is a shell")
        .success()
}

#[test]
fn all_scenes_come_out_right_within_a_minute() {
    let mut launcher = Launcher::start(programs::folder(), &[]);
    let start = Instant::now();
    let (status, complaints) = launcher.end();
    let seen = &launcher.seen;
    assert!(status.success(), "{status}: {complaints}{seen}");
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "it took {:?}",
        start.elapsed()
    );
    for scene in 1..=9 {
        assert!(
            seen.contains(&format!("\nScene {scene}: ")),
            "no scene {scene}: {seen}"
        );
    }
    assert!(
        seen.contains("\nTotals, by SQL") && !seen.contains("WRONG"),
        "{seen}"
    );
    launcher.leaves_nothing();
}

#[test]
fn a_shop_that_does_not_add_up_fails() {
    let mut launcher = Launcher::start(programs::folder(), &["--scene", "9"]);
    let line = launcher.wait_for("The shop works in ");
    let folder = Path::new(line["The shop works in ".len()..].trim()).to_owned();
    launcher.wait_for("  killed");
    // Money out of nowhere, for somebody who has no part in the scene.
    give(&folder.join("account.db"));
    let (status, complaints) = launcher.end();
    let seen = &launcher.seen;
    assert_eq!(status.code(), Some(1), "{complaints}{seen}");
    assert!(
        complaints.contains("something does not add up"),
        "{complaints}"
    );
    let wrong: Vec<_> = seen.lines().filter(|line| line.contains("WRONG")).collect();
    assert!(
        matches!(wrong[..], [line] if line.contains("account: balances + revenue")),
        "{seen}"
    );
    launcher.leaves_nothing();
}

#[tokio::main(flavor = "current_thread")]
async fn give(account: &Path) {
    let options = SqliteConnectOptions::new().filename(account);
    let mut account = SqliteConnection::connect_with(&options)
        .await
        .expect("it opens");
    sqlx::query("UPDATE account SET balance = balance + 1 WHERE user = 'ann'")
        .execute(&mut account)
        .await
        .expect("it is written");
}

#[test]
fn ctrl_c_in_any_scene_leaves_no_process_and_no_file() {
    // The moment at which each scene is interrupted. `--serve`: no scene is too short for that.
    let moments = [
        "Scene 1",
        "  sent",
        "  answer",
        "  paused",
        "  killed",
        "  started",
        "  repeated",
        "  kept back",
        "  killed",
    ];
    for (number, moment) in (1..).zip(moments) {
        let number = number.to_string();
        let mut launcher = Launcher::start(programs::folder(), &["--serve", "--scene", &number]);
        launcher.wait_for(moment);
        launcher.signal("INT");
        let (status, complaints) = launcher.end();
        let seen = &launcher.seen;
        assert_eq!(
            status.code(),
            Some(INTERRUPTED),
            "scene {number}: {complaints}{seen}"
        );
        launcher.leaves_nothing();
    }
}

#[test]
fn no_process_outlives_a_launcher_that_is_killed_and_the_next_removes_its_files() {
    let mut launcher = Launcher::start(programs::folder(), &["--serve"]);
    launcher.wait_for("/orders/1");
    launcher.signal("KILL");
    launcher.end();
    let processes = launcher.processes();
    assert_eq!(processes.len(), 4, "{}", launcher.seen);
    let start = Instant::now();
    for id in processes {
        while kill("0", id) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "process {id} does not end"
            );
        }
    }
    // Its folder could not be removed; the next launcher does it.
    let Launcher {
        temporary,
        _alone: alone,
        ..
    } = launcher;
    drop(alone);
    let mut next = Launcher::start_in(temporary, programs::folder(), &["--serve"]);
    next.wait_for("/orders/1");
    next.signal("INT");
    next.end();
    next.leaves_nothing();
}

#[test]
fn a_shop_that_serves_takes_the_orders_that_it_invites_to() {
    let mut launcher = Launcher::start(programs::folder(), &["--serve"]);
    let line = launcher.wait_for("curl -i http://");
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let address: SocketAddr = address.expect("an address").parse().expect("an address");
    let body = r#"{"user":"ann","sku":"lamp","count":2}"#;
    let length = body.len();
    let answer = http(
        address,
        &format!(
            "POST /orders HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nhost: shop\r\nconnection: close\r\n\r\n{body}"
        ),
    );
    assert!(
        answer.starts_with("HTTP/1.1 201") && answer.contains(r#""order":1"#),
        "{answer}"
    );
    let shown = http(
        address,
        "GET /orders/1 HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n",
    );
    assert!(
        shown.contains(r#""user":"ann","sku":"lamp","count":2"#),
        "{shown}"
    );
    launcher.signal("INT");
    assert_eq!(launcher.end().0.code(), Some(INTERRUPTED));
    launcher.leaves_nothing();
}

fn http(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the order service listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_service_that_does_not_start_is_told_with_its_own_words() {
    let bins = tempfile::tempdir().expect("a folder can be made");
    for program in ["order", "storage", "unanimous"] {
        symlink(programs::folder().join(program), bins.path().join(program)).expect("a link");
    }
    let account = bins.path().join("account");
    fs::write(&account, "#!/bin/sh\necho 'no account today' >&2\nexit 3\n").expect("a script");
    fs::set_permissions(&account, fs::Permissions::from_mode(0o755)).expect("made executable");

    let mut launcher = Launcher::start(bins.path(), &[]);
    let (status, complaints) = launcher.end();
    assert_eq!(status.code(), Some(1), "{complaints}");
    let expected = "account ended unexpectedly (exit status: 3): no account today";
    assert!(complaints.contains(expected), "{complaints}");
    let files = fs::read_dir(launcher.temporary.path())
        .expect("a folder")
        .count();
    assert_eq!(files, 0, "{}", launcher.seen);
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let nowhere = Path::new("nowhere");
    for (arguments, expected) in [
        (&["--scene", "0"], "0 is not in 1..=9"),
        (&["--scene", "10"], "10 is not in 1..=9"),
        (
            &["--scene", "1"],
            "nowhere/unanimous is missing: build it first",
        ),
    ] {
        let mut launcher = Launcher::start(nowhere, arguments);
        let (status, complaints) = launcher.end();
        assert!(
            !status.success() && complaints.contains(expected),
            "{arguments:?}: {complaints}"
        );
    }
}
