//! Shared by the long stages: a seed that repeats a run, and output that is shown although the test passes.

use std::io::Write;

/// Reads the seed from a variable or chooses one, and prints it.
pub fn seed(stage: &str, variable: &str) -> u64 {
    let given = std::env::var(variable).ok();
    let seed = given.map_or_else(
        || u64::from(fastrand::u32(..)),
        |seed| seed.parse().unwrap_or_else(|_| panic!("{variable} is no number")),
    );
    tell(stage, &format!("seed {seed}"));
    seed
}

pub fn tell(stage: &str, text: &str) {
    writeln!(std::io::stderr(), "{stage}: {text}").unwrap();
}
