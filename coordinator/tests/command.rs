//! The command `unanimous`, as people and launchers use it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};

const UNANIMOUS: &str = env!("CARGO_BIN_EXE_unanimous");

/// A running `unanimous serve`. Dropping it kills it.
struct Served {
    child: Child,
    address: String,
    /// Held open: the service stops when it closes.
    stdin: Option<ChildStdin>,
}

impl Served {
    fn start(store: &Path) -> Self {
        let mut child = Command::new(UNANIMOUS)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--stop-with-stdin",
                "--store",
            ])
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it tells where it listens");
        let Some(address) = line.strip_prefix("listening on ") else {
            let mut error = String::new();
            let stderr = child.stderr.as_mut().expect("it is piped");
            stderr.read_to_string(&mut error).expect("it is text");
            panic!("{line:?} {error}");
        };
        let address = address.trim().to_owned();
        let stdin = child.stdin.take();
        Self {
            child,
            address,
            stdin,
        }
    }

    fn ask(&self, args: &[&str]) -> Output {
        let coordinator = format!("unanimous://{}", self.address);
        unanimous(&[&["--coordinator", &coordinator], args].concat())
    }

    /// Waits for the end, and tells whether it was a success.
    fn ended(&mut self) -> bool {
        self.child.wait().expect("it can be waited for").success()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn unanimous(args: &[&str]) -> Output {
    let output = Command::new(UNANIMOUS)
        .args(args)
        .env_remove("UNANIMOUS_COORDINATOR")
        .output();
    output.expect("the command runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it prints text")
}

#[test]
fn a_coordinator_is_served_asked_and_stopped() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = folder.path().join("log.redb");
    let mut served = Served::start(&store);
    assert!(
        served.address.starts_with("127.0.0.1:"),
        "{}",
        served.address
    );

    let list = served.ask(&["list"]);
    assert!(list.status.success(), "{}", stderr(&list));
    assert_eq!(stdout(&list), "nothing is under way\n");
    let list = served.ask(&["list", "--json", "--finished"]);
    assert_eq!(stdout(&list), "{\n  \"transactions\": []\n}\n");

    drop(served.stdin.take());
    assert!(served.ended());
    // Its log is closed: the next one opens it.
    Served::start(&store);
}

#[test]
fn what_is_refused_says_why_and_ends_with_an_exit_code() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let served = Served::start(&folder.path().join("log.redb"));
    let xid = "u1.1.0000000000000000.1";
    for args in [
        &["show", xid][..],
        &["retry", xid, "account.debit:1"],
        &["give-up", xid, "account.debit:1", "--reason", "lost"],
        &["resolve", xid, "account.debit:1"],
        &["rollback", xid],
    ] {
        let output = served.ask(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            stdout(&output).starts_with("refused: "),
            "{args:?} {}",
            stdout(&output)
        );
        let output = served.ask(&[args, &["--json"]].concat());
        assert!(
            stdout(&output).contains("\"kind\": \"no-such-"),
            "{args:?} {}",
            stdout(&output)
        );
    }
    // An xid of another log is foreign: it is decided by hand, once.
    let decide = served.ask(&["decide", xid, "rollback"]);
    assert!(decide.status.success(), "{}", stdout(&decide));
    let again = served.ask(&["decide", xid, "commit"]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
}

#[test]
fn mistakes_are_told_with_the_way_out_and_leave_no_file() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = folder.path().join("log.redb");
    let store = store.to_str().expect("the path is text");
    let cases = [
        (
            &["serve", "--store", store, "--listen", "0.0.0.0:0"][..],
            1,
            "needs TLS and a credential",
        ),
        (
            &["serve", "--store", store, "--listen", "7070"],
            1,
            "is not an address to listen at",
        ),
        (&["serve"], 2, "--store <PATH>"),
        (
            &["list", "--coordinator", "unanimous://192.0.2.1:7070"],
            1,
            "is not on this machine",
        ),
        (
            &["list", "--coordinator", "here"],
            1,
            "names no coordinator",
        ),
        (&["show", "no xid"], 2, "printable ASCII without spaces"),
        (&["shw", "x"], 2, "show"),
    ];
    for (args, code, message) in cases {
        let output = unanimous(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(
            stderr(&output).contains(message),
            "{args:?} {}",
            stderr(&output)
        );
    }
    let left = std::fs::read_dir(folder.path())
        .expect("the folder can be read")
        .count();
    assert_eq!(left, 0);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = nobody.local_addr().expect("it has an address").to_string();
    drop(nobody);
    let output = unanimous(&["list", "--coordinator", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("is `unanimous serve` running there?"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn two_processes_never_share_a_log() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = folder.path().join("log.redb");
    let _first = Served::start(&store);
    let output = unanimous(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        store.to_str().expect("the path is text"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("log.redb"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_signal_stops_in_order() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut served = Served::start(&folder.path().join("log.redb"));
        let sent = Command::new("kill")
            .arg(signal)
            .arg(served.child.id().to_string())
            .status();
        assert!(sent.expect("kill runs").success());
        assert!(served.ended(), "{signal}");
    }
}

#[test]
fn help_teaches_the_first_steps() {
    let help = stdout(&unanimous(&["--help"]));
    for text in [
        "serve",
        "write-off",
        "UNANIMOUS_COORDINATOR",
        "unanimous serve --store",
    ] {
        assert!(help.contains(text), "{help}");
    }
    let serve = stdout(&unanimous(&["serve", "--help"]));
    assert!(serve.contains("rolls back at the next start"), "{serve}");
}
