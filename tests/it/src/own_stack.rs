//! Stacks of a test's own, started with `xtask dev`, to do to them what a shared one must not suffer.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::stack::Stack;

/// They are heavy: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub const PATIENCE: Duration = Duration::from_secs(60);

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
        fs::write(folder.join("env"), "").unwrap();
        Self { folder, ports_from: free_ports(), _alone }
    }

    pub fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    fn env_file(&self) -> PathBuf {
        self.folder.join("env")
    }

    /// `xtask dev` on this place's data; its two outputs go to files.
    pub fn dev(&self, name: &str, ports_from: u16) -> Dev {
        let ready = if name == "dev" { self.ready_file() } else { self.folder.join(format!("{name}.ready")) };
        self.spawn(name, ports_from, &self.env_file(), &self.data(), &ready, &[])
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn spawn(
        &self,
        name: &str,
        ports_from: u16,
        env: &Path,
        data: &Path,
        ready: &Path,
        options: &[&str],
    ) -> Dev {
        let output = |kind: &str| self.folder.join(format!("{name}.{kind}"));
        let child = Command::new(xtask())
            // The shared stack has been built.
            .args(["dev", "--no-build", "--ports-from", &ports_from.to_string(), "--env-file"])
            .arg(env)
            .arg("--data")
            .arg(data)
            .arg("--ready-file")
            .arg(ready)
            .args(options)
            // Cargo's word for where the running crate is: this one, and not xtask.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .stdout(fs::File::create(output("out")).unwrap())
            .stderr(fs::File::create(output("err")).unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", xtask().display()));
        Dev { child, errors: output("err") }
    }

    /// Starts a stack with these lines in its env file.
    pub async fn start_with(&self, env: &str) -> Running {
        fs::write(self.env_file(), env).unwrap();
        self.start().await
    }

    /// Starts a stack and waits until it is ready.
    pub async fn start(&self) -> Running {
        Self::running(self.dev("dev", self.ports_from), &self.ready_file()).await
    }

    /// Starts functions by themselves beside others on this place: on a runtime, with these lines in their env file.
    pub async fn start_functions(&self, name: &str, ports_from: u16, runtime: &str, env: &str) -> Running {
        let [file, ready] = ["env", "ready"].map(|kind| self.folder.join(format!("{name}.{kind}")));
        fs::write(&file, env).unwrap();
        let options = ["--runtime", runtime];
        let dev = self.spawn(name, ports_from, &file, &self.data_of(name), &ready, &options);
        Self::running(dev, &ready).await
    }

    /// Where functions that run by themselves have their logs.
    pub fn data_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.data"))
    }

    async fn running(mut dev: Dev, ready_file: &Path) -> Running {
        let mut ready = Value::Null;
        eventually("the stack is ready", PATIENCE, async || {
            assert_eq!(dev.child.try_wait().unwrap(), None, "xtask dev ended: {}", dev.errors());
            let text = fs::read_to_string(ready_file).unwrap_or_default();
            ready = serde_json::from_str(&text).unwrap_or_default();
            // The file of a stack that was killed tells of processes that are gone.
            ready["pids"].as_object().is_some_and(|pids| pids.values().all(|value| is_alive(pid(value))))
        })
        .await;
        let mut pids = descendants(dev.child.id());
        pids.extend(ready["pids"].as_object().unwrap().values().map(pid));
        Running { dev, pids, stack: Stack::of(ready) }
    }

    /// Asserts that an ended stack has left neither a process nor its ready file.
    pub async fn assert_nothing_is_left(&self, pids: &[u32]) {
        eventually("all processes are gone", PATIENCE, async || !pids.iter().any(|pid| is_alive(*pid))).await;
        assert!(!self.ready_file().exists(), "the ready file is still there");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running `xtask dev`; it is ended with this value.
pub struct Dev {
    pub child: Child,
    errors: PathBuf,
}

impl Dev {
    pub fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("xtask dev has ended", PATIENCE, async || child.try_wait().unwrap().is_some()).await;
        self.child.wait().unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && asked.elapsed() < PATIENCE {
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
    pub stack: Stack,
}

impl Running {
    pub fn pid_of(&self, part: &str) -> u32 {
        pid(&self.stack.ready["pids"][part])
    }

    pub fn pause_supabase(&self) {
        signal("STOP", self.pid_of("supabase"));
    }

    pub async fn resume_supabase(&self) {
        signal("CONT", self.pid_of("supabase"));
        let health = format!("{}/health", self.stack.url("/supabase_url"));
        // Connections that it took for idle while it was away are reset first.
        eventually("Supabase answers again", PATIENCE, async || {
            self.stack.http.get(&health).send().await.is_ok_and(|response| response.status() == 200)
        })
        .await;
    }

    pub async fn ctrl_c(&mut self) -> ExitStatus {
        signal("INT", self.dev.child.id());
        self.dev.ended().await
    }
}

pub fn xtask() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/xtask");
    std::env::var_os("SOUND_WHISKERS_XTASK").map_or(built, PathBuf::from)
}

/// The lines of an env file with which the functions run by themselves: on the shared stack's data, reached through
/// `supabase_url`, and with its simulators. Lines after these replace them.
pub fn functions_alone(shared: &Stack, supabase_url: &str) -> String {
    let spotify = shared.url("/simulators/spotify");
    let llm = format!("{}/v1", shared.url("/simulators/llm"));
    let lines = [
        ("SUPABASE_URL", supabase_url),
        ("SUPABASE_PUBLISHABLE_KEY", shared.url("/publishable_key")),
        ("SUPABASE_SECRET_KEY", shared.url("/secret_key")),
        ("STRIPE_SECRET_KEY", "sk_test_simulated"),
        ("STRIPE_WEBHOOK_SECRETS", shared.url("/stripe_webhook_secret")),
        ("STRIPE_PRICE_ID", "price_simulatedPro"),
        ("STRIPE_API_BASE_URL", shared.url("/simulators/stripe")),
        ("SPOTIFY_CLIENT_ID", "simulated-client-id"),
        ("SPOTIFY_CLIENT_SECRET", "simulated-client-secret"),
        ("SPOTIFY_ACCOUNTS_BASE_URL", spotify),
        ("SPOTIFY_API_BASE_URL", spotify),
        ("LLM_BASE_URL", &llm),
        ("LLM_API_KEY", "simulated-llm-key"),
        ("LLM_MODEL", "simulated"),
    ];
    lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

pub const PORTS: usize = 6;

/// The first of as many ports in a row as a stack needs, below those that systems hand out by themselves.
pub fn free_ports() -> u16 {
    free_ports_behind(20_000 + u16::try_from(std::process::id() % 5_000).unwrap())
}

/// The same, from a port on.
pub fn free_ports_behind(begin: u16) -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (begin..32_000)
        .step_by(PORTS)
        .find(|first| (0..PORTS as u16).map(|offset| first + offset).all(is_free))
        .expect("no ports are free")
}

fn pid(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

pub fn signal(name: &str, pid: u32) -> bool {
    let kill = format!("kill -{name} {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &kill]).status().unwrap().success()
}

/// The state and the parent of a process, where the system tells.
fn status(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub fn is_alive(pid: u32) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return signal("0", pid);
    }
    // What is dead and merely not fetched by its parent yet runs no more.
    status(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// The processes below a process; none where the system does not tell.
pub fn descendants(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(u32, u32)> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, status(pid)?.1)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// Looks again until it holds.
pub async fn eventually(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
