//! The faults of a request to a service.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::wire::{Connection, Response};

/// The time between two bytes of a dripping response.
const DRIP: Duration = Duration::from_millis(200);
/// More bytes than drip before any client gives up.
const DRIPPING_BYTES: usize = 4_000;
const LARGE_BYTES: usize = 10 * 1024 * 1024;
pub const LONG_SECONDS: u64 = 48_925;

/// The faults before `;` prevent the upstream's action; the others affect only its response.
macro_rules! faults {
    ($($(#[$not_done_doc:meta])* $not_done:ident)+; $($(#[$done_doc:meta])* $done:ident)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault { $($(#[$not_done_doc])* $not_done,)+ $($(#[$done_doc])* $done,)+ }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$not_done,)+ $(Self::$done,)+];

            pub fn is_carried_out(self) -> bool {
                matches!(self, $(Self::$done)|+)
            }
        }
    };
}

faults! {
    /// The upstream no longer listens when it is called.
    Refused
    /// The connection is reset before the response.
    ResetBefore
    ShortRateLimit
    LongRateLimit
    Error500
    Error503
    Redirect
    /// The database refuses the data of the request.
    RefusedByDatabase
    /// The upstream fails once and then works.
    FailsOnce;
    /// The connection is reset in the middle of the body.
    ResetMiddle
    /// No response; the connection stays open.
    Timeout
    /// The head, and then one byte at a time, slowly.
    SlowDrip
    /// A 200 whose body is a web page.
    Html
    InvalidUtf8
    /// A complete response with half of its document.
    TruncatedJson
    WrongShape
    /// The document after 10 MB of whitespace.
    TenMegabytes
    WrongContentType
    /// The whole response twice on the connection.
    SentTwice
    /// One response with the document twice in it.
    DoubledDocument
    /// The response with text and numbers that a database would refuse.
    Poisoned
}

impl Fault {
    /// Whether the client waits for it.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Timeout | Self::SlowDrip)
    }

    /// Writes the faulty response. `real` is the upstream's, if it was called; `None` closes the connection.
    pub async fn inject(self, connection: &mut Connection, real: Response) -> Option<()> {
        // A response needs a document, if only an empty one, to be broken.
        let real = if real.status == 204 { Response { status: 200, ..real } } else { real };
        let wrong = match self {
            Self::Refused | Self::ResetBefore => return reset(connection),
            Self::Timeout => {
                // Until the client gives up.
                let _ = connection.read(&mut [0]).await;
                return None;
            }
            Self::SlowDrip => return drip(connection, real).await,
            Self::ResetMiddle => {
                let half = &real.body[..real.body.len() / 2];
                connection.write_all(&[&real.head(), half].concat()).await.ok()?;
                // The written bytes must arrive before the reset overtakes them.
                connection.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return reset(connection);
            }
            Self::SentTwice => {
                let twice = [real.head(), real.body].concat().repeat(2);
                return connection.write_all(&twice).await.ok();
            }
            Self::ShortRateLimit => Response::json(429, "{}").with("retry-after", "1"),
            Self::LongRateLimit => Response::json(429, "{}").with("retry-after", &LONG_SECONDS.to_string()),
            Self::Error500 => Response::json(500, r#"{"message":"Oops"}"#),
            Self::Error503 | Self::FailsOnce => Response::html(503),
            Self::RefusedByDatabase => Response::json(
                400,
                r#"{"code":"22P05","message":"unsupported Unicode escape sequence","details":null,"hint":null}"#,
            ),
            Self::Poisoned => Response { body: poisoned(&real.body), ..real },
            Self::Html => Response::html(200),
            Self::WrongShape => Response::json(200, r#"{"unexpected":[1,2,3]}"#),
            Self::Redirect => Response::json(302, "").with("location", "/elsewhere"),
            Self::WrongContentType => real.with("content-type", "text/html; charset=utf-8"),
            Self::InvalidUtf8 => Response { body: invalid_utf8(&real.body), ..real },
            Self::TruncatedJson => Response { body: real.body[..real.body.len() / 2].to_vec(), ..real },
            Self::TenMegabytes => Response { body: [vec![b' '; LARGE_BYTES], real.body].concat(), ..real },
            Self::DoubledDocument => Response { body: real.body.repeat(2), ..real },
        };
        wrong.write(connection).await
    }
}

/// Puts a byte that is invalid in UTF-8 into the first text.
fn invalid_utf8(body: &[u8]) -> Vec<u8> {
    let at = body.iter().position(|byte| *byte == b'"').map_or(body.len(), |quote| quote + 1);
    [&body[..at], b"\xff", &body[at..]].concat()
}

/// With half an emoji, a NUL and a direction mark at the end of every text that people write, albums of absurdly long
/// names, and no whole number. Songs can still be recognised.
fn poisoned(body: &[u8]) -> Vec<u8> {
    fn poison(value: &mut Value, key: &str) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    poison(member, if key == "album" { "album" } else { name });
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
            Value::Number(number) => *value = (number.as_f64().unwrap() + 0.5).into(),
            Value::String(text) if key == "album" => text.push_str(&"x".repeat(5_000)),
            Value::String(text)
                if ["name", "display_name", "description", "email", "message"].contains(&key) =>
            {
                text.push_str(" \0\u{202e}HALF");
            }
            _ => {}
        }
    }
    let Ok(mut document) = serde_json::from_slice(body) else { return body.to_vec() };
    poison(&mut document, "");
    document.to_string().replace("HALF", "\\ud83e").into_bytes()
}

/// Resets the connection, as a crash does.
fn reset(connection: &Connection) -> Option<()> {
    connection.get_ref().set_zero_linger().ok()?;
    None
}

async fn drip(connection: &mut Connection, real: Response) -> Option<()> {
    let is_stream = real.header("content-type").is_some_and(|it| it.starts_with("text/event-stream"));
    // Whitespace may precede a document, but not events.
    let blanks = if is_stream { 0 } else { DRIPPING_BYTES };
    let dripping = Response { body: [vec![b' '; blanks], real.body.clone()].concat(), ..real };
    connection.write_all(&dripping.head()).await.ok()?;
    for byte in dripping.body {
        connection.write_all(&[byte]).await.ok()?;
        tokio::time::sleep(DRIP).await;
    }
    Some(())
}
