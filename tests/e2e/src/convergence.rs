//! Every profile converges to Stripe's state, whatever happens at Stripe and in whatever order its events arrive.
//!
//! Generates random histories of many customers and delivers their events shuffled, three times each, sixteen at once,
//! while the histories continue. A third of the deliveries fails halfway, because of Stripe, the database or a killed
//! runtime. Stripe repeats failed deliveries. `CONVERGENCE_SEED` repeats a run.

use std::collections::HashMap;

use fastrand::Rng;
use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fault_proxy::{Action, FaultProxy};
use crate::faults::Fault;
use crate::own_stack::{Place, Running, eventually, functions_alone, signal};
use crate::runs::{seed, tell};
use crate::stack::{Stack, with};
use crate::stripe::{EVENT_TYPES, counts};

const HISTORIES: usize = 1_000;
const BATCH: usize = 100;
const PHASES: usize = 3;
const KILL_EVERY: usize = 2;
/// How many of a thousand requests to the database fail. An accepted delivery needs one or two.
const DATABASE_FAULTS: u32 = 250;
const AT_ONCE: usize = 16;
/// Stripe repeats a delivery at most this often.
const MAX_REPETITIONS: usize = 40;

/// Whether another period follows, and when this one ends.
type Period = (bool, Option<i64>);

struct Customer {
    user_id: Uuid,
    id: String,
    subscriptions: Vec<String>,
}

/// The functions under test, alone on a runtime, between a Stripe and a database that fail.
struct Environment {
    shared: Stack,
    place: Place,
    functions: Option<Running>,
    proxy: FaultProxy,
    rng: Rng,
    attempts: usize,
    failures: usize,
    kills: usize,
}

impl Environment {
    async fn new(seed: u64) -> Self {
        let shared = Stack::take().await;
        let proxy = FaultProxy::start(shared.url("/supabase_url"), 0).await;
        let place = Place::take().await;
        let functions = Some(place.start_with(&functions_alone(&shared, &proxy.url)).await);
        let rng = Rng::with_seed(seed);
        Self { shared, place, functions, proxy, rng, attempts: 0, failures: 0, kills: 0 }
    }

    async fn stripe(&self, method: Method, what: &str, body: Value) -> Value {
        self.shared.stripe(method, what, body).await
    }

    /// Ends all faults, and resets Stripe: objects of past batches would only slow it down.
    async fn reset(&self) {
        self.proxy.decide(|_| Action::Pass);
        self.stripe(Method::POST, "reset", json!({})).await;
        let url = self.functions.as_ref().unwrap().stack.function("stripe-webhook");
        self.stripe(Method::PUT, "delivery", json!({"paused": true, "url": url})).await;
        self.stripe(Method::PUT, "latency", json!({"api_ms": 2})).await;
    }

    /// Makes both fail at random, Stripe with errors that the function retries and with errors that it does not.
    async fn fail(&mut self) {
        let fault = |probability: f64, more: Value| {
            with(json!({"path_prefix": "/v1/", "probability": probability}), &more)
        };
        let faults = json!([
            fault(0.03, json!({"status": 500})),
            fault(0.04, json!({"status": 429, "headers": {"retry-after": "60"}})),
            fault(0.02, json!({"truncate_after_bytes": 40})),
            fault(0.03, json!({"status": 200, "body": "<html>"})),
            fault(0.01, json!({"reset_connection": true})),
            fault(0.05, json!({"path_prefix": "/v1/subscriptions", "hold_ms": 400})),
        ]);
        self.shared.faults("stripe", faults).await;
        let mut rng = self.rng.fork();
        self.proxy.decide(move |_| {
            if rng.u32(..1_000) >= DATABASE_FAULTS {
                return Action::Pass;
            }
            // Before and after the effect, with and without a response.
            let faults = [Fault::Error503, Fault::Html, Fault::ResetBefore, Fault::ResetMiddle];
            Action::Inject(rng.choice(faults).unwrap())
        });
    }

