//! Values that outlive a request, kept until they expire.

use std::cell::{Cell, RefCell};
use std::future::Future;

use crate::runtime::clock::Clock;

/// One cached value with its expiry.
///
/// It holds plain data, never a future: on Workers a request must not await a promise of another request. So two
/// requests that miss at the same time both fetch.
#[derive(Debug)]
pub struct Cached<T>(RefCell<Option<(T, u64)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T: Clone> Cached<T> {
    /// Returns the value, unless it has expired at `now_ms` (Unix time in milliseconds).
    pub fn get(&self, now_ms: u64) -> Option<T> {
        let slot = self.0.borrow();
        slot.as_ref()
            .filter(|(_, expires_at_ms)| *expires_at_ms > now_ms)
            .map(|(value, _)| value.clone())
    }

    /// Stores `value` until `expires_at_ms` (Unix time in milliseconds).
    pub fn put(&self, value: T, expires_at_ms: u64) {
        *self.0.borrow_mut() = Some((value, expires_at_ms));
    }

    /// Removes the value.
    pub fn clear(&self) {
        *self.0.borrow_mut() = None;
    }
}

/// The interval at which a waiting request checks for the value.
const WAIT_MS: u64 = 25;

/// A cached value that one request computes while the others wait.
#[derive(Debug)]
pub struct Once<T> {
    value: Cached<T>,
    made_since_ms: Cell<Option<u64>>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self {
            value: Cached::default(),
            made_since_ms: Cell::default(),
        }
    }
}

impl<T: Clone> Once<T> {
    /// Returns the value; computes it with `make` unless it is younger than `lifetime_ms`.
    ///
    /// The other requests poll for it with timers of their own, because on Workers they must not await another request's
    /// promise. After `longest_ms` one of them computes it, because the first request may have been aborted.
    pub async fn get_or(
        &self,
        clock: &dyn Clock,
        lifetime_ms: u64,
        longest_ms: u64,
        make: impl Future<Output = T>,
    ) -> T {
        loop {
            let now_ms = clock.now_ms();
            if let Some(value) = self.value.get(now_ms) {
                return value;
            }
            if self
                .made_since_ms
                .get()
                .is_none_or(|since_ms| now_ms.saturating_sub(since_ms) >= longest_ms)
            {
                self.made_since_ms.set(Some(now_ms));
                break;
            }
            clock.sleep_ms(WAIT_MS).await;
        }
        let value = make.await;
        self.value.put(value.clone(), clock.now_ms() + lifetime_ms);
        self.made_since_ms.set(None);
        value
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::fakes::SharedClock;

    #[test]
    fn recomputes_a_value_after_expiry_or_abort() {
        let (once, clock, made) = (Once::default(), SharedClock::at_ms(1), Cell::new(0));
        let ask = || {
            let make = async {
                clock.sleep_ms(300).await;
                made.set(made.get() + 1);
                made.get()
            };
            Box::pin(once.get_or(&clock, 5_000, 1_000, make))
        };
        assert_eq!(ask().now_or_never(), None, "its maker is gone");
        assert_eq!(clock.run((0..100).map(|_| ask()).collect()), [1; 100]);
        clock.advance_ms(4_900);
        assert_eq!(clock.run(vec![ask()]), [1]);
        clock.advance_ms(200);
        assert_eq!(clock.run(vec![ask(), ask()]), [2, 2]);
    }

    #[test]
    fn value_expires() {
        let cache = Cached::default();
        assert_eq!(cache.get(0), None);
        cache.put("token", 1_000);
        assert_eq!(cache.get(999), Some("token"));
        assert_eq!(cache.get(1_000), None);
    }

    #[test]
    fn cleared_value_is_removed() {
        let cache = Cached::default();
        cache.put(1, u64::MAX);
        cache.clear();
        assert_eq!(cache.get(0), None);
    }
}
