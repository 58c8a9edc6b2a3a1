//! Requests for tables, with the rights of a user.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
pub use postgrest::{Builder, Postgrest};
use serde::de::DeserializeOwned;

use super::{AsUser, LIMITS, Session, SupabaseError};
use crate::runtime::http_client::{HttpError, OutboundRequest, Upstream};

impl AsUser<'_> {
    /// Sends the request that `build` builds and parses the response's JSON.
    ///
    /// Table and column names have to be literals. Values belong in filters or the body, where the builder encodes
    /// them. `T` is a `Vec` of rows unless the builder asks for a single one.
    ///
    /// # Errors
    /// Returns a [`SupabaseError`]; it is `Unavailable(InvalidRequest)` for a request that leaves the database's URL.
    pub async fn query<T: DeserializeOwned>(
        &self,
        build: impl FnOnce(&Postgrest) -> Builder,
    ) -> Result<T, SupabaseError> {
        self.0.send(self.0.request(build)?).await
    }
}

impl Session<'_> {
    fn request(
        &self,
        build: impl FnOnce(&Postgrest) -> Builder,
    ) -> Result<OutboundRequest, SupabaseError> {
        let builder = build(&Postgrest::new(self.base_url.as_str()));
        let request = take_apart(builder).ok_or(HttpError::InvalidRequest);
        request
            .and_then(|request| self.authorise(request))
            .map_err(SupabaseError::Unavailable)
    }
}

/// Converts a request of `postgrest`, which uses an older `http` crate, into an [`OutboundRequest`].
fn take_apart(builder: Builder) -> Option<OutboundRequest> {
    let built = builder.build().build().ok()?;
    let method = Method::from_bytes(built.method().as_str().as_bytes()).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in built.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let body = built
        .body()
        .and_then(|body| body.as_bytes())
        .unwrap_or_default()
        .to_vec();
    Some(OutboundRequest {
        headers,
        ..OutboundRequest::new(Upstream::Database, method, built.url().as_str(), LIMITS).body(body)
    })
}
