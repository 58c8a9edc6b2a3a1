//! The steps from a request to its answer.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use shared::api::{SpotifyAuthorization, SpotifyLink, SpotifyLinkCompletion};
use shared::auth::{JwksCache, VerifiedUser, authenticate};
use shared::clock::Clock;
use shared::endpoint::{Body, Call, Endpoint, json_response, route};
use shared::http_client::HttpClient;
use shared::random::Random;
use shared::request::require_json;
use shared::spotify::{GrantError, SpotifyAccount, SpotifyError, SpotifyLinks, StateError, UserCallError};
use shared::supabase::{Counted, Supabase, take_request};
use shared::{Code, Error};

use crate::callback;
use crate::config::Config;
use crate::request;

/// What the endpoint promises.
pub const ENDPOINT: Endpoint = Endpoint {
    name: "spotify-oauth",
    methods: "GET, POST, DELETE",
    routes: &["/start", "/callback", "/complete", "/status", "/link"],
    max_body_bytes: 8 * 1024,
    has_database: true,
};

/// SQLSTATE 23503.
const FOREIGN_KEY_VIOLATION: &str = "23503";

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
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// The configuration.
    pub config: Rc<Config>,
    /// What earlier requests left.
    pub caches: Rc<Caches>,
    /// The request, as the log knows it.
    pub call: Call,
}

/// Answers one request, by its path and method.
///
/// # Errors
/// 404, 405; and what each of the routes refuses.
pub async fn handle<H: HttpClient, C: Clock>(
    request: Request<Bytes>,
    deps: &Deps<H, C>,
) -> Result<Response<Body>, Error> {
    let path = route(request.uri().path(), ENDPOINT.name).unwrap_or_default();
    match (path, request.method()) {
        ("/start", &Method::POST) => deps.start(&request).await,
        ("/callback", &Method::GET) => deps.callback(&request),
        ("/complete", &Method::POST) => deps.complete(&request).await,
        ("/status", &Method::GET) => deps.status(&request).await,
        ("/link", &Method::DELETE) => deps.unlink(&request).await,
        ("/start" | "/complete", _) => Err(Error::method_not_allowed("POST")),
        ("/callback" | "/status", _) => Err(Error::method_not_allowed("GET")),
        ("/link", _) => Err(Error::method_not_allowed("DELETE")),
        _ => Err(Error::of(Code::NotFound)),
    }
}

impl<H: HttpClient, C: Clock> Deps<H, C> {
    async fn caller(&self, request: &Request<Bytes>) -> Result<VerifiedUser, Error> {
        let Self { http, clock, config, caches, call, .. } = self;
        authenticate(call, request.headers(), &config.auth, &caches.jwks, http, clock).await
    }

    fn links(&self) -> SpotifyLinks<'_, H, C> {
        let Self { http, clock, config, .. } = self;
        let service = Supabase::new(&config.supabase, http).service();
        SpotifyLinks::new(&config.token_secrets, service, &config.spotify, http, clock)
    }

    /// 1. Verify the caller (401), who has signed in within the last ten minutes (403): whoever uses a session that is not
    ///    their own must not get another's Spotify account linked to it.
    /// 2. Sign a state for them.
    async fn start(&self, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
        let user = self.caller(request).await?;
        let now_seconds = self.clock.now_seconds();
        user.require_recent_sign_in(now_seconds)?;
        let state = self.config.state_keys.sign(user.id(), now_seconds, self.random.as_ref());
        let authorize_url = self.links().accounts().authorize_url(&self.config.redirect_uri, &state);
        json_response(StatusCode::OK, &SpotifyAuthorization { authorize_url })
    }

    /// Sends the browser on to the app, whatever it brings.
    fn callback(&self, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
        let Config { app_origin, state_keys, .. } = self.config.as_ref();
        let query = request.uri().query().unwrap_or_default();
        let url = callback::location(app_origin, query, state_keys, self.clock.now_seconds());
        let url = HeaderValue::from_str(&url).map_err(|e| Error::of(Code::Internal).caused_by(e))?;
        let mut response = Response::new(Body::Full(Bytes::new()));
        *response.status_mut() = StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, url);
        // The code is in this URL and in the next one's fragment: nobody else is to see or keep it.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Ok(response)
    }

    /// 1. Verify the caller (401).
    /// 2. Parse (400, 413, 415, 422).
    /// 3. The state is ours (400) and the caller's own (403), else a link that somebody sends would link the account of
    ///    whoever follows it to the sender's.
    /// 4. Count the attempt to link (403, 429).
    /// 5. Exchange the code, which Spotify accepts once, and only with the verifier of the state that it was given for
    ///    (400, 502, 503, 504).
    /// 6. Ask whose account it is (403, 503).
    /// 7. Store, encrypted (503).
    async fn complete(&self, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
        let user = self.caller(request).await?;
        require_json(request.headers())?;
        let SpotifyLinkCompletion { code, state } = request::parse(request.body())?;
        let state = self.config.state_keys.verify(&state, self.clock.now_seconds()).map_err(invalid_state)?;
        if state.user_id != user.id() {
            return Err(Error::new(
                Code::StateOfAnotherUser,
                "This was begun by another account. Sign in as the one that you began with.",
            ));
        }
        let service = Supabase::new(&self.config.supabase, &self.http).service();
        take_request(&service, user.id(), Counted::Link).await?;
        let links = self.links();
        let exchanged = links.accounts().exchange(&code, &self.config.redirect_uri, &state.verifier).await;
        let tokens = exchanged.map_err(|error| match error {
            GrantError::InvalidGrant => request::invalid_code(),
            GrantError::Spotify(error) => error.into(),
        })?;
        let refresh_token = tokens.refresh_token.as_ref().ok_or(SpotifyError::InvalidAnswer)?;
        // The code is used up, and the link is worth more than the account's name.
        let account = match links.accounts().me(&tokens.access_token).await {
            Ok(account) => account,
            Err(UserCallError::Forbidden) => {
                return Err(Error::new(
                    Code::SpotifyAccessDenied,
                    "Spotify does not allow this for your account. Ask us to be let in.",
                ));
            }
            Err(UserCallError::Spotify(error @ SpotifyError::AppForbidden(_))) => return Err(error.into()),
            Err(_) => SpotifyAccount::default(),
        };
        let stored = links.store(user.id(), &tokens, refresh_token, &account).await;
        stored.map_err(|error| match error.code() {
            // Deleted, while the token is still good.
            Some(FOREIGN_KEY_VIOLATION) => Error::of(Code::ProfileNotFound).caused_by(error),
            _ => error.into(),
        })?;
        json_response(StatusCode::OK, &self.links().status(user.id()).await?)
    }

    async fn status(&self, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
        let user = self.caller(request).await?;
        let status: SpotifyLink = self.links().status(user.id()).await?;
        json_response(StatusCode::OK, &status)
    }

    async fn unlink(&self, request: &Request<Bytes>) -> Result<Response<Body>, Error> {
        let user = self.caller(request).await?;
        self.links().unlink(user.id()).await?;
        let mut response = Response::new(Body::Full(Bytes::new()));
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }
}

fn invalid_state(error: StateError) -> Error {
    let message = match error {
        StateError::Invalid => "This was not begun here. Begin again.",
        StateError::Expired => "This took longer than ten minutes. Begin again.",
    };
    Error::new(Code::InvalidState, message).caused_by(error)
}
