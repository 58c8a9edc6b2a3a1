//! Handles a request in numbered steps.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use shared::Error;
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::request::{idempotency_key, require_json};
use shared::runtime::clock::Clock;
use shared::runtime::response::{Body, json_response};
use shared::spotify::SpotifyLinks;
use shared::supabase::Supabase;
use uuid::Uuid;

use crate::Config;
use crate::export::AccessTokens;
use crate::job::Job;
use crate::request::{self, ExportRequest};

/// Results that outlive a request and hold no data of it.
#[derive(Default)]
pub struct Caches {
    /// The public keys that verify users' tokens.
    pub jwks: JwksCache,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Handles a request for an export.
///
/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Claim the export by its key and its playlist (409), or return the result of the first request.
///    A request without a key gets one that no other has.
/// 4. Read the playlist as the caller (404, 409).
/// 5. Count the export (403, 429).
/// 6. Get an access token (403, 502, 503).
/// 7. Fill the playlist's copy, or create one and store its id first (403, 502, 503, 504).
/// 8. Store the result for repeats.
///
/// # Errors
/// Returns the errors above. A repeat with the same key completes an export that failed after step 6.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    let Context {
        http,
        clock,
        config,
        caches,
        request: call,
        ..
    } = &context;
    let headers = request.headers();
    let user = authenticate(call, headers, &config.auth, &caches.jwks, http, clock).await?;
    require_json(headers)?;
    let key = idempotency_key(headers)?.unwrap_or_else(|| context.random.uuid());
    let wanted = request::parse(request.body())?;
    json_response(
        StatusCode::OK,
        &export(&context, &user, &wanted, key).await?,
    )
}

async fn export(
    context: &Context,
    user: &VerifiedUser,
    request: &ExportRequest,
    key: Uuid,
) -> Result<Value, Error> {
    let Context {
        http,
        clock,
        config,
        request: call,
        ..
    } = context;
    let service = Supabase::new(&config.supabase, http).service();
    let links = SpotifyLinks::new(&config.token_secrets, service, &config.spotify, http, clock);
    let tokens = AccessTokens {
        links,
        user_id: user.id(),
    };
    let job = Job {
        http,
        clock,
        config,
        call,
        user,
        request,
        started_ms: clock.now_ms(),
    };
    job.run(key, &tokens).await
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