    async fn batch(&mut self, number: usize) {
        self.reset().await;
        let mut customers = self.customers().await;
        self.fail().await;
        for phase in 0..PHASES {
            let first = self.actions(&customers);
            let done = self.stripe(Method::POST, "act", json!(first)).await;
            note(&mut customers, &first, &done);
            let meanwhile = self.actions(&customers);
            if phase == 1 && number.is_multiple_of(KILL_EVERY) {
                self.deliver_until_killed().await;
            }
            let order = self.order(3);
            let delivery = self.stripe(Method::POST, "deliver", order);
            let (summary, done) = join(delivery, self.stripe(Method::POST, "act", json!(meanwhile))).await;
            note(&mut customers, &meanwhile, &done);
            self.count(&summary);
        }
        self.repeat().await;
        self.check(&customers).await;
    }

    async fn customers(&mut self) -> Vec<Customer> {
        let ids: Vec<Uuid> = (0..BATCH).map(|_| Uuid::new_v4()).collect();
        let statement = "insert into auth.users (id, email)
            select id, id || '@convergence.test' from unnest($1::uuid[]) id";
        self.shared.sql(statement, &[&ids]).await;
        let create = ids.iter().map(|id| json!({"action": "create_customer", "user_id": id}));
        let created = self.stripe(Method::POST, "act", create.collect()).await;
        let id = |created: &Value| created["customer"]["id"].as_str().unwrap().to_owned();
        let created = ids.into_iter().zip(created.as_array().unwrap());
        let customers: Vec<_> = created
            .map(|(user_id, created)| Customer { user_id, id: id(created), subscriptions: Vec::new() })
            .collect();
        // Half of the profiles have their customer stored; the others learn of it from an event.
        for customer in customers.iter().step_by(2) {
            let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
            self.shared.sql(statement, &[&customer.user_id, &customer.id]).await;
        }
        customers
    }

    /// Chooses the next changes: one for most customers, sometimes two for one.
    fn actions(&mut self, customers: &[Customer]) -> Vec<Value> {
        let mut actions = Vec::new();
        for customer in customers {
            for _ in 0..self.rng.choice([0, 1, 1, 2]).unwrap() {
                actions.push(self.action(customer));
            }
        }
        actions
    }

    fn action(&mut self, customer: &Customer) -> Value {
        let subscribe = json!({"action": "subscribe", "customer": customer.id});
        let subscribes = match customer.subscriptions.len() {
            0 => true,
            1 => self.rng.usize(..6) == 0,
            _ => self.rng.usize(..20) == 0,
        };
        if subscribes {
            return match self.rng.usize(..6) {
                0 => with(subscribe, &json!({"payment": "fails"})),
                1 => with(subscribe, &json!({"trial_days": 7})),
                _ => subscribe,
            };
        }
        let (action, more) = match self.rng.usize(..29) {
            0 => return json!({"action": "delete_customer", "customer": customer.id}),
            1..=4 => ("cancel", json!({})),
            5 | 6 => ("cancel_at_period_end", json!({})),
            7 | 8 => ("end_period", json!({})),
            9 | 10 => ("renew", json!({})),
            11 | 12 => ("fail_payment", json!({})),
            13 | 14 => ("retry_payment", json!({"succeeds": self.rng.bool()})),
            15 => ("give_up", json!({"becomes": "unpaid"})),
            16 => ("give_up", json!({"becomes": "canceled"})),
            17 | 18 => ("pause", json!({})),
            19 | 20 => ("resume", json!({})),
            21 => ("dispute", json!({})),
            22 => ("expire_incomplete", json!({})),
            23 => ("refund", json!({})),
            24 | 25 => ("pause_collection", json!({"behavior": "void"})),
            26 => ("pause_collection", json!({"behavior": "keep_as_draft"})),
            27 => ("resume_collection", json!({})),
            _ => return subscribe,
        };
        let subscription = self.rng.choice(&customer.subscriptions).unwrap();
        with(json!({"action": action, "subscription": subscription}), &more)
    }

    fn order(&mut self, duplicate: usize) -> Value {
        json!({"pending": true, "event_types": EVENT_TYPES, "shuffle": true, "duplicate": duplicate,
            "concurrency": AT_ONCE, "seed": self.rng.usize(..1_000_000),
            "style": self.rng.choice(["snapshot", "thin", "both"]).unwrap()})
    }

    fn count(&mut self, summary: &Value) {
        let number = |name: &str| usize::try_from(summary[name].as_u64().unwrap()).unwrap();
        self.attempts += number("deliveries");
        self.failures += number("failed");
    }

