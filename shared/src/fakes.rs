//! Fakes of the runtime's traits that record their calls.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

use crate::runtime::clock::Clock;
use crate::runtime::context::RequestContext;
use crate::runtime::endpoint::Endpoint;
use crate::runtime::http_client::{
    HttpClient, HttpError, InboundResponse, OutboundRequest, ResponseFuture,
};
use crate::runtime::log::{Level, Log};
use crate::runtime::random::Random;

/// A response of a [`FakeHttp`].
#[derive(Clone)]
pub enum FakeResponse {
    /// A response with a body in chunks; the last item may be the error that ends it early.
    Response(StatusCode, HeaderMap, Vec<Result<Bytes, HttpError>>),
    /// An error instead of a response.
    Error(HttpError),
    /// A response that never arrives.
    Silence,
    /// A response that arrives after all other ready work.
    Late(Box<FakeResponse>),
    /// A response whose connection stays open after its last chunk.
    Open(Box<FakeResponse>),
}

impl FakeResponse {
    /// Creates a response with a JSON document.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    /// Creates a response with a text of any type.
    pub fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        let status = StatusCode::from_u16(status).unwrap();
        Self::Response(
            status,
            headers,
            vec![Ok(Bytes::copy_from_slice(body.as_bytes()))],
        )
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Self::Response(_, headers, _) = &mut self {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        self
    }
}

impl FakeResponse {
    /// Keeps the connection open after the last chunk.
    #[must_use]
    pub fn staying_open(self) -> Self {
        Self::Open(Box::new(self))
    }
}

type Responder = dyn Fn(&OutboundRequest) -> FakeResponse;

/// An HTTP client that responds from a queue, then by a function, and records every request.
#[derive(Clone)]
pub struct FakeHttp {
    queue: Rc<RefCell<VecDeque<FakeResponse>>>,
    otherwise: Rc<Responder>,
    requests: Rc<RefCell<Vec<OutboundRequest>>>,
}

impl FakeHttp {
    /// Returns one of `answers` for each request; then every request fails with [`HttpError::Network`].
    pub fn answering(answers: impl IntoIterator<Item = FakeResponse>) -> Self {
        let fake = Self::responding(|_| FakeResponse::Error(HttpError::Network));
        fake.queue.borrow_mut().extend(answers);
        fake
    }

    /// Returns the result of `responder` for each request.
    pub fn responding(responder: impl Fn(&OutboundRequest) -> FakeResponse + 'static) -> Self {
        Self {
            queue: Rc::default(),
            otherwise: Rc::new(responder),
            requests: Rc::default(),
        }
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<OutboundRequest> {
        self.requests.borrow().clone()
    }
}

/// Yields once, so that other ready work runs first.
async fn give_way() {
    let mut has_waited = false;
    let wait = std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    wait.await;
}

impl HttpClient for FakeHttp {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            self.requests.borrow_mut().push(request.clone());
            let queued = self.queue.borrow_mut().pop_front();
            self.give(queued.unwrap_or_else(|| (self.otherwise)(&request)))
                .await
        }
        .boxed_local()
    }
}

impl FakeHttp {
    async fn give(&self, answer: FakeResponse) -> Result<InboundResponse, HttpError> {
        match answer {
            FakeResponse::Late(answer) => {
                give_way().await;
                Box::pin(self.give(*answer)).await
            }
            FakeResponse::Open(answer) => {
                let answer = Box::pin(self.give(*answer)).await?;
                let body = Box::pin(answer.body.chain(stream::pending()));
                Ok(InboundResponse { body, ..answer })
            }
            FakeResponse::Error(error) => Err(error),
            FakeResponse::Silence => std::future::pending().await,
            FakeResponse::Response(status, headers, chunks) => Ok(InboundResponse {
                status,
                headers,
                body: Box::pin(stream::iter(chunks)),
            }),
        }
    }
}

/// A clock that only tests advance; a sleep never ends unless `sleeps_end` is set.
#[derive(Clone, Default)]
pub struct FakeClock {
    now_ms: Rc<Cell<u64>>,
    sleeps_end: Rc<Cell<bool>>,
}

impl FakeClock {
    /// Creates a clock at `now_ms` (Unix time in milliseconds).
    pub fn at_ms(now_ms: u64) -> Self {
        let clock = Self::default();
        clock.now_ms.set(now_ms);
        clock
    }

