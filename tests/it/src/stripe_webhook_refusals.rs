//! What is not Stripe's: ten thousand ways to be wrong, each with a clear refusal.

use futures_util::StreamExt;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::spotify::browser;
use crate::stack::Stack;
use crate::stripe::{event, now, signature};

const REQUESTS: u64 = 10_000;
const AT_ONCE: usize = 16;
/// Whom the events are about.
const CUSTOMER: &str = "cus_whoIsNeverAskedFor";
const LIMIT: usize = 1024 * 1024;
/// Each of these sends a megabyte: fewer are enough.
const LARGE_EVERY: u64 = 200;

struct Malformed {
    signatures: Vec<Vec<u8>>,
    body: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
    expected: u16,
}

fn flip(bytes: &mut [u8], dice: &mut Dice) {
    let bit = dice.below(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

/// Valid JSON that is no event, and what is no JSON, both signed.
fn signed_nonsense(dice: &mut Dice) -> Vec<u8> {
    let good = event("invoice.paid", &json!({"object": "invoice", "customer": CUSTOMER}));
    let member = ["object", "type", "livemode", "data"][dice.below(4)];
    match dice.below(9) {
        0 => dice.bytes(300),
        1 => Vec::new(),
        2 => b"[".repeat(1 + dice.below(5_000)),
        3 => b"{\"a\":".repeat(1 + dice.below(5_000)),
        4 => {
            let text = good.to_string();
            text.as_bytes()[..dice.below(text.len())].to_vec()
        }
        5 => {
            let mut event = good;
            event.as_object_mut().unwrap().remove(member);
            event.to_string().into_bytes()
        }
        6 => {
            let mut event = good;
            event[member] = [json!(null), json!(7), json!([]), json!({})][dice.below(4)].clone();
            event.to_string().into_bytes()
        }
        7 => [json!(null), json!("event"), json!([[]]), json!(1e300)][dice.below(4)].to_string().into_bytes(),
        _ => {
            let mut bytes = good.to_string().into_bytes();
            bytes[10] = 0xff;
            bytes
        }
    }
}

fn malformed(number: u64, dice: &mut Dice, secret: &str) -> Malformed {
    let good =
        event("invoice.paid", &json!({"object": "invoice", "customer": CUSTOMER})).to_string().into_bytes();
    let right = signature(secret, now(), &good).into_bytes();
    let mut request =
        Malformed { signatures: vec![right.clone()], body: good.clone(), headers: Vec::new(), expected: 400 };
    if number.is_multiple_of(LARGE_EVERY) {
        let body = vec![b' '; LIMIT + 1 + dice.below(1_000)];
        let signatures = vec![signature(secret, now(), &body).into_bytes()];
        return Malformed { signatures, body, expected: 413, ..request };
    }
    match dice.below(14) {
        0 => request.signatures.clear(),
        1 => request.signatures = vec![Vec::new()],
        2 => flip(&mut request.body, dice),
        3 => {
            // One more or one less byte of the signature's hexadecimal digits.
            let cut = right.len() - 1 - dice.below(64);
            request.signatures[0].truncate(cut);
        }
        4 => {
            let text = String::from_utf8(right).unwrap();
            request.signatures = vec![format!("t={},{text}", now() - 1).into_bytes()];
        }
        5 => request.body.extend(b"\n"),
        6 => request.body.truncate(dice.below(good.len())),
        7 => {
            let other = format!("whsec_{:032}", dice.next());
            request.signatures = vec![signature(&other, now(), &good).into_bytes()];
        }
        8 => {
            let seconds = if dice.next().is_multiple_of(2) { now() - 400 } else { now() + 400 };
            request.signatures = vec![signature(secret, seconds, &good).into_bytes()];
        }
        9 => {
            let printable = |byte: &u8| matches!(byte, b' '..=b'~' | 0x80..=0xff);
            request.signatures = vec![dice.bytes(400).into_iter().filter(printable).collect()];
        }
        10 => {
            request.signatures =
                vec![format!("t={}{}", now(), ",v1=".repeat(1 + dice.below(2_000))).into_bytes()];
        }
        11 => {
            // What a proxy might do to a body on its way.
            request.headers = vec![("content-encoding", ["gzip", "br", "deflate", "x"][dice.below(4)])];
            request.body = [b"\x1f\x8b\x08".to_vec(), dice.bytes(200)].concat();
        }
        12 => {
            request.headers =
                vec![("content-type", ["text/plain", "multipart/form-data", "x", ""][dice.below(4)])];
            request.body = signed_nonsense(dice);
            request.signatures = vec![signature(secret, now(), &request.body).into_bytes()];
        }
        _ => {
            request.body = signed_nonsense(dice);
            request.signatures = vec![signature(secret, now(), &request.body).into_bytes()];
        }
    }
    request
}

fn functions_log() -> String {
    let folder = std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set");
    let bytes = std::fs::read(std::path::Path::new(&folder).join("logs/functions.log")).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn ten_thousand_malformed_requests_are_each_refused_and_no_instance_is_lost() {
    let stack = Stack::take().await;
    let secret = stack.url("/stripe_webhook_secret").to_owned();
    let (client, url) = (browser(), stack.function("stripe-webhook"));
    let log_before = functions_log().len();
    let requests = futures_util::stream::iter(0..REQUESTS).map(|number| {
        let (client, url, secret) = (client.clone(), url.clone(), secret.clone());
        async move {
            let request = malformed(number, &mut Dice::new(number), &secret);
            let mut post = client.post(url);
            for signature in &request.signatures {
                post = post.header("stripe-signature", HeaderValue::from_bytes(signature).unwrap());
            }
            for (name, value) in &request.headers {
                post = post.header(*name, *value);
            }
            let response = post.body(request.body).send().await.unwrap();
            let (status, id) = (response.status().as_u16(), response.headers().contains_key("x-request-id"));
            let text = response.text().await.unwrap();
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            assert_eq!(status, request.expected, "{number}: {text}");
            assert!(id && body["code"].is_string() && body["message"].is_string(), "{number}: {text}");
            (status, body["code"].as_str().unwrap().to_owned())
        }
    });
    let answers: Vec<_> = requests.buffer_unordered(AT_ONCE).collect().await;
    for code in ["invalid_signature", "invalid_json", "invalid_event", "body_too_large"] {
        assert!(answers.iter().filter(|(_, found)| found == code).count() >= 50, "hardly any {code}");
    }
    assert_eq!(answers.len() as u64, REQUESTS);
    let log = functions_log();
    let new = log.get(log_before..).unwrap_or_default();
    for word in ["panicked", "RuntimeError", "unreachable", "einitial", &secret] {
        assert!(!new.contains(word), "the log says {word}");
    }
    let asked = stack.log("stripe").await.iter().filter(|it| it.to_string().contains(CUSTOMER)).count();
    assert_eq!(asked, 0, "something was asked of Stripe");
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_read() {
    let stack = Stack::take().await;
    let mut event = event("charge.refunded", &json!({"object": "charge"}));
    let room = LIMIT - event.to_string().len() - r#","padding":"""#.len();
    event["padding"] = json!("x".repeat(room));
    let text = event.to_string();
    assert_eq!(text.len(), LIMIT);
    let answer = crate::stripe::send(&stack, &event).await.ok();
    assert_eq!(answer["outcome"], "ignored");
}
