//! What an event says: which customer to look at. Everything else in it may be old by now.
//!
//! Two kinds are read: snapshots (`object: "event"`), which carry the object as it was, and thin ones
//! (`object: "v2.core.event"`), which name it. Source: Stripe's documentation, "Event destinations".

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};
use crate::clock::Clock;
use crate::error::{Code, Error};
use crate::http_client::HttpClient;
use crate::json::replace_lone_surrogates;

/// The events behind which a plan may be another; all others are none of our business.
const TYPES: [&str; 11] = [
    CHECKOUT_COMPLETED,
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "customer.deleted",
];
const CHECKOUT_COMPLETED: &str = "checkout.session.completed";
const MAX_TYPE_BYTES: usize = 64;

/// An event that Stripe signed.
#[derive(Debug, PartialEq)]
pub struct Event {
    /// Its type, where that looks like one of Stripe's.
    pub kind: Option<String>,
    /// Whether it is about real money.
    pub livemode: bool,
    /// Whom it may concern; `None` where it is none of our business.
    pub source: Option<Source>,
    /// Whether somebody has just finished a checkout.
    pub completes_checkout: bool,
}

/// Where it stands whom an event is about.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// In the event.
    Object(Value),
    /// In an object that has to be fetched.
    Path(String),
}

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The customer.
    pub customer: StripeId,
    /// The user that the object names, if it does.
    pub user_id: Option<Uuid>,
}

/// Why what Stripe signed cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventError {
    /// It is not JSON.
    InvalidJson,
    /// It is JSON, and not an event.
    NotAnEvent,
}

impl Event {
    /// Reads an event's body.
    ///
    /// # Errors
    /// [`EventError`].
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let body = &*replace_lone_surrogates(body);
        let Envelope(event) = Envelope::parse(body)?;
        let is_thin = match text(&event, "/object") {
            Some("event") => false,
            Some("v2.core.event") => true,
            _ => return Err(EventError::NotAnEvent),
        };
        let name = text(&event, "/type").ok_or(EventError::NotAnEvent)?;
        let shown = looks_like_a_type(name).then(|| name.to_owned());
        let kind = if is_thin { name.strip_prefix("v1.") } else { Some(name) };
        let kind = kind.and_then(|kind| TYPES.into_iter().find(|known| *known == kind));
        let livemode = event.get("livemode").and_then(Value::as_bool).ok_or(EventError::NotAnEvent)?;
        // What happened in an account that is connected to ours is named so, in a snapshot or a thin event.
        let is_ours = ["account", "context"].iter().all(|it| event.get(it).is_none_or(Value::is_null));
        let source = match kind {
            Some(_) if is_ours && is_thin => related_path(&event)?.map(Source::Path),
            Some(_) if is_ours => Some(Source::Object(object(body)?)),
            _ => None,
        };
        Ok(Self { kind: shown, livemode, completes_checkout: kind == Some(CHECKOUT_COMPLETED), source })
    }
}

/// What Stripe signed may name types that we do not know; in a log nothing else is to stand than a type.
fn looks_like_a_type(name: &str) -> bool {
    let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
    (1..=MAX_TYPE_BYTES).contains(&name.len()) && name.bytes().all(fits)
}

fn object(body: &[u8]) -> Result<Value, EventError> {
    let mut event: Value = serde_json::from_slice(body).map_err(|_| EventError::InvalidJson)?;
    let object = event.pointer_mut("/data/object").filter(|object| object.is_object());
    Ok(object.ok_or(EventError::NotAnEvent)?.take())
}

/// An event without what it carries. Most are ignored for their type, which stands behind all of that.
struct Envelope(Value);

impl Envelope {
    fn parse(body: &[u8]) -> Result<Self, EventError> {
        serde_json::from_slice(body).map_err(|_| match serde_json::from_slice::<Value>(body) {
            Ok(_) => EventError::NotAnEvent,
            Err(_) => EventError::InvalidJson,
        })
    }
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Envelope, A::Error> {
        let mut event = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == "data" {
                members.next_value::<IgnoredAny>()?;
            } else {
                event.insert(name, members.next_value()?);
            }
        }
        Ok(Envelope(Value::Object(event)))
    }
}

/// Where a thin event's object is. The URL that the event gives is not used: our key goes where we know that Stripe's
/// API is.
fn related_path(event: &Value) -> Result<Option<String>, EventError> {
    let kind = text(event, "/related_object/type").ok_or(EventError::NotAnEvent)?;
    let id = id(event, "/related_object/id").ok_or(EventError::NotAnEvent)?;
    let collection = match kind {
        "checkout.session" => "checkout/sessions",
        "subscription" => "subscriptions",
        "invoice" => "invoices",
        "customer" => "customers",
        _ => return Ok(None),
    };
    Ok(Some(format!("/v1/{collection}/{id}")))
}

impl Subject {
    /// Whom a session, a subscription, an invoice or a customer is about; `None` where there is no customer.
    pub fn of(object: &Value) -> Option<Self> {
        let customer = match text(object, "/object") {
            Some("customer") => id(object, "/id"),
            // An id, or where somebody asked for it the customer itself.
            _ => id(object, "/customer").or_else(|| id(object, "/customer/id")),
        }?;
        // What is set by our key comes first: in a link that an operator made, anybody can set the reference.
        let user_id =
            ["/metadata/user_id", "/parent/subscription_details/metadata/user_id", "/client_reference_id"]
                .into_iter()
                .find_map(|pointer| Uuid::try_parse(text(object, pointer)?).ok());
        Some(Self { customer, user_id })
    }
}

impl Source {
    /// Whom it is about, asking Stripe where the event does not say; `None` for nobody that we could know.
    ///
    /// # Errors
    /// [`StripeError`].
    pub async fn subject<H: HttpClient, C: Clock>(
        &self,
        stripe: &Stripe<'_, H, C>,
    ) -> Result<Option<Subject>, StripeError> {
        match self {
            Self::Object(object) => Ok(Subject::of(object)),
            Self::Path(path) => match stripe.get(path, &[]).await {
                // What is not that object says nothing about it: not that nobody is meant, either.
                Ok(object) if text(&object, "/id") != path.rsplit('/').next() => {
                    Err(StripeError::InvalidAnswer)
                }
                Ok(object) => Ok(Subject::of(&object)),
                // Of another account, or of another mode.
                Err(error) if error.missing().is_some() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidJson => "the event is not JSON",
            Self::NotAnEvent => "the event has not the form of one",
        })
    }
}

impl std::error::Error for EventError {}

impl From<EventError> for Error {
    fn from(error: EventError) -> Self {
        let shown = match error {
            EventError::InvalidJson => Self::of(Code::InvalidJson),
            EventError::NotAnEvent => Self::new(Code::InvalidEvent, "The body is not an event of Stripe's."),
        };
        shown.caused_by(error)
    }
}
