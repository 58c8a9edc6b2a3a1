//! The processes of a stack: they start one by one and end together.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use project::files;
use project::process::{self, GRACE, Group, POLL};
use project::progress::say;

/// The time limit for a part to become ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How a part runs.
pub struct PartOptions {
    pub name: &'static str,
    /// The signal for an orderly end.
    pub stop: Signal,
    /// Whether its lines are shown besides being logged.
    pub echo: bool,
    /// Whether it is ended only after all others.
    pub ends_last: bool,
}

struct Part {
    options: PartOptions,
    /// Its stdin is an unused pipe, whose end shows that this process is gone.
    group: Group,
    log: PathBuf,
}

pub struct Supervisor {
    logs: PathBuf,
    parts: Vec<Part>,
}

impl Supervisor {
    pub fn new(logs: PathBuf) -> Self {
        Self {
            logs,
            parts: Vec::new(),
        }
    }

    /// Starts a part and returns its process id.
    pub fn start(&mut self, options: PartOptions, command: &mut Command) -> Result<u32> {
        let log = self.logs.join(format!("{}.log", options.name));
        let mut file = File::create(&log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::piped());
        if options.echo {
            let (reader, writer) = std::io::pipe()?;
            command.stdout(writer.try_clone()?).stderr(writer);
            let name = options.name;
            std::thread::spawn(move || copy_lines(reader, &mut file, name));
        } else {
            command.stdout(file.try_clone()?).stderr(file);
        }
        let group = process::spawn(command, options.stop)?;
        let id = group.id();
        self.parts.push(Part {
            options,
            group,
            log,
        });
        Ok(id)
    }

    /// # Errors
    /// If a part has ended, with the last lines of its log; on Ctrl-C.
    pub fn check(&mut self) -> Result<()> {
        process::check_interrupt()?;
        for Part {
            options,
            group,
            log,
        } in &mut self.parts
        {
            if let Some(status) = group.try_wait()? {
                let (name, tail) = (options.name, files::tail(log));
                bail!(
                    "{name} ended ({status}); the last lines of {}:\n{tail}",
                    log.display()
                );
            }
        }
        Ok(())
    }

    /// Waits until the last part started is ready.
    pub fn wait_until_ready(&mut self, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let started = Instant::now();
        while !is_ready() {
            self.check()?;
            if started.elapsed() > START_TIMEOUT {
                let part = self.parts.last().context("nothing was started")?;
                let seconds = START_TIMEOUT.as_secs();
                bail!(
                    "{} did not respond within {seconds} s:\n{}",
                    part.options.name,
                    files::tail(&part.log)
                );
            }
            std::thread::sleep(POLL);
        }
        self.check()
    }

    /// Ends all parts and returns the names of those with a process left; normally none.
    pub fn stop(&mut self) -> Vec<&'static str> {
        for last in [false, true] {
            let parts = self
                .parts
                .iter_mut()
                .filter(|part| part.options.ends_last == last);
            process::end(parts.map(|part| (&mut part.group, part.options.stop)));
        }
        let killed = Instant::now();
        let is_left = |part: &Part| process::is_alive(&part.group);
        while killed.elapsed() < GRACE && self.parts.iter().any(is_left) {
            std::thread::sleep(POLL);
        }
        self.parts
            .drain(..)
            .filter(is_left)
            .map(|part| part.options.name)
            .collect()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Copies a part's lines into its log and onto the terminal, until it ends.
fn copy_lines(reader: PipeReader, log: &mut File, name: &str) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        let _ = log.write_all(&line);
        say(format_args!(
            "{name} | {}",
            String::from_utf8_lossy(&line).trim_end()
        ));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supervisor(name: &str) -> Supervisor {
        let logs =
            std::env::temp_dir().join(format!("xtask-supervisor-{name}-{}", std::process::id()));
        files::create_folder(&logs).unwrap();
        Supervisor::new(logs)
    }

    fn start(supervisor: &mut Supervisor, name: &'static str, script: &str) {
        let options = PartOptions {
            name,
            stop: Signal::SIGTERM,
            echo: false,
            ends_last: false,
        };
        supervisor
            .start(options, Command::new("sh").args(["-c", script]))
            .unwrap();
    }

    #[test]
    fn failed_part_is_named_with_the_end_of_its_log() {
        let mut supervisor = supervisor("ends");
        start(&mut supervisor, "steady", "cat");
        start(
            &mut supervisor,
            "brief",
            "echo no such database >&2; exit 3",
        );
        let error = supervisor
            .wait_until_ready(|| false)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("brief ended (exit status: 3)"), "{error}");
        assert!(error.ends_with("  no such database"), "{error}");
    }

    #[test]
    fn stopping_takes_the_grandchildren_along() {
        let mut supervisor = supervisor("stop");
        // The parent ends at the signal, the child ignores it.
        start(
            &mut supervisor,
            "parent",
            "(trap '' TERM; echo $$ ready; sleep 600) & wait",
        );
        let log = supervisor.logs.join("parent.log");
        supervisor
            .wait_until_ready(|| std::fs::read_to_string(&log).unwrap().ends_with("ready\n"))
            .unwrap();
        assert!(process::is_alive(&supervisor.parts[0].group));
        assert_eq!(supervisor.stop(), Vec::<&str>::new());
    }

    #[test]
    fn a_part_lives_only_as_long_as_its_stdin() {
        let mut supervisor = supervisor("stdin");
        start(&mut supervisor, "reader", "cat; exit 7");
        assert!(supervisor.check().is_ok());
        supervisor.parts[0].group.stdin().take();
        let error = supervisor
            .wait_until_ready(|| false)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("reader ended (exit status: 7)"),
            "{error}"
        );
    }
}
