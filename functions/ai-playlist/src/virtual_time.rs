//! Virtual time, which passes only while all work waits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};

use futures_util::future::{FutureExt, LocalBoxFuture};
use shared::runtime::clock::Clock;

/// A clock that moves to the next timer when nothing else is left to do.
#[derive(Clone, Default)]
pub struct VirtualTime(Rc<State>);

#[derive(Default)]
struct State {
    now_ms: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    /// The number of timers so far, which orders those of one moment.
    set: Cell<u64>,
}

impl Clock for VirtualTime {
    fn now_ms(&self) -> u64 {
        self.0.now_ms.get()
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        let time = self.clone();
        let number = time.0.set.get();
        time.0.set.set(number + 1);
        let timer = (time.now_ms() + duration_ms, number);
        poll_fn(move |context| {
            if time.now_ms() >= timer.0 {
                return Poll::Ready(());
            }
            time.0
                .timers
                .borrow_mut()
                .insert(timer, context.waker().clone());
            Poll::Pending
        })
        .boxed_local()
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl VirtualTime {
    /// Advances the time.
    pub fn advance_ms(&self, by_ms: u64) {
        self.0.now_ms.set(self.now_ms() + by_ms);
    }

    /// Runs a future to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut context = std::task::Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    self.0.timers.borrow_mut().clear();
                    return output;
                }
            }
            let ((at_ms, _), waker) = self
                .0
                .timers
                .borrow_mut()
                .pop_first()
                .expect("something is waited for");
            self.0.now_ms.set(self.now_ms().max(at_ms));
            waker.wake();
        }
    }
}
