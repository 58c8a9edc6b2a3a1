//! A proxy between a function and a service. It passes requests on, or does what its test decides for each of them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::faults::Fault;
use crate::own_stack::{PATIENCE, eventually};
use crate::wire::{Answer, Connection, Request};

/// What happens to one request.
pub enum Fate {
    Pass,
    /// It passes, and afterwards the proxy listens no more.
    PassAndClose,
    Answer(Answer),
    Fault(Fault),
}

type Decide = Box<dyn FnMut(&Request) -> Fate + Send>;

/// A proxy on this machine; it ends with this value.
pub struct FaultProxy {
    pub url: String,
    port: u16,
    state: Arc<State>,
}

struct State {
    upstream: String,
    client: reqwest::Client,
    decide: Mutex<Decide>,
    keeps_alive: AtomicBool,
    seen: AtomicU64,
    accepting: Mutex<Option<AbortHandle>>,
    /// Connections end with the era in which they were made.
    era: watch::Sender<u64>,
}

impl FaultProxy {
    /// A proxy that passes everything on; port 0 is any free one.
    pub async fn start(upstream: &str, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            decide: Mutex::new(Box::new(|_| Fate::Pass)),
            keeps_alive: AtomicBool::new(true),
            seen: AtomicU64::new(0),
            accepting: Mutex::default(),
            era: watch::Sender::new(0),
        });
        let proxy = Self { url: format!("http://127.0.0.1:{port}"), port, state };
        proxy.accept(listener);
        proxy
    }

    /// From now on `decide` is asked about every request.
    pub fn decide(&self, decide: impl FnMut(&Request) -> Fate + Send + 'static) {
        *self.state.decide.lock().unwrap() = Box::new(decide);
    }

    /// Whether connections are used again. Where they are not, a fault on one is found by no later request.
    pub fn keep_alive(&self, keeps_alive: bool) {
        self.state.keeps_alive.store(keeps_alive, Ordering::Relaxed);
    }

    /// How many requests have come.
    pub fn seen(&self) -> u64 {
        self.state.seen.load(Ordering::Relaxed)
    }

    /// Stops listening; returns once connections are refused.
    pub async fn close(&self) {
        self.state.close();
        let is_refused = async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err();
        eventually("connections are refused", PATIENCE, is_refused).await;
    }

    /// Listens again; returns whether it did not before.
    pub async fn open(&self) -> bool {
        let is_closed = self.state.accepting.lock().unwrap().is_none();
        if is_closed {
            self.accept(TcpListener::bind(("127.0.0.1", self.port)).await.unwrap());
        }
        is_closed
    }

    fn accept(&self, listener: TcpListener) {
        let state = self.state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(state.clone(), connection));
            }
        });
        *self.state.accepting.lock().unwrap() = Some(accepting.abort_handle());
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.close();
    }
}

async fn serve(state: Arc<State>, connection: TcpStream) {
    let mut era = state.era.subscribe();
    let mut connection = BufReader::new(connection);
    let serving = async { while state.exchange(&mut connection).await.is_some() {} };
    tokio::select! {
        () = serving => {}
        _ = era.changed() => {}
    }
}

impl State {
    fn close(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
        }
        self.era.send_modify(|era| *era += 1);
    }

    fn ending(&self, answer: Answer) -> Answer {
        let keeps_alive = self.keeps_alive.load(Ordering::Relaxed);
        if keeps_alive { answer } else { answer.with("connection", "close") }
    }

    /// One request and its answer; `None` at the end of the connection.
    async fn exchange(&self, connection: &mut Connection) -> Option<()> {
        let request = Request::read(connection).await?;
        self.seen.fetch_add(1, Ordering::Relaxed);
        let fate = (self.decide.lock().unwrap())(&request);
        let is_last = matches!(fate, Fate::PassAndClose);
        let real = match fate {
            Fate::Answer(answer) => return self.ending(answer).write(connection).await,
            Fate::Fault(fault) if !fault.is_carried_out() => {
                return fault.strike(connection, self.ending(Answer::default())).await;
            }
            _ => self.ending(request.forward(&self.client, &self.upstream).await?),
        };
        let done = match fate {
            Fate::Fault(fault) => fault.strike(connection, real).await,
            _ => real.write(connection).await,
        };
        if is_last {
            self.close();
        }
        done
    }
}
