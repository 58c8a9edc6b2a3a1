//! The documented statuses and codes with which an operation may end when one of its calls fails.

use super::calls::{self, Call, Upstream};
use super::operations::{Impact, Operation, Scenario};
use crate::faults::Fault::{self, *};

pub type Ending = (u16, &'static str);

const DATABASE_UNAVAILABLE: Ending = (503, "database_unavailable");

/// Whether a fault can happen to a call.
pub fn can_happen(fault: Fault, call: Call) -> bool {
    match fault {
        Poisoned => {
            // A price has no text that is shown, and a damaged currency or id makes it another price.
            matches!(call.upstream, Upstream::Accounts | Upstream::Spotify | Upstream::Stripe)
                && call != calls::PRICE
        }
        RefusedByDatabase => call.path.starts_with("/rest/"),
        _ => true,
    }
}

pub fn endings(operation: &Operation, call: Call, impact: Impact, fault: Fault) -> Vec<Ending> {
    let ends = operation.ends;
    if operation.scenario == Scenario::Health {
        return vec![health(fault)];
    }
    if call == calls::RECALL && fault == Refused {
        // A database without connections cannot save the playlist, either.
        return vec![DATABASE_UNAVAILABLE];
    }
    if impact == Impact::None || is_harmless(call, fault) {
        return vec![ends];
    }
    let mut endings = match call.upstream {
        Upstream::Supabase => database(fault),
        Upstream::Accounts | Upstream::Spotify => {
            third_party(fault, ["spotify_timeout", "spotify_rate_limited", "spotify_unavailable"])
        }
        Upstream::Stripe => {
            third_party(fault, ["stripe_timeout", "stripe_rate_limited", "stripe_unavailable"])
        }
        Upstream::Model => model(fault),
    };
    let breaks_off = matches!(fault, ResetMiddle | TruncatedJson | InvalidUtf8);
    // Some of the concurrent searches already have their token.
    let is_partial = impact == Impact::Partial && (breaks_off || call == calls::TOKEN);
    // The function repeats the call, which has had its effect already.
    let is_done = call == calls::EXPIRE_SESSION && fault == ResetMiddle;
    // The function repeats the call, or does not need the damaged part.
    let is_mended = fault == FailsOnce
        || fault == InvalidUtf8 && !matches!(call.upstream, Upstream::Supabase | Upstream::Model);
    if is_mended || is_done || is_partial || is_void(call) && fault.is_carried_out() {
        endings.push(ends);
    }
    endings
}

/// Faults in parts that the function does not read, or that the transport handles.
fn is_harmless(call: Call, fault: Fault) -> bool {
    match fault {
        WrongContentType | SentTwice | Poisoned => true,
        // Nothing is read after the end of a stream.
        DoubledDocument => call.upstream == Upstream::Model,
        // An export may be as large as everything that a user may store.
        TenMegabytes => call == calls::EXPORT_ACCOUNT,
        _ => false,
    }
}

/// A response without a document cannot be truncated or doubled.
fn is_void(call: Call) -> bool {
    call == calls::STORE_LINK
}

fn database(fault: Fault) -> Vec<Ending> {
    match fault {
        RefusedByDatabase => vec![(500, "internal_error")],
        _ => vec![DATABASE_UNAVAILABLE],
    }
}

fn third_party(fault: Fault, [timeout, rate_limited, unavailable]: [&'static str; 3]) -> Vec<Ending> {
    vec![match fault {
        Timeout | SlowDrip => (504, timeout),
        ShortRateLimit | LongRateLimit => (503, rate_limited),
        _ => (502, unavailable),
    }]
}

fn model(fault: Fault) -> Vec<Ending> {
    match fault {
        Timeout => vec![(504, "llm_timeout")],
        SlowDrip => vec![(504, "llm_timeout"), (504, "generation_timeout")],
        ShortRateLimit | LongRateLimit => vec![(503, "llm_rate_limited")],
        Html | TruncatedJson | WrongShape | InvalidUtf8 => {
            vec![(502, "llm_invalid_answer")]
        }
        TenMegabytes => vec![(502, "llm_unavailable"), (502, "llm_invalid_answer")],
        // The operator has to name the host that the model moved to.
        Redirect => vec![(503, "misconfigured")],
        _ => vec![(502, "llm_unavailable")],
    }
}

/// A database that refuses a request is reachable.
fn health(fault: Fault) -> Ending {
    match fault {
        Refused | ResetBefore | Timeout | Error500 | Error503 | FailsOnce => (503, "unavailable"),
        _ => (200, "ok"),
    }
}
