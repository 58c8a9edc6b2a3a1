use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use shared::fakes::{FakeClock, FakeHttp, FakeRandom, FakeResponse};
use shared::runtime::http_client::OutboundRequest;
use shared::stripe::StripeConfig;
use shared::supabase::{Supabase, SupabaseConfig};

use super::*;

fn lookup(name: &str) -> Option<String> {
    let value = match name {
        "STRIPE_SECRET_KEY" => "sk_test_x",
        "STRIPE_API_BASE_URL" => "https://stripe.example",
        "SUPABASE_URL" => "https://db.example",
        "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
        "SUPABASE_SECRET_KEY" => "sb_secret_x",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The plans of the profiles.
const PERIOD_END: u64 = 1_798_156_800;

fn user(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Profiles by user (plan and customer), and subscriptions (customer, status and the user that they name).
struct World {
    profiles: RefCell<Vec<(u128, &'static str, Option<&'static str>)>>,
    subscriptions: Vec<(&'static str, &'static str, Option<u128>)>,
    writes: RefCell<Vec<String>>,
    refuses: bool,
    /// The end of every subscription's period.
    period_ends_at: u64,
}

impl World {
    fn profile(&self, (number, plan, customer): (u128, &str, Option<&str>)) -> Value {
        let period_ends_at = (plan == "pro" && customer.is_some()).then_some(PERIOD_END);
        json!({"user_id": user(number), "plan": plan, "plan_renews": plan == "pro",
            "plan_period_ends_at": period_ends_at, "stripe_customer_id": customer, "plan_synced_at": null})
    }

    fn subscriptions(&self, url: &str) -> Value {
        let all = self.subscriptions.iter().enumerate();
        let after = url
            .split("starting_after=sub_")
            .nth(1)
            .map_or(0, |number| number.parse::<usize>().unwrap() + 1);
        let mut rest = all.skip(after).filter(|(_, (customer, ..))| {
            !url.contains("customer=") || url.contains(&format!("customer={customer}"))
        });
        let page: Vec<_> = rest
            .by_ref()
            .take(2)
            .map(|(number, (customer, status, user_id))| {
                json!({"id": format!("sub_{number}"), "customer": customer, "status": status,
                    "items": {"data": [{"current_period_end": self.period_ends_at}]},
                    "metadata": {"user_id": user_id.map(user)}})
            })
            .collect();
        json!({"data": page, "has_more": rest.next().is_some()})
    }

    fn answer(&self, request: &OutboundRequest) -> FakeResponse {
        let args: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let path = request
            .url
            .split('?')
            .next()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        let profiles = self.profiles.borrow();
        let body = match path {
            "billing_profiles" => {
                let is_behind = |number: u128| {
                    args["p_after"]
                        .as_str()
                        .is_none_or(|it| user(number).to_string().as_str() > it)
                };
                let page = profiles
                    .iter()
                    .filter(|(number, ..)| is_behind(*number))
                    .take(2);
                json!(
                    page.map(|profile| self.profile(*profile))
                        .collect::<Vec<_>>()
                )
            }
            "billing_profile" => {
                let is_it = |(number, _, customer): &&(u128, &str, Option<&str>)| {
                    (args["p_stripe_customer_id"].is_string()
                        && args["p_stripe_customer_id"] == json!(customer))
                        || args["p_user_id"] == json!(user(*number))
                };
                json!(
                    profiles
                        .iter()
                        .find(is_it)
                        .map(|profile| self.profile(*profile))
                )
            }
            "set_billing_plan" if self.refuses => json!({"outcome": "conflict"}),
            "set_billing_plan" => {
                self.writes.borrow_mut().push(format!(
                    "{} {}",
                    args["p_stripe_customer_id"], args["p_plan"]
                ));
                json!({"outcome": "written"})
            }
            "subscriptions" => self.subscriptions(&request.url),
            customer if customer.starts_with("cus_") => json!({"id": customer, "metadata": {}}),
            other => panic!("{other}"),
        };
        FakeResponse::json(200, &body)
    }
}

fn run(world: World, mode: Mode) -> (Report, Vec<String>) {
    let world = Rc::new(world);
    let shared = world.clone();
    let (http, clock) = (
        FakeHttp::responding(move |request| shared.answer(request)),
        FakeClock::hurrying(1),
    );
    let config = StripeConfig::from_env(lookup).unwrap();
    let stripe = Stripe::new(&config, &http, &clock, u64::MAX);
    let supabase = SupabaseConfig::from_env(lookup).unwrap();
    let service = Supabase::new(&supabase, &http).service();
    let random = FakeRandom::default();
    let report = Reconcile::new(&stripe, &service, &random, mode)
        .run()
        .now_or_never()
        .unwrap()
        .unwrap();
    (report, world.writes.take())
}

fn world() -> World {
    World {
        profiles: RefCell::new(vec![
            (1, "free", None),
            (2, "pro", Some("cus_2")),
            (3, "free", Some("cus_3")),
            (4, "pro", Some("cus_4")),
            (5, "free", Some("cus_5")),
            (6, "pro", None),
            (7, "free", None),
        ]),
        subscriptions: vec![
            ("cus_2", "canceled", Some(2)),
            ("cus_2", "active", Some(2)),
            ("cus_3", "past_due", Some(3)),
            ("cus_4", "canceled", Some(4)),
            ("cus_5", "unpaid", Some(5)),
            ("cus_7", "trialing", Some(7)),
            ("cus_foreign", "active", None),
            ("cus_old", "canceled", Some(1)),
        ],
        writes: RefCell::default(),
        refuses: false,
        period_ends_at: PERIOD_END,
    }
}

fn found(report: &Report) -> Vec<(Uuid, Plan)> {
    report
        .differences
        .iter()
        .map(|difference| (difference.user_id, difference.truth.plan))
        .collect()
}

#[test]
fn a_dry_run_says_what_differs_and_changes_nothing() {
    let (report, writes) = run(world(), Mode::DryRun);
    let expected = [
        (user(3), Plan::Pro),
        (user(4), Plan::Free),
        (user(6), Plan::Free),
        (user(7), Plan::Pro),
    ];
    assert_eq!(found(&report), expected);
    assert_eq!(
        (report.profiles, report.subscriptions, writes.len()),
        (7, 8, 0)
    );
    assert!(!report.agrees());
    let text = report.to_string();
    assert!(
        text.contains("cus_3  free is pro\n") && text.contains("no customer  pro is free\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "7 profiles, 8 subscriptions, 4 differ\nnothing was changed; --apply corrects it\n"
        ),
        "{text}"
    );
}

#[test]
fn corrects_only_differences() {
    let (report, writes) = run(world(), Mode::Apply);
    assert_eq!(found(&report).len(), 4);
    assert!(report.agrees());
    assert_eq!(
        writes,
        [
            "\"cus_3\" \"pro\"",
            "\"cus_4\" \"free\"",
            "null \"free\"",
            "\"cus_7\" \"pro\""
        ]
    );
}

#[test]
fn reports_nothing_if_all_agree() {
    let mut world = world();
    world.profiles = RefCell::new(vec![
        (2, "pro", Some("cus_2")),
        (5, "free", Some("cus_5")),
        (8, "free", None),
    ]);
    world
        .subscriptions
        .retain(|(customer, ..)| ["cus_2", "cus_5"].contains(customer));
    let (report, writes) = run(world, Mode::DryRun);
    assert!(report.agrees() && writes.is_empty());
    assert_eq!(
        report.to_string(),
        "3 profiles, 3 subscriptions, 0 differ\n"
    );
}

#[test]
fn corrects_a_period_that_differs() {
    let mut world = world();
    world.profiles = RefCell::new(vec![(2, "pro", Some("cus_2"))]);
    world
        .subscriptions
        .retain(|(customer, ..)| *customer == "cus_2");
    world.period_ends_at += 1;
    let (report, writes) = run(world, Mode::Apply);
    assert_eq!(writes, ["\"cus_2\" \"pro\""]);
    assert!(
        report
            .to_string()
            .contains("cus_2  pro is pro until another day  corrected\n"),
        "{report}"
    );
}

#[test]
fn a_row_that_cannot_be_read_does_not_keep_the_others_from_being_compared() {
    let world = world();
    world
        .profiles
        .borrow_mut()
        .push((8, "pro", Some("cus_ or 1=1")));
    let (report, writes) = run(world, Mode::Apply);
    assert_eq!(
        (report.unreadable.as_slice(), writes.len()),
        ([user(8)].as_slice(), 4)
    );
    assert!(
        !report.agrees()
            && report
                .to_string()
                .contains("is no id of Stripe's: not compared\n")
    );
}

#[test]
fn names_customers_that_pay_without_effect() {
    let mut world = world();
    // One user now has another customer, and one was deleted.
    world.subscriptions.extend([
        ("cus_second", "active", Some(2)),
        ("cus_ofNobody", "active", Some(9)),
    ]);
    let (report, writes) = run(world, Mode::Apply);
    assert!(!report.agrees());
    assert_eq!(writes.len(), 4);
    let text = report.to_string();
    for (number, customer) in [(2, "cus_second"), (9, "cus_ofNobody")] {
        let line = format!(
            "{}  {customer}  pays, and is not their customer: end it at Stripe\n",
            user(number)
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn names_differences_that_cannot_be_corrected() {
    let (report, _) = run(
        World {
            refuses: true,
            ..world()
        },
        Mode::Apply,
    );
    assert!(!report.agrees());
    let text = report.to_string();
    assert_eq!(
        text.matches("not corrected: the profile was written by others every time")
            .count(),
        4,
        "{text}"
    );
}
