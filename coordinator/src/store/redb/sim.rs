//! A disk in memory with faults, for tests: it fails at any operation, tears writes, loses what
//! was not synced, and runs full.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::media::Media;

const PAGE: usize = 4096;

/// A medium in memory.
#[derive(Debug, Default)]
pub struct SimMedia {
    state: Mutex<Sim>,
}

/// What happens at a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The operation fails and has no effect.
    Error,
    /// Half of the write lands, then it fails; like `Error` for anything but a write.
    Torn,
    /// The operation panics, without effect, and so does everything after it.
    Panic,
}

#[derive(Debug, Default)]
struct Sim {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
    /// Writes, syncs and changes of length so far.
    operations: u64,
    syncs: u64,
    /// At which operation what happens; from then on everything fails.
    fault: Option<(u64, Fault)>,
    dead: bool,
    /// Pages that may be in use, reserve included.
    quota: Option<usize>,
    reserve: usize,
}

#[derive(Clone, Debug)]
enum Change {
    Len(usize),
    Write(usize, Vec<u8>),
}

/// Pages a reserve takes.
const RESERVE_PAGES: usize = 64;

impl SimMedia {
    /// An empty medium.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A medium that durably holds `bytes`.
    #[must_use]
    pub fn with_bytes(bytes: &[u8]) -> Self {
        let media = Self::new();
        media.lock().bytes = bytes.to_vec();
        media.lock().synced = bytes.to_vec();
        media
    }

    /// What reads would find.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// How many writes, syncs and changes of length were asked for.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// How many syncs succeeded.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Fails operation number `at`, counted from 0, and everything after it.
    pub fn fail_at(&self, at: u64, fault: Fault) {
        self.lock().fault = Some((at, fault));
    }

    /// At most so many pages may be in use, the reserve included.
    pub fn set_quota(&self, pages: Option<usize>) {
        self.lock().quota = pages;
    }

    /// Pages that hold anything, the reserve included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.lock().used()
    }

    /// What is left after power was lost: everything synced, and of the changes after it those
    /// for which `keep` says so.
    #[must_use]
    pub fn after_power_loss(&self, mut keep: impl FnMut() -> bool) -> Self {
        let sim = self.lock();
        let mut bytes = sim.synced.clone();
        for change in &sim.unsynced {
            // Lengths are kept in order: a file system journals them.
            match change {
                Change::Len(len) => bytes.resize(*len, 0),
                Change::Write(at, data) if keep() => {
                    let end = (at + data.len()).min(bytes.len());
                    if *at < end {
                        bytes[*at..end].copy_from_slice(&data[..end - at]);
                    }
                }
                Change::Write(..) => {}
            }
        }
        let left = Self::with_bytes(&bytes);
        left.lock().reserve = sim.reserve;
        left.lock().quota = sim.quota;
        left
    }

    fn lock(&self) -> MutexGuard<'_, Sim> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    fn used(&self) -> usize {
        let pages = self.bytes.chunks(PAGE);
        self.reserve
            + pages
                .filter(|page| page.iter().any(|byte| *byte != 0))
                .count()
    }

    /// Counts an operation; says whether it fails.
    fn step(&mut self) -> Result<(), Fault> {
        let now = self.operations;
        self.operations += 1;
        match self.fault {
            Some((at, Fault::Panic)) if at <= now => {
                // Without the hook: tests make thousands of them.
                std::panic::resume_unwind(Box::new("a test made it panic"))
            }
            _ if self.dead => Err(Fault::Error),
            Some((at, fault)) if at == now => {
                self.dead = true;
                Err(fault)
            }
            _ => Ok(()),
        }
    }

    fn apply(&mut self, at: usize, data: &[u8]) {
        self.bytes[at..at + data.len()].copy_from_slice(data);
        self.unsynced.push(Change::Write(at, data.to_vec()));
    }
}

fn failure() -> io::Error {
    io::Error::other("a test made it fail")
}

impl Media for SimMedia {
    fn path(&self) -> &Path {
        Path::new("simulated.redb")
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let sim = self.lock();
        let found = usize::try_from(offset)
            .ok()
            .and_then(|at| sim.bytes.get(at..at.checked_add(out.len())?));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut sim = self.lock();
        let at = usize::try_from(offset).map_err(|_| failure())?;
        let end = at.checked_add(data.len()).ok_or_else(failure)?;
        if let Err(fault) = sim.step() {
            if fault == Fault::Torn && end <= sim.bytes.len() {
                sim.apply(at, &data[..data.len() / 2]);
            }
            return Err(failure());
        }
        if end > sim.bytes.len() {
            sim.bytes.resize(end, 0);
            sim.unsynced.push(Change::Len(end));
        }
        let before = sim.bytes[at..end].to_vec();
        sim.bytes[at..end].copy_from_slice(data);
        if sim.quota.is_some_and(|quota| sim.used() > quota) {
            sim.bytes[at..end].copy_from_slice(&before);
            return Err(io::ErrorKind::StorageFull.into());
        }
        sim.unsynced.push(Change::Write(at, data.to_vec()));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut sim = self.lock();
        sim.step().map_err(|_| failure())?;
        let len = usize::try_from(len).map_err(|_| failure())?;
        sim.bytes.resize(len, 0);
        sim.unsynced.push(Change::Len(len));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut sim = self.lock();
        sim.step().map_err(|_| failure())?;
        sim.syncs += 1;
        let Sim { bytes, synced, .. } = &mut *sim;
        synced.clone_from(bytes);
        sim.unsynced.clear();
        Ok(())
    }

    fn publish(&self) -> io::Result<()> {
        Ok(())
    }

    fn make_reserve(&self) -> io::Result<bool> {
        let mut sim = self.lock();
        let wanted = 2 * RESERVE_PAGES - sim.reserve;
        let fits = sim.quota.is_none_or(|quota| sim.used() + wanted <= quota);
        if fits {
            sim.reserve = RESERVE_PAGES;
        }
        Ok(fits)
    }

    fn release_reserve(&self) -> io::Result<()> {
        self.lock().reserve = 0;
        Ok(())
    }
}
