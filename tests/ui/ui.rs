//! What the compiler says about each mistake stands beside it. `README.md` says how to add one.

#[test]
fn every_mistake_is_told_as_it_stands_beside_the_case() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("global_transactional/fail/*.rs");
    cases.compile_fail("participant/fail/*.rs");
    cases.compile_fail("two_phase_action/fail/*.rs");
}

#[test]
fn every_mistake_has_its_message() {
    let mut cases = 0;
    for annotation in ["global_transactional", "participant", "two_phase_action"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
        let folder = format!("{folder}{annotation}/fail");
        for entry in std::fs::read_dir(&folder).expect("the folder of the cases") {
            let path = entry.expect("an entry").path();
            let other = match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => "stderr",
                _ => "rs",
            };
            assert!(
                path.with_extension(other).exists(),
                "{} stands alone",
                path.display()
            );
            cases += usize::from(other == "stderr");
        }
    }
    assert!(cases >= 25, "cases are missing: found {cases}");
}
