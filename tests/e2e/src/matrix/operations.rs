//! The operations of clients, and the calls that each makes.

use reqwest::Method;

use super::calls::*;

/// What the failure of a call means for the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// The operation fails.
    Fails,
    /// The operation ends as without a fault.
    None,
    /// The operation fails, or returns what had arrived by then.
    Partial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    Save,
    Stream,
    /// The catalogue's token is no longer accepted.
    GenerateRenewed,
    /// The model is down.
    GenerateFailing,
    /// A repeat under the key of a saved playlist.
    Again,
    Search,
    SearchRenewed,
    StartLink,
    CompleteLink,
    LinkStatus,
    Unlink,
    Export,
    /// The user's access token has expired.
    ExportRenewed,
    /// The access token has expired, and Spotify issues no other.
    ExportFailing,
    /// The access token has expired, and the user has revoked the link.
    ExportRevoked,
    ExportNothing,
    Checkout,
    /// Checkout of another page than the open one.
    CheckoutAnew,
    CheckoutPaid,
    /// The subscription awaits its first payment.
    CheckoutIncomplete,
    Portal,
    PortalWithoutCustomer,
    /// The price before it is cached.
    Price,
    Event,
    /// An event of a customer that is not stored yet.
    EventOfNew,
    ThinEvent,
    CheckoutEvent,
    Delete,
    DeleteUnconfirmed,
    ExportAccount,
    Health,
}

impl Scenario {
    /// The request, if it needs no body and no preparation.
    pub fn plain_request(self) -> Option<(Method, &'static str)> {
        let search = "spotify-search?artist=Nirvana&title=Come+as+You+Are&limit=1";
        Some(match self {
            Self::Search | Self::SearchRenewed => (Method::GET, search),
            Self::StartLink => (Method::POST, "spotify-oauth/start"),
            Self::LinkStatus => (Method::GET, "spotify-oauth/status"),
            Self::Unlink => (Method::DELETE, "spotify-oauth/link"),
            Self::Price => (Method::GET, "billing/price"),
            Self::ExportAccount => (Method::GET, "account/export"),
            _ => return None,
        })
    }
}

pub struct Operation {
    pub scenario: Scenario,
    pub function: &'static str,
    /// The calls into which every fault is injected.
    pub tested: &'static [(Call, Impact)],
    /// Its other calls, including those that it makes only after a failure.
    pub others: &'static [Call],
    /// The outcome without a fault.
    pub ends: (u16, &'static str),
    /// The limit of its duration.
    pub seconds: u64,
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {:?}", self.function, self.scenario)
    }
}

/// From the request to the end of the response (`job.rs`).
const GENERATION: u64 = 55;
/// A database call with its repetition, and the calls that may precede and follow it.
const DATABASE: u64 = 25;
/// The time after which an export starts nothing new, plus a call and its repetition (`job.rs`).
const EXPORT: u64 = 60 + 17 + 8;
/// Stripe's 25 s, and the database calls before and after it.
const BILLING: u64 = 25 + 17 + 8;
const WEBHOOK: u64 = 15 + 17;
const SEARCHING: u64 = 25 + 8;
const HEALTH: u64 = 5;

macro_rules! operations {
    ($($scenario:ident $function:literal, $seconds:expr, $status:literal $code:literal,
        [$($tested:ident $impact:ident),*], [$($other:ident),*];)+) => {
        &[$(Operation {
            scenario: Scenario::$scenario,
            function: $function,
            tested: &[$(($tested, Impact::$impact)),*],
            others: &[$($other),*],
            ends: ($status, $code),
            seconds: $seconds,
        },)+]
    };
}

