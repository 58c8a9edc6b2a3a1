//! Whatever happens at Stripe, and however its events arrive, in the end every profile says what Stripe says.
//!
//! Random histories of many customers; their events shuffled, three times each, sixteen at once, while more happens; a
//! third of the deliveries fails half way, by Stripe, by the database or by a runtime that is killed. Stripe repeats what
//! was not accepted. `CONVERGENCE_SEED` repeats a run.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fault_proxy::{Fate, FaultProxy};
use crate::faults::Fault;
use crate::own_stack::{PATIENCE, Place, Running, eventually, functions_alone, signal};
use crate::runs::{seed, tell};
use crate::stack::Stack;
use crate::stripe::{EVENT_TYPES, event, now, signature};

const HISTORIES: usize = 1_000;
/// So many customers live at the same time.
const BATCH: usize = 100;
const PHASES: usize = 3;
/// The runtime is killed in the middle of every so-manieth batch.
const KILL_EVERY: usize = 2;
/// Of a thousand requests to the database, of which an accepted delivery needs two.
const DATABASE_FAULTS: u32 = 125;
/// As many as arrive at the same time.
const AT_ONCE: usize = 16;
/// Longer than it takes to tell of the last changes of as many customers.
const HOLD_MS: u64 = 700;
/// No number of repetitions that Stripe would not make.
const MAX_REPETITIONS: usize = 40;

/// Somebody at Stripe.
struct Customer {
    user_id: Uuid,
    id: String,
    subscriptions: Vec<String>,
}

/// The world that the functions under test live in: workerd by itself, between a Stripe and a database that fail.
struct World {
    shared: Stack,
    place: Place,
    functions: Option<Running>,
    proxy: FaultProxy,
    rng: Rng,
    database_failures: Arc<AtomicU64>,
    attempts: usize,
    failures: usize,
    kills: usize,
}

impl World {
    async fn new(seed: u64) -> Self {
        let shared = Stack::take().await;
        let proxy = FaultProxy::start(shared.url("/supabase_url"), 0).await;
        let place = Place::take().await;
        let mut world = Self {
            shared,
            place,
            functions: None,
            proxy,
            rng: Rng::with_seed(seed),
            database_failures: Arc::default(),
            attempts: 0,
            failures: 0,
            kills: 0,
        };
        world.start_functions().await;
        world
    }

    /// A Stripe that has not seen anything yet: its memory of what is over would only slow it down.
    async fn forget(&self) {
        self.proxy.decide(|_| Fate::Pass);
        self.stripe(Method::POST, "reset", json!({})).await;
        let url = format!("http://127.0.0.1:{}/functions/v1/stripe-webhook", self.place.ports_from);
        self.stripe(Method::PUT, "delivery", json!({"paused": true, "url": url})).await;
        self.stripe(Method::PUT, "latency", json!({"api_ms": 2})).await;
    }

    async fn start_functions(&mut self) {
        let text = functions_alone(&self.shared, &self.proxy.url);
        self.functions = Some(self.place.start_with(&text).await);
    }

    async fn stripe(&self, method: Method, what: &str, body: Value) -> Value {
        self.shared.stripe(method, what, &body).await
    }

    /// From now on both fail now and then, Stripe in ways that are tried again at once and in ways that are not.
    async fn fail(&mut self) {
        let fault = |probability: f64, more: Value| {
            let mut fault = json!({"path_prefix": "/v1/", "probability": probability});
            fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            fault
        };
        let faults = json!([
            fault(0.03, json!({"status": 500})),
            fault(0.04, json!({"status": 429, "headers": {"retry-after": "60"}})),
            fault(0.02, json!({"truncate_after_bytes": 40})),
            fault(0.03, json!({"status": 200, "body": "<html>"})),
            fault(0.01, json!({"reset_connection": true})),
            json!({"path_prefix": "/v1/subscriptions", "probability": 0.05, "hold_ms": 400}),
        ]);
        self.shared.faults("stripe", faults).await;
        let (mut rng, failures) = (self.rng.fork(), self.database_failures.clone());
        self.proxy.decide(move |_| {
            if rng.u32(..1_000) >= DATABASE_FAULTS {
                return Fate::Pass;
            }
            failures.fetch_add(1, Ordering::Relaxed);
            // Before and after the effect, with and without an answer.
            let faults = [Fault::Error503, Fault::Html, Fault::ResetBefore, Fault::ResetMiddle];
            Fate::Fault(faults[rng.usize(..faults.len())])
        });
    }

