//! What can go wrong with a request to a service.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use serde_json::Value;

use crate::wire::{Answer, Connection};

/// Between two bytes of an answer that drips.
const DRIP: Duration = Duration::from_millis(200);
/// More than drips in anybody's patience.
const DRIPPING_BYTES: usize = 4_000;
const LARGE_BYTES: usize = 10 * 1024 * 1024;
pub const SHORT_SECONDS: u64 = 1;
pub const LONG_SECONDS: u64 = 48_925;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nobody listens any more when it is called.
    Refused,
    /// The connection is reset before there is an answer.
    ResetBefore,
    /// The connection is reset in the middle of the body.
    ResetMiddle,
    /// No answer, for as long as anybody waits.
    Timeout,
    /// The head, and then a byte now and then.
    SlowDrip,
    ShortRateLimit,
    LongRateLimit,
    Error500,
    Error503,
    /// 200 with a page.
    Html,
    InvalidUtf8,
    /// A whole answer with half of its document.
    TruncatedJson,
    WrongShape,
    /// The document behind 10 MB of blanks.
    TenMegabytes,
    Redirect,
    WrongContentType,
    /// The whole answer comes twice on the connection.
    AnsweredTwice,
    /// One answer with the document twice in it.
    DoubledDocument,
    /// The answer with texts and numbers in it that a database would not take.
    Poisoned,
    /// The database refuses what it was sent.
    RefusedByDatabase,
    /// It fails, and works from the next time on.
    FailsOnce,
}

use Fault::{
    AnsweredTwice, DoubledDocument, Error500, Error503, FailsOnce, Html, InvalidUtf8, LongRateLimit,
    Poisoned, Redirect, Refused, RefusedByDatabase, ResetBefore, ResetMiddle, ShortRateLimit, SlowDrip,
    TenMegabytes, Timeout, TruncatedJson, WrongContentType, WrongShape,
};

impl Fault {
    pub const ALL: [Self; 21] = [
        Refused,
        ResetBefore,
        ResetMiddle,
        Timeout,
        SlowDrip,
        ShortRateLimit,
        LongRateLimit,
        Error500,
        Error503,
        Html,
        InvalidUtf8,
        TruncatedJson,
        WrongShape,
        TenMegabytes,
        Redirect,
        WrongContentType,
        AnsweredTwice,
        DoubledDocument,
        Poisoned,
        RefusedByDatabase,
        FailsOnce,
    ];

    /// Whether the upstream has done what it was asked for: what is lost or spoilt is the answer to it.
    pub fn is_carried_out(self) -> bool {
        !matches!(
            self,
            Refused
                | ResetBefore
                | ShortRateLimit
                | LongRateLimit
                | Error500
                | Error503
                | Redirect
                | RefusedByDatabase
                | FailsOnce
        )
    }

    /// Whether somebody waits for it.
    pub fn is_slow(self) -> bool {
        matches!(self, Timeout | SlowDrip)
    }

    /// Answers so; `real` is what the upstream answered, where it was asked. `None` ends the connection.
    pub async fn strike(self, connection: &mut Connection, real: Answer) -> Option<()> {
        // There is more to be done to an answer that has a document, if only an empty one.
        let real = if real.status == 204 { Answer { status: 200, ..real } } else { real };
        let wrong = match self {
            Refused | ResetBefore => return reset(connection),
            Timeout => {
                // Until the other side has had enough.
                let _ = connection.read(&mut [0]).await;
                return None;
            }
            SlowDrip => return drip(connection, real).await,
            ResetMiddle => {
                connection.write_all(&real.head()).await.ok()?;
                connection.write_all(&real.body[..real.body.len() / 2]).await.ok()?;
                // What is written shall arrive before the reset overtakes it.
                connection.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return reset(connection);
            }
            AnsweredTwice => {
                let mut twice = [real.head(), real.body].concat();
                twice.extend_from_within(..);
                return connection.write_all(&twice).await.ok();
            }
            ShortRateLimit => Answer::json(429, "{}").with("retry-after", &SHORT_SECONDS.to_string()),
            LongRateLimit => Answer::json(429, "{}").with("retry-after", &LONG_SECONDS.to_string()),
            Error500 => Answer::json(500, "{\"message\":\"Oops\"}"),
            Error503 | FailsOnce => Answer::json(503, "<h1>Busy</h1>").with("content-type", "text/html"),
            RefusedByDatabase => Answer::json(
                400,
                "{\"code\":\"22P05\",\"message\":\"unsupported Unicode escape sequence\",\"details\":null,\"hint\":null}",
            ),
            Poisoned => Answer { body: poisoned(&real.body), ..real },
            Html => Answer::json(200, "<!doctype html><h1>Hello</h1>").with("content-type", "text/html"),
            WrongShape => Answer::json(200, "{\"unexpected\":[1,2,3]}"),
            Redirect => Answer::json(302, "").with("location", "/elsewhere"),
            WrongContentType => real.with("content-type", "text/html; charset=utf-8"),
            InvalidUtf8 => Answer { body: spoilt(&real.body), ..real },
            TruncatedJson => Answer { body: real.body[..real.body.len() / 2].to_vec(), ..real },
            TenMegabytes => Answer { body: [vec![b' '; LARGE_BYTES], real.body].concat(), ..real },
            DoubledDocument => Answer { body: real.body.repeat(2), ..real },
        };
        wrong.write(connection).await
    }
}

/// With a byte that UTF-8 does not have, inside of the first text.
fn spoilt(body: &[u8]) -> Vec<u8> {
    let at = body.iter().position(|byte| *byte == b'"').map_or(body.len(), |quote| quote + 1);
    [&body[..at], b"\xff", &body[at..]].concat()
}

/// With half an emoji, a NUL and a direction mark at the end of every text that people wrote, albums of absurdly long names,
/// and no whole number. Songs can still be recognised.
fn poisoned(body: &[u8]) -> Vec<u8> {
    const WRITTEN_BY_PEOPLE: [&str; 5] = ["name", "display_name", "description", "email", "message"];
    fn poison(value: &mut Value, key: &str) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    poison(member, if key == "album" { "album" } else { name });
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key)),
            Value::Number(number) => *value = (number.as_f64().unwrap() + 0.5).into(),
            Value::String(text) if key == "album" => *text = format!("{text}{}", "x".repeat(5_000)),
            Value::String(text) if WRITTEN_BY_PEOPLE.contains(&key) => text.push_str(" \0\u{202e}HALF"),
            _ => {}
        }
    }
    let Ok(mut document) = serde_json::from_slice(body) else { return body.to_vec() };
    poison(&mut document, "");
    document.to_string().replace("HALF", "\\ud83e").into_bytes()
}

/// Ends the connection as a crash does.
fn reset(connection: &Connection) -> Option<()> {
    connection.get_ref().set_zero_linger().ok()?;
    None
}

async fn drip(connection: &mut Connection, real: Answer) -> Option<()> {
    let is_stream = real.header("content-type").is_some_and(|it| it.starts_with("text/event-stream"));
    // Blanks may stand before any document, and not in a stream of events.
    let blanks = if is_stream { 0 } else { DRIPPING_BYTES };
    let dripping = Answer { body: [vec![b' '; blanks], real.body.clone()].concat(), ..real };
    connection.write_all(&dripping.head()).await.ok()?;
    for byte in dripping.body {
        connection.write_all(&[byte]).await.ok()?;
        tokio::time::sleep(DRIP).await;
    }
    Some(())
}
