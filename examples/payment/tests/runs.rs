//! The example runs to its end and says what its comments say.

use std::process::Command;

#[test]
fn two_crashes_and_every_lost_answer_later_the_shop_adds_up() {
    let output = Command::new(env!("CARGO_BIN_EXE_payment"))
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}: {told}{complaints}",
        output.status
    );
    let expected = "\
killed in phase one                          free 270  held 30  captured   0
the next process released it                 free 300  held  0  captured   0
killed in phase two (HangsBefore)            free 270  held 30  captured   0
the next process captured it                 free 270  held  0  captured  30
killed in phase two (HangsAfter)             free 240  held  0  captured  60
the next process captured it                 free 240  held  0  captured  60
a purchase                                   free 210  held  0  captured  90
ben has not enough money                     free 210  held  0  captured  90
an answer lost in phase one: rolled back     free 210  held  0  captured  90
captured once, in the fourth delivery        free 180  held  0  captured 120
sold out: rolled back                        free 150  held  0  captured 150
all adds up
";
    assert_eq!(told, expected, "{complaints}");
}
