//! Runs stages by two workers: one core compiles while the other waits for servers.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};

use super::context::{Context, TestStack};
use super::summary::{Outcome, Summary};
use super::{Needs, NotRun, Stage};
use project::files;
use project::process::Interrupted;
use project::progress::{duration, say};
use project::workspace::Workspace;
use stack::Profile;

const WORKERS: usize = 2;
/// How many lines of a failed stage's log are shown.
const FAILURE_LINES: usize = 200;
const STATUS_EVERY: Duration = Duration::from_millis(500);

/// The folder of the stages' logs.
pub fn logs(workspace: &Workspace) -> PathBuf {
    workspace.target.join("test/logs")
}

/// # Errors
/// Only on Ctrl-C, or if a log cannot be written; failures are in the summary.
pub fn run(workspace: &Workspace, profile: Profile, stages: &[&'static Stage]) -> Result<Summary> {
    let logs = logs(workspace);
    files::remove_folder(&logs)?;
    files::create_folder(&logs)?;
    let runner = Runner {
        workspace,
        profile,
        logs,
        board: Mutex::default(),
        beside: RwLock::new(()),
    };
    let of = |needs: Needs| {
        stages
            .iter()
            .copied()
            .filter(|stage| stage.needs == needs)
            .collect::<Vec<_>>()
    };
    runner.run_group(Needs::Build, &of(Needs::Build))?;
    let groups = Needs::ALL
        .into_iter()
        .filter(|needs| *needs != Needs::Build)
        .map(|needs| (needs, of(needs)));
    let queue = Mutex::new(
        groups
            .filter(|(_, stages)| !stages.is_empty())
            .collect::<VecDeque<_>>(),
    );
    let take = || lock(&queue).pop_front();
    let work = || -> Result<()> {
        while let Some((needs, stages)) = take() {
            runner.run_group(needs, &stages)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        runner.show_status_until(|| workers.iter().all(|worker| worker.is_finished()));
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })?;
    Ok(runner
        .board
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .summary)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Board {
    summary: Summary,
    running: Vec<(String, Instant)>,
}

struct Runner<'a> {
    workspace: &'a Workspace,
    profile: Profile,
    logs: PathBuf,
    board: Mutex<Board>,
    /// Locked for reading by stages that may run beside others, for writing by those that run alone.
    beside: RwLock<()>,
}

impl Runner<'_> {
    fn run_group(&self, needs: Needs, stages: &[&Stage]) -> Result<()> {
        if stages.is_empty() {
            return Ok(());
        }
        let mut stack = None;
        let is_started = match needs {
            Needs::Build | Needs::Cargo | Needs::Node => true,
            _ => self.record(&format!("start ({})", needs.name()), false, |_| {
                stack = TestStack::start(self.workspace, self.profile, needs)?;
                Ok(())
            })?,
        };
        for stage in stages {
            self.record(stage.name, stage.is_exclusive, |log| match is_started {
                true => {
                    let (workspace, profile) = (self.workspace, self.profile);
                    stage.run.run(&mut Context {
                        workspace,
                        profile,
                        stack: stack.as_mut(),
                        log,
                    })
                }
                false => Err(NotRun("its stack did not start".to_owned()).into()),
            })?;
        }
        match stack {
            Some(stack) => self
                .record(&format!("stop ({})", needs.name()), false, |_| stack.stop())
                .map(drop),
            None => Ok(()),
        }
    }

    /// Runs `work`, prints a line and, if it fails, its log. Returns whether it succeeded.
    ///
    /// # Errors
    /// Only on Ctrl-C, or if the log cannot be written; a failure is in the summary.
    fn record(
        &self,
        name: &str,
        is_exclusive: bool,
        run: impl FnOnce(File) -> Result<()>,
    ) -> Result<bool> {
        let _others_wait =
            is_exclusive.then(|| self.beside.write().unwrap_or_else(PoisonError::into_inner));
        let _exclusive_wait =
            (!is_exclusive).then(|| self.beside.read().unwrap_or_else(PoisonError::into_inner));
        let path = self.logs.join(format!("{name}.log"));
        let log = File::create(&path).with_context(|| path.display().to_string())?;
        let started = Instant::now();
        lock(&self.board).running.push((name.to_owned(), started));
        let result = run(log);
        let took = started.elapsed();
        let outcome = match &result {
            Ok(()) => Outcome::Ok,
            Err(error) if error.is::<NotRun>() => Outcome::NotRun(error.to_string()),
            Err(_) => Outcome::Failed,
        };
        let mut board = lock(&self.board);
        board.running.retain(|(running, _)| running != name);
        match result {
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) if outcome == Outcome::Failed => {
                clear_status();
                say(format_args!(
                    "{}\n{error:#}\n(all of it: {})",
                    files::last_lines(&path, FAILURE_LINES),
                    path.display()
                ));
            }
            _ => clear_status(),
        }
        let is_ok = outcome == Outcome::Ok;
        say(board.summary.add(name, took, outcome));
        Ok(is_ok)
    }

    /// Shows the running stages on a terminal, in one line that is overwritten.
    fn show_status_until(&self, is_done: impl Fn() -> bool) {
        let is_terminal = std::io::stdout().is_terminal();
        while !is_done() {
            if is_terminal {
                let board = lock(&self.board);
                let of = |(name, started): &(String, Instant)| {
                    format!("{name} {}", duration(started.elapsed()))
                };
                let running: Vec<_> = board.running.iter().map(of).collect();
                clear_status();
                print!("… {}", running.join(", "));
                let _ = std::io::stdout().flush();
            }
            std::thread::sleep(STATUS_EVERY);
        }
        clear_status();
    }
}

fn clear_status() {
    if std::io::stdout().is_terminal() {
        print!("\r\x1b[K");
    }
}