    async fn batch(&mut self, number: usize) {
        self.forget().await;
        let mut customers = self.customers().await;
        self.fail().await;
        for phase in 0..PHASES {
            let first = self.actions(&customers);
            self.carry_out(first, &mut customers).await;
            let meanwhile = self.actions(&customers);
            if phase == 1 && number.is_multiple_of(KILL_EVERY) {
                self.deliver_until_killed().await;
            }
            // More happens while it is delivered.
            let order = self.order(3);
            let (summary, done) = futures_util::future::join(
                self.stripe(Method::POST, "deliver", order),
                self.stripe(Method::POST, "act", json!(meanwhile)),
            )
            .await;
            note(&mut customers, &meanwhile, &done);
            self.count(&summary);
        }
        self.repeat().await;
        self.finale(&customers).await;
        self.repeat().await;
        self.check(&customers).await;
    }

    /// The last thing that happens to each meets an old event that comes again: Stripe has answered that one before, and
    /// the answer arrives when all is written. Nothing comes behind it that would make it good.
    async fn finale(&mut self, customers: &[Customer]) {
        for group in customers.chunks(AT_ONCE) {
            let last: Vec<_> = group.iter().map(|customer| self.action(customer)).collect();
            let order = self.order(1);
            let hold =
                json!([{"path_prefix": "/v1/subscriptions", "times": group.len(), "hold_ms": HOLD_MS}]);
            self.shared.faults("stripe", hold).await;
            let before = self.proxy.seen();
            let answered = Cell::new(0);
            let old = join_all(group.iter().map(async |customer| {
                let object = json!({"object": "subscription", "id": "sub_x", "customer": customer.id});
                let answer = self.send(&event("customer.subscription.updated", &object)).await;
                answered.set(answered.get() + 1);
                answer
            }));
            let new = async {
                // Each has read the profile, or failed at that, and asks Stripe.
                eventually("old events come again", PATIENCE, async || {
                    answered.get() == group.len() || self.proxy.seen() >= before + group.len() as u64
                })
                .await;
                self.shared.faults("stripe", json!([])).await;
                self.stripe(Method::POST, "act", json!(last)).await;
                self.stripe(Method::POST, "deliver", order).await
            };
            let (answers, summary) = futures_util::future::join(old, new).await;
            self.count(&summary);
            self.attempts += answers.len();
            self.failures += answers.iter().filter(|status| **status != 200).count();
        }
    }

    /// Sends an event that is signed as Stripe signs; answers the status.
    async fn send(&self, event: &Value) -> u16 {
        let functions = &self.functions.as_ref().unwrap().stack;
        let body = event.to_string();
        let signature = signature(self.shared.url("/stripe_webhook_secret"), now(), body.as_bytes());
        let request = functions.http.post(functions.function("stripe-webhook"));
        let answer = request.header("stripe-signature", signature).body(body).send().await.unwrap();
        answer.status().as_u16()
    }

    async fn customers(&mut self) -> Vec<Customer> {
        let ids: Vec<Uuid> = (0..BATCH).map(|_| Uuid::new_v4()).collect();
        let statement = "insert into auth.users (id, email)
            select id, id || '@convergence.test' from unnest($1::uuid[]) id";
        self.shared.sql(statement, &[&ids]).await;
        let create: Vec<_> =
            ids.iter().map(|id| json!({"action": "create_customer", "user_id": id})).collect();
        let created = self.stripe(Method::POST, "act", json!(create)).await;
        let customers: Vec<_> = ids
            .into_iter()
            .zip(created.as_array().unwrap())
            .map(|(user_id, created)| Customer {
                user_id,
                id: created["customer"]["id"].as_str().unwrap().to_owned(),
                subscriptions: Vec::new(),
            })
            .collect();
        // Every other profile knows its customer already; the others learn of it by an event.
        for customer in customers.iter().step_by(2) {
            let statement = "update public.profiles set stripe_customer_id = $2 where user_id = $1";
            self.shared.sql(statement, &[&customer.user_id, &customer.id]).await;
        }
        customers
    }

