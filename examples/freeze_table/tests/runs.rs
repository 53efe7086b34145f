//! The program shows both services.

use std::process::Command;

#[test]
fn both_services_pay_once_and_one_of_them_kept_a_table_for_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_freeze_table"))
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{complaints}");
    let expected = "\
paid 30 and 30:
  by hand    70   freeze table: 30 confirmed
  fenced     70   no freeze table
paid nothing, since ada does not have 300:
  by hand    70   freeze table: 30 confirmed, 30 cancelled
  fenced     70   no freeze table
";
    assert_eq!(told, expected, "{complaints}");
}
