//! Child processes: each leads a process group of its own, and none outlives this process.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::files;
use crate::progress::Step;

/// How often a wait looks again.
pub const POLL: Duration = Duration::from_millis(20);

/// How long a child may take to end after being asked to.
pub const GRACE: Duration = Duration::from_secs(5);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Somebody pressed Ctrl-C, or asked the process to end.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From now on Ctrl-C, SIGTERM and SIGHUP are noticed by [`check_interrupt`] and do not end the process.
pub fn catch_signals() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        signal_hook::flag::register(signal.as_raw(), Arc::clone(flag)).context("catching signals")?;
    }
    Ok(())
}

/// # Errors
/// [`Interrupted`], once a signal has asked for the end.
pub fn check_interrupt() -> Result<()> {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Interrupted.into()),
        _ => Ok(()),
    }
}

/// Starts a command as the leader of a new process group.
///
/// Where the system can do it, `orphaned` is sent to it when this process dies, however that happens.
pub fn spawn(command: &mut Command, orphaned: Signal) -> Result<Child> {
    command.process_group(0);
    die_with_parent(command, orphaned);
    command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command, orphaned: Signal) {
    let parent = rustix::process::getpid();
    let in_child = move || {
        rustix::process::set_parent_process_death_signal(Some(orphaned))?;
        // The parent may have died before the line above.
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
    };
    // SAFETY: between fork and exec the closure makes two system calls and neither allocates nor locks.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(in_child);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command, _orphaned: Signal) {}

/// The id of a child, which is its process group's id too.
pub fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Sends a signal to a whole process group; nobody left to receive it is fine.
pub fn signal_group(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

/// Whether a process of the group is left, a zombie aside.
pub fn group_is_alive(group: Pid) -> bool {
    test_kill_process_group(group).is_ok()
}

/// Asks a child's group to end, and makes it end after [`GRACE`].
pub fn end_group(child: &mut Child, signal: Signal) {
    let Some(group) = pid_of(child) else { return };
    signal_group(group, signal);
    let started = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && started.elapsed() < GRACE {
        std::thread::sleep(POLL);
    }
    signal_group(group, Signal::KILL);
    let _ = child.wait();
}

/// Runs a command to its end, its output passed through.
///
/// # Errors
/// If it fails, or on Ctrl-C.
pub fn run(command: &mut Command) -> Result<()> {
    let status = run_while(command, || Ok(()))?;
    if status.success() { Ok(()) } else { bail!("{} failed ({status})", command.get_program().display()) }
}

/// Runs a command to its end or until `check` fails.
pub fn run_while(command: &mut Command, check: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
    let mut child = spawn(command.stdin(Stdio::null()), Signal::TERM)?;
    wait_while(&mut child, check)
}

fn wait_while(child: &mut Child, mut check: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Err(error) = check_interrupt().and_then(|()| check()) {
            end_group(child, Signal::TERM);
            return Err(error);
        }
        std::thread::sleep(POLL);
    }
}

/// Runs a command to its end and returns what it prints on the standard output; the rest is passed through.
///
/// # Errors
/// If it fails, or on Ctrl-C.
pub fn answer_of(command: &mut Command) -> Result<String> {
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()), Signal::TERM)?;
    let mut output = child.stdout.take().context("no output")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut output));
    let status = wait_while(&mut child, || Ok(()))?;
    let printed = reader.join().map_err(|_| anyhow::anyhow!("its output was lost"))??;
    if status.success() {
        Ok(printed)
    } else {
        bail!("{} failed ({status})", command.get_program().display())
    }
}

/// Runs a command to its end, its output kept in `log`, its progress shown as `label`.
///
/// # Errors
/// If it fails, with the log's last lines, or on Ctrl-C.
pub fn run_logged(label: &str, command: &mut Command, log: &Path) -> Result<()> {
    let output = File::create(log).with_context(|| log.display().to_string())?;
    command.stdout(output.try_clone()?).stderr(output);
    let mut step = Step::begin(label);
    let status = run_while(command, || {
        step.tick();
        Ok(())
    })?;
    if !status.success() {
        step.end("failed");
        bail!("{label} failed ({status}):\n{}", files::tail(log));
    }
    step.end("done");
    Ok(())
}

/// What a short command prints, without the space around it; nothing where it fails or does not exist.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_named() {
        let error = run(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().starts_with("false failed"), "{error}");
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let error = run(&mut Command::new("no-such-command")).unwrap_err();
        assert!(error.to_string().contains("cannot start no-such-command"), "{error}");
    }

    #[test]
    fn an_answer_is_what_a_command_prints_and_a_failure_is_none() {
        let answer = |script: &str| answer_of(Command::new("sh").args(["-c", script]));
        assert_eq!(answer("seq 100000").unwrap().lines().count(), 100_000);
        assert!(answer("echo half; exit 3").unwrap_err().to_string().starts_with("sh failed"));
    }

    #[test]
    fn a_failed_check_ends_the_command_and_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]);
        let mut child = spawn(&mut command, Signal::KILL).unwrap();
        let group = pid_of(&child).unwrap();
        assert!(group_is_alive(group));
        end_group(&mut child, Signal::TERM);
        while group_is_alive(group) {
            std::thread::yield_now();
        }
        assert!(run_while(Command::new("sleep").arg("600"), || bail!("enough")).is_err());
    }
}
