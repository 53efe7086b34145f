//! The processes of the shop and the folder they work in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use unanimous::Runtime;

use crate::Failure;
use crate::customer::Customer;
use crate::databases::Databases;
use crate::process::Process;
use crate::programs::Programs;
use crate::scenes;

/// A process of the shop, in the order in which they start.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Role {
    Coordinator,
    Storage,
    Account,
    Order,
}

impl Role {
    pub(crate) const ALL: [Self; 4] =
        [Self::Coordinator, Self::Storage, Self::Account, Self::Order];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Storage => "storage",
            Self::Account => "account",
            Self::Order => "order",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Coordinator => "unanimous",
            service => service.name(),
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Coordinator => "unanimous.redb",
            Self::Storage => "storage.db",
            Self::Account => "account.db",
            Self::Order => "order.db",
        }
    }
}

/// All of them. Processes stay where they are until they are gone, so that [`Shop::close`] ends
/// every one, however far an opening or a scene had come.
pub(crate) struct Shop {
    folder: PathBuf,
    programs: Option<Programs>,
    processes: BTreeMap<Role, Process>,
    /// Kept over a restart: the others know them.
    addresses: BTreeMap<Role, SocketAddr>,
    databases: Databases,
    observer: Option<Runtime>,
}

impl Shop {
    /// Nothing is started yet.
    pub(crate) fn new(folder: &Path) -> Self {
        let file = |role: Role| folder.join(role.file());
        Self {
            folder: folder.to_owned(),
            programs: None,
            processes: BTreeMap::new(),
            addresses: BTreeMap::new(),
            databases: Databases::new(file(Role::Storage), file(Role::Account), file(Role::Order)),
            observer: None,
        }
    }

    /// Starts all processes and fills the shelves.
    pub(crate) async fn open(&mut self, programs: Programs) -> Result<(), Failure> {
        self.programs = Some(programs);
        println!("The shop works in {}", self.folder.display());
        for role in Role::ALL {
            let id = self.start(role).await?;
            let address = self.address(role);
            println!(
                "  {:<12} pid {id:<8} {address:<22} {}",
                role.name(),
                role.file()
            );
        }
        self.databases
            .stock(&scenes::articles(), &scenes::customers())
            .await?;
        // Takes part in nothing: it asks the coordinator what the scenes want to know.
        let observer = Runtime::builder()
            .coordinator(format!("unanimous://{}", self.address(Role::Coordinator)))
            .application("launcher")
            .build()
            .await?;
        self.observer = Some(observer);
        Ok(())
    }

    /// Starts a process, at its former address if it had one; returns its id when it is ready for
    /// calls.
    pub(crate) async fn start(&mut self, role: Role) -> Result<u32, Failure> {
        let (program, arguments) = (self.program(role).to_owned(), self.arguments(role));
        let log = self.folder.join(role.name()).with_extension("log");
        let started = Process::start(role.name(), &program, &arguments, log)?;
        // From here on the process is the shop's to end.
        let process = self.processes.entry(role).insert_entry(started).into_mut();
        let address = process.listening().await?;
        self.addresses.insert(role, address);
        process
            .id()
            .ok_or_else(|| format!("{} has ended", role.name()).into())
    }

    /// Ends every process, the coordinator last; returns when all are gone.
    pub(crate) async fn close(&mut self) {
        if let Some(observer) = self.observer.take() {
            observer.shutdown().await;
        }
        while let Some((_, mut process)) = self.processes.pop_last() {
            process.end().await;
        }
    }

    pub(crate) fn process(&mut self, role: Role) -> Result<&mut Process, Failure> {
        self.processes
            .get_mut(&role)
            .ok_or_else(|| format!("{} is closed", role.name()).into())
    }

    /// Where it listens; only asked once it does.
    pub(crate) fn address(&self, role: Role) -> SocketAddr {
        self.addresses
            .get(&role)
            .copied()
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn program(&self, role: Role) -> &Path {
        self.programs
            .as_ref()
            .map_or(Path::new(role.program()), |programs| programs.path(role))
    }

    pub(crate) fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Somebody who orders over HTTP.
    pub(crate) fn customer(&self) -> Result<Customer, Failure> {
        Customer::of(self.address(Role::Order))
    }

    pub(crate) fn observer(&self) -> Result<&Runtime, Failure> {
        self.observer
            .as_ref()
            .ok_or_else(|| "the shop is closed".into())
    }

    fn arguments(&self, role: Role) -> Vec<OsString> {
        let address = |role| self.address(role);
        let file = self.folder.join(role.file()).into_os_string();
        let mut arguments: Vec<OsString> = Vec::new();
        if role == Role::Coordinator {
            arguments.extend(["serve", "--stop-with-stdin", "--log", "warn"].map(Into::into));
            arguments.extend(["--store".into(), file]);
        } else {
            let coordinator = format!("unanimous://{}", address(Role::Coordinator));
            arguments.extend(["--db".into(), file]);
            arguments.extend(["--coordinator".into(), coordinator.into()]);
        }
        if role == Role::Order {
            for (option, called) in [("--storage", Role::Storage), ("--account", Role::Account)] {
                let url = format!("http://{}", address(called));
                arguments.extend([option.into(), url.into()]);
            }
            arguments.push("--pauses".into());
        }
        arguments.extend(["--listen".into(), address(role).to_string().into()]);
        arguments
    }
}
