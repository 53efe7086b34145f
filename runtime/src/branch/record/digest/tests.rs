use proptest::prelude::*;

use super::*;

fn is_flat(object: &str) -> bool {
    Flat::read(object).is_some()
}

#[test]
fn a_few_scalars_are_read_in_one_pass_and_everything_else_by_the_parser() {
    let flat = [
        "{}",
        r#"{"user":"u1","amount":-7,"note":null,"paid":true,"late":false,"zero":0}"#,
        r#"{"name":"grüße, {you}: [1]","":""}"#,
    ];
    for object in flat {
        assert!(is_flat(object), "{object}");
        assert_eq!(of_object(object), of_any(object), "{object}");
    }
    let others = [
        r#"{"list":[1]}"#,
        r#"{"of":{"a":1}}"#,
        r#"{"price":1.5}"#,
        r#"{"far":1e9}"#,
        r#"{"quoted":"a \"word\""}"#,
        r#"{"a\u0062":1}"#,
        r#"{ "spaced": 1 }"#,
        r#"{"twice":1,"twice":2}"#,
        r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}"#,
    ];
    for object in others {
        assert!(!is_flat(object), "{object}");
        of_object(object).expect(object);
    }
}

#[test]
fn what_is_no_object_has_no_digest() {
    let broken = [
        "",
        "{",
        "[1]",
        "{}}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":nul}"#,
        r#"{"a":1}x"#,
        "{\"a\":\"\n\"}",
    ];
    for object in broken {
        assert_eq!(of_object(object), Err(RecordError::NotAnObject), "{object}");
    }
}

#[test]
fn the_order_of_the_fields_does_not_matter_and_their_names_and_values_do() {
    let digest = |object| of_object(object).expect(object);
    let one = digest(r#"{"a":1,"b":"2"}"#);
    assert_eq!(one, digest(r#"{"b":"2","a":1}"#));
    let others = [
        r#"{"a":1,"b":2}"#,
        r#"{"a":1,"c":"2"}"#,
        r#"{"a":1}"#,
        r#"{"a":"1","b":"2"}"#,
        r#"{"a":12,"b":""}"#,
    ];
    for other in others {
        assert_ne!(one, digest(other), "{other}");
    }
}

fn field() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f32>().prop_map(|number| serde_json::json!(number).to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        Just("null".to_owned()),
        Just("[1,{}]".to_owned()),
    ];
    ("[a-c]{0,2}", value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
}

proptest! {
    /// A repeat may be read the other way, by another version, and must be the same call.
    #[test]
    fn n4_both_ways_of_reading_give_one_digest(fields in prop::collection::vec(field(), 0..10)) {
        let object = format!("{{{}}}", fields.join(","));
        prop_assert_eq!(of_object(&object), of_any(&object), "{}", object);
    }

    #[test]
    fn one_pass_reads_only_what_the_parser_reads(inner in r#"[a01\-.:,"{}\\ntruflse\[\]]{0,24}"#) {
        let object = format!("{{{inner}}}");
        prop_assert_eq!(of_object(&object), of_any(&object), "{}", object);
    }
}
