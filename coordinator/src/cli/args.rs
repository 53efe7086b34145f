use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use unanimous_protocol::{CallId, DatabaseId, Xid};

/// Coordinates distributed transactions: all participants commit, or none does.
///
/// `unanimous serve` runs a coordinator. The other commands ask a running one what an operator
/// needs to know, and tell it what an operator has decided.
#[derive(Debug, Parser)]
#[command(name = "unanimous", version, disable_help_subcommand = true)]
#[command(after_help = "\
Exit codes: 0 done, 1 refused or failed, 2 a mistake on the command line.

A first look at a coordinator:
  unanimous serve --store unanimous.redb --listen 127.0.0.1:7070
  unanimous list                 what is open, and why each branch waits
  unanimous show XID             one transaction with its branches")]
pub(crate) struct Args {
    /// The coordinator to ask
    ///
    /// Default: the variable `UNANIMOUS_COORDINATOR`, else `unanimous://127.0.0.1:7070`.
    #[arg(long, global = true, value_name = "URL", default_value_t = default_coordinator())]
    #[arg(hide_default_value = true)]
    pub(crate) coordinator: String,

    /// Print JSON, one document
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

fn default_coordinator() -> String {
    std::env::var("UNANIMOUS_COORDINATOR")
        .unwrap_or_else(|_| "unanimous://127.0.0.1:7070".to_owned())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a coordinator until Ctrl-C or SIGTERM
    ///
    /// Prints `listening on ADDRESS` when clients may connect. On Ctrl-C or SIGTERM it begins
    /// nothing more, waits for what is open, rolls back the rest and closes its store; a second
    /// signal ends it at once. What was decided is never lost, however it ends; what was not
    /// decided rolls back at the next start.
    Serve(Serve),

    /// List the transactions that are not finished, oldest first, and why each one waits
    List {
        /// Also the last ones that finished
        #[arg(long)]
        finished: bool,
        /// At most so many; of the finished ones never more than the last 1000
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },

    /// Show one transaction with its branches
    Show {
        /// As `list` prints it
        xid: Xid,
    },

    /// Deliver phase two of a waiting or parked branch now
    Retry(Branch),

    /// Park a branch: stop repeating its phase two
    ///
    /// The branch is not ended: its reservation stands until `retry` or `resolve`.
    GiveUp {
        #[command(flatten)]
        branch: Branch,
        /// Why, for whoever looks at it later
        #[arg(long, default_value = "given up by an operator")]
        reason: String,
    },

    /// Declare that the effect of a branch was put right by hand
    ///
    /// Its row takes the decided state without calling the participant's function.
    Resolve(Branch),

    /// Give up every branch of a database that is lost for ever
    ///
    /// Commits that concern it are kept for ever.
    WriteOff {
        /// The identity that `show` prints after the `@` of a resource
        database: DatabaseId,
    },

    /// Decide by hand a transaction that a restored log does not know
    ///
    /// Refused unless the coordinator calls it foreign: only then is nothing decided about it. Also
    /// refused for an xid that its running start has not issued. Of a start that a restore lost
    /// nobody knows how far it counted: be sure that the transaction was begun, and that no other
    /// coordinator decides it.
    Decide {
        /// The transaction
        xid: Xid,
        /// What it becomes
        verdict: Verdict,
    },

    /// Roll an open transaction back
    ///
    /// An operator may do that, and never commit one: whoever began it may have told
    /// already that it rolled back.
    Rollback {
        /// The transaction
        xid: Xid,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// The file of the log; created where it is missing
    #[arg(long, value_name = "PATH")]
    pub(crate) store: PathBuf,

    /// Where to listen: a loopback address; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(crate) listen: String,

    /// The log is a restored backup
    ///
    /// What it does not know may have been committed after the copy was made, and is answered as
    /// foreign, never as rolled back.
    #[arg(long)]
    pub(crate) restored: bool,

    /// Wait so long for another process that has the log open, e.g. 30s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) wait: Duration,

    /// Also stop when standard input closes: for a parent process that may be killed
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,

    /// How much to tell on standard error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Branch {
    /// The transaction
    pub(crate) xid: Xid,
    /// The branch: its call id, as `show` prints it
    pub(crate) call: CallId,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Verdict {
    Commit,
    Rollback,
}

/// `30s`, `500ms`, `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: Option<u64> = number.parse().ok();
    let duration = number.and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    });
    duration.ok_or_else(|| "write a number and ms, s or m, such as 30s".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn mistakes_on_the_command_line_name_what_is_wrong() {
        let cases = [
            (&["show", ""][..], "an xid must not be empty"),
            (
                &["retry", "u1.1.0000000000000000.1", "debit"],
                "`debit` is not a component",
            ),
            (
                &["write-off", "12"],
                "is not a database identity: expected 32",
            ),
            (
                &["decide", "x", "maybe"],
                "[possible values: commit, rollback]",
            ),
            (&["serve", "--store", "a", "--wait", "soon"], "such as 30s"),
            (&["serve"], "--store <PATH>"),
            (&["lst"], "list"),
        ];
        for (args, message) in cases {
            let args = ["unanimous"].iter().chain(args);
            let error = Args::try_parse_from(args).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in [
            "",
            "30",
            "s",
            "-1s",
            "1h",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
