use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::*;
use super::*;
use crate::error::{Code, Error};
use crate::fakes::{FakeClock, FakeHttp, FakeRandom, FakeResponse};
use crate::runtime::http_client::OutboundRequest;
use crate::stripe::tests::{NOW_MS, PERIOD_END, USER, customer, env, page, subscription};
use crate::supabase::{Supabase, SupabaseConfig};

/// A database with one profile, and Stripe; `during` runs while Stripe is asked.
struct World {
    profile: RefCell<Value>,
    plan: RefCell<&'static str>,
    owner: Value,
    during: RefCell<Vec<fn(&World)>>,
}

fn world(customer: Value) -> Rc<World> {
    let profile = json!({"user_id": USER, "plan": "free", "plan_renews": false, "plan_period_ends_at": null,
            "stripe_customer_id": customer, "plan_synced_at": null});
    Rc::new(World {
        profile: RefCell::new(profile),
        plan: RefCell::new("active"),
        owner: json!({"id": "cus_1", "metadata": {"user_id": USER}}),
        during: RefCell::default(),
    })
}

impl World {
    fn write(&self, plan: &str, customer: &Value) {
        self.write_standing(
            &json!({"p_plan": plan, "p_renews": false, "p_period_ends_at": null}),
            customer,
        );
    }

    fn write_standing(&self, args: &Value, customer: &Value) {
        let mut profile = self.profile.borrow_mut();
        let writes = profile["plan_synced_at"]
            .as_str()
            .map_or(1, |it| it.parse::<u32>().unwrap() + 1);
        *profile = json!({"user_id": USER, "plan": args["p_plan"], "plan_renews": args["p_renews"],
            "plan_period_ends_at": args["p_period_ends_at"], "stripe_customer_id": customer,
            "plan_synced_at": writes.to_string()});
    }

    fn result_of_write(&self, outcome: &str) -> FakeResponse {
        FakeResponse::json(
            200,
            &json!({"outcome": outcome, "profile": *self.profile.borrow()}),
        )
    }

    fn answer(&self, request: &OutboundRequest) -> FakeResponse {
        let path = request
            .url
            .split('?')
            .next()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let args: HashMap<String, Value> =
            serde_json::from_slice(&request.body).unwrap_or_default();
        match path {
            "billing_profile" => {
                let profile = self.profile.borrow();
                let is =
                    |arg: &str, field: &str| !args[arg].is_null() && args[arg] == profile[field];
                let found =
                    is("p_stripe_customer_id", "stripe_customer_id") || is("p_user_id", "user_id");
                FakeResponse::json(200, if found { &profile } else { &Value::Null })
            }
            "set_billing_plan"
                if self.profile.borrow()["plan_synced_at"] == args["p_seen_synced_at"] =>
            {
                self.write_standing(&json!(args), &args["p_stripe_customer_id"]);
                self.result_of_write("written")
            }
            "set_billing_plan" if self.profile.borrow()["user_id"] != args["p_user_id"] => {
                FakeResponse::json(200, &json!({"outcome": "no_profile", "profile": null}))
            }
            "set_billing_plan" => self.result_of_write("conflict"),
            "subscriptions" => {
                let answer = page(&[subscription("sub_1", *self.plan.borrow())], false);
                let next = self.during.borrow_mut().pop();
                next.into_iter().for_each(|during| during(self));
                answer
            }
            "cus_1" => FakeResponse::json(200, &self.owner),
            other => panic!("{other}"),
        }
    }
}

fn sync(world: &Rc<World>, user_id: Option<Uuid>) -> (Result<Synced, SyncError>, usize) {
    let (result, asked) = sync_after(&LastWrites::default(), world, user_id, NOW_MS);
    let reads = asked.iter().filter(|name| *name == "subscriptions").count();
    (result, reads)
}

