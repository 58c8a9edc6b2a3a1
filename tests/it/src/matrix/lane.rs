//! Functions of their own on the shared stack's data, with a fault proxy before every upstream.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use uuid::Uuid;

use super::calls::{Call, JWKS, Upstream};
use crate::fault_proxy::{Fate, FaultProxy};
use crate::faults::Fault;
use crate::generation::{FIVE, reply};
use crate::own_stack::{PORTS, Place, Running, free_ports_behind, functions_alone};
use crate::spotify;
use crate::stack::{Stack, User};
use crate::stripe;
use crate::token::{self, Keys};
use crate::wire::{Answer, Request};

/// What a listener types; it is to stand in no log.
pub const PROMPT: &str = "a very private evening with somebody";
/// What is configured on this machine; what is sent besides is learnt on the way.
const SECRETS: [&str; 3] = ["simulated-client-secret", "simulated-llm-key", "sk_test_simulated"];

/// What all lanes share: the data, and the simulators behind the proxies.
pub struct World {
    pub shared: Stack,
    place: Place,
    keys: Keys,
    template: User,
}

impl World {
    pub async fn new() -> Self {
        let shared = Stack::take().await;
        shared.llm_script(reply(&FIVE)).await;
        stripe::hold_events(&shared).await;
        let template = shared.sign_up().await;
        Self { shared, place: Place::take().await, keys: token::keys(), template }
    }

    /// Somebody new: a sign-up would take more time than all that is asked of them.
    pub async fn listener(&self) -> User {
        let id = Uuid::new_v4();
        let statement = "insert into auth.users (id, email) values ($1, $2)";
        self.shared.sql(statement, &[&id, &email_of(id)]).await;
        let claims = token::altered(&self.template, &json!({"sub": id, "email": email_of(id)}));
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.keys.kid});
        User { id, token: token::es256(&self.keys, &header, &claims) }
    }
}

pub fn email_of(id: Uuid) -> String {
    format!("{id}@matrix.test")
}

/// What came by since it was last looked at, on a whole lane.
#[derive(Default)]
struct Seen {
    /// The upstream, the method and the path.
    calls: Vec<(Upstream, String, String)>,
    /// What was shown for authorization.
    credentials: HashSet<String>,
}

impl Seen {
    fn note(&mut self, upstream: Upstream, request: &Request) {
        let path = request.path.split('?').next().unwrap().to_owned();
        self.calls.push((upstream, request.method.to_string(), path));
        let credentials = request.headers.iter().filter(|(name, _)| name == "authorization");
        let bare = |value: &str| value.rsplit(' ').next().unwrap().to_owned();
        self.credentials.extend(credentials.map(|(_, value)| bare(value)));
    }
}

/// What happens to the calls of a lane.
#[derive(Default)]
struct Orders {
    strike: Option<(Call, Fault)>,
    struck: usize,
    /// What else is answered, so many times each.
    standing: Vec<(Call, Answer, usize)>,
    /// The upstream that stops listening, and after how many requests.
    closes_after: Option<(Upstream, usize)>,
}

impl Orders {
    fn fate(&mut self, upstream: Upstream, request: &Request) -> Fate {
        let fits = |call: &Call| call.fits(upstream, request.method.as_str(), &request.path);
        if let Some((_, answer, times)) =
            self.standing.iter_mut().find(|(call, _, times)| fits(call) && *times > 0)
        {
            *times -= 1;
            return Fate::Answer(answer.clone());
        }
        match self.strike {
            Some((call, Fault::FailsOnce)) if fits(&call) && self.struck > 0 => {}
            Some((call, fault)) if fits(&call) => {
                self.struck += 1;
                return Fate::Fault(fault);
            }
            _ => {}
        }
        match &mut self.closes_after {
            Some((closing, left)) if *closing == upstream && !fits(&JWKS) => {
                // A connection that was open before may bring more; the upstream is gone for it, too.
                let was_left = std::mem::replace(left, left.saturating_sub(1));
                match was_left {
                    0 => Fate::Fault(Fault::ResetBefore),
                    1 => Fate::PassAndClose,
                    _ => Fate::Pass,
                }
            }
            _ => Fate::Pass,
        }
    }
}

pub struct Lane {
    pub world: Arc<World>,
    name: String,
    runtime: &'static str,
    ports_from: u16,
    proxies: Vec<FaultProxy>,
    seen: Arc<Mutex<Seen>>,
    orders: Arc<Mutex<Orders>>,
    running: tokio::sync::Mutex<Option<Running>>,
    /// The functions of this lane, with all else of the shared stack.
    pub stack: Stack,
    /// Somebody with a link, and a playlist of theirs.
    pub linked: Option<(User, String)>,
    log_begins: AtomicUsize,
}

