//! Handles a request in numbered steps.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use shared::api::{SpotifyAuthorization, SpotifyLink, SpotifyLinkCompletion};
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::request::require_json;
use shared::runtime::clock::Clock;
use shared::runtime::response::{Body, json_response};
use shared::spotify::{
    GrantError, SpotifyAccount, SpotifyError, SpotifyLinks, StateError, UserCallError,
};
use shared::supabase::{Counted, Supabase, take_request};
use shared::{Code, Error};

use crate::callback::location;
use crate::request;
use crate::{Config, ENDPOINT};

/// SQLSTATE of a violated foreign key: the user was deleted meanwhile.
const FOREIGN_KEY_VIOLATION: &str = "23503";

/// Results that outlive a request and hold no data of it.
#[derive(Default)]
pub struct Caches {
    /// The public keys that verify users' tokens.
    pub jwks: JwksCache,
}

/// The request context of this function.
pub type Context = shared::runtime::Context<Config, Caches>;

/// Routes a request by its path.
///
/// # Errors
/// Returns the error of the route, or 404 if no route has this path.
pub async fn handle(request: Request<Bytes>, context: Context) -> Result<Response<Body>, Error> {
    match ENDPOINT.path(&request) {
        "/start" => start(&context, &request).await,
        "/callback" => callback(&context, &request),
        "/complete" => complete(&context, &request).await,
        "/status" => status(&context, &request).await,
        "/link" => unlink(&context, &request).await,
        _ => Err(Error::not_found()),
    }
}

async fn caller(context: &Context, request: &Request<Bytes>) -> Result<VerifiedUser, Error> {
    authenticate(
        &context.request,
        request.headers(),
        &context.config.auth,
        &context.caches.jwks,
        &context.http,
        &context.clock,
    )
    .await
}

fn links(context: &Context) -> SpotifyLinks<'_> {
    let Context {
        http,
        clock,
        config,
        ..
    } = context;
    let service = Supabase::new(&config.supabase, http).service();
    SpotifyLinks::new(&config.token_secrets, service, &config.spotify, http, clock)
}

/// Returns Spotify's consent page.
///
/// 1. Verify the caller (401), who must have signed in within the last ten minutes (403): a stolen session must not link
///    another Spotify account. An anonymous user may not link (403).
/// 2. Sign a state for the caller.
async fn start(context: &Context, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
    let user = caller(context, request).await?;
    let now_seconds = context.clock.now_seconds();
    if user.is_anonymous() {
        return Err(Error::of(Code::AccountRequired));
    }
    user.require_recent_sign_in(now_seconds)?;
    let state = context
        .config
        .state_keys
        .sign(user.id(), now_seconds, context.random.as_ref());
    let authorize_url = links(context)
        .accounts()
        .authorize_url(&context.config.redirect_uri, &state);
    json_response(StatusCode::OK, &SpotifyAuthorization { authorize_url })
}

/// Redirects the browser to the app, for any request.
fn callback(context: &Context, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
    let Config {
        app_origin,
        state_keys,
        ..
    } = context.config.as_ref();
    let query = request.uri().query().unwrap_or_default();
    let url = location(app_origin, query, state_keys, context.clock.now_seconds());
    let url = HeaderValue::from_str(&url).map_err(|e| Error::of(Code::Internal).caused_by(e))?;
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, url);
    // This URL and the fragment of the next one contain the code, so no referrer or cache may leak it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    Ok(response)
}

/// 1. Verify the caller (401).
/// 2. Parse (400, 413, 415, 422).
/// 3. Verify that we signed the state (400) for this caller (403). Otherwise an attacker's URL could link the Spotify
///    account of one user to another user.
/// 4. Count the attempt to link (403, 429).
/// 5. Exchange the code, which Spotify accepts once and only with the verifier of its state (400, 502, 503, 504).
/// 6. Ask Spotify for the account's name (403, 503).
/// 7. Encrypt the tokens and store them (503).
async fn complete(context: &Context, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
    let user = caller(context, request).await?;
    require_json(request.headers())?;
    let SpotifyLinkCompletion { code, state } = request::parse(request.body())?;
    let state = context
        .config
        .state_keys
        .verify(&state, context.clock.now_seconds())
        .map_err(invalid_state)?;
    if state.user_id != user.id() {
        return Err(Error::of(Code::StateOfAnotherUser));
    }
    let service = Supabase::new(&context.config.supabase, &context.http).service();
    take_request(&service, user.id(), Counted::Link).await?;
    let link = links(context);
    let exchanged = link
        .accounts()
        .exchange(&code, &context.config.redirect_uri, &state.verifier)
        .await;
    let tokens = exchanged.map_err(|error| match error {
        GrantError::InvalidGrant => request::invalid_code(),
        GrantError::Spotify(error) => error.into(),
    })?;
    let refresh_token = tokens
        .refresh_token
        .as_ref()
        .ok_or(SpotifyError::InvalidResponse)?;
    // The code cannot be used again, so link the account without its name.
    let account = match link.accounts().me(&tokens.access_token).await {
        Ok(account) => account,
        Err(UserCallError::Forbidden) => {
            return Err(Error::of(Code::SpotifyAccessDenied));
        }
        Err(UserCallError::Spotify(error @ SpotifyError::AppForbidden(_))) => {
            return Err(error.into());
        }
        Err(_) => SpotifyAccount::default(),
    };
    let stored = link
        .store(user.id(), &tokens, refresh_token, &account)
        .await;
    stored.map_err(|error| match error.code() {
        // The user was deleted while the token was still valid.
        Some(FOREIGN_KEY_VIOLATION) => Error::of(Code::ProfileNotFound).caused_by(error),
        _ => error.into(),
    })?;
    json_response(StatusCode::OK, &links(context).status(user.id()).await?)
}

async fn status(context: &Context, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
    let user = caller(context, request).await?;
    let status: SpotifyLink = links(context).status(user.id()).await?;
    json_response(StatusCode::OK, &status)
}

async fn unlink(context: &Context, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
    let user = caller(context, request).await?;
    links(context).unlink(user.id()).await?;
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn invalid_state(error: StateError) -> Error {
    Error::of(Code::InvalidState).caused_by(error)
}