    /// Creates a clock on which every sleep ends at once and advances the time.
    pub fn hurrying(now_ms: u64) -> Self {
        let clock = Self::at_ms(now_ms);
        clock.sleeps_end.set(true);
        clock
    }

    /// Advances the time.
    pub fn advance_ms(&self, by_ms: u64) {
        self.now_ms.set(self.now_ms.get() + by_ms);
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        let clock = self.clone();
        let ends_ms = self.now_ms.get() + duration_ms;
        async move {
            if clock.sleeps_end.get() {
                clock.advance_ms(duration_ms);
            }
            // Never woken: the tests poll by themselves.
            poll_fn(|_| {
                if clock.now_ms.get() < ends_ms {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
        }
        .boxed_local()
    }
}

/// A clock for several tasks: when all of them sleep, it advances to the earliest wake-up.
#[derive(Clone, Default)]
pub struct SharedClock {
    now_ms: Rc<Cell<u64>>,
    wake_ms: Rc<Cell<u64>>,
}

impl SharedClock {
    /// Creates a clock at `now_ms` (Unix time in milliseconds).
    pub fn at_ms(now_ms: u64) -> Self {
        let clock = Self::default();
        clock.now_ms.set(now_ms);
        clock
    }

    /// Advances the time.
    pub fn advance_ms(&self, by_ms: u64) {
        self.now_ms.set(self.now_ms.get() + by_ms);
    }

    /// Runs the tasks to completion; returns their results in the order of the tasks.
    pub fn run<T>(&self, tasks: Vec<impl Future<Output = T> + Unpin>) -> Vec<T> {
        let mut context = Context::from_waker(Waker::noop());
        let mut tasks: Vec<_> = tasks
            .into_iter()
            .map(futures_util::future::maybe_done)
            .collect();
        loop {
            self.wake_ms.set(u64::MAX);
            let pending = tasks
                .iter_mut()
                .filter_map(|task| task.poll_unpin(&mut context).is_pending().then_some(()))
                .count();
            if pending == 0 {
                return tasks
                    .iter_mut()
                    .map(|task| Pin::new(task).take_output().unwrap())
                    .collect();
            }
            if self.wake_ms.get() != u64::MAX {
                self.now_ms.set(self.wake_ms.get());
            }
        }
    }
}

impl Clock for SharedClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        let clock = self.clone();
        let until_ms = clock.now_ms() + duration_ms;
        poll_fn(move |_| {
            if clock.now_ms() >= until_ms {
                return Poll::Ready(());
            }
            clock.wake_ms.set(clock.wake_ms.get().min(until_ms));
            Poll::Pending
        })
        .boxed_local()
    }
}

/// A random generator that counts up.
#[derive(Clone, Default)]
pub struct FakeRandom(Rc<Cell<u8>>);

impl Random for FakeRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.set(self.0.get().wrapping_add(1));
        bytes.fill(self.0.get());
    }
}

/// A log that keeps its lines.
#[derive(Clone, Default)]
pub struct FakeLog(Rc<RefCell<Vec<String>>>);

impl FakeLog {
    /// Returns the lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Log for FakeLog {
    fn write(&self, _level: Level, line: &str) {
        self.0.borrow_mut().push(line.to_owned());
    }
}

const FAKE_ENDPOINT: Endpoint = Endpoint {
    name: "fake",
    routes: &[("/", "GET, POST")],
    max_body_bytes: 1024,
    has_database: false,
    serves_pages: false,
};

/// Returns the context of a request to an empty function, and its log.
pub fn fake_request() -> (RequestContext, FakeLog) {
    let log = FakeLog::default();
    let request = RequestContext::new(
        FAKE_ENDPOINT,
        &Method::POST,
        Uuid::nil(),
        0,
        Rc::new(log.clone()),
    );
    (request, log)
}

/// Returns a handler's context for tests: the client never disconnects, and no work outlives the response.
pub fn fake_context<Config, Caches: Default>(
    http: &FakeHttp,
    clock: &FakeClock,
    config: Config,
) -> (crate::runtime::Context<Config, Caches>, FakeLog) {
    let (request, log) = fake_request();
    let context = crate::runtime::Context {
        http: Rc::new(http.clone()),
        clock: Rc::new(clock.clone()),
        random: Rc::new(FakeRandom::default()),
        config: Rc::new(config),
        caches: Rc::default(),
        spawn: Rc::new(drop),
        client_gone: Rc::new(|| std::future::pending().boxed_local()),
        request,
    };
    (context, log)
}
