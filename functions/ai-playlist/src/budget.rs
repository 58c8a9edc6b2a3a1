//! Counts the outbound requests of an invocation.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::FutureExt;
use shared::runtime::http_client::{HttpClient, HttpError, OutboundRequest, ResponseFuture};

/// Limits the number of requests to the platform's limit.
///
/// A clone made by [`Budgeted::keeping`] stops earlier, so that later steps can still send theirs.
#[derive(Clone)]
pub struct Budgeted {
    inner: Rc<dyn HttpClient>,
    remaining: Rc<Cell<usize>>,
    keep: usize,
}

impl Budgeted {
    /// Allows at most `limit` requests.
    pub fn new(inner: Rc<dyn HttpClient>, limit: usize) -> Self {
        Self {
            inner,
            remaining: Rc::new(Cell::new(limit)),
            keep: 0,
        }
    }

    /// Returns a clone with the same budget that leaves the last `keep` requests unspent.
    pub fn keeping(&self, keep: usize) -> Self {
        Self {
            keep,
            ..self.clone()
        }
    }

    /// Returns how many requests can still be sent here.
    pub fn available(&self) -> usize {
        self.remaining.get().saturating_sub(self.keep)
    }
}

impl HttpClient for Budgeted {
    fn send(&self, request: OutboundRequest) -> ResponseFuture<'_> {
        async move {
            if self.available() == 0 {
                return Err(HttpError::BudgetExhausted);
            }
            self.remaining.set(self.remaining.get().saturating_sub(1));
            self.inner.send(request).await
        }
        .boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use shared::fakes::{FakeHttp, FakeResponse};
    use shared::runtime::http_client::{Limits, Upstream};

    use super::*;

    fn send(http: &dyn HttpClient) -> Result<(), HttpError> {
        let request = OutboundRequest::new(
            Upstream::Spotify,
            Method::GET,
            "http://x",
            Limits::document(1, 1),
        );
        http.send(request).now_or_never().unwrap().map(|_| ())
    }

    #[test]
    fn reserved_requests_are_not_spent_early() {
        let fake = FakeHttp::responding(|_| FakeResponse::text(200, "text/plain", ""));
        let budget = Budgeted::new(Rc::new(fake.clone()), 3);
        let searches = budget.keeping(2);
        assert_eq!(send(&searches), Ok(()));
        assert_eq!(send(&searches), Err(HttpError::BudgetExhausted));
        assert_eq!(send(&budget), Ok(()));
        assert_eq!(send(&budget), Ok(()));
        assert_eq!(send(&budget), Err(HttpError::BudgetExhausted));
        assert_eq!(fake.requests().len(), 3);
    }
}
