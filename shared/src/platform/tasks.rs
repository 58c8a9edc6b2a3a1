//! What is under way in this instance: futures, and what they wait for outside.
//!
//! Whatever the runtime calls back for is polled right there, in its own turn: a queue of microtasks, as general executors
//! have it, costs as much again as the call. Every task belongs to one request and waits for nothing of another's.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::LocalBoxFuture;
use wasm_bindgen::prelude::Closure;

use super::{glue, lines};
use crate::headers::COMMON;
use crate::http_client::READ_HEADERS;

#[derive(Default)]
struct Tasks {
    under_way: RefCell<BTreeMap<u32, (LocalBoxFuture<'static, ()>, Waker)>>,
    woken: RefCell<VecDeque<u32>>,
    is_polling: Cell<bool>,
    tickets: RefCell<BTreeMap<u32, Rc<Ticket>>>,
    last_number: Cell<u32>,
}

thread_local! {
    static TASKS: Tasks = Tasks::connected();
}

struct Woken(u32);

impl Wake for Woken {
    /// Not polled here: whoever wakes may hold a lock, which what is woken takes too.
    fn wake(self: Arc<Self>) {
        TASKS.with(|tasks| tasks.woken.borrow_mut().push_back(self.0));
    }
}

impl Tasks {
    fn connected() -> Self {
        let names = READ_HEADERS.map(|name| name.to_string()).join("\n");
        let resume = Closure::<dyn Fn(u32, u32)>::new(|ticket, outcome| {
            let ticket = TASKS.with(|tasks| tasks.tickets.borrow_mut().remove(&ticket));
            // None where nobody waits for it any more.
            if let Some(ticket) = ticket {
                ticket.settle(outcome);
                TASKS.with(Tasks::poll);
            }
        });
        let common = lines(&COMMON.into_iter().collect());
        glue::connect(&resume, &names, &common);
        resume.forget(); // It lives as long as the instance.
        Self::default()
    }

    fn number(&self) -> u32 {
        let number = self.last_number.get().wrapping_add(1);
        self.last_number.set(number);
        number
    }

    /// Polls what is woken, and what that wakes; all that wakes from outside comes through a ticket.
    fn poll(&self) {
        if self.is_polling.replace(true) {
            return;
        }
        while let Some(number) = self.next_woken() {
            let Some((mut task, waker)) = self.under_way.borrow_mut().remove(&number) else { continue };
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                self.under_way.borrow_mut().insert(number, (task, waker));
            }
        }
        self.is_polling.set(false);
    }

    fn next_woken(&self) -> Option<u32> {
        self.woken.borrow_mut().pop_front()
    }
}

/// Runs `work` to its end, beginning at once.
pub fn spawn(work: LocalBoxFuture<'static, ()>) {
    TASKS.with(|tasks| {
        let number = tasks.number();
        let waker = Waker::from(Arc::new(Woken(number)));
        tasks.under_way.borrow_mut().insert(number, (work, waker));
        tasks.woken.borrow_mut().push_back(number);
        tasks.poll();
    });
}

/// A number that no other ticket of this instance has; for what is not waited for here.
pub fn number() -> u32 {
    TASKS.with(Tasks::number)
}

#[derive(Default)]
struct Ticket {
    outcome: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
}

impl Ticket {
    fn settle(&self, outcome: u32) {
        self.outcome.set(Some(outcome));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Waits for something outside, which is given [`Waiting::number`] and settles it.
pub struct Waiting {
    number: u32,
    ticket: Rc<Ticket>,
}

impl Waiting {
    pub fn new() -> Self {
        TASKS.with(|tasks| {
            let (number, ticket) = (tasks.number(), Rc::<Ticket>::default());
            tasks.tickets.borrow_mut().insert(number, ticket.clone());
            Self { number, ticket }
        })
    }

    pub fn number(&self) -> u32 {
        self.number
    }
}

impl Future for Waiting {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        match self.ticket.outcome.get() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                self.ticket.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        TASKS.with(|tasks| tasks.tickets.borrow_mut().remove(&self.number));
    }
}
