//! Every parser of outside text: what is printed is read back, and no text makes one panic.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use unanimous_protocol::header::{AnswerHeader, CallHeader, MarkReason};
use unanimous_protocol::ids::{CallIdError, Target};
use unanimous_protocol::{
    ActionName, Alias, CallId, DatabaseId, Digest, Incarnation, LogId, OwnXid, ParticipantName,
    Resource, TransactionName, Xid, limits,
};

fn read_back<T>(value: &T)
where
    T: FromStr<Err: Debug> + Display + Eq + Debug,
{
    let text = value.to_string();
    assert_eq!(
        text.parse::<T>()
            .as_ref()
            .unwrap_or_else(|why| panic!("{text}: {why:?}")),
        value
    );
}

/// What parses prints as the very text it came from: one spelling per value.
fn one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

fn incarnations() -> impl Strategy<Value = Incarnation> {
    any::<(u64, u64)>().prop_map(|(number, random)| Incarnation { number, random })
}

fn xids() -> impl Strategy<Value = Xid> {
    let own = (incarnations(), any::<u64>()).prop_map(|(incarnation, counter)| {
        Xid::from(OwnXid {
            incarnation,
            counter,
        })
    });
    let foreign = "[!-~]{1,128}".prop_map(|text| text.parse().expect("printable"));
    prop_oneof![own, foreign]
}

fn call_ids() -> impl Strategy<Value = CallId> {
    vec((any::<String>(), 1..=u32::MAX), 1..6).prop_map(|path| {
        path.iter()
            .fold(CallId::root(), |parent, (target, ordinal)| {
                parent
                    .child(&Target::new(target), *ordinal)
                    .expect("within the limits")
            })
    })
}

fn answers() -> impl Strategy<Value = AnswerHeader> {
    let ok = (
        btree_set(any::<u32>().prop_map(Alias), 0..200),
        btree_set(call_ids(), 0..8),
    )
        .prop_map(|(names, abandoned)| AnswerHeader::Ok { names, abandoned });
    let mark = any::<String>().prop_map(|reason| AnswerHeader::mark(&reason));
    prop_oneof![3 => ok, 1 => mark]
}

/// Texts near the languages of the parsers, so that more than their first branch is reached.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9a-f.u:/;=%,~A-Z_-]{0,80}",
        "(1|2|)(;(xid|call|left|ok|mark|names|x|reason)(=[0-9a-f:%/,.]{0,12})?){0,5}",
        "u1\\.[0-9]{0,21}\\.[0-9a-f]{15,17}\\.[0-9]{0,21}",
        "[0-9a-f]{31,33}|[0-9a-f]{63,65}",
        "([a-z~._-]{0,50}:[0-9]{0,11}/?){0,18}",
    ]
}