/// Every operation of every function: how long it may take, how it ends, its calls with faults, and its other calls.
/// The verification of the caller is tested separately, with empty caches.
pub const OPERATIONS: &[Operation] = operations! {
    Save "ai-playlist", GENERATION, 200 "",
        [RESERVE Fails, COMPLETIONS Partial, RECALL None, SEARCH Fails, SAVE Fails],
        [TOKEN, SETTLE, REMEMBER];
    Stream "ai-playlist", GENERATION, 200 "",
        [RESERVE Fails, COMPLETIONS Partial, SEARCH Fails, SETTLE Fails],
        // If all songs are found at once, they are settled at once.
        [TOKEN, DELIVER, RECALL, REMEMBER];
    GenerateRenewed "ai-playlist", GENERATION, 200 "", [TOKEN Partial],
        [RESERVE, COMPLETIONS, SEARCH, SETTLE, RECALL, REMEMBER];
    GenerateFailing "ai-playlist", GENERATION, 502 "llm_unavailable",
        [SETTLE None],
        [RESERVE, COMPLETIONS, TOKEN, SEARCH];
    Again "ai-playlist", DATABASE, 200 "", [RESERVE Fails], [];
    Search "spotify-search", SEARCHING, 200 "", [COUNT Fails, SEARCH Fails], [TOKEN, RECALL];
    SearchRenewed "spotify-search", SEARCHING, 200 "", [TOKEN Fails], [COUNT, SEARCH];
    StartLink "spotify-oauth", DATABASE, 200 "", [], [];
    CompleteLink "spotify-oauth", 8 + 16 + 8 + 2 * 17, 200 "",
        [COUNT Fails, TOKEN Fails, ME None, STORE_LINK Fails, LINK Fails],
        [];
    LinkStatus "spotify-oauth", DATABASE, 200 "", [LINK Fails], [];
    Unlink "spotify-oauth", DATABASE, 204 "", [DELETE_LINK Fails], [];
    Export "spotify-export", EXPORT, 200 "",
        [BEGIN_EXPORT Fails, PLAYLISTS Fails, COUNT Fails, GET_TOKENS Fails, CREATE_COPY Fails, RECORD_EXPORT Fails, FILL_COPY Fails, FINISH_EXPORT None],
        [RELEASE_EXPORT];
    ExportRenewed "spotify-export", EXPORT, 200 "",
        [TOKEN Fails, SWAP_TOKENS Fails],
        [BEGIN_EXPORT, PLAYLISTS, COUNT, GET_TOKENS, CREATE_COPY, RECORD_EXPORT, FILL_COPY, FINISH_EXPORT, RELEASE_EXPORT, RELEASE_TOKENS];
    ExportFailing "spotify-export", EXPORT, 502 "spotify_unavailable",
        [RELEASE_TOKENS None, RELEASE_EXPORT None],
        [BEGIN_EXPORT, PLAYLISTS, COUNT, GET_TOKENS, TOKEN];
    ExportRevoked "spotify-export", EXPORT, 403 "spotify_link_expired",
        [EXPIRE_LINK Fails],
        [BEGIN_EXPORT, PLAYLISTS, COUNT, GET_TOKENS, TOKEN, RELEASE_EXPORT];
    ExportNothing "spotify-export", DATABASE, 404 "playlist_not_found", [PROFILES Fails], [BEGIN_EXPORT, PLAYLISTS, RELEASE_EXPORT];
    Checkout "billing", BILLING, 200 "",
        [COUNT Fails, BILLING_PROFILE Fails, CREATE_CUSTOMER Fails, SET_CUSTOMER Fails, SUBSCRIPTIONS Fails, SESSIONS Fails, CREATE_SESSION Fails],
        [];
    CheckoutAnew "billing", BILLING, 200 "",
        [EXPIRE_SESSION Fails],
        [COUNT, BILLING_PROFILE, SUBSCRIPTIONS, SESSIONS, CREATE_SESSION];
    CheckoutIncomplete "billing", BILLING, 200 "", [INVOICE Fails], [COUNT, BILLING_PROFILE, SUBSCRIPTIONS];
    CheckoutPaid "billing", BILLING, 200 "", [PORTAL Fails], [COUNT, BILLING_PROFILE, SUBSCRIPTIONS];
    Portal "billing", BILLING, 200 "", [BILLING_PROFILE Fails, PORTAL Fails], [COUNT];
    Event "stripe-webhook", WEBHOOK, 200 "", [BILLING_PROFILE Fails, SUBSCRIPTIONS Fails, SET_PLAN Fails], [];
    EventOfNew "stripe-webhook", WEBHOOK, 200 "", [CUSTOMER Fails], [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    ThinEvent "stripe-webhook", WEBHOOK, 200 "", [SUBSCRIPTION Fails], [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    CheckoutEvent "stripe-webhook", WEBHOOK, 200 "",
        [SESSIONS Fails, EXPIRE_SESSION Fails],
        [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    ExportAccount "account", DATABASE, 200 "", [EXPORT_ACCOUNT Fails], [];
    Delete "account", BILLING + 17, 204 "",
        [BEGIN_DELETION Fails, SESSIONS Fails, EXPIRE_SESSION Fails, DELETE_CUSTOMER Fails, DELETE_ACCOUNT Fails],
        [];
    Health "ai-playlist", HEALTH, 200 "", [PROFILES Fails], [];
    Health "spotify-oauth", HEALTH, 200 "", [PROFILES Fails], [];
    Health "spotify-export", HEALTH, 200 "", [PROFILES Fails], [];
    Health "billing", HEALTH, 200 "", [PROFILES Fails], [];
    Health "stripe-webhook", HEALTH, 200 "", [PROFILES Fails], [];
    Health "account", HEALTH, 200 "", [PROFILES Fails], [];
    Health "spotify-search", HEALTH, 200 "", [PROFILES Fails], [];
};

/// Operations whose first call is cached afterwards: for each function that verifies its caller one that fetches the keys,
/// and the one that fetches the price.
pub const COLD: &[Operation] = operations! {
    Save "ai-playlist", GENERATION, 200 "", [JWKS Fails],
        [RESERVE, COMPLETIONS, SEARCH, TOKEN, SAVE, RECALL, REMEMBER];
    Search "spotify-search", SEARCHING, 200 "", [JWKS Fails], [COUNT, TOKEN, SEARCH, RECALL];
    LinkStatus "spotify-oauth", DATABASE, 200 "", [JWKS Fails], [LINK];
    ExportNothing "spotify-export", DATABASE, 404 "playlist_not_found", [JWKS Fails], [BEGIN_EXPORT, PLAYLISTS, PROFILES, RELEASE_EXPORT];
    PortalWithoutCustomer "billing", DATABASE, 409 "nothing_to_manage", [JWKS Fails], [COUNT, BILLING_PROFILE];
    Price "billing", BILLING, 200 "", [PRICE Fails], [];
    DeleteUnconfirmed "account", DATABASE, 422 "not_confirmed", [JWKS Fails], [BEGIN_DELETION];
};
