//! The outbound calls of the functions, each in one line: an unlisted call makes the matrix fail.

use std::fmt;

/// A service; each has its own base URL in the functions' configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    Supabase,
    Accounts,
    Spotify,
    Stripe,
    Model,
}

impl Upstream {
    pub const ALL: [Self; 5] = [Self::Supabase, Self::Accounts, Self::Spotify, Self::Stripe, Self::Model];

    pub fn url(self) -> &'static str {
        match self {
            Self::Supabase => "/supabase_url",
            Self::Accounts | Self::Spotify => "/simulators/spotify",
            Self::Stripe => "/simulators/stripe",
            Self::Model => "/simulators/llm",
        }
    }
}

/// A method and a path, in which `*` stands for any segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub upstream: Upstream,
    pub method: &'static str,
    pub path: &'static str,
}

impl Call {
    pub fn fits(&self, upstream: Upstream, method: &str, path: &str) -> bool {
        let [mut ours, mut theirs] = [self.path, path.split('?').next().unwrap()].map(|it| it.split('/'));
        let is_same =
            theirs.by_ref().all(|theirs| ours.next().is_some_and(|ours| ours == "*" || ours == theirs));
        (self.upstream, self.method) == (upstream, method) && is_same && ours.next().is_none()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.upstream, self.method, self.path)
    }
}

macro_rules! calls {
    ($($name:ident = $upstream:ident $method:literal $path:literal;)+) => {
        $(pub const $name: Call = Call { upstream: Upstream::$upstream, method: $method, path: $path };)+
    };
}

calls! {
    JWKS = Supabase "GET" "/auth/v1/.well-known/jwks.json";
    PROFILES = Supabase "GET" "/rest/v1/profiles";
    PLAYLISTS = Supabase "GET" "/rest/v1/playlists";
    RESERVE = Supabase "POST" "/rest/v1/rpc/ai_reserve";
    COUNT = Supabase "POST" "/rest/v1/rpc/take_request";
    DELIVER = Supabase "POST" "/rest/v1/rpc/ai_deliver";
    SETTLE = Supabase "POST" "/rest/v1/rpc/ai_settle";
    RECALL = Supabase "POST" "/rest/v1/rpc/recall_songs";
    REMEMBER = Supabase "POST" "/rest/v1/rpc/remember_songs";
    SAVE = Supabase "POST" "/rest/v1/rpc/save_generated_playlist";
    LINK = Supabase "POST" "/rest/v1/rpc/spotify_link";
    STORE_LINK = Supabase "POST" "/rest/v1/rpc/store_spotify_tokens";
    DELETE_LINK = Supabase "POST" "/rest/v1/rpc/delete_spotify_tokens";
    GET_TOKENS = Supabase "POST" "/rest/v1/rpc/get_spotify_tokens";
    SWAP_TOKENS = Supabase "POST" "/rest/v1/rpc/refresh_spotify_tokens";
    RELEASE_TOKENS = Supabase "POST" "/rest/v1/rpc/release_spotify_refresh";
    EXPIRE_LINK = Supabase "POST" "/rest/v1/rpc/expire_spotify_link";
    BEGIN_EXPORT = Supabase "POST" "/rest/v1/rpc/begin_spotify_export";
    RECORD_EXPORT = Supabase "POST" "/rest/v1/rpc/record_spotify_export";
    FINISH_EXPORT = Supabase "POST" "/rest/v1/rpc/finish_spotify_export";
    RELEASE_EXPORT = Supabase "POST" "/rest/v1/rpc/release_spotify_export";
    BILLING_PROFILE = Supabase "POST" "/rest/v1/rpc/billing_profile";
    SET_CUSTOMER = Supabase "POST" "/rest/v1/rpc/set_stripe_customer";
    SET_PLAN = Supabase "POST" "/rest/v1/rpc/set_billing_plan";
    BEGIN_DELETION = Supabase "POST" "/rest/v1/rpc/begin_account_deletion";
    EXPORT_ACCOUNT = Supabase "POST" "/rest/v1/rpc/account_export";
    DELETE_ACCOUNT = Supabase "POST" "/rest/v1/rpc/delete_account";
    TOKEN = Accounts "POST" "/api/token";
    SEARCH = Spotify "GET" "/v1/search";
    ME = Spotify "GET" "/v1/me";
    CREATE_COPY = Spotify "POST" "/v1/me/playlists";
    FILL_COPY = Spotify "PUT" "/v1/playlists/*/items";
    COMPLETIONS = Model "POST" "/v1/chat/completions";
    SUBSCRIPTIONS = Stripe "GET" "/v1/subscriptions";
    SUBSCRIPTION = Stripe "GET" "/v1/subscriptions/*";
    PRICE = Stripe "GET" "/v1/prices/*";
    INVOICE = Stripe "GET" "/v1/invoices/*";
    CREATE_CUSTOMER = Stripe "POST" "/v1/customers";
    CUSTOMER = Stripe "GET" "/v1/customers/*";
    DELETE_CUSTOMER = Stripe "DELETE" "/v1/customers/*";
    SESSIONS = Stripe "GET" "/v1/checkout/sessions";
    CREATE_SESSION = Stripe "POST" "/v1/checkout/sessions";
    EXPIRE_SESSION = Stripe "POST" "/v1/checkout/sessions/*/expire";
    PORTAL = Stripe "POST" "/v1/billing_portal/sessions";
}
