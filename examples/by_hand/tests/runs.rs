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
    assert!(told.contains(expected), "{told}");
    let expected = r"  safe 1  price 12  opened 1
  safe 2  price 20  opened 1
  insurance for 2
  locksmith called off from 9, None, by safe-Paris.open:1
  locksmith sent to 1
  locksmith sent to 9
  posted to ann
  rings 2, loud: true
  stamped a deed
";
    assert!(told.ends_with(expected), "{told}");
}