impl Lane {
    /// A lane on the first free ports behind `ports`, which is then behind the lane's; its functions do not run yet.
    pub async fn build(world: &Arc<World>, name: &str, runtime: &'static str, ports: &mut u16) -> Self {
        let [proxies_from, ports_from] = [(); 2].map(|()| {
            let first = free_ports_behind(*ports);
            *ports = first + u16::try_from(PORTS).unwrap();
            first
        });
        let seen = Arc::<Mutex<Seen>>::default();
        let orders = Arc::<Mutex<Orders>>::default();
        let mut proxies = Vec::new();
        for (upstream, port) in Upstream::ALL.into_iter().zip(proxies_from..) {
            let behind = match upstream {
                Upstream::Supabase => world.shared.url("/supabase_url"),
                Upstream::Accounts | Upstream::Spotify => world.shared.url("/simulators/spotify"),
                Upstream::Stripe => world.shared.url("/simulators/stripe"),
                Upstream::Model => world.shared.url("/simulators/llm"),
            };
            let proxy = FaultProxy::start(behind, port).await;
            proxy.keep_alive(false);
            let (seen, orders) = (seen.clone(), orders.clone());
            proxy.decide(move |request| {
                seen.lock().unwrap().note(upstream, request);
                orders.lock().unwrap().fate(upstream, request)
            });
            proxies.push(proxy);
        }
        let mut ready = world.shared.ready.clone();
        ready["functions_url"] = json!(format!("http://127.0.0.1:{ports_from}/functions/v1"));
        Self {
            world: world.clone(),
            name: name.to_owned(),
            runtime,
            ports_from,
            proxies,
            seen,
            orders,
            running: tokio::sync::Mutex::default(),
            stack: Stack::of(ready),
            linked: None,
            log_begins: AtomicUsize::new(0),
        }
    }

    /// Starts the functions, links somebody and gives them a playlist.
    pub async fn start(&mut self) {
        self.restart().await;
        let user = self.world.listener().await;
        spotify::link(&self.stack, &user, "ania").await;
        let tracks = spotify::some_tracks(&self.stack, 3).await;
        let playlist = spotify::playlist(&self.stack, &user, "Evening", &tracks).await;
        self.linked = Some((user, playlist));
    }

    /// The functions anew, which know nothing yet.
    pub async fn restart(&self) {
        let mut running = self.running.lock().await;
        drop(running.take());
        let place = &self.world.place;
        *running = Some(place.start_functions(&self.name, self.ports_from, self.runtime, &self.env()).await);
        self.log_begins.store(0, Ordering::Relaxed);
    }

    fn env(&self) -> String {
        let shared = &self.world.shared;
        let url = |upstream| &self.proxy(upstream).url;
        let lines = [
            ("AUTH_ISSUER", format!("{}/auth/v1", shared.url("/supabase_url"))),
            ("APP_ORIGINS", shared.url("/web_url").trim_end_matches('/').to_owned()),
            ("SPOTIFY_REDIRECT_URI", shared.function("spotify-oauth/callback")),
            ("SPOTIFY_ACCOUNTS_BASE_URL", url(Upstream::Accounts).clone()),
            ("SPOTIFY_API_BASE_URL", url(Upstream::Spotify).clone()),
            ("STRIPE_API_BASE_URL", url(Upstream::Stripe).clone()),
            ("LLM_BASE_URL", format!("{}/v1", url(Upstream::Model))),
        ];
        let more: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        functions_alone(shared, url(Upstream::Supabase)) + &more
    }

    fn proxy(&self, upstream: Upstream) -> &FaultProxy {
        let index = Upstream::ALL.iter().position(|it| *it == upstream).unwrap();
        &self.proxies[index]
    }

    /// From now on this call meets that fault; of its upstream, `before` requests come before it.
    pub async fn strike(&self, call: Call, fault: Fault, before: usize) {
        let proxy = self.proxy(call.upstream);
        // Where an answer comes twice, what the next call on the connection finds is the point.
        proxy.keep_alive(fault == Fault::AnsweredTwice);
        if fault != Fault::Refused {
            self.orders.lock().unwrap().strike = Some((call, fault));
        } else if before > 0 {
            self.orders.lock().unwrap().closes_after = Some((call.upstream, before));
        } else {
            proxy.close().await;
        }
    }

    /// From now on this call is answered so, this often.
    pub fn answer(&self, call: Call, answer: Answer, times: usize) {
        self.orders.lock().unwrap().standing.push((call, answer, times));
    }

    /// All upstreams do as they should; returns how often a fault was met.
    pub async fn lift(&self) -> usize {
        let mut struck = std::mem::take(&mut *self.orders.lock().unwrap()).struck;
        for proxy in &self.proxies {
            proxy.keep_alive(false);
            struck += usize::from(proxy.open().await);
        }
        struck
    }

    /// The calls since this was asked the last time.
    pub fn calls(&self) -> Vec<(Upstream, String, String)> {
        std::mem::take(&mut self.seen.lock().unwrap().calls)
    }

    /// How many requests to the same upstream come before a call, the keys not counted, which are fetched once.
    pub fn before(calls: &[(Upstream, String, String)], call: Call) -> Option<usize> {
        let counts = |(upstream, _, path): &&(Upstream, String, String)| {
            *upstream == call.upstream && (path != JWKS.path || call == JWKS)
        };
        let theirs = calls.iter().filter(counts);
        theirs.into_iter().position(|(upstream, method, path)| call.fits(*upstream, method, path))
    }

    /// What has been written into the log since this was asked the last time.
    pub fn log(&self) -> String {
        let path: PathBuf = self.world.place.data_of(&self.name).join("logs/functions.log");
        let all = fs::read(path).unwrap();
        let begins = self.log_begins.swap(all.len(), Ordering::Relaxed);
        String::from_utf8_lossy(&all[begins..]).into_owned()
    }

    /// What is to stand in no log.
    pub fn secrets(&self) -> HashSet<String> {
        let shared = &self.world.shared;
        let mut secrets = self.seen.lock().unwrap().credentials.clone();
        secrets.extend(SECRETS.map(str::to_owned));
        secrets.extend(["/secret_key", "/stripe_webhook_secret"].map(|it| shared.url(it).to_owned()));
        secrets.insert(PROMPT.to_owned());
        secrets.remove(shared.url("/publishable_key"));
        secrets
    }
}
