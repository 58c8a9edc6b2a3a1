//! The running stack and its users.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::generation::{FIVE, reply};

pub struct Stack {
    pub ready: &'static Value,
    pub http: Client,
    /// The connection stays open, because connecting takes longest.
    database: Mutex<Option<Arc<tokio_postgres::Client>>>,
    _exclusive: Option<MutexGuard<'static, ()>>,
}

#[derive(Clone)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub token: String,
}

impl User {
    pub fn bearer(token: &str) -> Self {
        Self { id: Uuid::nil(), email: String::new(), token: token.to_owned() }
    }
}

/// A response that was read to its end. A body that is not JSON becomes a string.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Response {
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }

    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        let Self { body, .. } = self;
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert!(body["message"].as_str().is_some_and(|message| message.len() > 5), "{body}");
        assert!(body["request_id"].as_str().is_some_and(|id| Uuid::try_parse(id).is_ok()), "{body}");
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn retry_after(&self) -> Option<u64> {
        self.header("retry-after")?.parse().ok()
    }
}

pub async fn send(request: RequestBuilder) -> Response {
    Response::read(request.send().await.unwrap()).await
}

/// A client that shows redirects instead of following them. Servers close a connection that is idle for five seconds,
/// and a request sent at that moment would fail.
pub fn client() -> Client {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none());
    client.pool_idle_timeout(Duration::from_secs(2)).timeout(Duration::from_secs(90)).build().unwrap()
}

