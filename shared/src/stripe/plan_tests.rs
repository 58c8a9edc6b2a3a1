//! Tests of the plan that Stripe's subscriptions give.

use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::fakes::FakeResponse;
use crate::stripe::tests::{PERIOD_END, customer, page, plan, refusal, subscription, with_stripe};

#[test]
fn every_subscription_status_maps_to_a_plan() {
    for (statuses, expected) in [
        (&[][..], Plan::Free),
        (&["active"], Plan::Pro),
        (&["trialing"], Plan::Pro),
        (&["past_due"], Plan::Pro),
        (&["unpaid"], Plan::Free),
        (&["canceled"], Plan::Free),
        (&["paused"], Plan::Free),
        (&["incomplete"], Plan::Free),
        (&["incomplete_expired"], Plan::Free),
        (&["invented_in_2027"], Plan::Free),
        (&["canceled", "canceled", "active"], Plan::Pro),
        (&["active", "canceled"], Plan::Pro),
        (&["incomplete", "past_due"], Plan::Pro),
    ] {
        let list: Vec<_> = statuses
            .iter()
            .map(|status| subscription("sub_1", status))
            .collect();
        let (result, requests) = plan([page(&list, false)]);
        assert_eq!(result, Ok(expected), "{statuses:?}");
        let query = "https://stripe.example/v1/subscriptions?status=all&limit=100&customer=cus_1";
        assert_eq!(requests[0].url, query);
    }
}

#[test]
fn period_end_is_that_of_the_subscription_that_lasts_longest() {
    let made = |status: &str, more: Value| {
        let mut it = subscription("sub_1", status);
        it.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        it
    };
    let item = |end: u64| json!({"data": [{"current_period_end": end}]});
    let cancelled = json!({"cancel_at_period_end": true});
    let pro = |renews, period_ends_at| Standing {
        plan: Plan::Pro,
        renews,
        period_ends_at,
    };
    for (subscriptions, expected) in [
        (vec![made("active", json!({}))], pro(true, Some(PERIOD_END))),
        (
            vec![made("trialing", json!({}))],
            pro(true, Some(PERIOD_END)),
        ),
        (
            vec![made("active", cancelled.clone())],
            pro(false, Some(PERIOD_END)),
        ),
        // What the portal writes in the flexible billing mode.
        (
            vec![made(
                "active",
                json!({"cancel_at": PERIOD_END, "cancel_at_period_end": false}),
            )],
            pro(false, Some(PERIOD_END)),
        ),
        (
            vec![made("active", json!({"cancel_at": PERIOD_END - 9}))],
            pro(false, Some(PERIOD_END - 9)),
        ),
        (
            vec![made("active", json!({"cancel_at": PERIOD_END + 9}))],
            pro(true, Some(PERIOD_END)),
        ),
        (vec![made("past_due", json!({}))], pro(true, None)),
        (
            vec![made("active", json!({"items": {"data": []}}))],
            pro(true, None),
        ),
        (
            vec![made("active", json!({"items": null, "cancel_at": 9}))],
            pro(false, Some(9)),
        ),
        (
            vec![made(
                "active",
                json!({"items": {"data": [{"current_period_end": 9}, {"current_period_end": 7}]}}),
            )],
            pro(true, Some(7)),
        ),
        (
            vec![
                made("canceled", json!({"cancel_at": 9})),
                made("unpaid", json!({})),
            ],
            Standing::FREE,
        ),
        (
            vec![
                made("active", cancelled),
                made("active", json!({"items": item(9)})),
                made("canceled", json!({})),
            ],
            pro(true, Some(9)),
        ),
        (vec![], Standing::FREE),
    ] {
        for list in [
            subscriptions.clone(),
            subscriptions.into_iter().rev().collect(),
        ] {
            let (standing, _) = with_stripe([page(&list, false)], async |stripe| {
                stripe.standing_of(&customer()).await
            });
            assert_eq!(standing, Ok(expected), "{list:?}");
        }
    }
}

#[test]
fn all_pages_are_read() {
    let ended = |id: &str| subscription(id, "canceled");
    let pages = [
        page(&[ended("sub_3"), ended("sub_2")], true),
        page(&[subscription("sub_1", "active")], false),
    ];
    let (result, requests) = plan(pages);
    assert_eq!(result, Ok(Plan::Pro));
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].url.ends_with("&starting_after=sub_2"),
        "{}",
        requests[1].url
    );
    // A response that always claims another page is not followed for ever, and the user keeps the plan.
    let (result, requests) = plan(std::iter::repeat_n(page(&[ended("sub_1")], true), 100));
    assert_eq!(
        (result, requests.len()),
        (Err(StripeError::InvalidResponse), 5)
    );
    let (result, _) = plan(std::iter::repeat_n(
        page(&[subscription("sub_1", "active")], true),
        100,
    ));
    assert_eq!(result, Ok(Plan::Pro));
}

#[test]
fn missing_customer_is_free() {
    let (result, _) = plan([refusal(400, "resource_missing", "customer")]);
    assert_eq!(result, Ok(Plan::Free));
    let (result, _) = plan([refusal(404, "resource_missing", "starting_after")]);
    assert!(result.is_err());
}

#[test]
fn invalid_response_changes_no_plan() {
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({"data": [], "object": "list"}),
        json!({"data": [{}], "has_more": false}),
        json!({"data": [{"id": "sub_1", "customer": "cus_1"}], "has_more": false}),
        json!({"data": [{"id": "../x", "customer": "cus_1", "status": "canceled"}], "has_more": false}),
        json!({"data": {}, "has_more": false}),
        json!({"data": [], "has_more": "no"}),
    ] {
        let (result, _) = plan([FakeResponse::json(200, &body)]);
        assert_eq!(result, Err(StripeError::InvalidResponse), "{body}");
    }
    for (status, text) in [
        (200, "<h1>OK</h1>"),
        (200, ""),
        (204, ""),
        (302, ""),
        (200, "{\"data\":["),
    ] {
        let (result, _) = plan([FakeResponse::text(status, "text/html", text)]);
        assert_eq!(result, Err(StripeError::InvalidResponse), "{status} {text}");
    }
}

#[test]
fn subscription_paused_by_voiding_invoices_is_free() {
    for (pause, expected) in [
        (json!(null), Plan::Pro),
        (json!({"behavior": "void", "resumes_at": null}), Plan::Free),
        (
            json!({"behavior": "void", "resumes_at": 1_790_000_600}),
            Plan::Free,
        ),
        (json!({"behavior": "keep_as_draft"}), Plan::Pro),
        (json!({"behavior": "mark_uncollectible"}), Plan::Pro),
        (json!({"behavior": "invented"}), Plan::Pro),
    ] {
        for status in ["active", "trialing", "past_due"] {
            let mut paused = subscription("sub_1", status);
            paused["pause_collection"] = pause.clone();
            assert_eq!(
                plan([page(&[paused], false)]).0,
                Ok(expected),
                "{status} {pause}"
            );
        }
    }
}