/// Syncs, and returns the last segments of the requested paths.
fn sync_after(
    writes: &LastWrites,
    world: &Rc<World>,
    user_id: Option<Uuid>,
    now_ms: u64,
) -> (Result<Synced, SyncError>, Vec<String>) {
    let shared = world.clone();
    let (http, clock) = (
        FakeHttp::responding(move |request| shared.answer(request)),
        FakeClock::hurrying(now_ms),
    );
    let config = StripeConfig::from_env(env).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, now_ms + 15_000);
    let supabase = SupabaseConfig::from_env(env).unwrap();
    let service = Supabase::new(&supabase, &http).service();
    let subject = Subject {
        customer: customer(),
        user_id,
    };
    let result = PlanSync::new(&stripe, &service, &FakeRandom::default())
        .after(writes)
        .sync(&subject)
        .now_or_never()
        .unwrap();
    let name = |request: &OutboundRequest| {
        let path = request.url.split('?').next().unwrap();
        path.rsplit('/').next().unwrap().to_owned()
    };
    (result, http.requests().iter().map(name).collect())
}

#[test]
fn writes_the_plan_that_stripe_states() {
    for (status, plan, renews, period_ends_at) in [
        ("active", "pro", true, json!(PERIOD_END)),
        ("past_due", "pro", true, Value::Null),
        ("canceled", "free", false, Value::Null),
    ] {
        let world = world(json!("cus_1"));
        *world.plan.borrow_mut() = status;
        let standing = Standing {
            plan: Plan::parse(plan).unwrap(),
            renews,
            period_ends_at: period_ends_at.as_u64(),
        };
        assert_eq!(sync(&world, None), (Ok(Synced::Written(standing)), 1));
        let profile = world.profile.borrow();
        let written = [
            &profile["plan"],
            &profile["plan_renews"],
            &profile["plan_period_ends_at"],
        ];
        assert_eq!(written, [&json!(plan), &json!(renews), &period_ends_at]);
    }
}

#[test]
fn stale_read_of_stripe_is_repeated() {
    let world = world(json!("cus_1"));
    world.during.borrow_mut().push(|world| {
        // The subscription ends, and a faster request has written that already.
        *world.plan.borrow_mut() = "canceled";
        world.write("free", &json!("cus_1"));
    });
    assert_eq!(sync(&world, None), (Ok(Synced::Written(Standing::FREE)), 2));
    assert_eq!(world.profile.borrow()["plan"], "free");
}

#[test]
fn a_profile_is_not_read_again_after_a_write_or_a_conflict() {
    let (world, writes) = (world(json!("cus_1")), LastWrites::default());
    let sync_at = |now_ms| sync_after(&writes, &world, None, now_ms).1;
    let first = ["billing_profile", "subscriptions", "set_billing_plan"];
    assert_eq!(sync_at(NOW_MS), first);
    assert_eq!(sync_at(NOW_MS), first[1..]);
    // Another instance writes; then this instance's state is outdated.
    world.write("free", &json!("cus_1"));
    assert_eq!(sync_at(NOW_MS), [&first[1..], &first[1..]].concat());
    assert_eq!(world.profile.borrow()["plan"], "pro");
    assert_eq!(sync_at(NOW_MS + 60_000), first, "too long ago");
}

#[test]
fn a_kept_profile_that_lost_its_customer_or_is_gone_is_read_again() {
    let first = ["billing_profile", "subscriptions", "set_billing_plan"];
    for (field, value) in [
        ("stripe_customer_id", json!("cus_2")),
        ("user_id", json!(Uuid::from_u128(8))),
    ] {
        let (world, writes) = (world(json!("cus_1")), LastWrites::default());
        assert_eq!(sync_after(&writes, &world, None, NOW_MS).1, first);
        world.write("free", &json!("cus_1"));
        world.profile.borrow_mut()[field] = value;
        let before = world.profile.borrow().clone();
        let (result, asked) = sync_after(&writes, &world, None, NOW_MS);
        assert_eq!(
            asked[..3],
            ["subscriptions", "set_billing_plan", "billing_profile"]
        );
        let is_same_customer = field == "user_id";
        assert_eq!(
            result == Ok(Synced::Foreign),
            !is_same_customer,
            "{asked:?}"
        );
        assert_eq!(
            *world.profile.borrow() == before,
            !is_same_customer,
            "{asked:?}"
        );
    }
}

