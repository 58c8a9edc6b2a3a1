//! The gateway's entry point on Cloudflare.

use std::rc::Rc;

use futures_util::future::{Either, join_all, select};
use http::StatusCode;
use serde_json::Value;
use shared::redacted::Secret;
use shared::runtime::cache::Once;
use shared::runtime::clock::Clock;
use shared::runtime::headers::common;
use shared::runtime::http_client::{HttpClient, Limits, OutboundRequest, Upstream};
use shared::runtime::random::Random;
use shared::runtime::wasm::{WorkerClock, WorkerHttp, WorkerRandom};
use shared::{Code, Error};
use worker::js_sys::Object;
use worker::wasm_bindgen::JsValue;
use worker::{Context, Env, Fetcher, Method, Request, Response, Result, Var, event};

use crate::health::{Report, function_name};
use crate::page::{Page, cache_control, origin_of, page_headers};
use crate::route::{ASSETS, Route, route};
use crate::shared_page::{document, is_share_id};

/// The timeout of a function's health check, which itself waits two seconds for the database.
const HEALTH_TIMEOUT_MS: u64 = 5_000;
/// The time for which clients other than operators get the last report.
const REMEMBERED_MS: u64 = 5_000;
/// The limits of a shared playlist, which has at most a hundred tracks.
const SHARED_LIMITS: Limits = Limits::document(3_000, 1024 * 1024);

thread_local! {
    static LAST_REPORT: Rc<Once<Report>> = Rc::default();
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let is_https = request.inner().url().starts_with("https:");
    let query = request
        .inner()
        .url()
        .split_once('?')
        .map(|(_, query)| query.to_owned())
        .unwrap_or_default();
    let response = match route(&request.path(), &query) {
        Route::Function(binding) => match bound(&env, &binding) {
            // A function sets its own headers.
            Some(function) => match function.fetch_request(request).await {
                Ok(response) => return Ok(response),
                Err(_) => refuse(&Error::of(Code::Internal)),
            },
            None => refuse(&Error::of(Code::NotFound)),
        },
        Route::Health => health(&request, &env).await,
        Route::Config => config(&request, &env),
        Route::Shared(id) => shared_page(request, &env, &id).await,
        Route::Asset => asset(request, &env).await,
        Route::Nowhere => refuse(&Error::of(Code::NotFound)),
    }?;
    // Copied, because the headers of a fetched response are immutable.
    let headers = response.headers().clone();
    for (name, value) in common(is_https) {
        if !headers.has(name.as_str())? {
            headers.set(name.as_str(), value.to_str().unwrap_or_default())?;
        }
    }
    Ok(response.with_headers(headers))
}

fn page(env: &Env) -> Option<Page> {
    Page::from_env(|name| {
        env.get_binding::<Var>(name)
            .ok()
            .map(|value| value.to_string())
    })
}

fn config(request: &Request, env: &Env) -> Result<Response> {
    let url = request.inner().url();
    let (Some(page), Some(origin)) = (page(env), origin_of(&url)) else {
        return refuse(&Error::of(Code::Misconfigured));
    };
    let response =
        Response::builder().with_header("content-type", "application/json; charset=utf-8")?;
    Ok(response.fixed(page.config(origin).into()))
}

/// Returns a file of the page with its headers, for any spelling of its path.
async fn asset(request: Request, env: &Env) -> Result<Response> {
    let Some(assets) = bound(env, ASSETS) else {
        return refuse(&Error::of(Code::NotFound));
    };
    let path = request.path();
    let response = assets.fetch_request(request).await?;
    let headers = response.headers().clone();
    for (name, value) in page_headers(page(env).as_ref()) {
        headers.set(name, &value)?;
    }
    if let Some(cache_control) = cache_control(&path, response.status_code()) {
        headers.set("cache-control", cache_control)?;
    }
    Ok(response.with_headers(headers))
}

/// Returns the page with a shared playlist: with 404 if there is none, and 503 if it cannot be read. The page shows the
/// same.
async fn shared_page(request: Request, env: &Env, id: &str) -> Result<Response> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return refuse(&Error::method_not_allowed("GET, HEAD"));
    }
    let (Some(page), Some(assets)) = (page(env), bound(env, ASSETS)) else {
        return refuse(&Error::new(
            Code::Misconfigured,
            "The page is not set up correctly.",
        ));
    };
    let (status, playlist) = match is_share_id(id) {
        true => shared_playlist(&page, id).await,
        false => (404, None),
    };
    // Without the request's headers, which could make it "not modified".
    let html = assets
        .fetch("https://page.internal/", None)
        .await?
        .text()
        .await?;
    let response = Response::builder()
        .with_status(status)
        .with_header("content-type", "text/html; charset=utf-8")?
        .with_header("x-robots-tag", "noindex")?;
    let response = match request.method() {
        Method::Head => response.empty(),
        _ => response.fixed(document(&html, playlist.as_ref()).into()),
    };
    for (name, value) in page_headers(Some(&page)) {
        response.headers().set(name, &value)?;
    }
    Ok(response)
}

