use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::media::Media;

const PAGE: usize = 4096;
/// Repair writes what the store holds at most once more; beyond that a damaged length is at work.
const HELD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A storage backend that keeps writes in memory until it is released, and then passes them
/// through; after a failed write or sync it passes nothing any more (E4).
#[derive(Clone, Debug)]
pub(super) struct Held {
    media: Arc<dyn Media>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// Nothing has reached the media.
    Holding(Journal),
    /// Everything reaches the media at once.
    Passing,
    /// A write or sync failed: what the media holds is no longer known.
    Dead,
}

/// What was written while holding: pages to read from, and the operations in order.
#[derive(Debug)]
struct Journal {
    operations: Vec<Operation>,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
    len: u64,
    /// Bytes of the media at or beyond this are no longer to be seen.
    visible: u64,
    written: u64,
    bound: u64,
}

#[derive(Debug)]
enum Operation {
    SetLen(u64),
    Sync,
    Write(u64, Vec<u8>),
}

impl Held {
    pub(super) fn new(media: Arc<dyn Media>) -> io::Result<Self> {
        let len = media.len()?;
        let journal = Journal {
            operations: Vec::new(),
            pages: BTreeMap::new(),
            len,
            visible: len,
            written: 0,
            bound: len.saturating_mul(2).saturating_add(HELD_BYTES_MAX),
        };
        Ok(Self {
            media,
            state: Arc::new(Mutex::new(State::Holding(journal))),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.media.path()
    }

    /// Performs the held operations in their order, syncs included, so that a crash in between
    /// finds what a crash of the engine itself would have left; then passes operations through.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut state = self.lock();
        if let State::Holding(journal) = &*state {
            for operation in &journal.operations {
                let done = unbroken(|| match operation {
                    Operation::SetLen(len) => self.media.set_len(*len),
                    Operation::Sync => self.media.sync(),
                    Operation::Write(offset, data) => self.media.write(*offset, data),
                });
                if let Err(error) = done {
                    *state = State::Dead;
                    return Err(error);
                }
            }
            *state = State::Passing;
        }
        Ok(())
    }

    /// Passes nothing any more. The engine writes even when it is dropped: after a failure of its own
    /// it would mark as whole what it left half written.
    pub(super) fn stop(&self) {
        *self.lock() = State::Dead;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(
        &self,
        hold: impl FnOnce(&mut Journal) -> io::Result<()>,
        pass: impl FnOnce(&dyn Media) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        // The engine has panicked and is being dropped, before anybody can call `stop`.
        if std::thread::panicking() {
            *state = State::Dead;
        }
        match &mut *state {
            State::Holding(journal) => hold(journal),
            State::Passing => {
                let done = unbroken(|| pass(&*self.media));
                if done.is_err() {
                    *state = State::Dead;
                }
                done
            }
            State::Dead => Err(io::Error::other("an earlier write failed")),
        }
    }
}

/// A panic of the media is a failed operation: whether it took effect is not known.
fn unbroken(operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    catch_unwind(AssertUnwindSafe(operation))
        .unwrap_or_else(|_| Err(io::Error::other("the storage panicked")))
}

impl StorageBackend for Held {
    fn len(&self) -> io::Result<u64> {
        match &*self.lock() {
            State::Holding(journal) => Ok(journal.len),
            State::Passing | State::Dead => self.media.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if let State::Holding(journal) = &*self.lock() {
            return journal.read(&*self.media, offset, out);
        }
        self.media.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|journal| journal.set_len(len), |media| media.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(
            |journal| {
                journal.operations.push(Operation::Sync);
                Ok(())
            },
            Media::sync,
        )
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(
            |journal| journal.write(&*self.media, offset, data),
            |media| media.write(offset, data),
        )
    }
}

impl Journal {
    fn read(&self, media: &dyn Media, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (page, within, piece) in pieces(offset, out.len()) {
            let out = &mut out[piece.clone()];
            match self.pages.get(&page) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + out.len()]),
                None => self.read_below(media, offset + piece.start as u64, out)?,
            }
        }
        Ok(())
    }

    /// Reads what the media holds, and zeros where it no longer counts.
    fn read_below(&self, media: &dyn Media, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let there = self.visible.saturating_sub(offset);
        let there = usize::try_from(there).unwrap_or(usize::MAX).min(out.len());
        if there == 0 {
            return Ok(());
        }
        media.read(offset, &mut out[..there])
    }

