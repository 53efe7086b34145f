//! What is recorded, read back, and digested.

use std::collections::HashMap;

use super::*;

fn recorded() -> Recorded {
    Recorder::new()
        .put("user", "u1")
        .put("amount", &-7_i64)
        .put("note", &None::<&str>)
        .finish()
}

#[test]
fn arguments_are_an_object_and_are_read_one_at_a_time() {
    let recorded = recorded();
    assert_eq!(
        &**recorded.json().unwrap(),
        r#"{"user":"u1","amount":-7,"note":null}"#
    );
    assert_eq!(recorded.read::<String>("user"), Ok("u1".to_owned()));
    assert_eq!(recorded.read::<i64>("amount"), Ok(-7));
    assert_eq!(recorded.read::<Option<String>>("note"), Ok(None));
    assert_eq!(
        Recorder::new().finish().json().map(ToString::to_string),
        Ok("{}".into())
    );
}

#[test]
fn errors_and_debug_output_never_show_a_value() {
    let recorded = Recorder::new().put("card", "canary-4711").finish();
    let error = recorded.read::<u64>("card").unwrap_err();
    assert_eq!(error, RecordError::NotA("u64"));
    let shown = format!(
        "{recorded:?} {error} {error:?} {:?}",
        Recorder::new().put("a", "canary")
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(recorded.read::<String>("cart"), Err(RecordError::Missing));
    let foreign = Recorded::from_json("[1]".into());
    assert_eq!(foreign.read::<u8>("a"), Err(RecordError::NotAnObject));
}

#[test]
fn the_size_limit_counts_the_whole_object_and_names_the_argument() {
    // {"a":"x..x"} has eight bytes beside the text.
    let fits = "x".repeat(limits::ARGUMENTS_BYTES_MAX - 8);
    let recorded = Recorder::new().put("a", &fits).finish();
    assert_eq!(
        recorded.json().map(|json| json.len()),
        Ok(limits::ARGUMENTS_BYTES_MAX)
    );
    let recorded = Recorder::new()
        .put("a", &(fits + "x"))
        .put("b", &1)
        .finish();
    assert_eq!(recorded.json(), Err(RecordError::TooLarge("a".to_owned())));
    assert_eq!(
        recorded.digest(),
        Err(RecordError::TooLarge("a".to_owned()))
    );
}

#[test]
fn an_argument_that_cannot_be_serialised_is_named() {
    let keys = HashMap::from([((1, 2), 3)]);
    let recorded = Recorder::new().put("keys", &keys).put("b", &1).finish();
    let message = recorded.json().unwrap_err().to_string();
    assert!(
        message.starts_with("`keys` cannot be serialised"),
        "{message}"
    );
}

/// Phase two would be handed nothing instead, or fail to read it, after the decision.
#[test]
fn a_number_that_is_not_finite_is_refused_wherever_it_stands() {
    #[derive(Serialize)]
    enum Price {
        None(Option<u8>),
        Of { amount: f64 },
        Pair(f32, ()),
    }
    let bad: [Box<dyn Fn(Recorder) -> Recorder>; 5] = [
        Box::new(|all| all.put("a", &f64::NAN)),
        Box::new(|all| all.put("a", &Some(f32::INFINITY))),
        Box::new(|all| {
            all.put(
                "a",
                &[Price::Of {
                    amount: -f64::INFINITY,
                }],
            )
        }),
        Box::new(|all| all.put("a", &HashMap::from([("k", (1, Price::Pair(f32::NAN, ())))]))),
        Box::new(|all| all.put("a", &vec![None, Some(f64::NAN)])),
    ];
    for put in &bad {
        let error = put(Recorder::new()).finish().json().unwrap_err();
        let named = matches!(&error, RecordError::Serialize { name, .. } if name == "a");
        assert!(named && error.to_string().contains("not finite"), "{error}");
    }
    assert!(text_of(&f64::NAN).is_err());
    let good = Recorder::new()
        .put("a", &(f64::MAX, None::<f64>, Price::None(None), (), "null"))
        .put("b", &HashMap::from([(1, Price::Pair(1.5, ()))]))
        .finish();
    assert!(good.json().is_ok(), "{good:?}");
    assert_eq!(text_of(&None::<f64>).unwrap(), "null");
}

#[test]
fn a_value_that_nests_too_deeply_to_be_read_is_not_stored() {
    let nested = |levels| {
        (0..levels).fold(serde_json::json!("[[[\\\"{"), |inner, _| {
            serde_json::json!([inner])
        })
    };
    let fits = text_of(&nested(DEPTH_MAX)).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&fits).is_ok());
    assert!(text_of(&nested(DEPTH_MAX + 1)).is_err());
}

#[test]
fn n4_the_digest_sorts_keys_at_every_level_and_nothing_else() {
    let digest = |json: &str| Recorded::from_json(json.into()).digest().unwrap();
    let one = digest(r#"{"a":{"x":1,"y":[1,2]},"b":2}"#);
    assert_eq!(one, digest(r#"{"b":2,"a":{"y":[1,2],"x":1}}"#));
    for other in [
        r#"{"a":{"x":1,"y":[2,1]},"b":2}"#,
        r#"{"a":{"x":1,"y":[12]},"b":2}"#,
        r#"{"a":{"x":1},"y":[1,2],"b":2}"#,
        r#"{"a":{"x":1,"y":[1,2]},"b":"2"}"#,
        r#"{"a":{"x":1,"y":[1,2]},"b":340282366920938463463374607431768211455}"#,
        r#"{"a":{"x":1,"y":[1,2]},"b":340282366920938463463374607431768211454}"#,
    ] {
        assert_ne!(one, digest(other), "{other}");
    }
    assert_ne!(
        digest(r#"{"b":340282366920938463463374607431768211455}"#),
        digest(r#"{"b":340282366920938463463374607431768211454}"#)
    );
}

#[test]
fn values_that_nest_too_deeply_to_be_read_are_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(
        Recorded::from_json(deep.into()).digest(),
        Err(RecordError::TooDeep)
    );
}
