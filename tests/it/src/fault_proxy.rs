//! Something between a function and Supabase that fails now and then, before or behind the effect.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::dice::Dice;
use crate::wire::{Answer, Connection, Request};

const SILENCE: Duration = Duration::from_secs(30);

/// A proxy on this machine; it ends with this value.
pub struct FaultProxy {
    pub url: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    upstream: String,
    client: reqwest::Client,
    /// How many of a thousand requests fail.
    per_mille: AtomicU32,
    dice: Mutex<Dice>,
    seen: AtomicU64,
    failed: AtomicU64,
    /// What happens to the next so many requests whose path ends so.
    ordered: Mutex<Option<(&'static str, Fate, usize)>>,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Passes,
    /// Refused, and nothing has happened.
    Refused,
    /// It happens, and a gateway says that it did not.
    AnswerReplaced,
    /// The connection breaks, and nothing has happened.
    CutBefore,
    /// It happens, and the connection breaks.
    CutBehind,
    /// No answer, for longer than anybody waits.
    Silence,
}

impl FaultProxy {
    pub async fn start(upstream: &str, seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            client: reqwest::Client::new(),
            per_mille: AtomicU32::new(0),
            dice: Mutex::new(Dice::new(seed)),
            seen: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            ordered: Mutex::default(),
        });
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = shared.clone();
                tokio::spawn(async move {
                    let mut connection = BufReader::new(connection);
                    while exchange(&state, &mut connection).await.is_some() {}
                });
            }
        });
        Self { url, state, accepting }
    }

    /// From now on so many of a thousand requests fail.
    pub fn fail(&self, per_mille: u32) {
        self.state.per_mille.store(per_mille, Ordering::Relaxed);
    }

    /// What happens to the next so many requests whose path ends so.
    pub fn order(&self, path_end: &'static str, fate: Fate, times: usize) {
        *self.state.ordered.lock().unwrap() = Some((path_end, fate, times));
    }

    /// How many requests have come.
    pub fn seen(&self) -> u64 {
        self.state.seen.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> u64 {
        self.state.failed.load(Ordering::Relaxed)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    fn fate(&self, path: &str) -> Fate {
        self.seen.fetch_add(1, Ordering::Relaxed);
        if let Some((path_end, fate, times)) = self.ordered.lock().unwrap().as_mut()
            && path.ends_with(*path_end)
            && *times > 0
        {
            *times -= 1;
            return *fate;
        }
        let mixed = self.dice.lock().unwrap().next();
        if mixed % 1000 >= u64::from(self.per_mille.load(Ordering::Relaxed)) {
            return Fate::Passes;
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        match (mixed >> 32) % 4 {
            0 => Fate::Refused,
            1 => Fate::AnswerReplaced,
            2 => Fate::CutBefore,
            _ => Fate::CutBehind,
        }
    }
}

/// One request and its answer; `None` at the end of the connection.
async fn exchange(state: &State, connection: &mut Connection) -> Option<()> {
    let request = Request::read(connection).await?;
    let fate = state.fate(&request.path);
    match fate {
        Fate::CutBefore => return None,
        Fate::Refused => {
            let refusal = Answer::json(503, "{\"message\":\"no connection to the database\"}");
            return refusal.write(connection).await;
        }
        Fate::Silence => {
            tokio::time::sleep(SILENCE).await;
            return None;
        }
        Fate::Passes | Fate::AnswerReplaced | Fate::CutBehind => {}
    }
    let answer = request.forward(&state.client, &state.upstream).await?;
    match fate {
        Fate::CutBehind => None,
        Fate::AnswerReplaced => Answer::json(502, "<h1>Bad Gateway</h1>").write(connection).await,
        _ => answer.write(connection).await,
    }
}
