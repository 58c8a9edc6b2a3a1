//! What clients ask of the functions, and which calls each makes on the way.

use super::calls::*;

/// What the failure of a call means for the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It fails.
    Needed,
    /// It ends as if nothing had been.
    Spared,
    /// It fails, or gives what had arrived until then.
    Partial,
}

use Weight::{Needed, Partial, Spared};

/// How a client goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    Save,
    Stream,
    /// The catalogue's token is no longer accepted.
    GenerateRenewed,
    /// The model is down, too.
    GenerateFailing,
    /// Under the key of a saved one.
    Again,
    Search,
    SearchRenewed,
    StartLink,
    CompleteLink,
    LinkStatus,
    Unlink,
    Export,
    /// The listener's access token is used up.
    ExportRenewed,
    /// Used up, and Spotify gives no other.
    ExportFailing,
    /// Used up, and the link is no longer accepted.
    ExportRevoked,
    ExportNothing,
    Checkout,
    /// With another page than the one that is open.
    CheckoutAnew,
    CheckoutPaid,
    /// The first payment of the subscription is still to come.
    CheckoutIncomplete,
    Portal,
    PortalOfNobody,
    Event,
    /// Of a customer whom the database does not know yet.
    EventOfNew,
    ThinEvent,
    CheckoutEvent,
    Delete,
    DeleteUnconfirmed,
    ExportAccount,
    Health,
}

pub struct Operation {
    pub act: Act,
    pub function: &'static str,
    /// The calls that meet every fault.
    pub struck: &'static [(Call, Weight)],
    /// The others that it makes, or makes where something fails.
    pub besides: &'static [Call],
    /// How it ends where only what belongs to the act goes wrong.
    pub ends: (u16, &'static str),
    /// Nobody waits longer.
    pub seconds: u64,
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {:?}", self.function, self.act)
    }
}

/// From the request to the end of the answer (`job.rs`).
const GENERATION: u64 = 55;
/// A call for the database and its repetition, and what may come before and behind it.
const DATABASE: u64 = 25;
/// Until an export begins nothing new, and what a call and its repetition can last (`job.rs`).
const EXPORT: u64 = 60 + 17 + 8;
/// Stripe's 25 s, and the database's before and behind.
const BILLING: u64 = 25 + 17 + 8;
const WEBHOOK: u64 = 15 + 17;
const SEARCHING: u64 = 25 + 8;
const HEALTH: u64 = 5;

macro_rules! operations {
    ($($act:ident $function:literal, $seconds:expr, $status:literal $code:literal,
        [$($struck:ident $weight:ident),*], [$($besides:ident),*];)+) => {
        &[$(Operation {
            act: Act::$act,
            function: $function,
            struck: &[$(($struck, $weight)),*],
            besides: &[$($besides),*],
            ends: ($status, $code),
            seconds: $seconds,
        },)+]
    };
}

