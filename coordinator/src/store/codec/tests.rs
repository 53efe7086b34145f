use std::sync::Arc;

use proptest::prelude::*;
use unanimous_protocol::message::{Horizon, ParkReason, Reported, TraceContext};
use unanimous_protocol::{
    Alias, BranchKind, DatabaseId, Decision, Digest, LogId, OwnXid, Resource, RollbackReason,
};

use super::*;
use crate::decide::{About, DecidedBranch, Registration};
use crate::store::{Force, MemoryDisk, Store as _};

fn incarnation() -> impl Strategy<Value = Incarnation> {
    (any::<u64>(), any::<u64>()).prop_map(|(number, random)| Incarnation { number, random })
}

fn xid() -> impl Strategy<Value = OwnXid> {
    (incarnation(), any::<u64>()).prop_map(|(incarnation, counter)| OwnXid {
        incarnation,
        counter,
    })
}

fn text() -> impl Strategy<Value = Arc<str>> {
    "[^\\p{Cc}]{1,20}".prop_map(Into::into)
}

fn about() -> impl Strategy<Value = About> {
    (text(), text()).prop_map(|(name, application)| About {
        name: name.parse().unwrap(),
        application,
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    (text(), any::<Option<[u8; 16]>>()).prop_map(|(name, database)| Resource {
        participant: name.parse().unwrap(),
        database: database.map(DatabaseId),
    })
}

fn registration() -> impl Strategy<Value = Arc<Registration>> {
    let call = "([a-z.~]{1,9}:[1-9][0-9]?)(/[a-z]{1,9}:[1-9]){0,3}";
    (
        (any::<u32>(), call, resource(), text(), kind()),
        (
            any::<[u8; 32]>(),
            prop::option::of(text()),
            prop::option::of(text()),
        ),
    )
        .prop_map(
            |((alias, call, resource, action, kind), (digest, arguments, trace))| {
                Arc::new(Registration {
                    alias: Alias(alias),
                    call: call.parse().unwrap(),
                    resource,
                    action: action.parse().unwrap(),
                    kind,
                    digest: Digest(digest),
                    arguments,
                    trace: trace.map(TraceContext),
                })
            },
        )
}

fn kind() -> impl Strategy<Value = BranchKind> {
    prop::sample::select(vec![
        BranchKind::Fenced,
        BranchKind::Unfenced,
        BranchKind::AlwaysCancel,
    ])
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![Just(Decision::Commit), Just(Decision::Rollback)]
}

fn decided() -> impl Strategy<Value = DecidedBranch> {
    let reported = (
        prop::option::of(text()),
        prop::collection::btree_map(text(), text(), 0..3),
    )
        .prop_map(|(tried, kept)| Reported { tried, kept });
    (registration(), decision(), prop::option::of(reported)).prop_map(
        |(registration, decision, reported)| DecidedBranch {
            registration,
            decision,
            reported,
        },
    )
}

fn park_reason() -> impl Strategy<Value = ParkReason> {
    prop_oneof![
        text().prop_map(ParkReason::GaveUp),
        Just(ParkReason::Missing),
        Just(ParkReason::RefusedConfirmed),
        Just(ParkReason::RefusedCancelled),
        text().prop_map(ParkReason::Undecodable),
        text().prop_map(ParkReason::ByOperator),
        Just(ParkReason::WrittenOff),
    ]
}

fn reason() -> impl Strategy<Value = RollbackReason> {
    prop::sample::select(vec![
        RollbackReason::BranchesDiffer,
        RollbackReason::Operator,
        RollbackReason::Requested,
        RollbackReason::TimedOut,
        RollbackReason::NotRecorded,
        RollbackReason::Stopped,
    ])
}

fn horizon() -> impl Strategy<Value = HorizonRecord> {
    (
        (incarnation(), any::<u64>(), any::<u64>(), any::<u64>()),
        prop::collection::btree_set(any::<u64>(), 0..4),
        prop::collection::btree_map(
            any::<u64>(),
            prop::collection::vec(any::<u64>(), 0..4),
            0..4,
        ),
    )
        .prop_map(
            |((incarnation, number, counter, remembered_from), listed, bits)| HorizonRecord {
                incarnation,
                number,
                scope: HorizonScope::Whole,
                horizon: Horizon { counter, listed },
                remembered_from,
                bits: bits
                    .into_iter()
                    .map(|(index, words)| Chunk {
                        index,
                        words: Arc::new(words),
                    })
                    .collect(),
            },
        )
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        (incarnation(), any::<bool>()).prop_map(|(incarnation, restored)| Record::Incarnation {
            incarnation,
            restored,
        }),
        incarnation().prop_map(Record::Lost),
        (xid(), about(), registration()).prop_map(|(xid, about, registration)| Record::Branch {
            xid,
            about,
            registration,
        }),
        (xid(), about(), prop::collection::vec(decided(), 0..4)).prop_map(
            |(xid, about, branches)| Record::Commit {
                xid,
                about,
                branches,
            }
        ),
        (xid(), about(), reason()).prop_map(|(xid, about, reason)| Record::Abort {
            xid,
            about,
            reason,
        }),
        (xid(), any::<u32>()).prop_map(|(xid, alias)| Record::Ended {
            xid,
            alias: Alias(alias),
        }),
        (xid(), any::<u32>(), prop::option::of(park_reason())).prop_map(|(xid, alias, reason)| {
            Record::Parked {
                xid,
                alias: Alias(alias),
                reason,
            }
        }),
        horizon().prop_map(|horizon| Record::Horizon(Box::new(horizon))),
        (resource(), incarnation(), any::<u64>()).prop_map(|(resource, incarnation, counter)| {
            Record::Acked {
                resource,
                incarnation,
                counter,
            }
        }),
        (resource(), incarnation(), any::<u64>()).prop_map(|(resource, incarnation, counter)| {
            Record::ResourceRestored {
                resource,
                incarnation,
                counter,
            }
        }),
        any::<[u8; 16]>().prop_map(|id| Record::WrittenOff(DatabaseId(id))),
        (xid(), decision()).prop_map(|(xid, decision)| Record::DecidedByHand { xid, decision }),
    ]
}

fn store_and_load(records: &[Record]) -> Vec<Record> {
    let disk = MemoryDisk::new();
    let store = disk.open();
    for record in records {
        store.append(encode(record), Force::Lazy).unwrap();
    }
    disk.sync();
    decode(store.load().unwrap()).unwrap()
}

proptest! {
    #[test]
    fn a_stored_record_is_read_as_it_was(record in record()) {
        prop_assert_eq!(store_and_load(std::slice::from_ref(&record)), [record]);
    }

    #[test]
    fn decoding_anything_never_panics(
        key in prop::collection::vec(any::<u8>(), 0..30),
        value in prop::collection::vec(any::<u8>(), 0..60),
        table in 0..3,
    ) {
        let key = match table {
            0 => Key::Incarnation(key),
            1 => Key::Fact(key),
            _ => Key::Record(RecordKey { incarnation: 1, counter: 1, slot: 0 }),
        };
        let loaded = Loaded {
            path: "somewhere.redb".into(),
            log: LogId([0; 16]),
            entries: vec![(key, value)],
        };
        if let Err(error) = decode(loaded) {
            prop_assert!(error.to_string().contains("somewhere.redb"));
        }
    }

    #[test]
    fn different_keys_stay_different_in_the_store(a in record(), b in record()) {
        let (a, b) = (a.key(), b.key());
        // Two incarnations of one number cannot both have issued transactions of this log.
        prop_assert_eq!(a == b, store_key(&a) == store_key(&b));
    }
}

fn moved(number: u64, counter: u64, remembered_from: u64, bits: &[(u64, u64)]) -> Record {
    Record::Horizon(Box::new(HorizonRecord {
        incarnation: OWN,
        number,
        scope: HorizonScope::Moved,
        horizon: Horizon {
            counter,
            listed: [3].into(),
        },
        remembered_from,
        bits: bits
            .iter()
            .map(|(index, word)| Chunk {
                index: *index,
                words: Arc::new(vec![*word]),
            })
            .collect(),
    }))
}

const OWN: Incarnation = Incarnation {
    number: 7,
    random: 9,
};

#[test]
fn tc11_moves_of_the_horizon_are_merged_and_forget_what_they_cover() {
    let ended = |counter| Record::Ended {
        xid: OwnXid {
            incarnation: OWN,
            counter,
        },
        alias: Alias(1),
    };
    let records = store_and_load(&[
        ended(3),
        ended(4),
        moved(1, 1, 0, &[(0, 1), (1, 2)]),
        moved(2, 4, CHUNK_BITS, &[(1, 3), (2, 4)]),
        ended(5),
    ]);
    let Record::Horizon(mut merged) = moved(2, 4, CHUNK_BITS, &[(1, 3), (2, 4)]) else {
        unreachable!("a horizon was made");
    };
    merged.scope = HorizonScope::Whole;
    assert_eq!(records, [Record::Horizon(merged), ended(3), ended(5)]);
}

#[test]
fn records_come_back_in_the_order_of_their_keys() {
    let records = store_and_load(&[
        Record::WrittenOff(DatabaseId([1; 16])),
        moved(1, 0, 0, &[]),
        Record::Lost(OWN),
        Record::Incarnation {
            incarnation: OWN,
            restored: false,
        },
    ]);
    assert!(records.is_sorted_by_key(Record::key));
    assert_eq!(records.len(), 4);
}