    /// Kills the runtime while it handles events, and starts another one.
    async fn deliver_until_killed(&mut self) {
        let order = self.order(1);
        let mut functions = self.functions.take().unwrap();
        let pid = functions.pid_of("functions");
        let before = self.proxy.seen();
        let killing = async {
            eventually("events are being handled", async || self.proxy.seen() > before + 10).await;
            assert!(signal("KILL", pid));
        };
        let (summary, ()) = join(self.stripe(Method::POST, "deliver", order), killing).await;
        assert!(summary["failed"].as_u64() > Some(0), "nothing was lost with the runtime: {summary}");
        self.count(&summary);
        self.kills += 1;
        functions.dev.ended().await;
        drop(functions);
        self.functions = Some(self.place.start().await);
    }

    /// Repeats failed deliveries until all are accepted.
    async fn repeat(&mut self) {
        for _ in 0..MAX_REPETITIONS {
            let order = self.order(1);
            let summary = self.stripe(Method::POST, "deliver", order).await;
            self.count(&summary);
            if summary["deliveries"] == 0 {
                return;
            }
        }
        panic!("events are still not accepted after {MAX_REPETITIONS} repetitions");
    }

    async fn check(&self, customers: &[Customer]) {
        let objects = self.stripe(Method::GET, "objects", Value::Null).await;
        let mut truth: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut periods: HashMap<&str, Period> = HashMap::new();
        for subscription in objects["subscriptions"].as_array().unwrap() {
            let is_void = subscription["pause_collection"]["behavior"] == "void";
            let status = if is_void { "void" } else { subscription["status"].as_str().unwrap() };
            let customer = subscription["customer"].as_str().unwrap();
            truth.entry(customer).or_default().push(status);
            if counts(status) {
                let ends_at = subscription["items"]["data"][0]["current_period_end"].as_i64();
                let period = (subscription["cancel_at"].is_null(), ends_at.filter(|_| status != "past_due"));
                let longest = periods.entry(customer).or_insert(period);
                *longest = period.max(*longest);
            }
        }
        let ids: Vec<Uuid> = customers.iter().map(|customer| customer.user_id).collect();
        let statement =
            "select user_id, plan::text, stripe_customer_id, plan_renews, extract(epoch from plan_period_ends_at)::bigint
            from public.profiles where user_id = any($1)";
        let rows = self.shared.sql(statement, &[&ids]).await;
        let profiles: HashMap<Uuid, (String, Option<String>, Period)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), (row.get(3), row.get(4))))).collect();
        for Customer { user_id, id, .. } in customers {
            let statuses = truth.get(id.as_str()).cloned().unwrap_or_default();
            let is_pro = statuses.iter().any(|status| counts(status));
            let (plan, known, period) = &profiles[user_id];
            assert_eq!(plan == "pro", is_pro, "{user_id} {id}: {plan}, and Stripe says {statuses:?}");
            assert!(!is_pro || known.as_ref() == Some(id), "{id}: {known:?}");
            assert_eq!(*period, periods.get(id.as_str()).copied().unwrap_or_default(), "{id}");
        }
    }
}

fn note(customers: &mut [Customer], actions: &[Value], done: &Value) {
    for (action, result) in actions.iter().zip(done.as_array().unwrap()) {
        let Some(subscription) = result["subscription"]["id"].as_str() else { continue };
        if action["action"] == "subscribe" {
            let customer = customers.iter_mut().find(|customer| customer.id == action["customer"]).unwrap();
            customer.subscriptions.push(subscription.to_owned());
        }
    }
}

#[tokio::test]
async fn profiles_converge_to_stripe_after_a_thousand_histories() {
    let mut environment = Environment::new(seed("convergence", "CONVERGENCE_SEED")).await;
    for number in 0..HISTORIES / BATCH {
        environment.batch(number).await;
    }
    let Environment { attempts, failures, kills, .. } = environment;
    tell(
        "convergence",
        &format!("{HISTORIES} histories, {attempts} deliveries, {failures} failed, {kills} kills"),
    );
    assert!(failures * 3 >= attempts, "less than a third failed: {failures} of {attempts}");
    // For the tests after this one.
    environment.stripe(Method::POST, "reset", json!({})).await;
}
