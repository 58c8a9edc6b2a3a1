//! The codes of each operation, as responses of the document and as the table of docs/errors.md.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use serde_json::{Value, json};
use shared::Code;
use uuid::Uuid;

use crate::MARK;
use crate::node::Node;

const REQUEST_ID: Uuid = Uuid::from_u128(0x9d5b_2a9e_3c0f_4b1c_8a45_5b2f_3a0c_6d7e);

/// The causes that the last event of a stream reports, in the words of `x-fails`.
const OF_STREAM: [&str; 4] = ["stream", "database", "checked", "spotify"];

/// The codes of an operation, by status. The operation is known by its `operationId` and the words of its `x-fails`.
pub fn by_status(words: &[&str]) -> BTreeMap<u16, Vec<Code>> {
    let mut found = BTreeMap::<u16, Vec<Code>>::new();
    for code in of(words) {
        found.entry(code.status().as_u16()).or_default().push(code);
    }
    found
}

/// The codes of the event that ends a stream.
pub fn of_stream() -> Node {
    Node::List(of(&OF_STREAM).map(|code| code.as_str().into()).collect())
}

fn of(words: &[&str]) -> impl Iterator<Item = Code> {
    Code::ALL
        .iter()
        .copied()
        .filter(|code| code.operations().iter().any(|word| words.contains(word)))
}

/// The named responses of the document.
const NAMES: [(&str, &[Code]); 19] = [
    ("BodyTooLarge", &[Code::BodyTooLarge]),
    ("Defect", &[Code::Internal]),
    ("MalformedJson", &[Code::InvalidJson]),
    (
        "MalformedJsonOrHeader",
        &[Code::InvalidJson, Code::InvalidHeader],
    ),
    ("Misconfigured", &[Code::Misconfigured]),
    ("NoProfile", &[Code::ProfileNotFound]),
    ("Nonsense", &[Code::InvalidRequest]),
    ("NoSuchPath", &[Code::NotFound]),
    ("NotJson", &[Code::UnsupportedMediaType]),
    (
        "NotSignedIn",
        &[Code::MissingToken, Code::InvalidToken, Code::TokenExpired],
    ),
    ("OtherMethod", &[Code::MethodNotAllowed]),
    ("SignInIsOld", &[Code::SignInAgain]),
    (
        "SpotifyBusy",
        &[
            Code::Misconfigured,
            Code::DatabaseUnavailable,
            Code::SpotifyRateLimited,
        ],
    ),
    ("SpotifyFailed", &[Code::SpotifyUnavailable]),
    ("SpotifySlow", &[Code::SpotifyTimeout]),
    (
        "StripeBusy",
        &[
            Code::Misconfigured,
            Code::DatabaseUnavailable,
            Code::StripeRateLimited,
        ],
    ),
    ("StripeFailed", &[Code::StripeUnavailable]),
    ("StripeSlow", &[Code::StripeTimeout]),
    (
        "Unavailable",
        &[Code::Misconfigured, Code::DatabaseUnavailable],
    ),
];

/// Whether the document names the response with these codes even if only one operation has it.
pub fn is_named(codes: &[Code]) -> bool {
    NAMES.iter().any(|(_, of)| *of == codes)
}

/// The name of a response with these codes.
pub fn name(codes: &[Code]) -> String {
    let known = NAMES
        .iter()
        .find(|(_, of)| *of == codes)
        .map(|(name, _)| (*name).to_owned());
    known.unwrap_or_else(|| {
        codes
            .iter()
            .map(|code| format!("{code:?}"))
            .collect::<Vec<_>>()
            .join("Or")
    })
}

/// The response with one of these codes, which share a status.
pub fn response(codes: &[Code]) -> Result<Node> {
    let description = match codes {
        [code] => code.meaning().to_owned(),
        codes => codes.iter().fold(String::new(), |mut text, code| {
            let _ = writeln!(text, "- `{}`: {}", code.as_str(), code.meaning());
            text
        }),
    };
    let kinds = [
        ("X-Request-Id", "RequestId", true),
        (
            "Retry-After",
            "RetryAfter",
            codes.iter().any(|code| code.has_retry_after()),
        ),
        ("Allow", "Allow", codes.contains(&Code::MethodNotAllowed)),
        (
            "WWW-Authenticate",
            "WwwAuthenticate",
            codes.contains(&Code::MissingToken),
        ),
    ];
    let headers: serde_json::Map<String, Value> = kinds
        .into_iter()
        .filter(|(_, _, is_sent)| *is_sent)
        .map(|(name, header, _)| {
            (
                name.to_owned(),
                json!({"$ref": format!("#/components/headers/{header}")}),
            )
        })
        .collect();
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let examples: serde_json::Map<String, Value> = codes
        .iter()
        .map(|code| (code.as_str().to_owned(), json!({"value": example(*code)})))
        .collect();
    Node::of(json!({
        "description": description,
        "headers": headers,
        "content": {"application/json": {
            "schema": {"$ref": "#/components/schemas/Error", "properties": {"code": {"enum": words}}},
            "examples": examples,
        }},
    }))
}

fn example(code: Code) -> Value {
    let error = shared::Error::of(code);
    let examples = [
        "Warm indie folk for a rainy Sunday morning",
        "80s synth-pop for a night drive, nothing too sad",
    ];
    let examples = if code == Code::NotAboutMusic {
        examples.map(str::to_owned).to_vec()
    } else {
        Vec::new()
    };
    error.with_examples(examples).to_json(REQUEST_ID)
}

/// docs/errors.md
pub fn table() -> String {
    let mut text = format!(
        "<!-- {MARK} -->\n\n# Errors\n\nEvery error is `{{\"code\", \"message\", \"request_id\"}}` with the status of its code; \
         openapi.yaml lists the codes of each operation. The messages are for people and may change, the codes do not.\n\n\
         | Status | Code | Meaning | What a client does |\n| --- | --- | --- | --- |\n"
    );
    for code in Code::ALL
        .iter()
        .filter(|code| !code.operations().is_empty())
    {
        let (status, name) = (code.status().as_u16(), code.as_str());
        let _ = writeln!(
            text,
            "| {status} | `{name}` | {} | {} |",
            code.meaning(),
            code.advice()
        );
    }
    text
}
