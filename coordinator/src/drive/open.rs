use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use unanimous_protocol::{Incarnation, LogId};

use super::answer::ServiceError;
use super::core::{Core, Ear, Identity, Progress};
use super::options::{OpenError, Options, Place};
use super::timers;
use crate::clock::Clock;
use crate::decide::{Event, Key, Record, Room, Start, Timer};
use crate::random::Random;
use crate::store::{self, Loaded, MemoryStore, RedbStore, Store, StoreError};

/// How often a start that waits for another process looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(super) async fn open(options: Options) -> Result<Arc<Core>, OpenError> {
    let Options {
        place,
        wait,
        restored,
        settings,
        clock,
        seed,
    } = options;
    let mut random = match seed {
        Some(seed) => Random::seeded(seed),
        None => Random::from_system()
            .map_err(|error| OpenError::Randomness(error.to_string().into()))?,
    };
    let new_log = new_log(&mut random);
    let (store, loaded) = match place {
        Place::Given(store) => load(store).await?,
        Place::Memory => load(Box::new(MemoryStore::volatile(new_log))).await?,
        Place::Redb(path) => open_file(&path, new_log, wait, &*clock).await?,
    };
    let log = loaded.log;
    let records = store::codec::decode(loaded)?;
    let incarnation = Incarnation {
        // N1: forced before the first answer, as the first record of this start.
        number: newest(&records).saturating_add(1),
        random: random.bits(),
    };
    let identity = Identity {
        log,
        incarnation,
        started: clock.now(),
    };
    let core = Arc::new(Core::new(store, clock, settings, random, identity));
    let start = Start {
        log,
        incarnation,
        restored,
        records,
    };
    begin_service(&core, start).await?;
    Ok(core)
}

async fn begin_service(core: &Arc<Core>, start: Start) -> Result<(), OpenError> {
    core.store.listen(Arc::new(Ear(Arc::downgrade(core))));
    {
        let mut inner = core.lock();
        let now = core.clock.now();
        let horizon = now.saturating_add(core.settings.horizon_interval());
        core.set_timer_at(&mut inner, Timer::Horizon, horizon);
        let remember = now.saturating_add(core.settings.remember_interval());
        core.set_timer_at(&mut inner, Timer::Remember, remember);
        inner.full = core.store.is_full();
    }
    if core.store.is_full() {
        core.happen(Event::Room(Room::Full));
    }
    core.happen(Event::Start(Box::new(start)));
    let mut progress = core.progress.subscribe();
    // The sender is in the core.
    let progress = progress
        .wait_for(|progress| *progress > Progress::Starting)
        .await;
    drop(progress);
    if let Some(error) = core.ended() {
        return Err(error.into());
    }
    spawn(Arc::downgrade(core));
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the coordinator's own task, in no transaction"
)]
fn spawn(core: Weak<Core>) {
    tokio::spawn(timers::keep_time(core));
}

async fn open_file(
    path: &Path,
    new_log: LogId,
    wait: Duration,
    clock: &dyn Clock,
) -> Result<(Box<dyn Store>, Loaded), OpenError> {
    let until = clock.now().saturating_add(wait);
    loop {
        let path = path.to_path_buf();
        let opened = blocking(move || RedbStore::open(&path, new_log)).await?;
        match opened {
            Ok(store) => return load(Box::new(store)).await,
            Err(error) if error.is_in_use() && clock.now() < until => {
                let again = clock.now().saturating_add(LOOK_AGAIN);
                clock.sleep_until(again.min(until)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn load(store: Box<dyn Store>) -> Result<(Box<dyn Store>, Loaded), OpenError> {
    blocking(move || {
        let loaded = store.load()?;
        Ok::<_, StoreError>((store, loaded))
    })
    .await?
    .map_err(OpenError::from)
}

/// Runs what waits for the file system where it delays no task.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServiceError> {
    let done = tokio::task::spawn_blocking(run).await;
    // It panicked, or the runtime is shutting down.
    done.map_err(|_| ServiceError::Bug("opening the store did not end"))
}

fn new_log(random: &mut Random) -> LogId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.bits().to_be_bytes());
    bytes[8..].copy_from_slice(&random.bits().to_be_bytes());
    LogId(bytes)
}

/// The highest number of an incarnation that the records know of (N1).
fn newest(records: &[Record]) -> u64 {
    let numbers = records.iter().filter_map(|record| match record.key() {
        Key::Incarnation(incarnation)
        | Key::Lost(incarnation)
        | Key::Horizon(incarnation)
        | Key::Acked(_, incarnation)
        | Key::ResourceRestored(_, incarnation) => Some(incarnation.number),
        Key::Transaction(xid, _) | Key::DecidedByHand(xid) => Some(xid.incarnation.number),
        Key::WrittenOff(_) => None,
    });
    numbers.max().unwrap_or(0)
}

pub(super) async fn stop(core: &Arc<Core>) {
    let stop = || async {
        core.begin_stop();
        let mut progress = core.progress.subscribe();
        // The sender is in the core.
        let drained = progress
            .wait_for(|progress| *progress >= Progress::Drained)
            .await;
        drop(drained);
        core.finish_stop();
        let closing = Arc::clone(core);
        let closed = blocking(move || closing.store.close()).await;
        if let Ok(Err(error)) = closed {
            tracing::error!(%error, "the store was not closed cleanly; the next start repairs it");
        }
    };
    core.stopped.get_or_init(stop).await;
}