/// Every operation of every function: how long it may take, how it ends, the calls that meet every fault, and the others.
/// The verification of the caller is struck apart, with nothing in the caches.
pub const OPERATIONS: &[Operation] = operations! {
    Save "ai-playlist", GENERATION, 200 "",
        [RESERVE Needed, COMPLETIONS Partial, SEARCH Needed, SAVE Needed],
        [TOKEN, SETTLE];
    Stream "ai-playlist", GENERATION, 200 "",
        [RESERVE Needed, COMPLETIONS Partial, SEARCH Needed, SETTLE Needed],
        // Where all is found at once, all is settled at once.
        [TOKEN, DELIVER];
    GenerateRenewed "ai-playlist", GENERATION, 200 "", [TOKEN Partial], [RESERVE, COMPLETIONS, SEARCH, SETTLE];
    GenerateFailing "ai-playlist", GENERATION, 502 "llm_unavailable",
        [SETTLE Spared],
        [RESERVE, COMPLETIONS, TOKEN, SEARCH];
    Again "ai-playlist", DATABASE, 200 "", [RESERVE Needed], [];
    Search "spotify-search", SEARCHING, 200 "", [COUNT Needed, SEARCH Needed], [TOKEN];
    SearchRenewed "spotify-search", SEARCHING, 200 "", [TOKEN Needed], [COUNT, SEARCH];
    StartLink "spotify-oauth", DATABASE, 200 "", [], [];
    CompleteLink "spotify-oauth", 8 + 16 + 8 + 2 * 17, 200 "",
        [COUNT Needed, TOKEN Needed, ME Spared, STORE_LINK Needed, LINK Needed],
        [];
    LinkStatus "spotify-oauth", DATABASE, 200 "", [LINK Needed], [];
    Unlink "spotify-oauth", DATABASE, 204 "", [DELETE_LINK Needed], [];
    Export "spotify-export", EXPORT, 200 "",
        [BEGIN_EXPORT Needed, PLAYLISTS Needed, COUNT Needed, GET_TOKENS Needed, CREATE_COPY Needed, RECORD_EXPORT Needed, FILL_COPY Needed, FINISH_EXPORT Spared],
        [RELEASE_EXPORT];
    ExportRenewed "spotify-export", EXPORT, 200 "",
        [TOKEN Needed, SWAP_TOKENS Needed],
        [PLAYLISTS, COUNT, GET_TOKENS, CREATE_COPY, FILL_COPY, RELEASE_TOKENS];
    ExportFailing "spotify-export", EXPORT, 502 "spotify_unavailable",
        [RELEASE_TOKENS Spared, RELEASE_EXPORT Spared],
        [BEGIN_EXPORT, PLAYLISTS, COUNT, GET_TOKENS, TOKEN];
    ExportRevoked "spotify-export", EXPORT, 403 "spotify_link_expired",
        [EXPIRE_LINK Needed],
        [PLAYLISTS, COUNT, GET_TOKENS, TOKEN];
    ExportNothing "spotify-export", DATABASE, 404 "playlist_not_found", [PROFILES Needed], [PLAYLISTS];
    Checkout "billing", BILLING, 200 "",
        [COUNT Needed, BILLING_PROFILE Needed, CREATE_CUSTOMER Needed, SET_CUSTOMER Needed, SUBSCRIPTIONS Needed, SESSIONS Needed, CREATE_SESSION Needed],
        [];
    CheckoutAnew "billing", BILLING, 200 "",
        [EXPIRE_SESSION Needed],
        [COUNT, BILLING_PROFILE, SUBSCRIPTIONS, SESSIONS, CREATE_SESSION];
    CheckoutIncomplete "billing", BILLING, 200 "", [INVOICE Needed], [COUNT, BILLING_PROFILE, SUBSCRIPTIONS];
    CheckoutPaid "billing", BILLING, 200 "", [PORTAL Needed], [COUNT, BILLING_PROFILE, SUBSCRIPTIONS];
    Portal "billing", BILLING, 200 "", [BILLING_PROFILE Needed, PORTAL Needed], [COUNT];
    Event "stripe-webhook", WEBHOOK, 200 "", [BILLING_PROFILE Needed, SUBSCRIPTIONS Needed, SET_PLAN Needed], [];
    EventOfNew "stripe-webhook", WEBHOOK, 200 "", [CUSTOMER Needed], [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    ThinEvent "stripe-webhook", WEBHOOK, 200 "", [SUBSCRIPTION Needed], [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    CheckoutEvent "stripe-webhook", WEBHOOK, 200 "",
        [SESSIONS Needed, EXPIRE_SESSION Needed],
        [BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN];
    ExportAccount "account", DATABASE, 200 "", [EXPORT_ACCOUNT Needed], [];
    Delete "account", BILLING + 17, 204 "",
        [BEGIN_DELETION Needed, SESSIONS Needed, EXPIRE_SESSION Needed, DELETE_CUSTOMER Needed, DELETE_ACCOUNT Needed],
        [];
    Health "ai-playlist", HEALTH, 200 "", [PROFILES Needed], [];
    Health "spotify-oauth", HEALTH, 200 "", [PROFILES Needed], [];
    Health "spotify-export", HEALTH, 200 "", [PROFILES Needed], [];
    Health "billing", HEALTH, 200 "", [PROFILES Needed], [];
    Health "stripe-webhook", HEALTH, 200 "", [PROFILES Needed], [];
    Health "account", HEALTH, 200 "", [PROFILES Needed], [];
    Health "spotify-search", HEALTH, 200 "", [PROFILES Needed], [];
};

/// One operation of each function that verifies its caller, whose keys have not been fetched yet.
pub const COLD: &[Operation] = operations! {
    Save "ai-playlist", GENERATION, 200 "", [JWKS Needed], [RESERVE, COMPLETIONS, SEARCH, TOKEN, SAVE];
    Search "spotify-search", SEARCHING, 200 "", [JWKS Needed], [COUNT, TOKEN, SEARCH];
    LinkStatus "spotify-oauth", DATABASE, 200 "", [JWKS Needed], [LINK];
    ExportNothing "spotify-export", DATABASE, 404 "playlist_not_found", [JWKS Needed], [PLAYLISTS, PROFILES];
    PortalOfNobody "billing", DATABASE, 409 "nothing_to_manage", [JWKS Needed], [COUNT, BILLING_PROFILE];
    DeleteUnconfirmed "account", DATABASE, 422 "not_confirmed", [JWKS Needed], [BEGIN_DELETION];
};
