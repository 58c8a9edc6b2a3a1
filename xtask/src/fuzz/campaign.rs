//! Properties in rounds, side by side, until their time is used.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::property::Property;
use super::targets::TARGETS;
use crate::files;
use crate::process::{POLL, run_while};
use crate::progress::{Step, say};
use crate::workspace::Workspace;

/// How long a round is meant to take: so long none is alone with the last processor at the end.
const ROUND: Duration = Duration::from_secs(5);
/// How many inputs the first round has, which tells how long one takes.
const FIRST_INPUTS: u32 = 32;
/// A round that takes so long is stuck on an input.
const PATIENCE: Duration = Duration::from_secs(120);

/// A property, and how far it has come.
struct Run {
    property: Property,
    /// The time that it may use.
    share: Duration,
    used: Duration,
    inputs: u64,
    failure: Option<String>,
}

impl Run {
    fn seconds_an_input(&self) -> f64 {
        self.used.as_secs_f64() / self.inputs.max(1) as f64
    }

    /// How many inputs fit into the next round; none once the share is used.
    fn next_inputs(&self) -> Option<u32> {
        if self.inputs == 0 {
            return Some(FIRST_INPUTS);
        }
        let left = self.share.saturating_sub(self.used).min(ROUND).as_secs_f64();
        let fitting = (left / self.seconds_an_input()).min(f64::from(u32::MAX));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to u32::MAX")]
        let inputs = fitting as u32;
        Some(inputs).filter(|inputs| *inputs >= FIRST_INPUTS && self.failure.is_none())
    }
}

pub struct Campaign {
    waiting: Mutex<VecDeque<Run>>,
    over: Mutex<Vec<Run>>,
    seed: u64,
    rounds: Mutex<u64>,
    logs: PathBuf,
    started: Instant,
    time: Duration,
    processors: usize,
}

impl Campaign {
    /// Every target gets the same time, shared by its properties.
    pub fn new(workspace: &Workspace, properties: Vec<Property>, time: Duration) -> Result<Self> {
        let processors = std::thread::available_parallelism()?.get();
        let of_target = |name| properties.iter().filter(|one| one.target == name).count();
        let targets = TARGETS.iter().filter(|target| of_target(target.name) > 0).count();
        let share = |one: &Property| {
            time.mul_f64(processors as f64 / (targets * of_target(one.target)) as f64).min(time)
        };
        let shares: Vec<_> = properties.iter().map(share).collect();
        let run = |(property, share)| Run { property, share, used: Duration::ZERO, inputs: 0, failure: None };
        let logs = workspace.target.join("fuzz-logs");
        files::create_folder(&logs)?;
        let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() << 20;
        Ok(Self {
            waiting: Mutex::new(properties.into_iter().zip(shares).map(run).collect()),
            over: Mutex::default(),
            seed,
            rounds: Mutex::default(),
            logs,
            started: Instant::now(),
            time,
            processors,
        })
    }

    /// Runs until the time is used; answers how many properties failed.
    pub fn run(self) -> Result<usize> {
        let properties = locked(&self.waiting).len();
        let minutes = self.time.as_secs() / 60;
        let label = format!("{properties} properties, {minutes} min, {} processors", self.processors);
        let mut step = Step::begin(&label);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.processors).map(|_| scope.spawn(|| self.work())).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                step.tick();
                std::thread::sleep(POLL);
            }
            let joined =
                workers.into_iter().map(|it| it.join().unwrap_or_else(|_| bail!("a worker panicked")));
            joined.collect::<Result<()>>()
        })?;
        step.end("done");
        Ok(report(&self.over.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn work(&self) -> Result<()> {
        loop {
            let next = locked(&self.waiting).pop_front();
            let Some(mut run) = next else { return Ok(()) };
            // Where others use the processors as well, a round takes longer than was reckoned.
            let is_over = run.inputs > 0 && self.started.elapsed() >= self.time;
            match run.next_inputs().filter(|_| !is_over) {
                Some(inputs) => {
                    self.round(&mut run, inputs)?;
                    locked(&self.waiting).push_back(run);
                }
                None => locked(&self.over).push(run),
            }
        }
    }

    /// Tries a property on so many inputs.
    ///
    /// # Errors
    /// Where it cannot be run, or on Ctrl-C; that it does not hold is noted.
    fn round(&self, run: &mut Run, inputs: u32) -> Result<()> {
        let seed = {
            let mut rounds = locked(&self.rounds);
            *rounds += 1;
            self.seed + *rounds
        };
        let property = &run.property;
        let log = self.logs.join(format!("{}-{}.log", property.package, property.test.replace("::", "-")));
        let output = File::create(&log).with_context(|| log.display().to_string())?;
        let mut command = Command::new(&property.program);
        command.args(["--exact", &property.test]).current_dir(&property.folder);
        command.env("PROPTEST_CASES", inputs.to_string()).env("PROPTEST_RNG_SEED", seed.to_string());
        // The input says more.
        command.env("RUST_BACKTRACE", "0");
        let started = Instant::now();
        let status = run_while(command.stdout(output.try_clone()?).stderr(output), || {
            if started.elapsed() > PATIENCE { bail!(Stuck) } else { Ok(()) }
        });
        run.used += started.elapsed();
        run.inputs += u64::from(inputs);
        let how = match status {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => described(status),
            Err(error) if error.is::<Stuck>() => error.to_string(),
            Err(error) => return Err(error),
        };
        let again = format!(
            "PROPTEST_CASES={inputs} PROPTEST_RNG_SEED={seed} cargo test -p {} -- --exact {}",
            property.package, property.test
        );
        let kept = kept_in(&fs::read_to_string(&log).unwrap_or_default()).unwrap_or_default();
        run.failure = Some(format!("{how}; again with\n  {again}\n{kept}{}", files::tail(&log)));
        Ok(())
    }
}

/// Where proptest has written down what failed; a process that crashed had no time to.
fn kept_in(log: &str) -> Option<String> {
    let path =
        log.lines().find_map(|line| line.strip_prefix("proptest: Saving this and future failures in "))?;
    Some(format!("  kept in {path}\n"))
}

/// A round that takes much longer than was reckoned.
#[derive(Debug)]
struct Stuck;

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it did not end within {} s", PATIENCE.as_secs())
    }
}

