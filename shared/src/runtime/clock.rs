//! Time, passed in so that tests control it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

/// The only source of time.
pub trait Clock {
    /// Returns the milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Completes after `duration_ms` milliseconds.
    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()>;

    /// Returns the seconds since the Unix epoch.
    fn now_seconds(&self) -> u64 {
        self.now_ms() / 1000
    }
}

impl<T: Clock + ?Sized> Clock for Rc<T> {
    fn now_ms(&self) -> u64 {
        self.as_ref().now_ms()
    }

    fn sleep_ms(&self, duration_ms: u64) -> LocalBoxFuture<'static, ()> {
        self.as_ref().sleep_ms(duration_ms)
    }
}
