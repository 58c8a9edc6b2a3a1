//! The outcome of each stage.

use std::time::Duration;

use project::progress::duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Failed,
    /// This machine cannot run it, with the reason.
    NotRun(String),
}

#[derive(Default)]
pub struct Summary {
    stages: Vec<(String, Duration, Outcome)>,
}

impl Summary {
    /// Returns the line of the stage.
    pub fn add(&mut self, name: &str, took: Duration, outcome: Outcome) -> String {
        let line = line(name, took, &outcome);
        self.stages.push((name.to_owned(), took, outcome));
        line
    }

    /// How many stages failed or could not run.
    pub fn failed(&self) -> usize {
        self.stages
            .iter()
            .filter(|(_, _, outcome)| *outcome != Outcome::Ok)
            .count()
    }

    /// A line for each stage that did not succeed, then the counts alone on a line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let is_ok = |outcome: &Outcome| *outcome == Outcome::Ok;
        for (name, took, outcome) in self.stages.iter().filter(|(_, _, outcome)| !is_ok(outcome)) {
            text.push_str(&line(name, *took, outcome));
            text.push('\n');
        }
        let passed = self.stages.len() - self.failed();
        text.push_str(&format!("{passed} passed, {} failed", self.failed()));
        text
    }
}

fn line(name: &str, took: Duration, outcome: &Outcome) -> String {
    let outcome = match outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "FAILED",
        Outcome::NotRun(reason) => &format!("not run: {reason}"),
    };
    format!("{name:<28} {:>12}  {outcome}", duration(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let mut summary = Summary::default();
        summary.add("format", Duration::from_secs(1), Outcome::Ok);
        summary.add("build", Duration::from_secs(75), Outcome::Failed);
        summary.add(
            "browser",
            Duration::ZERO,
            Outcome::NotRun("no browser for this platform".into()),
        );
        summary
    }

    #[test]
    fn stages_that_did_not_succeed_come_before_the_counts() {
        let text = summary().text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("build") && lines[0].ends_with("1 min 15 s  FAILED"));
        assert!(lines[1].ends_with("not run: no browser for this platform"));
        assert_eq!(lines[2], "1 passed, 2 failed");
    }
}
