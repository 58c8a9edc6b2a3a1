//! Time, as handed to whoever needs it.

use std::future::Future;

/// The only source of time.
pub trait Clock {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Completes after `duration_ms` milliseconds.
    fn sleep_ms(&self, duration_ms: u64) -> impl Future<Output = ()> + 'static;

    /// Seconds since the Unix epoch.
    fn now_seconds(&self) -> u64 {
        self.now_ms() / 1000
    }
}
