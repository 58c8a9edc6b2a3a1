//! A runtime of functions on the shared stack's data, with a fault proxy before every upstream.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use uuid::Uuid;

use super::calls::{Call, JWKS, REMEMBER, Upstream};
use crate::fault_proxy::{Action, FaultProxy};
use crate::faults::Fault;
use crate::own_stack::{PORTS, Place, Running, free_ports_from, functions_alone};
use crate::spotify;
use crate::stack::{Stack, User};
use crate::stripe;
use crate::token::{self, Keys};
use crate::wire::{Request, Response};

pub const PROMPT: &str = "a very private evening with somebody";

/// The data and the simulators that all workers share.
pub struct Environment {
    pub shared: Stack,
    place: Place,
    keys: Keys,
    template: User,
}

impl Environment {
    pub async fn new() -> Self {
        let shared = Stack::take().await;
        stripe::hold_events(&shared).await;
        let template = shared.sign_up().await;
        Self { shared, place: Place::take().await, keys: token::keys(), template }
    }

    /// Creates a user in the database: a sign-up would take longer than all requests of a case.
    pub async fn user(&self) -> User {
        let id = Uuid::new_v4();
        let email = format!("{id}@matrix.test");
        let statement = "insert into auth.users (id, email) values ($1, $2)";
        self.shared.sql(statement, &[&id, &email]).await;
        let claims = token::altered(&self.template, &json!({"sub": id, "email": email}));
        User { id, email, token: self.keys.es256(&claims) }
    }
}

pub type SeenCall = (Upstream, String, String);

/// The calls that passed a worker's proxies, and the faults to inject.
#[derive(Default)]
struct Traffic {
    /// The upstream, the method and the path of each call since the last look.
    calls: Vec<SeenCall>,
    credentials: HashSet<String>,
    fault: Option<(Call, Fault)>,
    injected: usize,
    /// Calls with a fixed response, and how often each was made.
    scripted: Vec<(Call, Response, usize)>,
    /// The call whose upstream stops listening, and after how many requests.
    closes_after: Option<(Call, usize)>,
}

impl Traffic {
    fn decide(&mut self, upstream: Upstream, request: &Request) -> Action {
        let path = request.path.split('?').next().unwrap().to_owned();
        self.calls.push((upstream, request.method.to_string(), path));
        let credentials = request.headers.iter().filter(|(name, _)| name == "authorization");
        self.credentials.extend(credentials.map(|(_, value)| value.rsplit(' ').next().unwrap().to_owned()));
        // A case must search although another case has found the same songs.
        if REMEMBER.fits(upstream, request.method.as_str(), &request.path) {
            return Action::Respond(Response::json(200, "null"));
        }

        let fits = |call: &Call| call.fits(upstream, request.method.as_str(), &request.path);
        let mut scripted = self.scripted.iter_mut();
        if let Some((_, response, times)) = scripted.find(|(call, _, times)| fits(call) && *times > 0) {
            *times -= 1;
            return Action::Respond(response.clone());
        }
        match self.fault {
            Some((call, Fault::FailsOnce)) if fits(&call) && self.injected > 0 => {}
            Some((call, fault)) if fits(&call) => {
                self.injected += 1;
                return Action::Inject(fault);
            }
            _ => {}
        }
        match &mut self.closes_after {
            // The upstream is also gone for connections that were open before.
            Some((closing, left)) if closing.upstream == upstream && !fits(&JWKS) => {
                // The number of requests before the call may vary with timing; the call itself never passes.
                if fits(closing) {
                    *left = 0;
                    self.injected += 1;
                    return Action::Inject(Fault::ResetBefore);
                }
                match std::mem::replace(left, left.saturating_sub(1)) {
                    0 => Action::Inject(Fault::ResetBefore),
                    1 => Action::PassAndClose,
                    _ => Action::Pass,
                }
            }
            _ => Action::Pass,
        }
    }
}

pub struct Worker {
    pub environment: Arc<Environment>,
    name: String,
    runtime: &'static str,
    ports_from: u16,
    proxies: Vec<FaultProxy>,
    traffic: Arc<Mutex<Traffic>>,
    running: tokio::sync::Mutex<Option<Running>>,
    /// The shared stack with this worker's functions.
    pub stack: Stack,
    pub linked: Option<(User, String)>,
    log_begins: AtomicUsize,
}

