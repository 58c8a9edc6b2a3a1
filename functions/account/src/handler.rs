//! Handles a request in numbered steps.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use shared::auth::{JwksCache, authenticate};
use shared::request::require_json;
use shared::runtime::clock::Clock;
use shared::runtime::context::RequestContext;
use shared::runtime::http_client::Limits;
use shared::runtime::response::Body;
use shared::stripe::{Stripe, StripeId};
use shared::supabase::{Service, Supabase, SupabaseError};
use shared::{Code, Error};
use uuid::Uuid;

use crate::request;
use crate::{Config, ENDPOINT};

/// The time limit for all requests to Stripe in one deletion.
const DEADLINE_MS: u64 = 25_000;

/// Allows for 100 playlists of 100 tracks with long titles, which take 9 MB.
const EXPORT_LIMITS: Limits = Limits::document(15_000, 16 * 1024 * 1024);
const EXPORT_NAME: &str = "attachment; filename=\"sound-whiskers-account.json\"";

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
        "/" => delete_account(&request, &context).await,
        "/export" => export(&request, &context).await,
        _ => Err(Error::not_found()),
    }
}

/// Returns everything that is stored about the caller, as a file.
///
/// # Errors
/// Returns 401, 403 or 431 for the caller's token, and 503 if the database does not respond.
async fn export(request: &Request<Bytes>, context: &Context) -> Result<Response<Body>, Error> {
    let user = authenticate(
        &context.request,
        request.headers(),
        &context.config.auth,
        &context.caches.jwks,
        &context.http,
        &context.clock,
    )
    .await?;
    let database = Supabase::new(&context.config.supabase, &context.http).as_user(&user);
    let (account, document) = database
        .document("account_export", |name| name == "account", EXPORT_LIMITS)
        .await?;
    if document.trim_ascii() == b"null" {
        return Err(Error::of(Code::ProfileNotFound));
    }
    let owner = account
        .first()
        .and_then(|(_, account)| account.get("id")?.as_str());
    if owner != Some(user.id().to_string().as_str()) {
        return Err(SupabaseError::InvalidResponse.into());
    }
    let mut response = Response::new(Body::Full(document));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static(EXPORT_NAME),
    );
    Ok(response)
}

/// Deletes the caller's account.
///
/// 1. Verify the caller (401), who must have signed in within the last ten minutes (403).
/// 2. Parse (400, 413, 415, 422).
/// 3. Record that the account is being deleted (422 if not confirmed): from here on it gets no other customer at Stripe.
/// 4. Close the open checkouts and delete the customer, which ends the subscription at once (502, 503, 504).
/// 5. Delete the user and every row that belongs to the user (503).
///
/// # Errors
/// Returns the errors above. Every step can be repeated, so a repeat completes a deletion that failed halfway. The user
/// is deleted only after the subscription has ended.
async fn delete_account(
    request: &Request<Bytes>,
    context: &Context,
) -> Result<Response<Body>, Error> {
    let Context {
        http,
        clock,
        config,
        caches,
        request: call,
        ..
    } = context;
    let headers = request.headers();
    let user = authenticate(call, headers, &config.auth, &caches.jwks, http, clock).await?;
    user.require_recent_sign_in(clock.now_seconds())?;
    require_json(headers)?;
    let confirmation = request::parse(request.body())?;
    let service = Supabase::new(&config.supabase, http).service();
    if let Some(begun) = begin(&service, clock, user.id(), &confirmation).await? {
        if let Some(customer) = begun.customer {
            let stripe = Stripe::new(&config.stripe, http, clock, clock.now_ms() + DEADLINE_MS);
            stripe.delete_customer(&customer).await?;
        }
        delete(&service, clock, user.id(), call).await?;
    }
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The result of `begin_account_deletion`. A malformed id of a customer is not read: the customer may still pay.
#[derive(Deserialize)]
struct Beginning {
    outcome: BeginOutcome,
    stripe_customer_id: Option<StripeId>,
    confirm_with: Option<Confirmation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BeginOutcome {
    Begun,
    NotConfirmed,
    NoAccount,
}

/// The kind of text that confirms a deletion.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Confirmation {
    Email,
    Phone,
    Id,
}

/// The outcomes of `delete_account`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeleteOutcome {
    Deleted,
    /// The operator has to delete the account's entries in Auth's log.
    DeletedButLogged,
    /// A retry after a lost response, or a concurrent request, finds no account.
    NoAccount,
    NotBegun,
}

/// A deletion that has begun.
struct Begun {
    customer: Option<StripeId>,
}

/// Records the deletion; returns `None` if the account no longer exists.
async fn begin(
    service: &Service<'_>,
    clock: &dyn Clock,
    user_id: Uuid,
    confirmation: &str,
) -> Result<Option<Begun>, Error> {
    let args = json!({"p_user_id": user_id, "p_confirmation": confirmation});
    let beginning: Beginning = service
        .rpc_retrying("begin_account_deletion", &args, clock)
        .await?;
    match (beginning.outcome, beginning.confirm_with) {
        (BeginOutcome::Begun, _) => Ok(Some(Begun {
            customer: beginning.stripe_customer_id,
        })),
        (BeginOutcome::NotConfirmed, Some(confirm_with)) => Err(not_confirmed(&confirm_with)),
        (BeginOutcome::NotConfirmed, None) => {
            Err(SupabaseError::incomplete("not_confirmed").into())
        }
        (BeginOutcome::NoAccount, _) => Ok(None),
    }
}

/// Returns the error that names the expected confirmation.
fn not_confirmed(confirm_with: &Confirmation) -> Error {
    let message = match confirm_with {
        Confirmation::Email => "This is not the account's e-mail address. Nothing was deleted.",
        Confirmation::Phone => "This is not the account's phone number. Nothing was deleted.",
        Confirmation::Id => "This is not the account's id. Nothing was deleted.",
    };
    Error::new(Code::NotConfirmed, message)
}

async fn delete(
    service: &Service<'_>,
    clock: &dyn Clock,
    user_id: Uuid,
    call: &RequestContext,
) -> Result<(), Error> {
    match service
        .rpc_retrying("delete_account", &json!({ "p_user_id": user_id }), clock)
        .await?
    {
        DeleteOutcome::Deleted | DeleteOutcome::NoAccount => Ok(()),
        DeleteOutcome::DeletedButLogged => {
            call.note("auth_log", "kept");
            Ok(())
        }
        DeleteOutcome::NotBegun => Err(SupabaseError::incomplete("not_begun").into()),
    }
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