    /// What happens next: something to most, and at times two things to one.
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
        let subscribes = match customer.subscriptions.len() {
            0 => true,
            1 => self.rng.usize(..6) == 0,
            _ => self.rng.usize(..20) == 0,
        };
        if subscribes {
            return match self.rng.usize(..6) {
                0 => json!({"action": "subscribe", "customer": customer.id, "payment": "fails"}),
                1 => json!({"action": "subscribe", "customer": customer.id, "trial_days": 7}),
                _ => json!({"action": "subscribe", "customer": customer.id}),
            };
        }
        let subscription = &customer.subscriptions[self.rng.usize(..customer.subscriptions.len())];
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
            _ => return json!({"action": "subscribe", "customer": customer.id}),
        };
        let mut order = json!({"action": action, "subscription": subscription});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    }

    async fn carry_out(&self, actions: Vec<Value>, customers: &mut [Customer]) {
        let done = self.stripe(Method::POST, "act", json!(actions)).await;
        note(customers, &actions, &done);
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

    /// Kills the runtime while it is at it, and starts another one.
    async fn deliver_until_killed(&mut self) {
        let order = self.order(1);
        let mut functions = self.functions.take().unwrap();
        let pid = functions.pid_of("functions");
        let before = self.proxy.seen();
        let killing = async {
            eventually("events are being handled", PATIENCE, async || self.proxy.seen() > before + 10).await;
            assert!(signal("KILL", pid));
        };
        let (summary, ()) =
            futures_util::future::join(self.stripe(Method::POST, "deliver", order), killing).await;
        assert!(summary["failed"].as_u64() > Some(0), "nothing was lost with the runtime: {summary}");
        self.count(&summary);
        self.kills += 1;
        functions.dev.ended().await;
        drop(functions);
        self.start_functions().await;
    }

    /// Stripe sends again what was not accepted, until all of it is.
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

    /// Every profile says what Stripe says.
    async fn check(&self, customers: &[Customer]) {
        let objects = self.stripe(Method::GET, "objects", Value::Null).await;
        let mut truth: HashMap<&str, Vec<&str>> = HashMap::new();
        for subscription in objects["subscriptions"].as_array().unwrap() {
            let customer = subscription["customer"].as_str().unwrap();
            let is_without_service = subscription["pause_collection"]["behavior"] == "void";
            let status = if is_without_service { "void" } else { subscription["status"].as_str().unwrap() };
            truth.entry(customer).or_default().push(status);
        }
        let ids: Vec<Uuid> = customers.iter().map(|customer| customer.user_id).collect();
        let statement =
            "select user_id, plan::text, stripe_customer_id from public.profiles where user_id = any($1)";
        let rows = self.shared.sql(statement, &[&ids]).await;
        assert_eq!(rows.len(), customers.len());
        let profiles: HashMap<Uuid, (String, Option<String>)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        for customer in customers {
            let statuses = truth.get(customer.id.as_str()).cloned().unwrap_or_default();
            let is_pro = statuses.iter().any(|status| ["active", "trialing", "past_due"].contains(status));
            let (plan, known) = &profiles[&customer.user_id];
            assert_eq!(
                plan == "pro",
                is_pro,
                "{} {}: {plan}, and Stripe says {statuses:?}",
                customer.user_id,
                customer.id
            );
            assert!(!is_pro || known.as_ref() == Some(&customer.id), "{}: {known:?}", customer.id);
        }
    }
}

/// Remembers the subscriptions that were made.
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
async fn a_thousand_histories_end_with_what_stripe_says() {
    let seed = seed("convergence", "CONVERGENCE_SEED");
    let mut world = World::new(seed).await;
    for number in 0..HISTORIES / BATCH {
        world.batch(number).await;
    }
    let World { attempts, failures, kills, ref database_failures, .. } = world;
    let database = database_failures.load(Ordering::Relaxed);
    tell(
        "convergence",
        &format!(
            "{HISTORIES} histories, 0 wrong; {attempts} deliveries, of which {failures} failed ({database} requests to the \
         database did); the runtime was killed {kills} times"
        ),
    );
    assert!(failures * 3 >= attempts, "less than a third failed: {failures} of {attempts}");
    // For the tests behind this one.
    world.stripe(Method::POST, "reset", json!({})).await;
}
