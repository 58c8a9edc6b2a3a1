//! The slowest tests of a run, from the logs of its stages.

use std::path::Path;
use std::time::Duration;

use project::progress::duration;

const SHOWN: usize = 10;

/// A list with a heading; empty if no log contains times.
pub fn report(logs: &Path) -> String {
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(logs).into_iter().flatten().flatten() {
        let text = std::fs::read(entry.path()).unwrap_or_default();
        let stage = entry
            .path()
            .file_stem()
            .map(|stem| stem.display().to_string())
            .unwrap_or_default();
        let of_stage = times(&String::from_utf8_lossy(&text));
        tests.extend(
            of_stage
                .into_iter()
                .map(|(name, took)| (took, format!("{stage}: {name}"))),
        );
    }
    tests.sort_by(|a, b| b.cmp(a));
    // Node repeats failures at the end.
    tests.dedup();
    let lines: String = tests
        .iter()
        .take(SHOWN)
        .map(|(took, name)| format!("{:>12}  {name}\n", duration(*took)))
        .collect();
    if lines.is_empty() {
        lines
    } else {
        format!("the slowest tests:\n{lines}\n")
    }
}

/// What libtest (`test a::b ... ok <1.2s>`) and Node (`✔ name (12.3ms)`) print; Node's suites are left out.
fn times(log: &str) -> Vec<(String, Duration)> {
    let suites: Vec<_> = log
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("▶ "))
        .collect();
    let libtest = |line: &str| {
        let (name, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let seconds = rest.rsplit_once('<')?.1.strip_suffix("s>")?.parse().ok()?;
        Some((name.to_owned(), Duration::try_from_secs_f64(seconds).ok()?))
    };
    let node = |line: &str| {
        let line = line.trim_start();
        let (name, took) = line
            .strip_prefix('✔')
            .or_else(|| line.strip_prefix('✖'))?
            .rsplit_once(" (")?;
        let name = name.trim();
        let milliseconds: f64 = took.strip_suffix("ms)")?.parse().ok()?;
        let took = Duration::try_from_secs_f64(milliseconds / 1_000.0).ok()?;
        (!suites.contains(&name)).then(|| (name.to_owned(), took))
    };
    log.lines()
        .filter_map(|line| libtest(line).or_else(|| node(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_times_of_both_test_runners() {
        let log = "running 2 tests\ntest quota::a ... ok <1.250s>\ntest b ... FAILED <0.5s>\ntest c ... ignored\n\
            ▶ writing (tables)\n  ✔ inner (2.5ms)\n✔ writing (tables) (900ms)\n✖ fails (at 1) (3ms)\nℹ duration_ms 12\n";
        let expected = [
            ("quota::a", 1_250_000),
            ("b", 500_000),
            ("inner", 2_500),
            ("fails (at 1)", 3_000),
        ];
        let expected =
            expected.map(|(name, micros)| (name.to_owned(), Duration::from_micros(micros)));
        assert_eq!(times(log), expected);
    }
}
