//! Reads the customer of an event. Everything else in it may be out of date.
//!
//! Both kinds are read: snapshots (`object: "event"`), which contain the object as it was, and thin events (`object:
//! "v2.core.event"`), which name it. Source: Stripe's documentation, "Event destinations".

use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Stripe, StripeError, StripeId, id, text};
use crate::error::{Code, Error};
use crate::json::{members, replace_lone_surrogates};

/// The event types after which a plan may change. All others are ignored.
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
    /// The type, if it looks like one of Stripe's.
    pub kind: Option<String>,
    /// Whether the event is about real money (live mode).
    pub livemode: bool,
    /// The place of the customer; `None` if the event is ignored.
    pub source: Option<Source>,
    /// Whether a checkout was completed.
    pub completes_checkout: bool,
}

/// The place of an event's subject.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// The object that the event contains.
    Object(Value),
    /// The path of an object that has to be fetched.
    Path(String),
}

/// The customer whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The customer.
    pub customer: StripeId,
    /// The user that the object names, if it names one.
    pub user_id: Option<Uuid>,
}

/// The reasons why a signed event cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventError {
    /// It is not JSON.
    InvalidJson,
    /// It is JSON, but not an event.
    NotAnEvent,
}

impl Event {
    /// Reads an event's body.
    ///
    /// # Errors
    /// Returns an [`EventError`] if the body is not JSON, or not an event.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        // Most events are ignored because of their type, so their object is not read yet.
        let mut event = Map::new();
        for (name, value) in read(body, |body| members(body, &|name| name != "data"))? {
            event.insert(name, value);
        }
        let event = Value::Object(event);
        let is_thin = match text(&event, "/object") {
            Some("event") => false,
            Some("v2.core.event") => true,
            _ => return Err(EventError::NotAnEvent),
        };
        let name = text(&event, "/type").ok_or(EventError::NotAnEvent)?;
        let shown = looks_like_a_type(name).then(|| name.to_owned());
        let kind = if is_thin {
            name.strip_prefix("v1.")
        } else {
            Some(name)
        };
        let kind = kind.and_then(|kind| TYPES.into_iter().find(|known| *known == kind));
        let livemode = event
            .get("livemode")
            .and_then(Value::as_bool)
            .ok_or(EventError::NotAnEvent)?;
        // An event of a connected account has an `account` (snapshot) or a `context` (thin); it is ignored.
        let is_ours = ["account", "context"]
            .iter()
            .all(|it| event.get(it).is_none_or(Value::is_null));
        let source = match kind {
            Some(_) if is_ours && is_thin => related_path(&event)?.map(Source::Path),
            Some(_) if is_ours => Some(Source::Object(object(body)?)),
            _ => None,
        };
        Ok(Self {
            kind: shown,
            livemode,
            completes_checkout: kind == Some(CHECKOUT_COMPLETED),
            source,
        })
    }
}

/// Returns whether a type may be logged. Unknown types may contain anything, so only their form is checked.
fn looks_like_a_type(name: &str) -> bool {
    let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
    (1..=MAX_TYPE_BYTES).contains(&name.len()) && name.bytes().all(fits)
}

fn object(body: &[u8]) -> Result<Value, EventError> {
    let mut event: Value = read(body, |body| serde_json::from_slice(body))?;
    let object = event
        .get_mut("data")
        .and_then(|data| data.get_mut("object"));
    Ok(object
        .filter(|object| object.is_object())
        .ok_or(EventError::NotAnEvent)?
        .take())
}

/// Reads the body as it is, and only if that fails without halves of surrogate pairs.
fn read<T>(body: &[u8], read: impl Fn(&[u8]) -> serde_json::Result<T>) -> Result<T, EventError> {
    read(body)
        .or_else(|_| read(&replace_lone_surrogates(body)))
        .map_err(|_| EventError::InvalidJson)
}

/// Returns the path of a thin event's object. The event's own URL is not used: the secret key is sent to Stripe's
/// configured address only.
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
    /// Returns the subject of a session, subscription, invoice or customer; `None` if it has no customer.
    pub fn of(object: &Value) -> Option<Self> {
        let customer = match text(object, "/object") {
            Some("customer") => id(object, "/id"),
            // The customer's id, or the whole customer if the request expanded it.
            _ => id(object, "/customer").or_else(|| id(object, "/customer/id")),
        }?;
        // Metadata comes first: only the secret key can set it. In a payment link anyone can set the reference.
        let user_id = [
            "/metadata/user_id",
            "/parent/subscription_details/metadata/user_id",
            "/client_reference_id",
        ]
        .into_iter()
        .find_map(|pointer| Uuid::try_parse(text(object, pointer)?).ok());
        Some(Self { customer, user_id })
    }
}

impl Source {
    /// Returns the subject, after fetching the object if the event does not contain it; `None` if it names no known
    /// customer.
    ///
    /// # Errors
    /// Returns a [`StripeError`] if Stripe sends no usable response.
    pub async fn subject(&self, stripe: &Stripe<'_>) -> Result<Option<Subject>, StripeError> {
        match self {
            Self::Object(object) => Ok(Subject::of(object)),
            Self::Path(path) => match stripe.get(path, &[]).await {
                // A response that is not the object does not even show that there is no customer.
                Ok(object) if text(&object, "/id") != path.rsplit('/').next() => {
                    Err(StripeError::InvalidResponse)
                }
                Ok(object) => Ok(Subject::of(&object)),
                // The object belongs to another account or to the other mode.
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
            EventError::NotAnEvent => Self::of(Code::InvalidEvent),
        };
        shown.caused_by(error)
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
