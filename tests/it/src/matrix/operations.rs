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

const fn operation(
    act: Act,
    function: &'static str,
    seconds: u64,
    struck: &'static [(Call, Weight)],
    besides: &'static [Call],
) -> Operation {
    Operation { act, function, struck, besides, ends: (200, ""), seconds }
}

impl Operation {
    const fn ending(self, status: u16, code: &'static str) -> Self {
        Self { ends: (status, code), ..self }
    }

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

/// Every operation of every function; the verification of the caller is struck apart, with nothing in the caches.
pub const OPERATIONS: &[Operation] = &[
    operation(
        Act::Save,
        "ai-playlist",
        GENERATION,
        &[(RESERVE, Needed), (COMPLETIONS, Partial), (SEARCH, Needed), (SAVE, Needed)],
        &[TOKEN, SETTLE],
    ),
    operation(
        Act::Stream,
        "ai-playlist",
        GENERATION,
        &[(RESERVE, Needed), (COMPLETIONS, Partial), (SEARCH, Needed), (SETTLE, Needed)],
        // Where all is found at once, all is settled at once.
        &[TOKEN, DELIVER],
    ),
    operation(
        Act::GenerateRenewed,
        "ai-playlist",
        GENERATION,
        &[(TOKEN, Partial)],
        &[RESERVE, COMPLETIONS, SEARCH, SETTLE],
    ),
    operation(
        Act::GenerateFailing,
        "ai-playlist",
        GENERATION,
        &[(SETTLE, Spared)],
        &[RESERVE, COMPLETIONS, TOKEN, SEARCH],
    )
    .ending(502, "llm_unavailable"),
    operation(Act::Again, "ai-playlist", DATABASE, &[(RESERVE, Needed)], &[]),
    operation(Act::Search, "spotify-search", SEARCHING, &[(COUNT, Needed), (SEARCH, Needed)], &[TOKEN]),
    operation(Act::SearchRenewed, "spotify-search", SEARCHING, &[(TOKEN, Needed)], &[COUNT, SEARCH]),
    operation(Act::StartLink, "spotify-oauth", DATABASE, &[], &[]),
    operation(
        Act::CompleteLink,
        "spotify-oauth",
        8 + 16 + 8 + 2 * 17,
        &[(COUNT, Needed), (TOKEN, Needed), (ME, Spared), (STORE_LINK, Needed), (LINK, Needed)],
        &[],
    ),
    operation(Act::LinkStatus, "spotify-oauth", DATABASE, &[(LINK, Needed)], &[]),
    operation(Act::Unlink, "spotify-oauth", DATABASE, &[(DELETE_LINK, Needed)], &[]).ending(204, ""),
    operation(
        Act::Export,
        "spotify-export",
        EXPORT,
        &[
            (BEGIN_EXPORT, Needed),
            (PLAYLISTS, Needed),
            (COUNT, Needed),
            (GET_TOKENS, Needed),
            (CREATE_COPY, Needed),
            (RECORD_EXPORT, Needed),
            (FILL_COPY, Needed),
            (FINISH_EXPORT, Spared),
        ],
        &[RELEASE_EXPORT],
    ),
    operation(
        Act::ExportRenewed,
        "spotify-export",
        EXPORT,
        &[(TOKEN, Needed), (SWAP_TOKENS, Needed)],
        &[PLAYLISTS, COUNT, GET_TOKENS, CREATE_COPY, FILL_COPY, RELEASE_TOKENS],
    ),
    operation(
        Act::ExportFailing,
        "spotify-export",
        EXPORT,
        &[(RELEASE_TOKENS, Spared), (RELEASE_EXPORT, Spared)],
        &[BEGIN_EXPORT, PLAYLISTS, COUNT, GET_TOKENS, TOKEN],
    )
    .ending(502, "spotify_unavailable"),
    operation(
        Act::ExportRevoked,
        "spotify-export",
        EXPORT,
        &[(EXPIRE_LINK, Needed)],
        &[PLAYLISTS, COUNT, GET_TOKENS, TOKEN],
    )
    .ending(403, "spotify_link_expired"),
    operation(Act::ExportNothing, "spotify-export", DATABASE, &[(PROFILES, Needed)], &[PLAYLISTS])
        .ending(404, "playlist_not_found"),
    operation(
        Act::Checkout,
        "billing",
        BILLING,
        &[
            (COUNT, Needed),
            (BILLING_PROFILE, Needed),
            (CREATE_CUSTOMER, Needed),
            (SET_CUSTOMER, Needed),
            (SUBSCRIPTIONS, Needed),
            (SESSIONS, Needed),
            (CREATE_SESSION, Needed),
        ],
        &[],
    ),
    operation(
        Act::CheckoutAnew,
        "billing",
        BILLING,
        &[(EXPIRE_SESSION, Needed)],
        &[COUNT, BILLING_PROFILE, SUBSCRIPTIONS, SESSIONS, CREATE_SESSION],
    ),
    operation(
        Act::CheckoutIncomplete,
        "billing",
        BILLING,
        &[(INVOICE, Needed)],
        &[COUNT, BILLING_PROFILE, SUBSCRIPTIONS],
    ),
    operation(
        Act::CheckoutPaid,
        "billing",
        BILLING,
        &[(PORTAL, Needed)],
        &[COUNT, BILLING_PROFILE, SUBSCRIPTIONS],
    ),
    operation(Act::Portal, "billing", BILLING, &[(BILLING_PROFILE, Needed), (PORTAL, Needed)], &[COUNT]),
    operation(
        Act::Event,
        "stripe-webhook",
        WEBHOOK,
        &[(BILLING_PROFILE, Needed), (SUBSCRIPTIONS, Needed), (SET_PLAN, Needed)],
        &[],
    ),
    operation(
        Act::EventOfNew,
        "stripe-webhook",
        WEBHOOK,
        &[(CUSTOMER, Needed)],
        &[BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN],
    ),
    operation(
        Act::ThinEvent,
        "stripe-webhook",
        WEBHOOK,
        &[(SUBSCRIPTION, Needed)],
        &[BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN],
    ),
    operation(
        Act::CheckoutEvent,
        "stripe-webhook",
        WEBHOOK,
        &[(SESSIONS, Needed), (EXPIRE_SESSION, Needed)],
        &[BILLING_PROFILE, SUBSCRIPTIONS, SET_PLAN],
    ),
    operation(
        Act::Delete,
        "account",
        BILLING + 17,
        &[
            (BEGIN_DELETION, Needed),
            (SESSIONS, Needed),
            (EXPIRE_SESSION, Needed),
            (DELETE_CUSTOMER, Needed),
            (DELETE_ACCOUNT, Needed),
        ],
        &[],
    )
    .ending(204, ""),
    operation(Act::Health, "ai-playlist", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "spotify-oauth", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "spotify-export", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "billing", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "stripe-webhook", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "account", HEALTH, HEALTHY, &[]),
    operation(Act::Health, "spotify-search", HEALTH, HEALTHY, &[]),
];

const HEALTHY: &[(Call, Weight)] = &[(PROFILES, Needed)];

/// One operation of each function that verifies its caller, whose keys have not been fetched yet.
pub const COLD: &[Operation] = &[
    operation(Act::Save, "ai-playlist", GENERATION, VERIFIED, &[RESERVE, COMPLETIONS, SEARCH, TOKEN, SAVE]),
    operation(Act::Search, "spotify-search", SEARCHING, VERIFIED, &[COUNT, TOKEN, SEARCH]),
    operation(Act::LinkStatus, "spotify-oauth", DATABASE, VERIFIED, &[LINK]),
    operation(Act::ExportNothing, "spotify-export", DATABASE, VERIFIED, &[PLAYLISTS, PROFILES])
        .ending(404, "playlist_not_found"),
    operation(Act::PortalOfNobody, "billing", DATABASE, VERIFIED, &[COUNT, BILLING_PROFILE])
        .ending(409, "nothing_to_manage"),
    operation(Act::DeleteUnconfirmed, "account", DATABASE, VERIFIED, &[BEGIN_DELETION])
        .ending(422, "not_confirmed"),
];

const VERIFIED: &[(Call, Weight)] = &[(JWKS, Needed)];
