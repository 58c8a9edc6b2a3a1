//! A proxy between a function and a service that forwards requests or injects faults.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::faults::Fault;
use crate::own_stack::eventually;
use crate::stack::client;
use crate::wire::{Connection, Request, Response};

pub enum Action {
    Pass,
    PassAndClose,
    Respond(Response),
    Inject(Fault),
}

type Decide = Box<dyn FnMut(&Request) -> Action + Send>;

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
    closed: watch::Sender<()>,
}

impl FaultProxy {
    pub async fn start(upstream: &str, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            client: client(),
            decide: Mutex::new(Box::new(|_| Action::Pass)),
            keeps_alive: AtomicBool::new(true),
            seen: AtomicU64::new(0),
            accepting: Mutex::default(),
            closed: watch::Sender::new(()),
        });
        let proxy = Self { url: format!("http://127.0.0.1:{port}"), port, state };
        proxy.accept(listener);
        proxy
    }

    pub fn decide(&self, decide: impl FnMut(&Request) -> Action + Send + 'static) {
        *self.state.decide.lock().unwrap() = Box::new(decide);
    }

    /// Whether connections are reused. Without reuse a fault affects only its own request.
    pub fn keep_alive(&self, keeps_alive: bool) {
        self.state.keeps_alive.store(keeps_alive, Ordering::Relaxed);
    }

    pub fn seen(&self) -> u64 {
        self.state.seen.load(Ordering::Relaxed)
    }

    pub async fn close(&self) {
        self.state.close();
        let is_refused = async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err();
        eventually("connections are refused", is_refused).await;
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
                let (state, mut closed) = (state.clone(), state.closed.subscribe());
                tokio::spawn(async move {
                    let mut connection = BufReader::new(connection);
                    tokio::select! {
                        () = async { while state.exchange(&mut connection).await.is_some() {} } => {}
                        _ = closed.changed() => {}
                    }
                });
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

impl State {
    fn close(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
        }
        self.closed.send_replace(());
    }

    fn ending(&self, response: Response) -> Response {
        let keeps_alive = self.keeps_alive.load(Ordering::Relaxed);
        if keeps_alive { response } else { response.with("connection", "close") }
    }

    async fn forward(&self, request: Request) -> Option<Response> {
        Some(self.ending(request.forward(&self.client, &self.upstream).await?))
    }

    /// One request and its response; `None` at the end of the connection.
    async fn exchange(&self, connection: &mut Connection) -> Option<()> {
        let request = Request::read(connection).await?;
        self.seen.fetch_add(1, Ordering::Relaxed);
        let action = (self.decide.lock().unwrap())(&request);
        match action {
            Action::Respond(response) => self.ending(response).write(connection).await,
            Action::Inject(fault) if !fault.is_carried_out() => {
                fault.inject(connection, self.ending(Response::default())).await
            }
            Action::Inject(fault) => fault.inject(connection, self.forward(request).await?).await,
            Action::Pass => self.forward(request).await?.write(connection).await,
            Action::PassAndClose => {
                let done = self.forward(request).await?.write(connection).await;
                self.close();
                done
            }
        }
    }
}
