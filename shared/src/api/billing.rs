//! Types of `/billing`, `/stripe-webhook` and `/account`. Only xtask/contract/src/openapi.yaml describes Stripe's events,
//! which Stripe defines, and the export of an account, which the database writes.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// The types of this module that docs/openapi.yaml describes, in its order.
#[cfg(feature = "openapi")]
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    AppUrl,
    CheckoutRequest,
    PortalRequest,
    StripePage,
    PriceResponse,
    WebhookResponse,
    AccountDeletion
)))]
pub(super) struct Schemas;

/// A URL of one of `APP_ORIGINS`: the origin, alone or followed by a path, a query or a fragment. Visible ASCII without a
/// backslash.
#[cfg(feature = "openapi")]
#[derive(ToSchema)]
#[schema(pattern = r"^https?://[!-\[\]-~]+$")]
#[expect(dead_code, reason = "it only describes a text")]
pub struct AppUrl(String);

/// The URLs to which Stripe returns the browser from the checkout.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct CheckoutRequest {
    /// The URL after payment. Stripe replaces `{CHECKOUT_SESSION_ID}` in it.
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub success_url: String,
    /// The URL if the user cancels, and the portal's return URL for a subscriber.
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub cancel_url: String,
}

/// The URL to which Stripe returns the browser from the portal.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PortalRequest {
    /// The URL to which the portal's link back leads.
    #[cfg_attr(feature = "openapi", schema(value_type = AppUrl))]
    pub return_url: String,
}

/// A page of Stripe for one user, which expires.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct StripePage {
    /// The URL to open in the browser.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
}

/// What the plan costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PriceResponse {
    /// The amount in units of the currency, as a decimal number.
    #[cfg_attr(feature = "openapi", schema(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    pub amount: String,
    /// ISO 4217, such as `USD`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// The unit of the period that the amount pays for.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub interval: Interval,
    /// The number of intervals that the amount pays for.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub interval_count: u32,
}

/// The unit of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum Interval {
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// The outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub enum EventOutcome {
    /// The profile has the plan that Stripe states.
    Written,
    /// The customer belongs to no user.
    Foreign,
    /// Events of this type change no plan.
    Ignored,
}

impl EventOutcome {
    /// Returns the outcome's name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Foreign => "foreign",
            Self::Ignored => "ignored",
        }
    }
}

/// The webhook's response to Stripe.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WebhookResponse {
    /// The effect of the event.
    #[cfg_attr(feature = "openapi", schema(inline))]
    pub outcome: EventOutcome,
}

/// A request to delete the account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AccountDeletion {
    /// The account's e-mail address, in upper or lower case; or its phone number with the country code, with any spacing; or
    /// its id.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 254, pattern = "NOT_BLANK")
    )]
    pub confirm: String,
}
