//! Child processes: each leads its own process group, and none outlives this process.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};

use crate::files;
use crate::progress::Step;

/// The interval at which a wait polls.
pub const POLL: Duration = Duration::from_millis(20);

/// How long a child may take to end after SIGTERM.
pub const GRACE: Duration = Duration::from_secs(5);

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The user pressed Ctrl-C, or the process received a signal to end.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

/// From now on Ctrl-C, SIGTERM and SIGHUP are noticed by [`check_interrupt`] and do not end the process.
pub fn catch_signals() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signal_hook::flag::register(signal as i32, Arc::clone(flag)).context("catching signals")?;
    }
    Ok(())
}

/// # Errors
/// [`Interrupted`] after a signal to end.
pub fn check_interrupt() -> Result<()> {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(anyhow!(Interrupted)),
        _ => Ok(()),
    }
}

pub type Group = Box<dyn ChildWrapper>;

/// Starts a command as the leader of a new process group.
///
/// On Linux `orphaned` is sent to it when this process dies, however that happens.
pub fn spawn(command: &mut Command, orphaned: Signal) -> Result<Group> {
    let program = command.get_program().display().to_string();
    end_with_parent(command, orphaned);
    // The wrapper takes the command, and with it the child's ends of pipes.
    let mut command = CommandWrap::from(std::mem::replace(command, Command::new(&program)));
    command
        .wrap(ProcessGroup::leader())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

#[cfg(target_os = "linux")]
fn end_with_parent(command: &mut Command, orphaned: Signal) {
    use std::os::unix::process::CommandExt;

    let parent = nix::unistd::getpid();
    let in_child = move || {
        nix::sys::prctl::set_pdeathsig(orphaned)?;
        // The parent may have died before the line above.
        if nix::unistd::getppid() == parent {
            Ok(())
        } else {
            Err(nix::errno::Errno::ESRCH.into())
        }
    };
    // SAFETY: between fork and exec the closure makes two system calls and neither allocates nor locks.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(in_child);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_command: &mut Command, _orphaned: Signal) {}

/// Whether a process of the group is left, not counting zombies.
pub fn is_alive(group: &Group) -> bool {
    i32::try_from(group.id()).is_ok_and(|id| killpg(Pid::from_raw(id), None).is_ok())
}

/// Sends SIGTERM to groups, and SIGKILL after [`GRACE`].
pub fn end<'a>(groups: impl Iterator<Item = (&'a mut Group, Signal)>) {
    let mut groups: Vec<_> = groups.collect();
    for (group, signal) in &groups {
        let _ = group.signal(*signal as i32); // It may have ended already.
    }
    let asked = Instant::now();
    let mut is_running =
        |(group, _): &mut (&mut Group, Signal)| matches!(group.try_wait(), Ok(None));
    while asked.elapsed() < GRACE && groups.iter_mut().any(&mut is_running) {
        std::thread::sleep(POLL);
    }
    for (group, _) in groups {
        let _ = group.kill();
    }
}

/// Runs a command to its end, its output passed through.
///
/// # Errors
/// If it fails, or on Ctrl-C.
pub fn run(command: &mut Command) -> Result<()> {
    run_while(command, || Ok(()))
}

/// The same, ending early if `check` fails.
pub fn run_while(command: &mut Command, check: impl FnMut() -> Result<()>) -> Result<()> {
    let program = command.get_program().display().to_string();
    succeed(&program, status_while(command, check)?)
}

/// Runs one of the project's tools to its end and returns its exit code.
pub fn exit_code(command: &mut Command) -> Result<ExitCode> {
    let code = status_while(command, || Ok(()))?
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Runs a command to its end and returns what it prints on the standard output; the rest is passed through.
///
/// # Errors
/// If it fails, or on Ctrl-C.
pub fn stdout_of(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = spawn(command, Signal::SIGTERM)?;
    let mut output = child.stdout().take().context("no output")?;
    let reader = std::thread::spawn(move || std::io::read_to_string(&mut output));
    let status = wait_while(&mut child, || Ok(()))?;
    let printed = reader
        .join()
        .map_err(|_| anyhow!("its output was lost"))??;
    succeed(&program, status).map(|()| printed)
}

/// Runs a command to its end, its output kept in `log`, its progress shown as `label`.
///
/// # Errors
/// If it fails, with the log's last lines, or on Ctrl-C.
pub fn run_logged(label: &str, command: &mut Command, log: &Path) -> Result<()> {
    let output = File::create(log).with_context(|| log.display().to_string())?;
    command.stdout(output.try_clone()?).stderr(output);
    let mut step = Step::begin(label);
    let status = status_while(command, || {
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

fn status_while(command: &mut Command, check: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
    command.stdin(Stdio::null());
    wait_while(&mut spawn(command, Signal::SIGTERM)?, check)
}

fn wait_while(child: &mut Group, mut check: impl FnMut() -> Result<()>) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Err(error) = check_interrupt().and_then(|()| check()) {
            end(std::iter::once((child, Signal::SIGTERM)));
            return Err(error);
        }
        std::thread::sleep(POLL);
    }
}

fn succeed(program: &str, status: ExitStatus) -> Result<()> {
    if status.success() {
        Ok(())
    } else {
        bail!("{program} failed ({status})")
    }
}

/// The trimmed output of a short command; `None` if it fails or does not exist.
pub fn output_of(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
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
        assert!(
            error.to_string().contains("cannot start no-such-command"),
            "{error}"
        );
    }

    #[test]
    fn output_is_what_a_command_prints_and_none_after_a_failure() {
        let stdout = |script: &str| stdout_of(Command::new("sh").args(["-c", script]));
        assert_eq!(stdout("seq 100000").unwrap().lines().count(), 100_000);
        assert!(
            stdout("echo half; exit 3")
                .unwrap_err()
                .to_string()
                .starts_with("sh failed")
        );
    }

    #[test]
    fn a_failed_check_ends_the_command_and_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]);
        let mut group = spawn(&mut command, Signal::SIGKILL).unwrap();
        assert!(is_alive(&group));
        end(std::iter::once((&mut group, Signal::SIGTERM)));
        while is_alive(&group) {
            std::thread::yield_now();
        }
        assert!(run_while(Command::new("sleep").arg("600"), || bail!("enough")).is_err());
    }
}
