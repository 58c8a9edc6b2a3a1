//! The running stack and what its users hold in hand.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

/// The stack, taken for one test: its simulators are back to their defaults.
pub struct Stack {
    pub ready: &'static Value,
    pub http: reqwest::Client,
    /// Kept, for to be let in costs the most.
    database: Mutex<Option<Arc<tokio_postgres::Client>>>,
    _exclusive: Option<MutexGuard<'static, ()>>,
}

/// Somebody who signed up.
#[derive(Clone)]
pub struct User {
    pub id: Uuid,
    pub token: String,
}

static EXCLUSIVE: Mutex<()> = Mutex::const_new(());
static READY: OnceLock<Value> = OnceLock::new();

fn read_ready_file() -> Value {
    let path = std::env::var("SOUND_WHISKERS_READY_FILE")
        .expect("SOUND_WHISKERS_READY_FILE names no ready file: run `cargo xtask test`");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Servers close what is idle for five seconds; a client that sends at that moment is told of a reset.
fn http_client() -> reqwest::Client {
    let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(2));
    client.timeout(Duration::from_secs(90)).build().unwrap()
}

/// The stack, and a user who has just signed up.
pub async fn taken() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    (stack, user)
}

impl Stack {
    /// Waits for the stack and resets the simulators.
    pub async fn take() -> Self {
        let exclusive = EXCLUSIVE.lock().await;
        let ready = READY.get_or_init(read_ready_file);
        let stack =
            Self { ready, http: http_client(), database: Mutex::default(), _exclusive: Some(exclusive) };
        for simulator in ["spotify", "llm", "stripe"] {
            stack.control(simulator, reqwest::Method::POST, "reset", &json!({})).await;
        }
        stack
    }

    /// A stack that a test has started for itself alone.
    pub fn of(ready: Value) -> Self {
        Self {
            ready: Box::leak(Box::new(ready)),
            http: http_client(),
            database: Mutex::default(),
            _exclusive: None,
        }
    }

    /// A string of the ready file, by its JSON pointer.
    pub fn url(&self, pointer: &str) -> &str {
        self.ready.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}"))
    }

    /// The URL of a function.
    pub fn function(&self, name: &str) -> String {
        format!("{}/{name}", self.url("/functions_url"))
    }

    async fn control(&self, simulator: &str, method: reqwest::Method, what: &str, body: &Value) -> Value {
        let url = format!("{}/__control/{what}", self.url(&format!("/simulators/{simulator}")));
        let mut request = self.http.request(method.clone(), url);
        if method != reqwest::Method::GET {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{what}: {}", response.status());
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null)
    }

    /// What the model answers from now on.
    pub async fn llm_script(&self, script: Value) {
        self.control("llm", reqwest::Method::PUT, "script", &script).await;
    }

    /// What goes wrong with a simulator from now on.
    pub async fn faults(&self, simulator: &str, faults: Value) {
        self.control(simulator, reqwest::Method::PUT, "faults", &faults).await;
    }

    /// Spotify's artificial latency from now on.
    pub async fn spotify_latency(&self, latency: Value) {
        self.control("spotify", reqwest::Method::PUT, "latency", &latency).await;
    }

    /// Makes Spotify forget every token that it issued.
    pub async fn expire_spotify_tokens(&self) {
        self.control("spotify", reqwest::Method::POST, "expire_tokens", &json!({})).await;
    }

    /// A control call of Spotify's simulator.
    pub async fn spotify(&self, method: reqwest::Method, what: &str, body: &Value) -> Value {
        self.control("spotify", method, what, body).await
    }

    /// A control call of Stripe's simulator.
    pub async fn stripe(&self, method: reqwest::Method, what: &str, body: &Value) -> Value {
        self.control("stripe", method, what, body).await
    }

    /// The requests that a simulator received since the test began.
    pub async fn log(&self, simulator: &str) -> Vec<Value> {
        match self.control(simulator, reqwest::Method::GET, "log", &Value::Null).await {
            Value::Array(entries) => entries,
            other => panic!("not a log: {other}"),
        }
    }

    /// The requests to a path of a simulator.
    pub async fn log_of(&self, simulator: &str, path: &str) -> Vec<Value> {
        let mut entries = self.log(simulator).await;
        entries.retain(|entry| entry["path"] == path);
        entries
    }

    /// Signs somebody up.
    pub async fn sign_up(&self) -> User {
        self.sign_up_with(&json!({})).await
    }

    /// Signs somebody up with that as their profile data, which is a part of their token.
    pub async fn sign_up_with(&self, profile_data: &Value) -> User {
        let email = format!("{}@example.com", Uuid::new_v4());
        let response = self
            .http
            .post(format!("{}/auth/v1/signup", self.url("/supabase_url")))
            .header("apikey", self.url("/publishable_key"))
            .json(&json!({"email": email, "password": "correct horse battery staple", "data": profile_data}))
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success(), "sign-up: {}", response.status());
        let body: Value = response.json().await.unwrap();
        User {
            id: body["user"]["id"].as_str().unwrap().parse().unwrap(),
            token: body["access_token"].as_str().unwrap().to_owned(),
        }
    }

    /// Signs somebody up who pays.
    pub async fn sign_up_pro(&self) -> User {
        let user = self.sign_up().await;
        self.sql("update public.profiles set plan = 'pro' where user_id = $1", &[&user.id]).await;
        user
    }

    /// Runs SQL as the database's owner: for what only time or an operator can bring about.
    pub async fn sql(
        &self,
        statement: &str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Vec<tokio_postgres::Row> {
        self.database().await.query(statement, parameters).await.unwrap()
    }

    /// Fills the user's buckets again, as if their periods were over.
    pub async fn refill(&self, user: &User) {
        self.sql("delete from private.request_buckets where user_id = $1", &[&user.id]).await;
    }

    async fn database(&self) -> Arc<tokio_postgres::Client> {
        let mut kept = self.database.lock().await;
        if let Some(client) = kept.as_ref().filter(|client| !client.is_closed()) {
            return client.clone();
        }
        let (client, connection) =
            tokio_postgres::connect(self.url("/database_url"), tokio_postgres::NoTls).await.unwrap();
        // It ends with the client, or with the server.
        tokio::spawn(connection);
        kept.insert(Arc::new(client)).clone()
    }

    /// Calls PostgREST, as a user or as anon.
    pub async fn rest(
        &self,
        method: reqwest::Method,
        path: &str,
        user: Option<&User>,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let url = format!("{}/rest/v1/{path}", self.url("/supabase_url"));
        let mut request = self.http.request(method, url).header("apikey", self.url("/publishable_key"));
        if let Some(user) = user {
            request = request.bearer_auth(&user.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The rows that a user reads.
    pub async fn rows(&self, user: Option<&User>, path: &str) -> Vec<Value> {
        let (status, body) = self.rest(reqwest::Method::GET, path, user, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body.as_array().unwrap().clone()
    }

    /// The AI part of the user's `usage`.
    pub async fn ai_usage(&self, user: &User) -> Value {
        let (status, usage) =
            self.rest(reqwest::Method::POST, "rpc/usage", Some(user), Some(&json!({}))).await;
        assert_eq!(status, 200, "{usage}");
        usage["ai"].clone()
    }

    /// Asserts that a failure cost nothing and left nothing: the quota is `used`, no playlist is there.
    pub async fn assert_untouched(&self, user: &User, used: u64) {
        assert_eq!(self.ai_usage(user).await["used"], used, "the quota was touched");
        assert_eq!(self.rows(Some(user), "playlists?select=id").await, Vec::<Value>::new());
    }
}
