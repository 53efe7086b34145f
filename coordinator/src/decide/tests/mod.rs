//! Each rule with a history that goes wrong without it. Where a mutant drops the rule, the same
//! history runs under the mutant and must go wrong: so the test is known to be able to fail.

mod answer;
mod attach;
mod bench;
mod commit;
mod deliver;
mod forget;
mod join;
mod operator;
mod random;
mod start;
mod stranded;

use bench::{Bench, Branched, RES_A, RES_B, fenced, unfenced};
