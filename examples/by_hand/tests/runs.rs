//! The example runs to its end and says what its comments say.

use std::process::Command;

#[test]
fn the_bank_without_macros_adds_up() {
    let output = Command::new(env!("CARGO_BIN_EXE_by_hand"))
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {told}", output.status);
    let expected = r#"  ada  free  65  held   0
  ben  free  15  held   0
  eve  free  50  held   0
  [("30 paid", Sent), ("owed", Sent), ("somebody pays", Sent), ("paid twice", Sent), ("goodbye", Sent)]
"#;
    assert!(told.ends_with(expected), "{told}");
}