    fn write(&mut self, media: &dyn Media, offset: u64, data: &[u8]) -> io::Result<()> {
        self.written = self.written.saturating_add(data.len() as u64);
        let end = offset.checked_add(data.len() as u64);
        if end.is_none_or(|end| end > self.len) || self.written > self.bound {
            return Err(io::Error::other("a write beyond the end"));
        }
        for (page, within, piece) in pieces(offset, data.len()) {
            if !self.pages.contains_key(&page) {
                let mut bytes = Box::new([0; PAGE]);
                self.read_below(media, page * PAGE as u64, &mut bytes[..])?;
                self.pages.insert(page, bytes);
            }
            if let Some(bytes) = self.pages.get_mut(&page) {
                let data = &data[piece];
                bytes[within..within + data.len()].copy_from_slice(data);
            }
        }
        self.operations
            .push(Operation::Write(offset, data.to_vec()));
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        if len > self.bound {
            return Err(io::Error::other("a length beyond reason"));
        }
        if len < self.len {
            self.visible = self.visible.min(len);
            self.pages.retain(|page, _| page * (PAGE as u64) < len);
            // The rest of the last page must read as zero if the file grows again.
            let within = within_page(len);
            if let Some(bytes) = self.pages.get_mut(&(len / PAGE as u64)) {
                bytes[within..].fill(0);
            }
        }
        self.len = len;
        self.operations.push(Operation::SetLen(len));
        Ok(())
    }
}

fn within_page(at: u64) -> usize {
    // Below `PAGE`.
    usize::try_from(at % PAGE as u64).unwrap_or(0)
}

/// Cuts `len` bytes from `offset` at page borders: page, offset within it, and range of the bytes.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let within = within_page(at);
        let piece = done..len.min(done + PAGE - within);
        done = piece.end;
        Some((at / PAGE as u64, within, piece))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redb::sim::SimMedia;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Len(u64),
        Write(u64, Vec<u8>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..40_000_u64).prop_map(Step::Len),
            (0..40_000_u64, prop::collection::vec(any::<u8>(), 1..9_000))
                .prop_map(|(at, data)| Step::Write(at, data)),
        ]
    }

    #[test]
    fn what_an_engine_writes_while_it_unwinds_reaches_nothing() {
        struct Engine(Held);
        impl Drop for Engine {
            fn drop(&mut self) {
                // Told below: a second panic would end the process.
                let _ = self.0.write(0, &[1]);
            }
        }
        let media = Arc::new(SimMedia::with_bytes(&[0; 8]));
        let held = Held::new(media.clone()).unwrap();
        held.release().unwrap();
        let engine = Engine(held.clone());
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _engine = engine;
            std::panic::resume_unwind(Box::new("a test made it panic"))
        }));
        assert!(panicked.is_err());
        assert_eq!(media.bytes(), [0; 8]);
        assert!(held.write(0, &[1]).is_err(), "it passes nothing any more");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn held_writes_read_and_are_released_as_if_they_had_passed(
            start in prop::collection::vec(any::<u8>(), 0..20_000),
            steps in prop::collection::vec(step(), 0..12),
        ) {
            let media = Arc::new(SimMedia::with_bytes(&start));
            let held = Held::new(media.clone()).unwrap();
            let mut plain = start.clone();
            for step in steps {
                match step {
                    Step::Len(len) => {
                        held.set_len(len).unwrap();
                        plain.resize(usize::try_from(len).unwrap(), 0);
                    }
                    Step::Write(at, data) => {
                        let start = usize::try_from(at).unwrap();
                        let end = start + data.len();
                        prop_assert_eq!(held.write(at, &data).is_ok(), end <= plain.len());
                        if end <= plain.len() {
                            plain[start..end].copy_from_slice(&data);
                        }
                    }
                }
            }
            let mut read = vec![0; plain.len()];
            held.read(0, &mut read).unwrap();
            prop_assert_eq!(&read, &plain);
            prop_assert_eq!(media.bytes(), start);
            held.release().unwrap();
            prop_assert_eq!(media.bytes(), plain);
        }
    }
}
