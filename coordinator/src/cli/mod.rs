//! What may be written on the command line, and what each of it does.

mod args;
mod client;
mod print;
mod serve;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::Parser as _;
use unanimous_protocol::Decision;
use unanimous_protocol::message::{AdminAnswer, AdminRequest, Paging};

use self::args::{Args, Command, Verdict};

/// Why a command did not do what it was asked.
type Failure = Box<dyn StdError>;

/// Parses the arguments, does what they say, and tells whether it was done.
pub(crate) fn run() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(perform(args)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("unanimous: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn perform(args: Args) -> Result<ExitCode, Failure> {
    let (request, decided) = match args.command {
        Command::Serve(serve) => {
            serve::run(serve).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::List { finished, limit } => {
            let found = list(&args.coordinator, finished, limit).await?;
            return Ok(tell(args.json, &found, ""));
        }
        Command::Show { xid } => (AdminRequest::Show(xid), ""),
        Command::Retry(branch) => (
            AdminRequest::Retry(branch.xid, branch.call),
            "phase two is delivered again to",
        ),
        Command::GiveUp { branch, reason } => (
            AdminRequest::GiveUp(branch.xid, branch.call, reason.into()),
            "parked",
        ),
        Command::Resolve(branch) => (
            AdminRequest::Resolve(branch.xid, branch.call),
            "resolved by hand:",
        ),
        Command::WriteOff { database } => (AdminRequest::WriteOff(database), "written off:"),
        Command::Decide { xid, verdict } => {
            let decision = match verdict {
                Verdict::Commit => Decision::Commit,
                Verdict::Rollback => Decision::Rollback,
            };
            (AdminRequest::Decide(xid, decision), "decided by hand:")
        }
        Command::Rollback { xid } => (AdminRequest::RollBack(xid), "rolled back:"),
    };
    let answer = client::ask(&args.coordinator, &request).await?;
    Ok(tell(args.json, &answer, decided))
}

/// Asks for every page of a list.
async fn list(url: &str, finished: bool, limit: usize) -> Result<AdminAnswer, Failure> {
    let mut paging = Paging::new(finished, limit);
    while let Some(request) = paging.request() {
        match client::ask(url, &request).await? {
            AdminAnswer::Transactions(page) => paging.answered(page),
            other => return Ok(other),
        }
    }
    Ok(AdminAnswer::Transactions(paging.into_found()))
}

fn tell(json: bool, answer: &AdminAnswer, decided: &str) -> ExitCode {
    print!(
        "{}",
        if json {
            print::json(answer)
        } else {
            print::text(answer, decided)
        }
    );
    match answer {
        AdminAnswer::Refused(_) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// An error with its causes, less what it says twice.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text.push_str(": ");
            text.push_str(&why);
        }
        cause = error.source();
    }
    text
}
