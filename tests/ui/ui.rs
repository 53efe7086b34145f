//! What the compiler says about each mistake stands beside it. `README.md` says how to add one.

#[test]
fn every_mistake_is_told_as_it_stands_beside_the_case() {
    {
        // Runs the cases when it is dropped.
        let cases = trybuild::TestCases::new();
        for annotation in ANNOTATIONS {
            cases.compile_fail(format!("{annotation}/fail/*.rs"));
        }
    }
    let cases: usize = ANNOTATIONS.into_iter().map(complete_cases).sum();
    assert!(cases >= 25, "cases are missing: found {cases}");
}

const ANNOTATIONS: [&str; 3] = ["global_transactional", "participant", "two_phase_action"];

/// How many cases an annotation has; none of them, and no message, stands alone.
fn complete_cases(annotation: &str) -> usize {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let folder = std::fs::read_dir(format!("{root}{annotation}/fail"));
    let mut cases = 0;
    for entry in folder.expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        let is_case = path.extension().is_some_and(|extension| extension == "rs");
        let other = if is_case { "stderr" } else { "rs" };
        assert!(
            path.with_extension(other).exists(),
            "{} stands alone",
            path.display()
        );
        cases += usize::from(is_case);
    }
    cases
}
