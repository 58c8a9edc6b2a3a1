//! The database, through Supabase's REST interface (PostgREST).
//!
//! The result of an RPC with several outcomes is read into a struct with an enum of its own, which is smaller than one of
//! serde's tagged enums.
//!
//! The `postgrest` crate builds requests for tables; our [`HttpClient`] sends all requests. A user reaches tables
//! and RPCs under row-level security. The function's own credential reaches RPCs only, by construction.

mod config;
mod error;
mod requests;
#[cfg(feature = "tables")]
mod tables;
#[cfg(test)]
mod tests;

pub use config::{ServiceCredential, SupabaseConfig};
pub use error::SupabaseError;
pub use requests::{Counted, take_request};
#[cfg(feature = "tables")]
pub use tables::{Builder, Postgrest};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::{HeaderName, Method, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::auth::VerifiedUser;
use crate::json::{members, read};
use crate::redacted::Secret;
use crate::runtime::clock::Clock;
use crate::runtime::http_client::{HttpClient, HttpError, Limits, OutboundRequest, Upstream};

const APIKEY: HeaderName = HeaderName::from_static("apikey");
/// A hundred tracks with titles have about 50 KB.
const LIMITS: Limits = Limits::document(8_000, 1024 * 1024);
const RETRY_PAUSE_MS: u64 = 200;
/// The health check waits for two seconds at most.
const HEALTH_LIMITS: Limits = Limits::document(2_000, 64 * 1024);
/// The longest duration of [`Service::rpc_retrying`] in milliseconds: two attempts and the pause between them.
pub const RETRYING_MS: u64 = 2 * LIMITS.total_ms + RETRY_PAUSE_MS;

/// The database of a project.
pub struct Supabase<'a> {
    config: &'a SupabaseConfig,
    http: &'a dyn HttpClient,
}

impl<'a> Supabase<'a> {
    /// Creates a client for the project that sends through `http`.
    pub fn new(config: &'a SupabaseConfig, http: &'a dyn HttpClient) -> Self {
        Self { config, http }
    }

    /// Returns the database with the rights of that user.
    pub fn as_user(&self, user: &VerifiedUser) -> AsUser<'a> {
        AsUser(self.session(&self.config.publishable_key, Some(user.token()), false))
    }

    /// Returns the RPCs that are granted to the function's own role.
    pub fn service(&self) -> Service<'a> {
        let publishable_key = &self.config.publishable_key;
        Service(match &self.config.service {
            ServiceCredential::FunctionToken(token) => {
                self.session(publishable_key, Some(token), true)
            }
            ServiceCredential::SecretKey(key) => self.session(key, None, true),
            ServiceCredential::LegacyJwt(key) => self.session(key, Some(key), true),
        })
    }

    /// Sends a request that is refused without a token. The refusal comes from PostgreSQL, so it shows that the
    /// database is up.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`] if the database does not respond within 2 seconds, or reports an outage.
    pub async fn responds(&self) -> Result<(), SupabaseError> {
        let session = self.session(&self.config.publishable_key, None, false);
        let url = format!("{}/profiles?select=user_id&limit=1", session.base_url);
        let request = OutboundRequest::new(Upstream::Database, Method::GET, url, HEALTH_LIMITS);
        let request = session
            .authorise(request)
            .map_err(SupabaseError::Unavailable)?;
        match session.fetch(request).await {
            Err(SupabaseError::Refused { status, .. }) if !status.is_server_error() => Ok(()),
            result => result.map(drop),
        }
    }

    fn session(&self, api_key: &Secret, bearer: Option<&Secret>, as_service: bool) -> Session<'a> {
        let base_url = format!("{}/rest/v1", self.config.url);
        Session {
            base_url,
            api_key: api_key.clone(),
            bearer: bearer.cloned(),
            as_service,
            http: self.http,
        }
    }
}

/// The database with the rights of a user.
pub struct AsUser<'a>(Session<'a>);

impl AsUser<'_> {
    /// Calls a database function as the user. `T` is `()` for a function that returns nothing.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`] if the database sends no usable response.
    pub async fn rpc<A: Serialize, T: DeserializeOwned>(
        &self,
        name: &'static str,
        args: &A,
    ) -> Result<T, SupabaseError> {
        self.0.send(self.0.rpc_request(name, args)?).await
    }

    /// Calls a database function like [`AsUser::rpc`], and returns its unchanged document, within `limits`, with the
    /// members of it that are wanted.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`] if the database sends no usable response.
    pub async fn document(
        &self,
        name: &'static str,
        is_wanted: fn(&str) -> bool,
        limits: Limits,
    ) -> Result<(Vec<(String, Value)>, Bytes), SupabaseError> {
        let request = self.0.rpc_request(name, &serde_json::Map::new())?;
        let document = self.0.fetch(OutboundRequest { limits, ..request }).await?;
        // Checked as text first: serde_json does not check that strings it skips are UTF-8.
        let read = std::str::from_utf8(&document)
            .ok()
            .and_then(|text| members(text.as_bytes(), &is_wanted).ok());
        Ok((read.ok_or(SupabaseError::InvalidResponse)?, document))
    }
}