/// Returns the document's status, and the playlist if there is one.
async fn shared_playlist(page: &Page, id: &str) -> (u16, Option<Value>) {
    let url = format!(
        "{}/rest/v1/rpc/shared_playlist?share_id={id}",
        page.supabase_url
    );
    let read = async {
        let request =
            OutboundRequest::new(Upstream::Database, http::Method::GET, url, SHARED_LIMITS)
                .header(
                    http::HeaderName::from_static("apikey"),
                    &page.publishable_key,
                )
                .ok()?;
        let response = WorkerHttp.send(request).await.ok()?;
        match response.status {
            StatusCode::OK => Some((200, response.json::<Value>().await.ok())),
            StatusCode::NOT_FOUND => Some((404, None)),
            _ => None,
        }
    };
    read.await.unwrap_or((503, None))
}

/// Returns the worker of a binding; `None` for a binding of another kind, such as a variable.
fn bound(env: &Env, binding: &str) -> Option<Fetcher> {
    env.get_binding::<Fetcher>(binding).ok()
}

/// Returns the functions' health. Operators get a new report that names the unhealthy functions.
async fn health(request: &Request, env: &Env) -> Result<Response> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return refuse(&Error::method_not_allowed("GET, HEAD"));
    }
    let token = env
        .get_binding::<Var>("HEALTH_TOKEN")
        .ok()
        .map(|token| Secret::new(token.to_string()));
    let authorization = request.headers().get("authorization")?.unwrap_or_default();
    let given = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let is_operator = token.as_ref().is_some_and(|token| token.is(given));
    let ask = Box::pin(ask_functions(env, token.as_ref()));
    let report = match is_operator {
        true => ask.await,
        false => {
            let last = LAST_REPORT.with(Rc::clone);
            last.get_or(&WorkerClock, REMEMBERED_MS, 2 * HEALTH_TIMEOUT_MS, ask)
                .await
        }
    };
    let (status, body) = report.into_response(is_operator);
    let response = Response::builder()
        .with_status(status)
        .with_header("content-type", "application/json; charset=utf-8")?
        .with_header("x-request-id", &WorkerRandom.uuid().to_string())?;
    Ok(match request.method() {
        Method::Head => response.empty(),
        _ => response.fixed(serde_json::to_vec(&body)?),
    })
}

/// Asks all bound functions concurrently.
async fn ask_functions(env: &Env, token: Option<&Secret>) -> Report {
    let bindings = Object::keys(&Object::from(JsValue::from(env.clone())));
    let names = bindings
        .iter()
        .filter_map(|name| name.as_string())
        .filter(|name| name != ASSETS);
    let asked = names.filter_map(|name| Some((function_name(&name), bound(env, &name)?)));
    let responses = asked.map(|(name, function)| async move {
        let response = health_of(&name, &function, token).await;
        (name, response)
    });
    let mut report = Report::default();
    for (name, response) in join_all(responses).await {
        report.add(name, response);
    }
    report
}

/// Returns a function's response; `None` if it is not JSON or takes too long.
async fn health_of(name: &str, function: &Fetcher, token: Option<&Secret>) -> Option<Value> {
    // A binding ignores the origin.
    let url = format!("https://functions.internal/functions/v1/{name}/health");
    let asking = async {
        // Built without `RequestInit`, which takes 9 KB of wasm.
        let mut request = Request::new(&url, Method::Get).ok()?;
        if let Some(token) = token {
            let headers = request.headers_mut().ok()?;
            headers
                .set("authorization", &format!("Bearer {}", token.expose()))
                .ok()?;
        }
        let mut response = function.fetch_request(request).await.ok()?;
        serde_json::from_slice(&response.bytes().await.ok()?).ok()
    };
    let timeout = WorkerClock.sleep_ms(HEALTH_TIMEOUT_MS);
    match select(std::pin::pin!(asking), std::pin::pin!(timeout)).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => None,
    }
}

fn refuse(error: &Error) -> Result<Response> {
    let request_id = WorkerRandom.uuid();
    let response = Response::builder()
        .with_status(error.status().as_u16())
        .with_header("content-type", "application/json; charset=utf-8")?
        .with_header("x-request-id", &request_id.to_string())?;
    let response = match error.allow() {
        Some(methods) => response.with_header("allow", methods)?,
        None => response,
    };
    Ok(response.fixed(serde_json::to_vec(&error.body(request_id))?))
}
