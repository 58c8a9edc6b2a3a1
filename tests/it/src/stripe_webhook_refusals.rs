//! What Stripe did not sign, or did not mean for this endpoint, is refused before anything is asked of Stripe.

use serde_json::{Value, json};

use crate::logs::Log;
use crate::spotify::browser;
use crate::stack::Stack;
use crate::stripe::{event, now, signature};

const LIMIT: usize = 1024 * 1024;
/// The customer of the events.
const CUSTOMER: &str = "cus_whoIsNeverAskedFor";

#[tokio::test]
async fn an_event_that_stripe_did_not_send_is_refused() {
    let stack = Stack::take().await;
    let secret = stack.url("/stripe_webhook_secret").to_owned();
    let log = Log::begin();
    let signed = |seconds: u64, body: &[u8]| Some(signature(&secret, seconds, body));
    let good = event("invoice.paid", &json!({"object": "invoice", "customer": CUSTOMER}));
    let body = good.to_string().into_bytes();
    let right = signature(&secret, now(), &body);
    let other = "whsec_00000000000000000000000000000000";
    let mut live = good.clone();
    live["livemode"] = json!(true);
    let live = live.to_string().into_bytes();
    let mut changed = body.clone();
    changed[20] ^= 1;
    let mut without_type = good.clone();
    without_type.as_object_mut().unwrap().remove("type");
    let without_type = without_type.to_string().into_bytes();
    let (nested, large) = (b"[".repeat(5_000), vec![b' '; LIMIT + 1]);
    for (what, header, body, status, code) in [
        ("no signature", None, body.clone(), 400, "invalid_signature"),
        ("another secret", Some(signature(other, now(), &body)), body.clone(), 400, "invalid_signature"),
        ("an old time", signed(now() - 400, &body), body.clone(), 400, "invalid_signature"),
        ("a time ahead", signed(now() + 400, &body), body.clone(), 400, "invalid_signature"),
        ("a second time", Some(format!("t=1,{right}")), body.clone(), 400, "invalid_signature"),
        (
            "a shorter signature",
            Some(right[..right.len() - 1].to_owned()),
            body.clone(),
            400,
            "invalid_signature",
        ),
        ("a changed body", Some(right.clone()), changed, 400, "invalid_signature"),
        ("a longer body", Some(right), [body, b"\n".to_vec()].concat(), 400, "invalid_signature"),
        ("a deep body", signed(now(), &nested), nested, 400, "invalid_json"),
        ("no type", signed(now(), &without_type), without_type, 400, "invalid_event"),
        ("the other mode", signed(now(), &live), live, 400, "livemode_mismatch"),
        ("a large body", signed(now(), &large), large, 413, "body_too_large"),
    ] {
        let mut request = browser().post(stack.function("stripe-webhook")).body(body);
        if let Some(header) = header {
            request = request.header("stripe-signature", header);
        }
        let response = request.send().await.unwrap();
        let answer = (response.status().as_u16(), response.json::<Value>().await.unwrap());
        assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)), "{what}");
    }
    let asked = stack.log("stripe").await;
    assert!(!asked.iter().any(|request| request.to_string().contains(CUSTOMER)), "{asked:?}");
    let lines = json!(log.lines()).to_string();
    assert!(!lines.contains(&secret) && !lines.contains("panicked"), "{lines}");
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_read() {
    let stack = Stack::take().await;
    let mut event = event("charge.refunded", &json!({"object": "charge"}));
    let room = LIMIT - event.to_string().len() - r#","padding":"""#.len();
    event["padding"] = json!("x".repeat(room));
    assert_eq!(event.to_string().len(), LIMIT);
    let answer = crate::stripe::send(&stack, &event).await.ok();
    assert_eq!(answer["outcome"], "ignored");
}