#[test]
fn reports_contention_after_the_last_attempt() {
    let world = world(json!("cus_1"));
    let again: fn(&World) = |world| world.write("free", &json!("cus_1"));
    world.during.borrow_mut().extend([again; 20]);
    assert_eq!(sync(&world, None), (Err(SyncError::Contended), 5));
    let error = Error::from(SyncError::Contended);
    assert_eq!(
        (error.code(), error.status().as_u16()),
        (Code::PlanContended, 503)
    );
}

#[test]
fn assigns_a_new_customer_to_its_user() {
    for named in [None, Some(USER)] {
        let world = world(Value::Null);
        assert!(matches!(
            sync(&world, named).0,
            Ok(Synced::Written(Standing {
                plan: Plan::Pro,
                ..
            }))
        ));
        assert_eq!(world.profile.borrow()["stripe_customer_id"], "cus_1");
    }
}

#[test]
fn customer_without_a_known_user_is_foreign() {
    let other = Uuid::from_u128(8);
    for (own, owner, named) in [
        (
            json!("cus_2"),
            json!({"id": "cus_1", "metadata": {"user_id": USER}}),
            Some(USER),
        ),
        (
            json!("cus_2"),
            json!({"id": "cus_1", "metadata": {"user_id": USER}}),
            None,
        ),
        (
            Value::Null,
            json!({"id": "cus_1", "deleted": true}),
            Some(USER),
        ),
        (
            Value::Null,
            json!({"id": "cus_1", "metadata": {"user_id": other}}),
            Some(USER),
        ),
        (
            Value::Null,
            json!({"id": "cus_1", "metadata": {"user_id": "x"}}),
            Some(USER),
        ),
        (Value::Null, json!({"id": "cus_1", "metadata": {}}), None),
        (
            Value::Null,
            json!({"id": "cus_1", "metadata": {}}),
            Some(other),
        ),
    ] {
        let world = Rc::new(World {
            owner,
            profile: RefCell::new(world(own).profile.borrow().clone()),
            ..empty()
        });
        let before = world.profile.borrow().clone();
        assert_eq!(
            sync(&world, named).0,
            Ok(Synced::Foreign),
            "{before} {named:?}"
        );
        assert_eq!(*world.profile.borrow(), before);
    }
}

#[test]
fn uses_the_events_user_if_the_customer_names_none() {
    let world = Rc::new(World {
        owner: json!({"id": "cus_1", "metadata": {}}),
        profile: RefCell::new(world(Value::Null).profile.borrow().clone()),
        ..empty()
    });
    assert!(matches!(
        sync(&world, Some(USER)).0,
        Ok(Synced::Written(Standing {
            plan: Plan::Pro,
            ..
        }))
    ));
}

#[test]
fn refuses_a_response_with_another_customer() {
    for owner in [
        json!({}),
        json!({"id": "cus_2", "metadata": {}}),
        json!([]),
        Value::Null,
    ] {
        let world = Rc::new(World {
            owner,
            profile: RefCell::new(world(Value::Null).profile.borrow().clone()),
            ..empty()
        });
        assert_eq!(
            sync(&world, Some(USER)).0,
            Err(SyncError::Stripe(StripeError::InvalidResponse))
        );
        assert_eq!(world.profile.borrow()["plan"], "free");
    }
}

fn empty() -> World {
    World {
        profile: RefCell::default(),
        plan: RefCell::new("active"),
        owner: Value::Null,
        during: RefCell::default(),
    }
}
