//! A value kept until it expires.

use std::cell::RefCell;

/// One cached value with its expiry.
///
/// Holds finished results only (plain data): on Workers a promise of one request must never be
/// awaited by another, so two requests that both miss both fetch.
#[derive(Debug)]
pub struct Cached<T>(RefCell<Option<(T, u64)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T: Clone> Cached<T> {
    /// The value, unless there is none or it expired at or before `now_ms`.
    pub fn get(&self, now_ms: u64) -> Option<T> {
        let slot = self.0.borrow();
        slot.as_ref().filter(|(_, expires_at_ms)| *expires_at_ms > now_ms).map(|(value, _)| value.clone())
    }

    /// Keeps `value` until `expires_at_ms`.
    pub fn put(&self, value: T, expires_at_ms: u64) {
        *self.0.borrow_mut() = Some((value, expires_at_ms));
    }

    /// Forgets the value.
    pub fn clear(&self) {
        *self.0.borrow_mut() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_gone_at_its_expiry() {
        let cache = Cached::default();
        assert_eq!(cache.get(0), None);
        cache.put("token", 1_000);
        assert_eq!(cache.get(999), Some("token"));
        assert_eq!(cache.get(1_000), None);
    }

    #[test]
    fn a_cleared_value_is_gone() {
        let cache = Cached::default();
        cache.put(1, u64::MAX);
        cache.clear();
        assert_eq!(cache.get(0), None);
    }
}
