use http::{HeaderName, Method, StatusCode, header};
use serde_json::Value;

use super::{API_VERSION, StripeConfig, StripeError, text};
use crate::form::form_urlencoded;
use crate::json::from_slice_lenient;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{
    HttpClient, HttpError, IDEMPOTENCY_KEY, Limits, OutboundRequest, Upstream,
};

const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
/// A page of a hundred subscriptions has about 600 KB.
const LIMITS: Limits = Limits::document(8_000, 4 * 1024 * 1024);
/// The longest wait for a rate limit, in seconds.
const MAX_WAIT_SECONDS: u64 = 3;
/// The wait after a rate limit without `Retry-After`, in seconds.
const RATE_LIMIT_SECONDS: u64 = 1;
/// The pauses before each repetition; a request is sent once more than there are pauses.
const PAUSES_MS: [u64; 3] = [200, 500, 1_000];
const MS_PER_MINUTE: u64 = 60_000;

/// A client of Stripe's API that works until a deadline.
pub struct Stripe<'a> {
    config: &'a StripeConfig,
    http: &'a dyn HttpClient,
    pub(super) clock: &'a dyn Clock,
    deadline_ms: u64,
}

impl<'a> Stripe<'a> {
    /// Creates a client; no call ends after `deadline_ms` (Unix time in milliseconds).
    pub fn new(
        config: &'a StripeConfig,
        http: &'a dyn HttpClient,
        clock: &'a dyn Clock,
        deadline_ms: u64,
    ) -> Self {
        Self {
            config,
            http,
            clock,
            deadline_ms,
        }
    }

    /// Returns whether the deadline has passed.
    pub(super) fn is_late(&self) -> bool {
        self.clock.now_ms() >= self.deadline_ms
    }

    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, StripeError> {
        let mut url = format!("{}{path}", self.config.api_base_url);
        if !query.is_empty() {
            url.push('?');
            url.push_str(&form_urlencoded(query));
        }
        self.repeating(
            OutboundRequest::new(Upstream::Stripe, Method::GET, url, LIMITS),
            None,
        )
        .await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value, StripeError> {
        let url = format!("{}{path}", self.config.api_base_url);
        self.repeating(
            OutboundRequest::new(Upstream::Stripe, Method::DELETE, url, LIMITS),
            None,
        )
        .await
    }

    /// Posts a form. With a key, Stripe executes the request once, however often it is sent. Without a key it must
    /// be repeatable.
    pub(super) async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: Option<String>,
    ) -> Result<Value, StripeError> {
        let url = format!("{}{path}", self.config.api_base_url);
        let request = OutboundRequest::new(Upstream::Stripe, Method::POST, url, LIMITS)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .map_err(StripeError::Unavailable)?;
        self.repeating(request.body(form_urlencoded(form)), key)
            .await
    }

    /// Sends a request, and repeats it after transient errors.
    ///
    /// Stripe repeats its own failure (500) under the same key for a day, so the repetition uses the next key. All
    /// requests that repeat within the same minute use the same next key.
    async fn repeating(
        &self,
        request: OutboundRequest,
        mut key: Option<String>,
    ) -> Result<Value, StripeError> {
        let mut pauses = PAUSES_MS.iter();
        loop {
            let authorised = self.authorise(request.clone(), key.as_deref());
            let error = match self
                .attempt(authorised.map_err(StripeError::Unavailable)?)
                .await
            {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let (Some(wait_ms), Some(pause_ms)) = (wait_ms(&error), pauses.next()) else {
                return Err(error);
            };
            if let (StripeError::Failed { .. }, Some(key)) = (&error, &mut key) {
                *key = format!("{key}-{}", self.clock.now_ms() / MS_PER_MINUTE);
            }
            self.clock.sleep_ms(wait_ms.max(*pause_ms)).await;
            if self.is_late() {
                return Err(error);
            }
        }
    }

    fn authorise(
        &self,
        request: OutboundRequest,
        key: Option<&str>,
    ) -> Result<OutboundRequest, HttpError> {
        let request = request
            .header(
                header::AUTHORIZATION,
                &format!("Bearer {}", self.config.secret_key.expose()),
            )?
            .header(STRIPE_VERSION, API_VERSION)?;
        match key {
            Some(key) => request.header(IDEMPOTENCY_KEY, key),
            None => Ok(request),
        }
    }

    async fn attempt(&self, mut request: OutboundRequest) -> Result<Value, StripeError> {
        let remaining_ms = self.deadline_ms.saturating_sub(self.clock.now_ms());
        if remaining_ms == 0 {
            return Err(StripeError::Unavailable(HttpError::Timeout));
        }
        request.limits = request.limits.within(remaining_ms);
        let response = self
            .http
            .send(request)
            .await
            .map_err(StripeError::Unavailable)?;
        let (status, retry_after_seconds) = (response.status, response.retry_after_seconds());
        let body = response.bytes().await;
        if status != StatusCode::OK {
            let error = refusal(
                status,
                retry_after_seconds,
                body.as_deref().unwrap_or_default(),
            );
            return Err(match (error, body) {
                // Only the message tells the reason of a refusal; the status is enough for all other errors.
                (StripeError::Refused { .. }, Err(cut)) => StripeError::Unavailable(cut),
                (error, _) => error,
            });
        }
        let body = body.map_err(StripeError::Unavailable)?;
        from_slice_lenient(&body).map_err(|_| StripeError::InvalidAnswer)
    }
}

/// Returns how long to wait before the next attempt, or `None` if another attempt would not help or take too long.
///
/// A timeout is not repeated: it has already used its share of the time.
fn wait_ms(error: &StripeError) -> Option<u64> {
    match error {
        StripeError::RateLimited {
            retry_after_seconds,
        } if *retry_after_seconds <= MAX_WAIT_SECONDS => Some(retry_after_seconds * 1_000),
        StripeError::Unavailable(HttpError::Network)
        | StripeError::Failed { .. }
        | StripeError::KeyInUse => Some(0),
        _ => None,
    }
}

/// Reads an error's body. Proxies may have replaced it with anything.
fn refusal(status: StatusCode, retry_after_seconds: Option<u64>, body: &[u8]) -> StripeError {
    if status.is_server_error() {
        return StripeError::Failed { status };
    }
    let error: Value = from_slice_lenient(body).unwrap_or_default();
    let [code, param] =
        ["/error/code", "/error/param"].map(|it| text(&error, it).map(str::to_owned));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => StripeError::InvalidCredentials,
        StatusCode::TOO_MANY_REQUESTS => {
            let retry_after_seconds = retry_after_seconds.unwrap_or(RATE_LIMIT_SECONDS);
            StripeError::RateLimited {
                retry_after_seconds,
            }
        }
        StatusCode::CONFLICT => StripeError::KeyInUse,
        // Only the message identifies this error; Stripe has no code for it.
        StatusCode::BAD_REQUEST
            if text(&error, "/error/message").is_some_and(is_about_currencies) =>
        {
            StripeError::CurrencyConflict
        }
        status if status.is_client_error() => StripeError::Refused {
            status,
            code,
            param,
        },
        // Neither a success nor an error, for example a redirect.
        _ => StripeError::InvalidAnswer,
    }
}

fn is_about_currencies(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("combine currencies")
        || message.contains("currency") && message.contains("customer")
}
