//! `/billing`, `/stripe-webhook` and `/account`. Stripe's event is Stripe's own contract, and the export of an account is
//! written by the database: both are described in tools/contract/src/openapi.yaml alone.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// What docs/openapi.yaml describes of these types, in its order.
#[cfg(feature = "openapi")]
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    AppUrl,
    CheckoutRequest,
    PortalRequest,
    StripePage,
    WebhookResponse,
    AccountDeletion
)))]
pub(super) struct Schemas;

/// A URL of one of `APP_ORIGINS`: the origin alone, or followed by a path, a query or a fragment. Visible ASCII, without a
/// backslash.
#[cfg(feature = "openapi")]
#[derive(ToSchema)]
#[schema(pattern = r"^https?://[!-\[\]-~]+$")]
#[expect(dead_code, reason = "it only describes a text")]
pub struct AppUrl(String);

/// Where the browser is sent from the checkout.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CheckoutRequest {
    /// Where the browser goes when it is paid. Stripe replaces `{CHECKOUT_SESSION_ID}` in it.
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub success_url: String,
    /// Where it goes when not, and from the portal of a user who pays already.
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub cancel_url: String,
}

/// Where the browser is sent from the portal.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PortalRequest {
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub return_url: String,
}

/// A page of Stripe's for one user and for now.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct StripePage {
    /// Where to send the browser.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum EventOutcome {
    /// The profile says what Stripe says.
    Written,
    /// It is about no customer of ours.
    Foreign,
    /// No plan changes after an event of this type.
    Ignored,
}

impl EventOutcome {
    /// The outcome's name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Foreign => "foreign",
            Self::Ignored => "ignored",
        }
    }
}

/// What the webhook tells Stripe.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WebhookResponse {
    #[allow(missing_docs)]
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub outcome: EventOutcome,
}

/// A request to delete the account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AccountDeletion {
    /// The account's e-mail address, in any case; or its phone number with the country code, however it is spaced; or its id.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 254, pattern = "NOT_BLANK"))]
    pub confirm: String,
}
