//! What an operation may answer where a call meets a fault: the statuses and codes as they are documented.

use super::calls::{self, Call, Upstream};
use super::operations::{Act, Operation, Weight};
use crate::faults::Fault;

pub type Ending = (u16, &'static str);

const DATABASE_UNAVAILABLE: Ending = (503, "database_unavailable");

/// Whether a fault can happen to a call.
pub fn can_strike(fault: Fault, call: Call) -> bool {
    match fault {
        Fault::Poisoned => {
            matches!(call.upstream, Upstream::Accounts | Upstream::Spotify | Upstream::Stripe)
        }
        Fault::RefusedByDatabase => call.path.starts_with("/rest/"),
        _ => true,
    }
}

/// The ways in which the operation may end; the first is the usual one.
pub fn allowed(operation: &Operation, call: Call, weight: Weight, fault: Fault) -> Vec<Ending> {
    let ends = operation.ends;
    if operation.act == Act::Health {
        return vec![health(fault)];
    }
    if weight == Weight::Spared || is_harmless(call, fault) {
        return vec![ends];
    }
    let mut endings = match call.upstream {
        Upstream::Supabase => database(call, fault),
        Upstream::Accounts | Upstream::Spotify => spotify(fault),
        Upstream::Stripe => stripe(fault),
        Upstream::Model => model(fault),
    };
    let breaks_off = matches!(fault, Fault::ResetMiddle | Fault::TruncatedJson | Fault::InvalidUtf8);
    // Of the searches that are under way some have their token already.
    let is_partial = weight == Weight::Partial && (breaks_off || call == calls::TOKEN);
    // It is repeated at once, and then finds it done.
    let is_done = call == calls::EXPIRE_SESSION && fault == Fault::ResetMiddle;
    // It is repeated at once, or what it spoils is not needed.
    let is_mended = fault == Fault::FailsOnce
        || fault == Fault::InvalidUtf8 && !matches!(call.upstream, Upstream::Supabase | Upstream::Model);
    if is_mended || is_done || is_partial || is_void(call) && fault.is_carried_out() {
        endings.push(ends);
    }
    endings
}

/// What nobody looks at, or what the transport takes care of.
fn is_harmless(call: Call, fault: Fault) -> bool {
    match fault {
        Fault::WrongContentType | Fault::AnsweredTwice | Fault::Poisoned => true,
        // Nothing is read behind the end of a stream.
        Fault::DoubledDocument => call.upstream == Upstream::Model,
        // That there is a row is all that is read.
        Fault::InvalidUtf8 => call == calls::PROFILES,
        // An export may be as large as all that a user may store.
        Fault::TenMegabytes => call == calls::EXPORT_ACCOUNT,
        _ => false,
    }
}

/// Of an answer without a document there is nothing to break off or to double.
fn is_void(call: Call) -> bool {
    call == calls::STORE_LINK
}

fn database(call: Call, fault: Fault) -> Vec<Ending> {
    match fault {
        // Only a database of another version than the function answers so: that is a defect.
        Fault::WrongShape if call == calls::SET_PLAN => vec![(503, "plan_contended")],
        Fault::WrongShape if [calls::BEGIN_DELETION, calls::DELETE_ACCOUNT].contains(&call) => {
            vec![(500, "internal_error")]
        }
        Fault::RefusedByDatabase => vec![(500, "internal_error")],
        _ => vec![DATABASE_UNAVAILABLE],
    }
}

fn spotify(fault: Fault) -> Vec<Ending> {
    vec![match fault {
        Fault::Timeout | Fault::SlowDrip => (504, "spotify_timeout"),
        Fault::ShortRateLimit | Fault::LongRateLimit => (503, "spotify_rate_limited"),
        _ => (502, "spotify_unavailable"),
    }]
}

fn stripe(fault: Fault) -> Vec<Ending> {
    vec![match fault {
        Fault::Timeout | Fault::SlowDrip => (504, "stripe_timeout"),
        Fault::ShortRateLimit | Fault::LongRateLimit => (503, "stripe_rate_limited"),
        _ => (502, "stripe_unavailable"),
    }]
}

fn model(fault: Fault) -> Vec<Ending> {
    match fault {
        Fault::Timeout => vec![(504, "llm_timeout")],
        Fault::SlowDrip => vec![(504, "llm_timeout"), (504, "generation_timeout")],
        Fault::ShortRateLimit | Fault::LongRateLimit => vec![(503, "llm_rate_limited")],
        Fault::Html | Fault::TruncatedJson | Fault::WrongShape | Fault::InvalidUtf8 => {
            vec![(502, "llm_invalid_answer")]
        }
        Fault::TenMegabytes => vec![(502, "llm_unavailable"), (502, "llm_invalid_answer")],
        // The operator has to name the host that the model moved to.
        Fault::Redirect => vec![(503, "misconfigured")],
        _ => vec![(502, "llm_unavailable")],
    }
}

/// Whoever refuses is there, and whatever becomes of the words.
fn health(fault: Fault) -> Ending {
    match fault {
        Fault::Refused
        | Fault::ResetBefore
        | Fault::Timeout
        | Fault::Error500
        | Fault::Error503
        | Fault::FailsOnce => (503, "unavailable"),
        _ => (200, "ok"),
    }
}
