//! Property tests with any header, event and response of Stripe.

use inputs::proptest::collection::vec;
use inputs::proptest::prelude::*;
use inputs::proptest::sample::Index;
use inputs::{bytes, damaged, json, mutated, mutated_text, nearly, text};
use serde_json::json;

use super::signature::tests::{A, B, sign};
use super::tests::{USER, customer, plan, subscription, with_stripe};
use super::*;
use crate::fakes::FakeResponse;

const NOW: u64 = 1_790_000_000;

fn secrets() -> WebhookSecrets {
    WebhookSecrets::from_env(|_| Some(format!("{B},{A}"))).unwrap()
}

/// Generates other items of a signature header; none of them is a time.
fn other_item() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("v0=00".to_owned()),
        Just(format!("v1={}", "0".repeat(64))),
        text().prop_map(|text| format!("v1={}", text.replace(',', ""))),
        text()
            .prop_map(|text| text.replace(',', ""))
            .prop_filter("a time", |item| !item.starts_with("t=")),
    ]
}

fn answer(body: &[u8]) -> FakeResponse {
    FakeResponse::Response(
        http::StatusCode::OK,
        http::HeaderMap::new(),
        vec![Ok(body.to_vec().into())],
    )
}

fn right_events() -> impl Strategy<Value = Value> {
    let object = json!({"object": "subscription", "id": "sub_1", "customer": "cus_1", "metadata": {"user_id": USER}});
    let related = json!({"id": "cs_1", "type": "checkout.session", "url": "https://evil.example"});
    prop_oneof![
        Just(
            json!({"object": "event", "type": "customer.subscription.updated", "livemode": false, "account": null,
                    "data": {"object": object}})
        ),
        Just(
            json!({"object": "v2.core.event", "type": "v1.checkout.session.completed", "livemode": true,
                    "related_object": related})
        ),
    ]
}

