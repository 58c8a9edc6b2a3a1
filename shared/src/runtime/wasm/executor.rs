//! Runs futures on the runtime's event loop.
//!
//! A callback of the runtime polls the task that it completes at once. General executors queue a microtask instead, which
//! costs as much as the call itself. A task belongs to one request and never waits for another request.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::LocalBoxFuture;
use http::HeaderName;
use wasm_bindgen::prelude::Closure;

use super::{glue, lines};
use crate::runtime::headers::COMMON;
use crate::runtime::http_client::RESPONSE_HEADERS;

#[derive(Default)]
struct Executor {
    tasks: ById<(LocalBoxFuture<'static, ()>, Waker)>,
    ready: RefCell<VecDeque<u32>>,
    is_polling: Cell<bool>,
    completions: ById<Rc<Completion>>,
    last_id: Cell<u32>,
}

/// Waiting tasks or completions by their id. An instance has few requests at once, and each map type would add 8 KB to
/// every function.
struct ById<T>(RefCell<Vec<(u32, T)>>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> ById<T> {
    fn insert(&self, id: u32, value: T) {
        self.0.borrow_mut().push((id, value));
    }

    fn remove(&self, id: u32) -> Option<T> {
        let mut entries = self.0.borrow_mut();
        let at = entries.iter().position(|(known, _)| *known == id)?;
        Some(entries.swap_remove(at).1)
    }
}

thread_local! {
    static EXECUTOR: Executor = Executor::connected();
}

struct TaskWaker(u32);

impl Wake for TaskWaker {
    /// Defers polling: polling inside `wake` could re-enter a held lock.
    fn wake(self: Arc<Self>) {
        EXECUTOR.with(|executor| executor.ready.borrow_mut().push_back(self.0));
    }
}

impl Executor {
    fn connected() -> Self {
        let resume = Closure::<dyn Fn(u32, u32)>::new(|id, outcome| {
            let completion = EXECUTOR.with(|executor| executor.completions.remove(id));
            // `None` if the future was dropped.
            if let Some(completion) = completion {
                completion.complete(outcome);
                EXECUTOR.with(Executor::poll);
            }
        });
        let common = lines(&COMMON.into_iter().collect());
        glue::connect(&resume, &names(&RESPONSE_HEADERS), &common);
        resume.forget(); // It lives as long as the instance.
        Self::default()
    }

    fn next_id(&self) -> u32 {
        let id = self.last_id.get().wrapping_add(1);
        self.last_id.set(id);
        id
    }

    /// Polls all tasks that are ready, and those that become ready meanwhile.
    fn poll(&self) {
        if self.is_polling.replace(true) {
            return;
        }
        while let Some(id) = self.next_ready() {
            let Some((mut task, waker)) = self.tasks.remove(id) else {
                continue;
            };
            if task
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
            {
                self.tasks.insert(id, (task, waker));
            }
        }
        self.is_polling.set(false);
    }

    fn next_ready(&self) -> Option<u32> {
        self.ready.borrow_mut().pop_front()
    }
}

/// Writes each name on a line.
pub fn names(headers: &[HeaderName]) -> String {
    let mut names = String::new();
    for name in headers {
        names.push_str(name.as_str());
        names.push('\n');
    }
    names
}

/// Connects this instance to the glue, which the first task would otherwise do.
pub fn connect() {
    EXECUTOR.with(|_| ());
}

/// Starts a task and polls it for the first time.
pub fn spawn(work: LocalBoxFuture<'static, ()>) {
    EXECUTOR.with(|executor| {
        let id = executor.next_id();
        let waker = Waker::from(Arc::new(TaskWaker(id)));
        executor.tasks.insert(id, (work, waker));
        executor.ready.borrow_mut().push_back(id);
        executor.poll();
    });
}

/// Returns an id that is unique in this instance, for a JavaScript promise that Rust resolves.
pub fn next_id() -> u32 {
    EXECUTOR.with(Executor::next_id)
}

#[derive(Default)]
struct Completion {
    outcome: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
}

impl Completion {
    fn complete(&self, outcome: u32) {
        self.outcome.set(Some(outcome));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A future that JavaScript completes: it calls `resume` with [`JsFuture::id`] and an outcome.
pub struct JsFuture {
    id: u32,
    completion: Rc<Completion>,
}

impl JsFuture {
    pub fn new() -> Self {
        EXECUTOR.with(|executor| {
            let (id, completion) = (executor.next_id(), Rc::<Completion>::default());
            executor.completions.insert(id, completion.clone());
            Self { id, completion }
        })
    }

    pub fn id(&self) -> u32 {
        self.id
    }
}

impl Future for JsFuture {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        match self.completion.outcome.get() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                self.completion.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for JsFuture {
    fn drop(&mut self) {
        EXECUTOR.with(|executor| executor.completions.remove(self.id));
    }
}
