//! One child process, from its start to its end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use shop_service::{Command as Order, Report};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Failure;

/// A report that does not come in this time never comes: far longer than anything here takes.
const REPORT: Duration = Duration::from_secs(20);
/// A service that is asked to end has open requests at most; then it is killed.
const END: Duration = Duration::from_secs(5);

/// A child that ends when its standard input closes, at the latest when this value is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    /// What it wrote to its standard error.
    log: PathBuf,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Process {
    pub(crate) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        log: PathBuf,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
            .stderr(File::options().append(true).create(true).open(&log)?)
            .kill_on_drop(true);
        // Ctrl-C in a terminal goes to the launcher alone, which then ends them in order.
        command.process_group(0);
        let mut child = command
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        let (reporter, reports) = mpsc::unbounded_channel();
        if let Some(output) = child.stdout.take() {
            tokio::spawn(read(output, reporter));
        }
        let input = child.stdin.take();
        Ok(Self {
            name,
            child,
            input,
            log,
            reports,
        })
    }

    /// The process id; none once it has ended.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Where it listens, once it does.
    pub(crate) async fn listening(&mut self) -> Result<SocketAddr, Failure> {
        self.report(|report| match report {
            Report::Listening(address) => Some(address),
            _ => None,
        })
        .await
    }

    /// Stops the next one to reach a pause point; returns when that is certain.
    pub(crate) async fn hold(&mut self, point: &str) -> Result<(), Failure> {
        self.order(&Order::Hold(point.to_owned())).await?;
        self.report(|report| (report == Report::Holding(point.to_owned())).then_some(()))
            .await
    }

    /// Returns when somebody has reached the point.
    pub(crate) async fn reached(&mut self, point: &str) -> Result<(), Failure> {
        self.report(|report| (report == Report::Reached(point.to_owned())).then_some(()))
            .await
    }

    /// Lets whoever waits at the point go on.
    pub(crate) async fn release(&mut self, point: &str) -> Result<(), Failure> {
        self.order(&Order::Release(point.to_owned())).await
    }

    /// What became of whoever was at the point.
    pub(crate) async fn told(&mut self, point: &str) -> Result<String, Failure> {
        self.report(|report| match report {
            Report::Told(name, text) if name == point => Some(text),
            _ => None,
        })
        .await
    }

    /// Kills it with SIGKILL; returns when it is gone.
    pub(crate) async fn kill(&mut self) -> Result<ExitStatus, Failure> {
        self.child.kill().await?;
        Ok(self.child.wait().await?)
    }

    /// Closes its standard input; returns when it is gone, killed if need be.
    pub(crate) async fn end(&mut self) {
        drop(self.input.take());
        if timeout(END, self.child.wait()).await.is_err() {
            eprintln!("{} does not end by itself and is killed", self.name);
            // Nothing more can be done about a process that cannot be killed.
            let _ = self.child.kill().await;
        }
    }

    async fn order(&mut self, order: &Order) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or("the process was asked to end")?;
        Ok(input.write_all(format!("{order}\n").as_bytes()).await?)
    }

    /// The first report that is `wanted`; others before it are passed over.
    async fn report<T>(&mut self, wanted: impl Fn(Report) -> Option<T>) -> Result<T, Failure> {
        let name = self.name;
        let found = timeout(REPORT, async {
            while let Some(report) = self.reports.recv().await {
                if let Some(found) = wanted(report) {
                    return Some(found);
                }
            }
            None
        });
        match found.await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => {
                let (status, log) = (self.child.wait().await?, fs::read_to_string(&self.log)?);
                Err(format!("{name} ended unexpectedly ({status}): {log}").into())
            }
            Err(_) => Err(format!("{name} did not report within {REPORT:?}").into()),
        }
    }
}

async fn read(output: ChildStdout, reporter: mpsc::UnboundedSender<Report>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Lines for people are no reports; nobody may be left to hear of one.
        let _ = line.parse().map(|report| reporter.send(report));
    }
}