fn is_fit_for_a_path(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

proptest! {
    #[test]
    fn accepts_stripes_signature_among_any_other_items(
        body in bytes(),
        by in prop::sample::select(vec![A, B]),
        off in 0..=600_u64,
        others in vec((any::<Index>(), other_item()), 0..6),
        swapped in any::<bool>(),
    ) {
        let time = NOW - 300 + off;
        let mut items = vec![format!("t={time}"), format!("v1={}", sign(by, time, &body))];
        if swapped {
            items.reverse();
        }
        for (at, item) in others {
            items.insert(at.index(items.len() + 1), item);
        }
        let header = items.join(",");
        prop_assert_eq!(secrets().verify(Some(&header), &body, NOW), Ok(()), "{}", header);
        prop_assert!(secrets().verify(Some(&header), &body, time + 301).is_err());
    }

    #[test]
    fn no_forged_header_verifies(
        header in prop_oneof![text(), mutated_text("signature-header")],
        body in bytes(),
    ) {
        prop_assert!(secrets().verify(Some(&header), &body, NOW).is_err());
        let timed = format!("t={NOW},v1={header}");
        prop_assert!(secrets().verify(Some(&timed), &body, NOW).is_err());
    }

    #[test]
    fn changed_body_or_header_never_verifies(
        body in bytes(),
        bit in any::<Index>(),
        ((header, signed), other) in bytes().prop_flat_map(|body| {
            let header = format!("t={NOW},v1={}", sign(A, NOW, &body));
            (Just((header.clone(), body)), damaged(header.into_bytes()))
        }),
    ) {
        prop_assert_eq!(secrets().verify(Some(&header), &signed, NOW), Ok(()));
        if body != signed {
            prop_assert!(secrets().verify(Some(&header), &body, NOW).is_err());
        }
        if !signed.is_empty() {
            let bit = bit.index(signed.len() * 8);
            let mut flipped = signed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(secrets().verify(Some(&header), &flipped, NOW).is_err());
        }
        // A header that still verifies has the same time and the same signature.
        if let Ok(other) = String::from_utf8(other)
            && secrets().verify(Some(&other), &signed, NOW).is_ok()
        {
            for item in header.split(',') {
                prop_assert!(other.split(',').any(|it| it == item), "{}", other);
            }
        }
    }

    #[test]
    fn any_event_is_read_or_refused(
        body in prop_oneof![bytes(), mutated("request-bodies")],
        made_up in json(),
    ) {
        if let Ok(event) = Event::parse(&body) {
            // A lone surrogate is replaced first.
            let body = crate::json::replace_lone_surrogates(&body);
            prop_assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{:?}", event);
        }
        let refused = Event::parse(made_up.to_string().as_bytes());
        prop_assert!(!matches!(refused, Err(EventError::InvalidJson)));
    }

    #[test]
    fn mutated_event_names_no_other_customer(event in right_events().prop_flat_map(nearly)) {
        let Ok(read) = Event::parse(event.to_string().as_bytes()) else { return Ok(()) };
        prop_assert_eq!(Some(read.livemode), event["livemode"].as_bool());
        if let Some(kind) = &read.kind {
            prop_assert!(
                kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b)),
            );
        }
        match &read.source {
            Some(Source::Object(object)) => prop_assert!(object.is_object()),
            Some(Source::Path(path)) => {
                let (collection, id) = path.strip_prefix("/v1/").unwrap().rsplit_once('/').unwrap();
                prop_assert!(
                    ["checkout/sessions", "subscriptions", "invoices", "customers"].contains(&collection),
                );
                prop_assert!(!id.is_empty() && is_fit_for_a_path(id), "{}", path);
            }
            None => {}
        }
        prop_assert!(read.source.is_none() || event["account"].is_null());
    }

    #[test]
    fn object_without_a_customer_has_no_subject(
        object in json(),
        event in right_events().prop_flat_map(nearly),
    ) {
        for object in [&object, &event["data"]["object"]] {
            if let Some(subject) = Subject::of(object) {
                prop_assert!(is_fit_for_a_path(subject.customer.as_str()));
                prop_assert!(object.to_string().contains(subject.customer.as_str()));
            }
        }
    }

    #[test]
    fn any_page_gives_its_plan_or_an_error(
        statuses in vec(prop_oneof![Just("active"), Just("past_due"), Just("canceled"), Just("x")], 0..4),
        page in nearly(json!({"data": [subscription("sub_1", "canceled"), subscription("sub_2", "x")], "has_more": false})),
    ) {
        let list: Vec<_> = statuses.iter().map(|status| subscription("sub_1", status)).collect();
        let is_pro = statuses.iter().any(|status| ["active", "past_due"].contains(status));
        let expected = if is_pro { Plan::Pro } else { Plan::Free };
        prop_assert_eq!(plan([super::tests::page(&list, false)]).0, Ok(expected));
        // Free only if every subscription was understood, pro only if one of them says so.
        match plan([FakeResponse::json(200, &page)]).0 {
            Ok(Plan::Free) => {
                let has_all = |it: &Value| ["id", "customer", "status"].iter().all(|name| it[name].is_string());
                prop_assert!(page["data"].as_array().unwrap().iter().all(has_all), "{}", page);
                prop_assert!(page["has_more"].is_boolean(), "{}", page);
            }
            Ok(Plan::Pro) => prop_assert!(page.to_string().contains("active"), "{}", page),
            Err(_) => {}
        }
    }

    #[test]
    fn non_json_response_is_invalid(body in bytes()) {
        let read = plan([answer(&body)]).0;
        prop_assert!(read == Err(StripeError::InvalidResponse), "{:?}", read);
    }

    #[test]
    fn checkout_url_comes_from_a_response(
        sessions in nearly(json!({"data": [
            {"id": "cs_1", "status": "open", "url": "https://checkout.example/1", "expires_at": u64::MAX,
             "success_url": "s", "cancel_url": "c", "metadata": {"price_id": "p"}},
            {"id": "cs_2", "status": "expired", "url": null, "expires_at": 1},
        ]})),
        session in nearly(
            json!({"id": "cs_3", "status": "open", "url": "https://checkout.example/3", "expires_at": NOW}),
        ),
        refused in nearly(
            json!({"error": {"code": "resource_missing", "param": "customer", "message": "No"}}),
        ),
        status in 400..600_u16,
    ) {
        let request = CheckoutRequest { user_id: USER, price_id: "p", success_url: "s", cancel_url: "c" };
        let answers = [&sessions, &session, &sessions].map(|it| FakeResponse::json(200, it));
        let (url, _) = with_stripe(answers, async |stripe| stripe.checkout(&customer(), &request).await);
        if let Ok(url) = url {
            prop_assert!(
                [&sessions, &session].iter().any(
                    |it| it.to_string().contains(&Value::from(url.as_str()).to_string()),
                ),
            );
        }
        let (read, _) = plan(std::iter::repeat_n(FakeResponse::json(status, &refused), 9));
        prop_assert!(
            read.is_err() || read == Ok(Plan::Free) && refused["error"]["code"] == "resource_missing",
        );
    }
}