impl Worker {
    /// A worker on the first free ports from `ports` on, which it moves past its own; its functions do not run yet.
    pub async fn build(
        environment: &Arc<Environment>,
        name: String,
        runtime: &'static str,
        ports: &mut u16,
    ) -> Self {
        let [proxies_from, ports_from] = [(); 2].map(|()| {
            let first = free_ports_from(*ports);
            *ports = first + u16::try_from(PORTS).unwrap();
            first
        });
        let shared = &environment.shared;
        let traffic = Arc::<Mutex<Traffic>>::default();
        let mut proxies = Vec::new();
        for (upstream, port) in Upstream::ALL.into_iter().zip(proxies_from..) {
            let proxy = FaultProxy::start(shared.url(upstream.url()), port).await;
            proxy.keep_alive(false);
            let traffic = traffic.clone();
            proxy.decide(move |request| traffic.lock().unwrap().decide(upstream, request));
            proxies.push(proxy);
        }
        let mut ready = shared.ready.clone();
        ready["functions_url"] = json!(format!("http://127.0.0.1:{ports_from}/functions/v1"));
        Self {
            environment: environment.clone(),
            name,
            runtime,
            ports_from,
            proxies,
            traffic,
            running: tokio::sync::Mutex::default(),
            stack: Stack::of(ready),
            linked: None,
            log_begins: AtomicUsize::new(0),
        }
    }

    /// Starts the functions, links a user and gives them a playlist.
    pub async fn start(&mut self) {
        self.restart().await;
        let user = self.environment.user().await;
        spotify::link(&self.stack, &user, "ania").await;
        let tracks = spotify::some_tracks(&self.stack, 3).await;
        let playlist = spotify::playlist(&self.stack, &user, "Evening", &tracks).await;
        self.linked = Some((user, playlist));
    }

    pub async fn restart(&self) {
        let mut running = self.running.lock().await;
        drop(running.take());
        let place = &self.environment.place;
        *running = Some(place.start_as(&self.name, self.ports_from, self.runtime, &self.env()).await);
        self.log_begins.store(0, Ordering::Relaxed);
    }

    fn env(&self) -> String {
        let shared = &self.environment.shared;
        let [supabase, accounts, spotify, stripe, model] = Upstream::ALL.map(|it| &self.proxy(it).url);
        let lines = [
            ("AUTH_ISSUER", format!("{}/auth/v1", shared.url("/supabase_url"))),
            ("APP_ORIGINS", shared.app("")),
            ("CATALOGUE_MEMORY_DAYS", "7".to_owned()),
            ("SPOTIFY_REDIRECT_URI", shared.function("spotify-oauth/callback")),
            ("SPOTIFY_ACCOUNTS_BASE_URL", accounts.clone()),
            ("SPOTIFY_API_BASE_URL", spotify.clone()),
            ("STRIPE_API_BASE_URL", stripe.clone()),
            ("LLM_BASE_URL", format!("{model}/v1")),
        ];
        let more: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        functions_alone(shared, supabase) + &more
    }

    fn proxy(&self, upstream: Upstream) -> &FaultProxy {
        let index = Upstream::ALL.iter().position(|it| *it == upstream).unwrap();
        &self.proxies[index]
    }

    /// Injects a fault into a call from now on; `before` requests to its upstream precede it.
    pub async fn inject(&self, call: Call, fault: Fault, before: usize) {
        let proxy = self.proxy(call.upstream);
        // A doubled response matters to the next call on the same connection.
        proxy.keep_alive(fault == Fault::SentTwice);
        match (fault, before) {
            (Fault::Refused, 0) => proxy.close().await,
            (Fault::Refused, _) => self.traffic.lock().unwrap().closes_after = Some((call, before)),
            _ => self.traffic.lock().unwrap().fault = Some((call, fault)),
        }
    }

    pub fn script(&self, call: Call, response: Response, times: usize) {
        self.traffic.lock().unwrap().scripted.push((call, response, times));
    }

    pub async fn restore(&self) -> usize {
        let mut injected = {
            let mut traffic = self.traffic.lock().unwrap();
            (traffic.fault, traffic.closes_after) = (None, None);
            traffic.scripted.clear();
            std::mem::take(&mut traffic.injected)
        };
        for proxy in &self.proxies {
            proxy.keep_alive(false);
            injected += usize::from(proxy.open().await);
        }
        injected
    }

    pub fn calls(&self) -> Vec<SeenCall> {
        std::mem::take(&mut self.traffic.lock().unwrap().calls)
    }

    pub fn log(&self) -> String {
        let all = self.environment.place.log(&self.name);
        let begins = self.log_begins.swap(all.len(), Ordering::Relaxed);
        String::from_utf8_lossy(&all[begins..]).into_owned()
    }

    /// The configured secrets and every credential that was sent: no log may contain them.
    pub fn secrets(&self) -> HashSet<String> {
        let shared = &self.environment.shared;
        let mut secrets = self.traffic.lock().unwrap().credentials.clone();
        let words = [PROMPT, "simulated-client-secret", "simulated-llm-key", "sk_test_simulated"];
        secrets.extend(words.map(str::to_owned));
        secrets.extend(["/secret_key", "/stripe_webhook_secret"].map(|it| shared.url(it).to_owned()));
        secrets.remove(shared.url("/publishable_key"));
        secrets
    }
}
