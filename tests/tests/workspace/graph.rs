//! The direction of the dependencies: protocol <- runtime, protocol <- coordinator, and the
//! runtime uses the coordinator only where it is embedded.

use crate::metadata::{Declared, Kind, MEMBERS, Package, crates, is_ours, root};

/// Each published crate, and which of ours it may use, in its tests as well.
const MAY_USE: &[(&str, &[&str])] = &[
    (
        "unanimous",
        &[
            "unanimous-coordinator",
            "unanimous-macros",
            "unanimous-protocol",
        ],
    ),
    ("unanimous-coordinator", &["unanimous-protocol"]),
    ("unanimous-macros", &[]),
    ("unanimous-protocol", &[]),
];

fn member(name: &str) -> &'static Package {
    MEMBERS
        .iter()
        .find(|member| member.name == name)
        .expect("a member of this name")
}

fn ours(package: &Package) -> impl Iterator<Item = &Declared> {
    package
        .declared
        .iter()
        .filter(|dependency| is_ours(&dependency.name))
}

#[test]
fn published_crates_use_only_what_lies_below_them() {
    let mut published = Vec::new();
    for package in MEMBERS.iter().filter(|member| member.published) {
        published.push(package.name.as_str());
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| *name == package.name)
            .unwrap_or_else(|| panic!("say in MAY_USE which of our crates {} uses", package.name));
        for used in ours(package) {
            let name = used.name.as_str();
            assert!(
                allowed.contains(&name),
                "{} must not depend on {name}",
                package.name
            );
        }
    }
    published.sort_unstable();
    let listed: Vec<_> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(published, listed);
}

#[test]
fn the_runtime_uses_the_coordinator_only_where_it_is_embedded() {
    let runtime = member("unanimous");
    let coordinator: Vec<_> = ours(runtime)
        .filter(|used| used.name == "unanimous-coordinator" && used.kind != Kind::Dev)
        .collect();
    assert!(
        !coordinator.is_empty(),
        "the runtime can embed the coordinator"
    );
    assert!(
        coordinator.iter().all(|used| used.optional),
        "the coordinator is optional"
    );
    let turns_it_on =
        |on: &String| on == "dep:unanimous-coordinator" || on == "unanimous-coordinator";
    let features: Vec<_> = runtime
        .features
        .iter()
        .filter(|(_, on)| on.iter().any(turns_it_on))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(features, ["embedded"]);
}

#[test]
fn the_protocol_knows_no_async() {
    for name in crates(&["unanimous-protocol"], "normal,build").into_keys() {
        let family = name.split(['-', '_']).next().unwrap_or_default();
        let is_async = matches!(
            family,
            "async" | "futures" | "h2" | "hyper" | "mio" | "smol" | "tokio" | "tonic" | "tower"
        );
        assert!(!is_async, "the protocol must not reach {name}");
    }
}

#[test]
fn published_crates_pin_one_another_exactly() {
    let manifest =
        std::fs::read_to_string(root().join("Cargo.toml")).expect("the root has a manifest");
    for package in MEMBERS.iter().filter(|member| member.published) {
        let pinned = format!("\n{} = {{ version = \"={}\"", package.name, package.version);
        assert!(
            manifest.contains(&pinned),
            "the root's manifest lacks{pinned}"
        );
    }
}
