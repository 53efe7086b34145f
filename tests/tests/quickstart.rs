//! The quickstart does what its comments say, and stays short.

mod programs;

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_quickstart_commits_once_and_rolls_back_once() {
    let output = Command::new(programs::folder().join("quickstart"))
        .output()
        .expect("it starts");
    let (told, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{}: {told}{complaints}",
        output.status
    );
    let expected = r#"2 at 30: Ok(())
  stock    free    8  held    0
  money    free   40  held    0
  vouchers free    4  held    0
2 at 30: Err(NotEnough("money"))
  stock    free    8  held    0
  money    free   40  held    0
  vouchers free    4  held    0
"#;
    assert_eq!(told, expected, "{complaints}");
}

#[test]
fn the_quickstart_is_at_most_120_lines() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/src/main.rs");
    let lines = fs::read_to_string(file)
        .expect("the source is there")
        .lines()
        .count();
    assert!(lines <= 120, "the quickstart has {lines} lines");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
