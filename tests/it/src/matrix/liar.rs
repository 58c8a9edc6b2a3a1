//! What stands between the functions of a lane and one of their upstreams: it passes on, or does what it was ordered to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::calls::{Call, JWKS, Upstream};
use super::faults::Fault;
use crate::own_stack::{PATIENCE, eventually};
use crate::wire::{Answer, Connection, Request};

/// What came by since it was last looked at, on a whole lane.
#[derive(Default)]
pub struct Seen {
    /// Whom, the method and the path.
    pub calls: Vec<(Upstream, String, String)>,
    /// What was shown to be let in.
    pub credentials: HashSet<String>,
}

pub struct Liar {
    pub url: String,
    port: u16,
    state: Arc<State>,
}

struct State {
    upstream: Upstream,
    behind: String,
    client: reqwest::Client,
    seen: Arc<Mutex<Seen>>,
    orders: Mutex<Orders>,
    accepting: Mutex<Option<AbortHandle>>,
    /// Connections end with the era that they were made in.
    era: watch::Sender<u64>,
}

#[derive(Default)]
struct Orders {
    strike: Option<(Call, Fault)>,
    struck: usize,
    /// What else is answered, so many times each.
    standing: Vec<(Call, Answer, usize)>,
    /// Behind so many requests nobody listens any more.
    closes_behind: Option<usize>,
    passed: usize,
}

enum Fate {
    Pass,
    Answer(Answer),
    Strike(Fault),
}

impl Liar {
    pub async fn start(upstream: Upstream, behind: &str, port: u16, seen: Arc<Mutex<Seen>>) -> Self {
        let state = Arc::new(State {
            upstream,
            behind: behind.to_owned(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            seen,
            orders: Mutex::default(),
            accepting: Mutex::default(),
            era: watch::Sender::new(0),
        });
        let liar = Self { url: format!("http://127.0.0.1:{port}"), port, state };
        liar.open().await;
        liar
    }

    /// From now on this call meets that fault; of its upstream, `before` requests come before it.
    pub async fn strike(&self, call: Call, fault: Fault, before: usize) {
        let is_closed = {
            let mut orders = self.state.orders.lock().unwrap();
            (orders.struck, orders.passed) = (0, 0);
            match fault {
                Fault::Refused => orders.closes_behind = Some(before),
                fault => orders.strike = Some((call, fault)),
            }
            orders.closes_behind == Some(0)
        };
        if is_closed {
            self.state.close();
            let is_refused = async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err();
            eventually("nobody listens", PATIENCE, is_refused).await;
        }
    }

    /// From now on this call is answered so, this often.
    pub fn answer(&self, call: Call, answer: Answer, times: usize) {
        self.state.orders.lock().unwrap().standing.push((call, answer, times));
    }

    /// Passes everything on again; answers how often the fault was met.
    pub async fn lift(&self) -> usize {
        let orders = std::mem::take(&mut *self.state.orders.lock().unwrap());
        if self.state.accepting.lock().unwrap().is_none() {
            self.open().await;
            return 1;
        }
        orders.struck
    }

    async fn open(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let state = self.state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(state.clone(), connection));
            }
        });
        *self.state.accepting.lock().unwrap() = Some(accepting.abort_handle());
    }
}

impl Drop for Liar {
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
    /// Nobody listens any more, and all connections end.
    fn close(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
        }
        self.era.send_modify(|era| *era += 1);
    }

    /// Says that the connection is of no further use: one that a fault has ended would be found out only by the next call
    /// on it, which may be another cell's. Where the answer comes twice, what the next call finds is the point.
    fn ending(&self, answer: Answer) -> Answer {
        let is_twice = matches!(self.orders.lock().unwrap().strike, Some((_, Fault::AnsweredTwice)));
        if is_twice { answer } else { answer.with("connection", "close") }
    }

    fn note(&self, request: &Request) {
        let mut seen = self.seen.lock().unwrap();
        let path = request.path.split('?').next().unwrap().to_owned();
        seen.calls.push((self.upstream, request.method.to_string(), path));
        let credentials = request.headers.iter().filter(|(name, _)| name == "authorization");
        let bare = |value: &str| value.rsplit(' ').next().unwrap().to_owned();
        seen.credentials.extend(credentials.map(|(_, value)| bare(value)));
    }

    fn fate(&self, request: &Request) -> Fate {
        let mut orders = self.orders.lock().unwrap();
        let fits = |call: &Call| call.fits(self.upstream, request.method.as_str(), &request.path);
        if let Some((_, answer, times)) =
            orders.standing.iter_mut().find(|(call, _, times)| fits(call) && *times > 0)
        {
            *times -= 1;
            return Fate::Answer(answer.clone());
        }
        match orders.strike {
            Some((call, Fault::FailsOnce)) if fits(&call) && orders.struck > 0 => Fate::Pass,
            Some((call, fault)) if fits(&call) => {
                orders.struck += 1;
                Fate::Strike(fault)
            }
            _ => Fate::Pass,
        }
    }

    /// One request and its answer; `None` at the end of the connection.
    async fn exchange(&self, connection: &mut Connection) -> Option<()> {
        let request = Request::read(connection).await?;
        self.note(&request);
        let counts = !JWKS.fits(self.upstream, request.method.as_str(), &request.path);
        let done = match self.fate(&request) {
            Fate::Answer(answer) => self.ending(answer).write(connection).await,
            Fate::Pass => {
                let answer = request.forward(&self.client, &self.behind).await?;
                self.ending(answer).write(connection).await
            }
            Fate::Strike(fault) => {
                let real = match fault.is_carried_out() {
                    true => self.ending(request.forward(&self.client, &self.behind).await?),
                    false => self.ending(Answer::default()),
                };
                fault.strike(connection, real).await
            }
        };
        let mut orders = self.orders.lock().unwrap();
        orders.passed += usize::from(counts);
        if orders.closes_behind == Some(orders.passed) {
            drop(orders);
            self.close();
        }
        done
    }
}