impl std::error::Error for Stuck {}

fn described(status: ExitStatus) -> String {
    // 101 is how a failed test ends; anything else took the process with it.
    if status.code() == Some(101) { "it does not hold".to_owned() } else { format!("it crashed ({status})") }
}

/// Nothing that is locked here is left half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line for each target, then what failed; answers how much that is.
fn report(runs: &[Run]) -> usize {
    say(format_args!("{}", table(runs)));
    let mut failures = 0;
    for run in runs {
        if let Some(failure) = &run.failure {
            say(format_args!("\n{} {}: {failure}", run.property.package, run.property.test));
            failures += 1;
        }
    }
    failures
}

fn table(runs: &[Run]) -> String {
    let mut text = format!(
        "{:<18} {:>10} {:>12} {:>9} {:>8}  slowest, µs an input\n",
        "target", "properties", "inputs", "inputs/s", "failures"
    );
    let mut row = |name: &str, runs: &[&Run]| {
        let inputs: u64 = runs.iter().map(|run| run.inputs).sum();
        let used: Duration = runs.iter().map(|run| run.used).sum();
        let failures = runs.iter().filter(|run| run.failure.is_some()).count();
        let slowest = runs.iter().map(|run| run.seconds_an_input()).fold(0.0, f64::max) * 1e6;
        let rate = inputs as f64 / used.as_secs_f64().max(0.001);
        text.push_str(&format!(
            "{name:<18} {:>10} {inputs:>12} {rate:>9.0} {failures:>8}  {slowest:.0}\n",
            runs.len()
        ));
    };
    for target in TARGETS {
        let of_target: Vec<_> = runs.iter().filter(|run| run.property.target == target.name).collect();
        if !of_target.is_empty() {
            row(target.name, &of_target);
        }
    }
    row("in all", &runs.iter().collect::<Vec<_>>());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(inputs: u64, used_ms: u64, failure: Option<&str>) -> Run {
        let property = Property {
            target: "sse",
            package: "shared".into(),
            test: "llm::properties::a".into(),
            program: "p".into(),
            folder: "f".into(),
        };
        let (share, used) = (Duration::from_secs(60), Duration::from_millis(used_ms));
        Run { property, share, used, inputs, failure: failure.map(str::to_owned) }
    }

    #[test]
    fn rounds_grow_to_their_length_and_end_with_the_share() {
        assert_eq!(run(0, 0, None).next_inputs(), Some(FIRST_INPUTS));
        assert_eq!(run(1_000, 1_000, None).next_inputs(), Some(5_000));
        assert_eq!(run(59_000, 59_000, None).next_inputs(), Some(1_000));
        assert_eq!(run(60_000, 60_000, None).next_inputs(), None);
    }

    #[test]
    fn the_file_that_keeps_a_failure_is_named() {
        let log = "running\nproptest: Saving this and future failures in /w/sse.txt\nproptest: more";
        assert_eq!(kept_in(log).unwrap(), "  kept in /w/sse.txt\n");
        assert_eq!(kept_in("running"), None);
    }

    #[test]
    fn what_failed_is_not_tried_again_and_is_counted() {
        let failed = run(32, 5, Some("it does not hold"));
        assert_eq!(failed.next_inputs(), None);
        let table = table(&[failed, run(968, 995, None)]);
        let line = table.lines().find(|line| line.starts_with("sse")).unwrap();
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["sse", "2", "1000", "1000", "1", "1028"]);
        assert!(table.lines().last().unwrap().starts_with("in all"));
        assert_eq!(report(&[run(32, 5, Some("x")), run(32, 5, None)]), 1);
    }
}
