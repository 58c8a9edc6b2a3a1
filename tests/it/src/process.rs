//! The stack as processes: what Ctrl-C, a crash and a silent database leave behind, which is nothing.
//!
//! Each test starts stacks of its own with `xtask dev` and may kill what it likes of them.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::generation::{self, FIVE, ask, assert_error, json_with_key, reply};
use crate::stack::{Stack, User};

/// They are heavy: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// The first start in a clone may have to build.
const START_PATIENCE: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder and ports on which stacks are started one after the other.
struct Place {
    folder: PathBuf,
    ports_from: u16,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    async fn take() -> Self {
        let _alone = ONE_AT_A_TIME.lock().await;
        let folder = std::env::temp_dir().join(format!("sound-whiskers-{}", Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Self { folder, ports_from: free_ports(), _alone }
    }

    fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    /// `xtask dev` on this place's data; its two outputs go to files.
    fn dev(&self, name: &str, ports_from: u16) -> Dev {
        let output = |kind: &str| self.folder.join(format!("{name}.{kind}"));
        let child = Command::new(xtask())
            .args(["dev", "--env-file=/dev/null", "--ports-from", &ports_from.to_string(), "--data"])
            .arg(self.folder.join("data"))
            .arg("--ready-file")
            .arg(if name == "dev" { self.ready_file() } else { output("ready") })
            // Cargo's word for where the running crate is: this one, and not xtask.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null())
            .stdout(fs::File::create(output("out")).unwrap())
            .stderr(fs::File::create(output("err")).unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", xtask().display()));
        Dev { child, errors: output("err") }
    }

    /// Starts a stack and waits until it is ready.
    async fn start(&self) -> Running {
        let mut dev = self.dev("dev", self.ports_from);
        let mut ready = Value::Null;
        eventually("the stack is ready", START_PATIENCE, async || {
            assert_eq!(dev.child.try_wait().unwrap(), None, "xtask dev ended: {}", dev.errors());
            let text = fs::read_to_string(self.ready_file()).unwrap_or_default();
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
    async fn assert_nothing_is_left(&self, pids: &[u32]) {
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
struct Dev {
    child: Child,
    errors: PathBuf,
}

impl Dev {
    fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    async fn ended(&mut self) -> ExitStatus {
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
struct Running {
    dev: Dev,
    pids: Vec<u32>,
    stack: Stack,
}

impl Running {
    fn pid_of(&self, part: &str) -> u32 {
        pid(&self.stack.ready["pids"][part])
    }

    fn pause_supabase(&self) {
        signal("STOP", self.pid_of("supabase"));
    }

    async fn resume_supabase(&self) {
        signal("CONT", self.pid_of("supabase"));
        let health = format!("{}/health", self.stack.url("/supabase_url"));
        // Connections that it took for idle while it was away are reset first.
        eventually("Supabase answers again", PATIENCE, async || {
            self.stack.http.get(&health).send().await.is_ok_and(|response| response.status() == 200)
        })
        .await;
    }

    async fn ctrl_c(&mut self) -> ExitStatus {
        signal("INT", self.dev.child.id());
        self.dev.ended().await
    }
}

fn xtask() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/xtask");
    std::env::var_os("SOUND_WHISKERS_XTASK").map_or(built, PathBuf::from)
}

/// The first of as many ports in a row as a stack needs, below those that systems hand out by themselves.
fn free_ports() -> u16 {
    let begin = 20_000 + u16::try_from(std::process::id() % 5_000).unwrap();
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (begin..32_000).step_by(5).find(|first| (*first..first + 5).all(is_free)).expect("no ports are free")
}

fn pid(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn signal(name: &str, pid: u32) -> bool {
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

fn is_alive(pid: u32) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return signal("0", pid);
    }
    // What is dead and merely not fetched by its parent yet runs no more.
    status(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// The processes below a process; none where the system does not tell.
fn descendants(root: u32) -> Vec<u32> {
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
async fn eventually(what: &str, patience: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < patience, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn saving(prompt: &str) -> Value {
    let mut body = ask(prompt);
    body["save"] = json!(true);
    body
}

async fn slow_model(stack: &Stack, first_token_ms: u64) {
    let mut script = reply(&FIVE);
    script["first_token_ms"] = json!(first_token_ms);
    stack.llm_script(script).await;
}

/// Makes a user's reservations as old as the moment at which they expire.
async fn expire_reservations(stack: &Stack, user: &User) {
    let statement = "update public.ai_sessions set created_at = created_at - interval '90 seconds'
        where user_id = $1 and status = 'timeout'";
    stack.sql(statement, &[&user.id]).await;
}

#[tokio::test]
async fn ctrl_c_leaves_no_process() {
    let place = Place::take().await;
    let mut running = place.start().await;
    assert!(running.pids.iter().all(|pid| is_alive(*pid)));
    assert_eq!(running.ctrl_c().await.code(), Some(0));
    place.assert_nothing_is_left(&running.pids).await;
}

#[tokio::test]
async fn a_part_that_dies_takes_the_whole_stack_down() {
    let place = Place::take().await;
    let mut running = place.start().await;
    signal("KILL", running.pid_of("functions"));
    assert!(!running.dev.ended().await.success());
    assert!(running.dev.errors().contains("functions ended"), "{}", running.dev.errors());
    place.assert_nothing_is_left(&running.pids).await;
}

/// Only Linux tells a process that its parent has died.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn kill_9_of_xtask_leaves_no_process() {
    let place = Place::take().await;
    let mut running = place.start().await;
    signal("KILL", running.dev.child.id());
    running.dev.ended().await;
    eventually("all are gone", PATIENCE, async || !running.pids.iter().any(|pid| is_alive(*pid))).await;
    // The ready file of the dead is not taken for that of the living, and nothing else is in the way.
    let mut again = place.start().await;
    assert_ne!(again.pid_of("postgres"), running.pid_of("postgres"));
    assert_eq!(again.ctrl_c().await.code(), Some(0));
}

#[tokio::test]
async fn killing_workerd_in_the_middle_charges_nothing_after_90_seconds() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    slow_model(&first.stack, 40_000).await;
    let body = saving("evening");
    let request = generation::request(&first.stack, &user, &body).header("accept", "text/event-stream");
    let stream = request.send().await.unwrap();
    assert_eq!(first.stack.ai_usage(&user).await["used"], 1);

    signal("KILL", first.pid_of("functions"));
    assert!(stream.bytes().await.is_err(), "a stream that broke off passes for a whole one");
    assert!(!first.dev.ended().await.success());
    place.assert_nothing_is_left(&first.pids).await;

    let second = place.start().await;
    let stack = &second.stack;
    assert_eq!(stack.ai_usage(&user).await["used"], 1, "the reservation is to live for 90 seconds");
    expire_reservations(stack, &user).await;
    stack.assert_untouched(&user, 0).await;
    let rows = stack.rows(Some(&user), "ai_sessions?select=status").await;
    assert_eq!(rows, [json!({"status": "timeout"})]);
}

#[tokio::test]
async fn data_persists() {
    let place = Place::take().await;
    let mut first = place.start().await;
    let user = first.stack.sign_up().await;
    slow_model(&first.stack, 1).await;
    let (status, done) = generation::json(&first.stack, &user, &saving("evening")).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(first.ctrl_c().await.code(), Some(0));

    // The token of the first run is good for the second.
    let second = place.start().await;
    let path = "playlists?select=id,name,playlist_tracks(track_uri)";
    let rows = second.stack.rows(Some(&user), path).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["id"], &rows[0]["name"]), (&done["playlist_id"], &done["name"]));
    assert_eq!(rows[0]["playlist_tracks"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn the_database_away_is_a_503() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 1).await;
    // At first the function has not fetched the keys yet, then it gets as far as to the quota.
    for used in 1..=2 {
        running.pause_supabase();
        let answer = generation::json(stack, &user, &ask("evening")).await;
        running.resume_supabase().await;
        assert_error(&answer, 503, "database_unavailable");
        let (status, done) = generation::json(stack, &user, &ask("evening")).await;
        assert_eq!(status, 200, "{done}");
        // The database may have reserved for the request that was told of no success.
        expire_reservations(stack, &user).await;
        assert_eq!(stack.ai_usage(&user).await["used"], used);
    }
}

#[tokio::test]
async fn a_playlist_that_the_database_did_not_confirm_is_not_delivered_and_not_lost() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 2_000).await;
    let (key, body) = (Uuid::new_v4().to_string(), saving("evening"));
    let request = generation::request(stack, &user, &body).header("idempotency-key", &key);
    let response = request.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    running.pause_supabase();
    let stream = generation::read(response).await;
    running.resume_supabase().await;
    assert_eq!(stream.last("error")["code"], "database_unavailable");
    assert_eq!(stream.all("track").len(), 5, "it was not the settling that failed");
    assert_eq!(stack.ai_usage(&user).await["used"], 1);

    // Its fate is open: what the database had received it may carry out late. A repeat finds out.
    eventually("a repeat answers the playlist", PATIENCE, async || {
        let (status, answer) = json_with_key(stack, &user, &body, &key).await;
        if status == 200 {
            assert_eq!((&answer["playlist_id"], &answer["count"]), (&json!(key), &json!(5)));
            return true;
        }
        assert_error(&(status, answer), 409, "generation_in_progress");
        expire_reservations(stack, &user).await;
        false
    })
    .await;
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    let (_, playlists) = stack.rest(Method::GET, "playlists?select=id", Some(&user), None).await;
    assert_eq!(playlists, json!([{"id": key}]));
}

#[tokio::test]
async fn a_success_that_the_database_learns_of_too_late_is_not_charged() {
    let place = Place::take().await;
    let running = place.start().await;
    let stack = &running.stack;
    let user = stack.sign_up().await;
    slow_model(stack, 2_000).await;
    let body = ask("evening");
    let request = generation::request(stack, &user, &body).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(stack.ai_usage(&user).await["used"], 1);
    running.pause_supabase();
    let stream = generation::read(response).await;
    running.resume_supabase().await;
    assert_eq!(stream.last("error")["code"], "database_unavailable");
    // Whether what the database had received is carried out late or never: it is no success.
    expire_reservations(stack, &user).await;
    assert_eq!(stack.ai_usage(&user).await["used"], 0);
    let rows = stack.rows(Some(&user), "ai_sessions?select=status").await;
    assert!(rows.len() == 1 && rows[0]["status"] != "succeeded", "{rows:?}");
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_line() {
    let place = Place::take().await;
    let _taken = TcpListener::bind(("127.0.0.1", place.ports_from + 2)).unwrap();
    let mut dev = place.dev("dev", place.ports_from);
    assert!(!dev.ended().await.success());
    let errors = dev.errors();
    assert!(errors.contains(&format!("port {} is in use", place.ports_from + 2)), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[tokio::test]
async fn a_second_dev_on_the_same_data_is_refused() {
    let place = Place::take().await;
    let mut running = place.start().await;
    let mut second = place.dev("second", free_ports());
    assert!(!second.ended().await.success());
    let expected = format!("process {} already runs a stack", running.dev.child.id());
    assert!(second.errors().contains(&expected), "{}", second.errors());
    assert_eq!(second.errors().lines().count(), 1, "{}", second.errors());
    running.stack.sign_up().await;
    assert_eq!(running.dev.child.try_wait().unwrap(), None);
}
