//! Stacks that a test starts with `xtask dev` and may break.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::stack::Stack;

/// Only one test at a time starts stacks, because they are heavy.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

const TIMEOUT: Duration = Duration::from_secs(300);

/// Waits until a condition holds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < TIMEOUT, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn xtask() -> Command {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/xtask");
    let mut command = Command::new(std::env::var_os("SOUND_WHISKERS_XTASK").map_or(built, PathBuf::from));
    // The environment would fill in what an env file lacks, and cargo's variable would name this crate.
    for name in ["LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "CARGO_MANIFEST_DIR"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command of xtask to its end; returns its exit code and what it prints.
pub async fn run_xtask(arguments: &[&str]) -> (i32, String) {
    let mut command = tokio::process::Command::from(xtask());
    let Output { status, stdout, stderr } = command.args(arguments).output().await.unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap(), text)
}

/// A folder and ports on which stacks are started one after the other.
pub struct Place {
    folder: PathBuf,
    pub ports_from: u16,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    pub async fn take() -> Self {
        let _alone = ONE_AT_A_TIME.lock().await;
        let folder = std::env::temp_dir().join(format!("sound-whiskers-{}", Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Self { folder, ports_from: free_ports(), _alone }
    }

    fn file(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{name}.{kind}"))
    }

    /// Starts a stack with the env file of the last one.
    pub async fn start(&self) -> Running {
        let env = fs::read_to_string(self.file("stack", "env")).unwrap_or_default();
        self.start_with(&env).await
    }

    /// Starts a stack with these lines in its env file.
    pub async fn start_with(&self, env: &str) -> Running {
        self.start_as("stack", self.ports_from, "workerd", env).await
    }

    /// Starts a named stack in this folder, and waits until it is ready.
    pub async fn start_as(&self, name: &str, ports_from: u16, runtime: &str, env: &str) -> Running {
        fs::write(self.file(name, "env"), env).unwrap();
        let [ready_file, errors] = ["ready", "err"].map(|kind| self.file(name, kind));
        let mut command = xtask();
        // The shared stack has been built.
        command.args(["dev", "--no-build", "--runtime", runtime, "--ports-from", &ports_from.to_string()]);
        for (option, kind) in [("--env-file", "env"), ("--data", "data"), ("--ready-file", "ready")] {
            command.arg(option).arg(self.file(name, kind));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&errors).unwrap());
        let mut dev = Dev { child: command.spawn().unwrap(), errors };
        let mut ready = Value::Null;
        eventually("the stack is ready", async || {
            assert_eq!(dev.child.try_wait().unwrap(), None, "xtask dev ended: {}", dev.errors());
            let text = fs::read_to_string(&ready_file).unwrap_or_default();
            ready = serde_json::from_str(&text).unwrap_or_default();
            // The file of a killed stack names processes that have ended.
            ready["pids"].as_object().is_some_and(|pids| pids.values().all(|value| is_alive(pid(value))))
        })
        .await;
        let mut pids = descendants(dev.child.id());
        pids.extend(ready["pids"].as_object().unwrap().values().map(pid));
        Running { dev, pids, ready_file, stack: Stack::of(ready) }
    }

    /// The functions' log of the stack of a name.
    pub fn log(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name, "data").join("logs/functions.log")).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running `xtask dev`, which ends when this value is dropped.
pub struct Dev {
    pub child: Child,
    errors: PathBuf,
}

impl Dev {
    pub fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    pub async fn ended(&mut self) -> ExitStatus {
        eventually("xtask dev has ended", async || self.child.try_wait().unwrap().is_some()).await;
        self.child.wait().unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < TIMEOUT {
            signal("TERM", self.child.id());
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stack that is ready, with all its processes.
pub struct Running {
    pub dev: Dev,
    pub pids: Vec<u32>,
    ready_file: PathBuf,
    pub stack: Stack,
}

impl Running {
    pub fn pid_of(&self, part: &str) -> u32 {
        pid(&self.stack.ready["pids"][part])
    }

    /// Asserts that the ended stack has left neither a process nor its ready file.
    pub async fn assert_nothing_is_left(&self) {
        eventually("all processes are gone", async || !self.pids.iter().any(|pid| is_alive(*pid))).await;
        assert!(!self.ready_file.exists(), "the ready file is still there");
    }
}

/// The env file of a stack that only runs functions, on the shared stack's simulators and its data, reached through
/// `supabase_url`. Later lines override these.
pub fn functions_alone(shared: &Stack, supabase_url: &str) -> String {
    let [spotify, stripe, llm] =
        ["spotify", "stripe", "llm"].map(|name| shared.url(&format!("/simulators/{name}")));
    let keys = ["/publishable_key", "/secret_key", "/stripe_webhook_secret"].map(|name| shared.url(name));
    let [publishable_key, secret_key, webhook_secret] = keys;
    format!(
        "SUPABASE_URL={supabase_url}\nSUPABASE_PUBLISHABLE_KEY={publishable_key}\nSUPABASE_SECRET_KEY={secret_key}\n\
         STRIPE_SECRET_KEY=sk_test_simulated\nSTRIPE_WEBHOOK_SECRETS={webhook_secret}\n\
         STRIPE_PRICE_ID=price_simulatedPro\nSTRIPE_API_BASE_URL={stripe}\nSPOTIFY_CLIENT_ID=simulated-client-id\n\
         SPOTIFY_CLIENT_SECRET=simulated-client-secret\nSPOTIFY_ACCOUNTS_BASE_URL={spotify}\n\
         SPOTIFY_API_BASE_URL={spotify}\nLLM_BASE_URL={llm}/v1\nLLM_API_KEY=simulated-llm-key\nLLM_MODEL=simulated\n"
    )
}

pub const PORTS: usize = 6;

/// The first port of a free range as long as a stack needs, below the ephemeral ports.
pub fn free_ports() -> u16 {
    free_ports_from(20_000 + u16::try_from(std::process::id() % 5_000).unwrap())
}

pub fn free_ports_from(begin: u16) -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut firsts = (begin..32_000).step_by(PORTS);
    firsts.find(|first| (0..PORTS as u16).all(|offset| is_free(first + offset))).expect("no ports are free")
}

fn pid(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

pub fn signal(name: &str, pid: u32) -> bool {
    let kill = format!("kill -{name} {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &kill]).status().unwrap().success()
}

/// The state and the parent of a process; `None` where the system does not show them.
fn status(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may contain anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub fn is_alive(pid: u32) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return signal("0", pid);
    }
    // A zombie no longer runs.
    status(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// The descendants of a process; empty where the system does not show them.
pub fn descendants(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, status(pid)?.1))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}