proptest! {
    #[test]
    fn n1_an_incarnation_is_read_back_and_orders_as_its_bytes(a in incarnations(), b in incarnations()) {
        read_back(&a);
        prop_assert_eq!(Incarnation::from_bytes(a.to_bytes()), a);
        prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        prop_assert_eq!(a.cmp(&b), (a.number, a.random).cmp(&(b.number, b.random)));
    }

    #[test]
    fn n2_an_xid_is_read_back_and_tells_its_incarnation_and_counter(
        incarnation in incarnations(),
        counter: u64,
        foreign in xids(),
    ) {
        let own = OwnXid { incarnation, counter };
        read_back(&own);
        let xid = Xid::from(own);
        read_back(&xid);
        prop_assert_eq!(xid.own(), Some(own));
        read_back(&foreign);
        if let Some(own) = foreign.own() {
            prop_assert_eq!(Xid::from(own), foreign, "one text per transaction");
        }
    }

    #[test]
    fn n3_a_call_id_is_read_back_and_covers_what_lies_below_it(
        parent in call_ids(),
        target: String,
        ordinal in 1..=u32::MAX,
    ) {
        read_back(&parent);
        if let Ok(child) = parent.child(&Target::new(&target), ordinal) {
            read_back(&child);
            prop_assert!(parent.covers(&child) && !child.covers(&parent));
            prop_assert!(CallId::root().covers(&child) && child.covers(&child));
        }
    }

    #[test]
    fn n3_a_target_is_a_legal_component_and_different_texts_stay_different(a: String, b: String) {
        let (first, second) = (Target::new(&a), Target::new(&b));
        prop_assert!(first.as_str().len() <= limits::CALL_TARGET_BYTES_MAX);
        prop_assert!(CallId::root().child(&first, 1).is_ok());
        prop_assert_eq!(first == second, a == b);
    }

    #[test]
    fn n4_an_alias_is_read_back(alias: u32) {
        read_back(&Alias(alias));
    }

    #[test]
    fn n5_the_identities_of_resources_are_read_back(bytes: [u8; 16], digest: [u8; 32]) {
        read_back(&DatabaseId(bytes));
        read_back(&LogId(bytes));
        read_back(&Digest(digest));
    }

    #[test]
    fn names_of_people_are_read_back(text in "\\PC{1,40}") {
        if text.len() <= limits::NAME_BYTES_MAX {
            read_back(&text.parse::<ParticipantName>().expect("printable"));
            read_back(&text.parse::<ActionName>().expect("printable"));
            read_back(&text.parse::<TransactionName>().expect("printable"));
        }
    }

    #[test]
    fn the_header_of_a_call_is_read_back(xid in xids(), call in call_ids(), left: u64) {
        read_back(&CallHeader { xid, call, left: Duration::from_millis(left) });
    }

    #[test]
    fn tm1_an_answer_is_read_back_or_becomes_the_mark_where_it_is_too_large(answer in answers()) {
        let text = answer.to_string();
        prop_assert!(text.len() <= limits::ANSWER_HEADER_BYTES_MAX);
        prop_assert!(text.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{}", text);
        let parsed: AnswerHeader = text.parse().expect("it was printed");
        prop_assert!(parsed == answer || parsed == AnswerHeader::mark(MarkReason::TOO_LARGE));
    }

    #[test]
    fn no_text_makes_a_parser_panic_and_ids_have_one_spelling(text in texts()) {
        one_spelling::<Alias>(&text);
        one_spelling::<CallId>(&text);
        one_spelling::<DatabaseId>(&text);
        one_spelling::<Digest>(&text);
        one_spelling::<Incarnation>(&text);
        one_spelling::<LogId>(&text);
        one_spelling::<OwnXid>(&text);
        one_spelling::<ParticipantName>(&text);
        one_spelling::<Xid>(&text);
        if let Ok(header) = text.parse::<CallHeader>() {
            read_back(&header);
        }
        if let Ok(answer) = text.parse::<AnswerHeader>() {
            let printed: AnswerHeader = answer.to_string().parse().expect("it was printed");
            prop_assert_eq!(printed, answer);
        }
    }
}

fn refused<T: FromStr<Err: Display>>(text: &str, message: &str) {
    match text.parse::<T>() {
        Ok(_) => panic!("`{text}` was accepted"),
        Err(error) => assert!(error.to_string().contains(message), "`{text}`: {error}"),
    }
}

#[test]
fn n1_other_spellings_of_an_incarnation_are_refused() {
    for text in [
        "",
        "1",
        "1.",
        "01.00000000000000ff",
        "1.ff",
        "1.00000000000000FF",
        "+1.00000000000000ff",
    ] {
        refused::<Incarnation>(
            text,
            "is not an incarnation: expected `<number>.<16 hex digits>`",
        );
    }
}

#[test]
fn n2_other_texts_are_no_xid() {
    refused::<Xid>("", "must not be empty");
    refused::<Xid>("a b", "printable ASCII without spaces; found ' '");
    refused::<Xid>("ä", "found 'ä'");
    refused::<Xid>(&"x".repeat(129), "at most 128 bytes, this one has 129");
    let own = "expected `u1.<number>.<16 hex digits>.<counter>`";
    for text in [
        "u1.1.00000000000000ff",
        "u2.1.00000000000000ff.1",
        "u1.1.00000000000000ff.01",
    ] {
        refused::<OwnXid>(text, own);
        assert_eq!(text.parse::<Xid>().expect("opaque").own(), None);
    }
}

#[test]
fn n3_other_texts_are_no_call_id() {
    for text in [
        "a",
        "a:0",
        "a:01",
        "a:-1",
        "a:4294967296",
        ":1",
        "a:1/",
        "/a:1",
        "a b:1",
        "a:1//b:1",
    ] {
        refused::<CallId>(
            text,
            "is not a component of a call id: expected `target:ordinal`",
        );
    }
    refused::<CallId>(&["a:1"; 17].join("/"), "at most 16 levels");
    refused::<CallId>(
        &format!("{}:1", "a".repeat(511)),
        "at most 512 bytes, this one would have 513",
    );
}

#[test]
fn n3_a_call_that_would_exceed_the_limits_is_refused() {
    let long = Target::new(&"a".repeat(48));
    let mut call = CallId::root();
    for _ in 0..10 {
        call = call.child(&long, 1).expect("within the limits");
    }
    assert!(matches!(call.child(&long, 1), Err(CallIdError::TooLong(_))));
}

#[test]
fn n3_a_call_covers_no_sibling_whose_text_begins_alike() {
    let [short, long]: [CallId; 2] = ["a:1", "a:12"].map(|text| text.parse().expect("legal"));
    assert!(!short.covers(&long) && !long.covers(&short));
}

#[test]
fn n3_a_target_that_was_changed_or_cut_gets_a_hash() {
    assert_eq!(
        Target::new("pkg.Service.Method").as_str(),
        "pkg.Service.Method"
    );
    let changed = Target::new("POST /orders");
    assert!(changed.as_str().starts_with("POST__orders-"), "{changed}");
    assert_ne!(changed, Target::new("POST_/orders"));
    let cut = Target::new(&"a".repeat(49));
    assert_eq!(cut.as_str().len(), limits::CALL_TARGET_BYTES_MAX);
    assert_ne!(cut, Target::new(&"a".repeat(50)));
}

#[test]
fn n4_other_texts_are_no_alias() {
    for text in ["", "01", "A", "-1", "zzzzzzz", "10000000", "1 "] {
        refused::<Alias>(
            text,
            "is not the alias of a branch: expected 1 to 7 digits of base 36",
        );
    }
}

#[test]
fn n5_a_participant_with_two_databases_is_two_resources() {
    let of = |byte| Resource {
        participant: "account".parse().expect("a name"),
        database: Some(DatabaseId([byte; 16])),
    };
    let resources: BTreeSet<_> = [of(1), of(2), of(1)].into();
    assert_eq!(resources.len(), 2);
    assert_eq!(of(0xab).to_string(), format!("account@{}", "ab".repeat(16)));
}

#[test]
fn n5_other_texts_are_no_identity() {
    for text in ["", "ab", &"AB".repeat(16), &"ab".repeat(17)] {
        refused::<DatabaseId>(
            text,
            "is not a database identity: expected 32 lower-case hex digits",
        );
        refused::<LogId>(text, "is not a log id");
    }
    refused::<ParticipantName>("", "must not be empty");
    refused::<ParticipantName>("a\nb", "control characters; found '\\n'");
    refused::<ParticipantName>(&"x".repeat(129), "at most 128 bytes, this one has 129");
}
