//! Tests of checkouts: the customer, the open session, and subscribers.

use super::*;

#[test]
fn first_checkout_creates_a_customer() {
    let (url, requests) = checkout(World {
        customer: None,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    assert_eq!(posts(&requests), ["customers", "checkout/sessions"]);
    let form = body_of(
        requests
            .iter()
            .rfind(|request| request.url.ends_with("/checkout/sessions"))
            .unwrap(),
    );
    for part in [
        "mode=subscription",
        "customer=cus_new",
        &format!("client_reference_id={USER}"),
        &format!("subscription_data%5Bmetadata%5D%5Buser_id%5D={USER}"),
        "line_items%5B0%5D%5Bprice%5D=price_1",
        "success_url=https%3A%2F%2Fapp.example%2Fpaid",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
}

#[test]
fn subscriber_is_sent_to_portal() {
    for status in [
        "active", "trialing", "past_due", "unpaid", "paused", "invented",
    ] {
        let (url, requests) = checkout(World {
            status: Some(status),
            ..world()
        });
        assert_eq!(url.unwrap(), "https://portal.example/", "{status}");
        assert_eq!(posts(&requests), ["billing_portal/sessions"], "{status}");
    }
    for status in ["canceled", "incomplete_expired"] {
        let (url, _) = checkout(World {
            status: Some(status),
            ..world()
        });
        assert_eq!(url.unwrap(), "https://checkout.example/cs_new", "{status}");
    }
}

#[test]
fn incomplete_subscription_is_sent_to_its_open_invoice() {
    let open =
        json!({"id": "in_1", "status": "open", "hosted_invoice_url": "https://invoice.example/"});
    for (invoice, expected) in [
        (FakeResponse::json(200, &open), "https://invoice.example/"),
        (
            FakeResponse::json(
                200,
                &json!({"id": "in_1", "status": "paid", "hosted_invoice_url": "x"}),
            ),
            PORTAL,
        ),
        (
            FakeResponse::json(
                200,
                &json!({"id": "in_1", "status": "open", "hosted_invoice_url": null}),
            ),
            PORTAL,
        ),
        (
            FakeResponse::json(
                404,
                &json!({"error": {"code": "resource_missing", "param": "id"}}),
            ),
            PORTAL,
        ),
    ] {
        let instead = vec![("in_1", invoice)];
        let (url, requests) = checkout(World {
            status: Some("incomplete"),
            instead,
            ..world()
        });
        assert_eq!(url.unwrap(), expected);
        assert!(!posts(&requests).contains(&"checkout/sessions"));
    }
    // A subscription that was paid before takes precedence: the portal has its invoice.
    let data = json!([
        {"id": "sub_2", "customer": "cus_1", "status": "incomplete", "latest_invoice": "in_1"},
        {"id": "sub_1", "customer": "cus_1", "status": "unpaid"},
    ]);
    let page = FakeResponse::json(200, &json!({"data": data, "has_more": false}));
    let (url, _) = checkout(World {
        instead: vec![("subscriptions", page)],
        ..world()
    });
    assert_eq!(url.unwrap(), PORTAL);
}

#[test]
fn currency_conflict_is_resolved_or_reported() {
    let sessions = vec![session("cs_1", "https://app.example/other")];
    let (url, requests) = checkout(World {
        sessions,
        conflicts: Cell::new(1),
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    let created = [
        "checkout/sessions",
        "checkout/sessions/cs_1/expire",
        "checkout/sessions",
    ];
    assert_eq!(posts(&requests)[..3], created);
    let keys: Vec<bool> = requests
        .iter()
        .filter(|request| {
            request.method == Method::POST && request.url.ends_with("/checkout/sessions")
        })
        .map(|request| request.headers.contains_key("idempotency-key"))
        .collect();
    assert_eq!(
        keys,
        [true, false],
        "Stripe would repeat its refusal under the key"
    );

    let (url, requests) = checkout(World {
        conflicts: Cell::new(9),
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::CurrencyConflict);
    assert_eq!(posts(&requests), ["checkout/sessions"; 2]);
}

#[test]
fn one_checkout_is_open_at_a_time() {
    let same = session("cs_2", "https://app.example/paid");
    let other = session("cs_3", "https://app.example/other");
    let older = session("cs_1", "https://app.example/paid");
    let ends_soon = json!({"expires_at": NOW + 60});
    let merged = |mut session: Value, with: &Value| {
        session
            .as_object_mut()
            .unwrap()
            .extend(with.as_object().unwrap().clone());
        session
    };
    for (sessions, url, expected) in [
        (vec![same.clone()], "cs_2", vec![]),
        (
            vec![same.clone(), older.clone()],
            "cs_2",
            vec!["checkout/sessions/cs_1/expire"],
        ),
        (
            vec![other.clone()],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_3/expire"],
        ),
        (
            vec![other, older],
            "cs_new",
            vec![
                "checkout/sessions",
                "checkout/sessions/cs_3/expire",
                "checkout/sessions/cs_1/expire",
            ],
        ),
        (
            vec![merged(same.clone(), &ends_soon)],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_2/expire"],
        ),
        (
            vec![merged(same.clone(), &json!({"status": "complete"}))],
            "cs_new",
            vec!["checkout/sessions"],
        ),
        (
            vec![merged(same, &json!({"metadata": {"price_id": "price_0"}}))],
            "cs_new",
            vec!["checkout/sessions", "checkout/sessions/cs_2/expire"],
        ),
    ] {
        let (answer, requests) = checkout(World {
            sessions: sessions.clone(),
            ..world()
        });
        assert_eq!(
            answer.unwrap(),
            format!("https://checkout.example/{url}"),
            "{sessions:?}"
        );
        assert_eq!(posts(&requests), expected, "{sessions:?}");
    }
}

#[test]
fn concurrent_checkouts_both_keep_the_newest() {
    let other = || vec![session("cs_other", "https://app.example/other")];
    let (url, requests) = checkout(World {
        sessions: other(),
        newer: 1,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_other");
    assert_eq!(
        posts(&requests),
        ["checkout/sessions", "checkout/sessions/cs_new/expire"]
    );
    let (url, requests) = checkout(World {
        sessions: other(),
        newer: 0,
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    assert_eq!(
        posts(&requests),
        ["checkout/sessions", "checkout/sessions/cs_other/expire"]
    );
}

#[test]
fn session_key_depends_on_the_previous_session() {
    let key = |sessions: Vec<Value>, cancel: &str| {
        let urls = json!({"success_url": "https://app.example/paid", "cancel_url": cancel});
        let (_, requests) = call(
            World {
                sessions,
                ..world()
            },
            "/checkout",
            &urls,
        );
        let create = requests.iter().find(|request| {
            request.method == Method::POST && request.url.ends_with("/checkout/sessions")
        });
        create.unwrap().headers["idempotency-key"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    let done = |id: &str| json!({"id": id, "status": "complete", "expires_at": 2});
    let plan = "https://app.example/plan";
    assert_eq!(key(vec![], plan), key(vec![], plan));
    assert_eq!(key(vec![done("cs_1")], plan), key(vec![done("cs_1")], plan));
    assert_ne!(key(vec![], plan), key(vec![done("cs_1")], plan));
    assert_ne!(
        key(vec![done("cs_2"), done("cs_1")], plan),
        key(vec![done("cs_1")], plan)
    );
    assert_ne!(key(vec![], plan), key(vec![], "https://app.example/other"));
    assert!(key(vec![], plan).len() <= 255);
}

#[test]
fn replaces_a_missing_customer() {
    let (url, requests) = checkout(World {
        gone: &["cus_1"],
        ..world()
    });
    assert_eq!(url.unwrap(), "https://checkout.example/cs_new");
    let created = requests
        .iter()
        .find(|request| request.url.ends_with("/v1/customers"))
        .unwrap();
    assert_eq!(
        created.headers["idempotency-key"],
        format!("customer-{USER}-cus_1")
    );
    let set = requests
        .iter()
        .find(|request| request.url.ends_with("/set_stripe_customer"))
        .unwrap();
    let args: Value = serde_json::from_slice(&set.body).unwrap();
    assert_eq!(
        (&args["p_seen_customer_id"], &args["p_stripe_customer_id"]),
        (&json!("cus_1"), &json!("cus_new"))
    );
    // If each new customer is missing too, the request fails.
    let (url, requests) = checkout(World {
        gone: &["cus_1", "cus_new"],
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::StripeUnavailable);
    assert!(requests.len() < 30, "{}", requests.len());
}

#[test]
fn stored_customer_wins_over_a_new_one() {
    let instead = vec![(
        "set_stripe_customer",
        FakeResponse::json(200, &json!("cus_first")),
    )];
    let (_, requests) = checkout(World {
        customer: None,
        instead,
        ..world()
    });
    let create = requests
        .iter()
        .rfind(|request| request.url.ends_with("/checkout/sessions"))
        .unwrap();
    assert!(body_of(create).contains("customer=cus_first"));
    let instead = vec![("set_stripe_customer", FakeResponse::json(200, &Value::Null))];
    let (url, _) = checkout(World {
        customer: None,
        instead,
        ..world()
    });
    assert_eq!(url.unwrap_err().code(), Code::ProfileNotFound);
}