/// The RPCs of the function's own role; it reaches no table.
pub struct Service<'a>(Session<'a>);

impl Service<'_> {
    /// Calls a database function. `T` is `()` for a function that returns nothing.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`] if the database sends no usable response.
    pub async fn rpc<A: Serialize, T: DeserializeOwned>(
        &self,
        name: &'static str,
        args: &A,
    ) -> Result<T, SupabaseError> {
        self.0.send(self.0.rpc_request(name, args)?).await
    }

    /// Calls a database function like [`Service::rpc`], and returns the JSON as it is. A function that reads nothing into
    /// types is 2 KB smaller.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`] if the database sends no usable response.
    pub async fn rpc_value<A: Serialize>(
        &self,
        name: &'static str,
        args: &A,
    ) -> Result<Value, SupabaseError> {
        let json = self.0.fetch(self.0.rpc_request(name, args)?).await?;
        serde_json::from_slice(&json).map_err(|_| SupabaseError::InvalidResponse)
    }

    /// Calls a database function like [`Service::rpc`], and once more after a network error, a timeout, 502, 503 or
    /// 504.
    ///
    /// The first call may have had its effect although its response was lost. Use it only for RPCs that return the
    /// same result to a repeat.
    ///
    /// # Errors
    /// Returns the [`SupabaseError`] of the last attempt.
    pub async fn rpc_retrying<A: Serialize, T: DeserializeOwned>(
        &self,
        name: &'static str,
        args: &A,
        clock: &dyn Clock,
    ) -> Result<T, SupabaseError> {
        let request = self.0.rpc_request(name, args)?;
        match self.0.send(request.clone()).await {
            Err(error) if error.is_transient() => {
                clock.sleep_ms(RETRY_PAUSE_MS).await;
                self.0.send(request).await
            }
            result => result,
        }
    }
}

struct Session<'a> {
    base_url: String,
    api_key: Secret,
    bearer: Option<Secret>,
    as_service: bool,
    http: &'a dyn HttpClient,
}

impl Session<'_> {
    /// Builds one POST of JSON without `postgrest`, which brings an HTTP stack and a URL parser. A function that
    /// calls RPCs only is 25 KB smaller (compressed).
    fn rpc_request<A: Serialize>(
        &self,
        name: &str,
        args: &A,
    ) -> Result<OutboundRequest, SupabaseError> {
        self.rpc_with(name, serde_json::to_vec(args).ok())
    }

    fn rpc_with(
        &self,
        name: &str,
        args: Option<Vec<u8>>,
    ) -> Result<OutboundRequest, SupabaseError> {
        // A slash or a query in the name would reach something else, such as a table.
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let args = args.filter(|_| is_name).ok_or(HttpError::InvalidRequest);
        let url = format!("{}/rpc/{name}", self.base_url);
        args.and_then(|args| {
            let request =
                OutboundRequest::new(Upstream::Database, Method::POST, url, LIMITS).body(args);
            self.authorise(request.header(header::CONTENT_TYPE, "application/json")?)
        })
        .map_err(SupabaseError::Unavailable)
    }

    fn authorise(&self, request: OutboundRequest) -> Result<OutboundRequest, HttpError> {
        // Credentials are sent to the database only, for any URL of the request.
        let path = request
            .url
            .strip_prefix(self.base_url.as_str())
            .unwrap_or_default();
        if !path.starts_with('/') {
            return Err(HttpError::InvalidRequest);
        }
        let mut request = request.header(APIKEY, self.api_key.expose())?;
        if let Some(key) = request.headers.get_mut(APIKEY) {
            key.set_sensitive(true);
        }
        match &self.bearer {
            Some(token) => {
                request.header(header::AUTHORIZATION, &format!("Bearer {}", token.expose()))
            }
            None => {
                request.headers.remove(header::AUTHORIZATION);
                Ok(request)
            }
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: OutboundRequest,
    ) -> Result<T, SupabaseError> {
        let body = self.fetch(request).await?;
        // A function that returns nothing has an empty response.
        let json = if body.is_empty() {
            b"null".as_slice()
        } else {
            &body
        };
        read(json).ok_or_else(|| SupabaseError::of_unread(json))
    }

    /// Sends a request and returns the body. It is separate from [`Self::send`] and boxed, because each type would
    /// otherwise have its own copy.
    fn fetch(&self, request: OutboundRequest) -> LocalBoxFuture<'_, Result<Bytes, SupabaseError>> {
        async move {
            let response = self
                .http
                .send(request)
                .await
                .map_err(SupabaseError::Unavailable)?;
            let (status, retry_after_seconds) = (response.status, response.retry_after_seconds());
            let body = response.bytes().await;
            if !status.is_success() {
                // An unreadable error body does not matter; the status is enough.
                let body = body.unwrap_or_default();
                return Err(SupabaseError::from_answer(
                    status,
                    &body,
                    retry_after_seconds,
                    self.as_service,
                ));
            }
            body.map_err(SupabaseError::Unavailable)
        }
        .boxed_local()
    }
}