/// An object with the members of another one added or replaced.
pub fn with(mut value: Value, more: &Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn data_dir() -> PathBuf {
    std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set").into()
}

static EXCLUSIVE: Mutex<()> = Mutex::const_new(());
static READY: OnceLock<Value> = OnceLock::new();

fn read_ready_file() -> Value {
    let path = std::env::var("SOUND_WHISKERS_READY_FILE")
        .expect("SOUND_WHISKERS_READY_FILE names no ready file: run `cargo xtask test`");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub async fn stack_and_user() -> (Stack, User) {
    let stack = Stack::take().await;
    let user = stack.sign_up().await;
    (stack, user)
}

impl Stack {
    /// Waits for the stack and resets the simulators; the model suggests the same five songs to each prompt.
    pub async fn take() -> Self {
        let exclusive = EXCLUSIVE.lock().await;
        let ready = READY.get_or_init(read_ready_file);
        let stack = Self { ready, http: client(), database: Mutex::default(), _exclusive: Some(exclusive) };
        for simulator in ["spotify", "llm", "stripe"] {
            stack.control(simulator, Method::POST, "reset", &json!({})).await;
        }
        stack.llm_script(reply(&FIVE)).await;
        stack
    }

    pub fn of(ready: Value) -> Self {
        let ready = Box::leak(Box::new(ready));
        Self { ready, http: client(), database: Mutex::default(), _exclusive: None }
    }

    pub fn url(&self, pointer: &str) -> &str {
        self.ready.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}"))
    }

    pub fn function(&self, path: &str) -> String {
        format!("{}/{path}", self.url("/functions_url"))
    }

    pub fn app(&self, path: &str) -> String {
        format!("{}{path}", self.url("/web_url").trim_end_matches('/'))
    }

    pub fn request<'a>(
        &self,
        method: Method,
        path: &str,
        user: impl Into<Option<&'a User>>,
    ) -> RequestBuilder {
        let request = self.http.request(method, self.function(path));
        if let Some(user) = user.into() { request.bearer_auth(&user.token) } else { request }
    }

    /// Calls a function; no body is `null`.
    pub async fn call<'a>(
        &self,
        method: Method,
        path: &str,
        user: impl Into<Option<&'a User>>,
        body: Value,
    ) -> Response {
        let request = self.request(method, path, user);
        send(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub async fn control(&self, simulator: &str, method: Method, what: &str, body: &Value) -> Value {
        let url = format!("{}/__control/{what}", self.url(&format!("/simulators/{simulator}")));
        let request = self.http.request(method.clone(), url);
        let response = send(if method == Method::GET { request } else { request.json(body) }).await;
        assert!(response.status < 300, "{what}: {} {}", response.status, response.body);
        response.body
    }

    pub async fn spotify(&self, method: Method, what: &str, body: Value) -> Value {
        self.control("spotify", method, what, &body).await
    }

    pub async fn stripe(&self, method: Method, what: &str, body: Value) -> Value {
        self.control("stripe", method, what, &body).await
    }

    pub async fn llm_script(&self, script: Value) {
        self.control("llm", Method::PUT, "script", &script).await;
    }

    pub async fn faults(&self, simulator: &str, faults: Value) {
        self.control(simulator, Method::PUT, "faults", &faults).await;
    }

    /// The requests that a simulator received at a path since the test began.
    pub async fn log(&self, simulator: &str, path: &str) -> Vec<Value> {
        let mut entries = self.control(simulator, Method::GET, "log", &Value::Null).await;
        let mut entries = std::mem::take(entries.as_array_mut().unwrap());
        entries.retain(|entry| entry["path"] == path);
        entries
    }

    pub async fn completions(&self) -> Vec<Value> {
        self.log("llm", "/v1/chat/completions").await
    }

    pub async fn sign_up(&self) -> User {
        self.sign_up_with(json!({})).await
    }

    /// Signs a user up with profile data, which becomes a part of the token.
    pub async fn sign_up_with(&self, profile_data: Value) -> User {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({"email": email, "password": "correct horse battery staple", "data": profile_data});
        let url = format!("{}/auth/v1/signup", self.url("/supabase_url"));
        let request = self.http.post(url).header("apikey", self.url("/publishable_key"));
        let body = send(request.json(&body)).await.ok();
        let id = body["user"]["id"].as_str().unwrap().parse().unwrap();
        User { id, email, token: body["access_token"].as_str().unwrap().to_owned() }
    }

    pub async fn sign_up_pro(&self) -> User {
        let user = self.sign_up().await;
        self.sql("update public.profiles set plan = 'pro' where user_id = $1", &[&user.id]).await;
        user
    }

    /// Runs SQL as the database's owner, in place of an operator or the passing of time.
    pub async fn sql(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<tokio_postgres::Row> {
        self.database().await.query(statement, parameters).await.unwrap()
    }

    async fn database(&self) -> Arc<tokio_postgres::Client> {
        let mut kept = self.database.lock().await;
        if let Some(client) = kept.as_ref().filter(|client| !client.is_closed()) {
            return client.clone();
        }
        let url = self.url("/database_url");
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        // The connection ends with the client or the server.
        tokio::spawn(connection);
        kept.insert(Arc::new(client)).clone()
    }

    pub async fn expire_reservations(&self, user: &User) {
        let statement = "update public.ai_sessions set created_at = created_at - interval '90 seconds' where user_id = $1";
        self.sql(statement, &[&user.id]).await;
    }

    /// Refills the user's rate limits, as if their periods were over.
    pub async fn refill(&self, user: &User) {
        self.sql("delete from private.request_buckets where user_id = $1", &[&user.id]).await;
    }

    /// Calls PostgREST as a user or anonymously; no body is `null`.
    pub async fn rest<'a>(
        &self,
        method: Method,
        path: &str,
        user: impl Into<Option<&'a User>>,
        body: Value,
    ) -> Response {
        let url = format!("{}/rest/v1/{path}", self.url("/supabase_url"));
        let mut request = self.http.request(method, url).header("apikey", self.url("/publishable_key"));
        if let Some(user) = user.into() {
            request = request.bearer_auth(&user.token);
        }
        send(if body.is_null() { request } else { request.json(&body) }).await
    }

    pub async fn rows(&self, user: &User, path: &str) -> Vec<Value> {
        let mut rows = self.rest(Method::GET, path, user, Value::Null).await.ok();
        std::mem::take(rows.as_array_mut().unwrap())
    }

    /// The AI part of the user's `usage`.
    pub async fn ai_usage(&self, user: &User) -> Value {
        self.rest(Method::POST, "rpc/usage", user, json!({})).await.ok()["ai"].take()
    }

    /// Asserts how much of the quota is used, and how many playlists the user has.
    pub async fn assert_used(&self, user: &User, used: u64, playlists: usize) {
        assert_eq!(self.ai_usage(user).await["used"], used, "the quota");
        assert_eq!(self.rows(user, "playlists?select=id").await.len(), playlists);
    }
}
