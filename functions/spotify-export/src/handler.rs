//! The steps from a request to its answer.

use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::clock::Clock;
use shared::endpoint::{Body, Call, Endpoint, json_response, route};
use shared::http_client::HttpClient;
use shared::redacted::Secret;
use shared::request::{idempotency_key, require_json};
use shared::spotify::SpotifyLinks;
use shared::supabase::Supabase;
use shared::{Code, Error};
use uuid::Uuid;

use crate::config::Config;
use crate::export::AccessTokens;
use crate::job::Job;
use crate::request::{self, ExportRequest};

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-export",
    methods: "POST",
    routes: &[],
    // An id, a name and a description.
    max_body_bytes: 16 * 1024,
    has_database: true,
};

/// Finished results that outlive a request; no request's data.
#[derive(Default)]
pub struct Caches {
    /// The keys that sign users' tokens.
    pub jwks: JwksCache,
}

/// What one request is handed.
pub struct Deps<H, C> {
    /// The way out.
    pub http: H,
    /// The time.
    pub clock: C,
    /// The configuration.
    pub config: Rc<Config>,
    /// What earlier requests left.
    pub caches: Rc<Caches>,
    /// The request, as the log knows it.
    pub call: Call,
}

/// Answers one request for an export.
///
/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Take the export under its key (409), or answer what the first request answered.
/// 4. Read the playlist as the caller (404, 409).
/// 5. Count the export (403, 429).
/// 6. Get an access token (403, 502, 503).
/// 7. Create the copy, write its id down, fill it (403, 502, 503, 504).
/// 8. Keep the answer for repeats.
///
/// # Errors
/// As above; what failed after step 6 is completed by a repeat under the same key.
pub async fn handle<H: HttpClient, C: Clock>(
    request: Request<Bytes>,
    deps: &Deps<H, C>,
) -> Result<Response<Body>, Error> {
    if route(request.uri().path(), ENDPOINT.name) != Some("/") {
        return Err(Error::of(Code::NotFound));
    }
    let Deps { http, clock, config, caches, call } = deps;
    let headers = request.headers();
    let user = authenticate(call, headers, &config.auth, &caches.jwks, http, clock).await?;
    require_json(headers)?;
    let key = idempotency_key(headers)?;
    let wanted = request::parse(request.body())?;
    json_response(StatusCode::OK, &export(deps, &user, &wanted, key).await?)
}

async fn export<H: HttpClient, C: Clock>(
    deps: &Deps<H, C>,
    user: &VerifiedUser,
    request: &ExportRequest,
    key: Option<Uuid>,
) -> Result<Value, Error> {
    let Deps { http, clock, config, .. } = deps;
    let service = Supabase::new(&config.supabase, http).service();
    let links = SpotifyLinks::new(&config.token_secrets, service, &config.spotify, http, clock);
    let tokens = OneListener { links, user_id: user.id() };
    let job = Job { http, clock, config, user, request, started_ms: clock.now_ms() };
    job.run(key, &tokens).await
}

/// The access tokens of the listener who exports.
struct OneListener<'a, H, C> {
    links: SpotifyLinks<'a, H, C>,
    user_id: Uuid,
}

impl<H: HttpClient, C: Clock> AccessTokens for OneListener<'_, H, C> {
    async fn access_token(&self) -> Result<Secret, Error> {
        Ok(self.links.access_token(self.user_id, None).await?)
    }

    async fn instead_of(&self, refused: &Secret) -> Result<Secret, Error> {
        Ok(self.links.access_token(self.user_id, Some(refused)).await?)
    }
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
