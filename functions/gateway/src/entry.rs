//! The platform's side of the gateway.

use futures_util::future::{Either, join_all, select};
use serde_json::Value;
use shared::clock::Clock;
use shared::platform::{WorkerClock, WorkerRandom};
use shared::random::Random;
use shared::{Code, Error};
use worker::js_sys::Object;
use worker::wasm_bindgen::JsValue;
use worker::{Context, Env, Fetcher, Method, Request, Response, Result, Var, event};

use crate::health::{Report, function_name};
use crate::page::{Page, document_headers, origin_of};
use crate::route::{Route, route};

/// The page.
const ASSETS: &str = "ASSETS";
/// Longer than a function waits for the database.
const HEALTH_TIMEOUT_MS: u64 = 5_000;

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let route = route(&request.path());
    let target = match &route {
        Route::Function(binding) => bound(&env, binding),
        Route::Health => return health(&request.method(), &env).await,
        Route::Config => return config(&request, &env),
        Route::Asset | Route::Document => bound(&env, ASSETS),
        Route::Nowhere => None,
    };
    match target {
        None => refuse(&Error::new(Code::NotFound, "There is no such function.")),
        Some(target) => match target.fetch_request(request).await {
            Ok(response) if route == Route::Document => with_document_headers(response, &env),
            Ok(response) => Ok(response),
            Err(_) => refuse(&Error::new(Code::Internal, "The function could not be reached.")),
        },
    }
}

fn page(env: &Env) -> Option<Page> {
    Page::from_lookup(|name| env.get_binding::<Var>(name).ok().map(|value| value.to_string()))
}

fn config(request: &Request, env: &Env) -> Result<Response> {
    let url = request.inner().url();
    let (Some(page), Some(origin)) = (page(env), origin_of(&url)) else {
        return refuse(&Error::new(Code::Misconfigured, "The page is not set up correctly."));
    };
    let response = Response::builder()
        .with_header("content-type", "application/json; charset=utf-8")?
        .with_header("cache-control", "no-store")?;
    Ok(response.fixed(page.config(origin).into()))
}

fn with_document_headers(response: Response, env: &Env) -> Result<Response> {
    // A copy: those of a fetched answer cannot be changed.
    let headers = response.headers().clone();
    for (name, value) in document_headers(page(env).as_ref()) {
        headers.set(name, &value)?;
    }
    Ok(response.with_headers(headers))
}

/// The worker behind a binding; a binding of another kind, such as a variable, is none.
fn bound(env: &Env, binding: &str) -> Option<Fetcher> {
    env.get_binding::<Fetcher>(binding).ok()
}

/// Asks every bound function, all at once.
async fn health(method: &Method, env: &Env) -> Result<Response> {
    if !matches!(method, Method::Get | Method::Head) {
        return refuse(&Error::method_not_allowed("GET, HEAD"));
    }
    let bindings = Object::keys(&Object::from(JsValue::from(env.clone())));
    let names = bindings.iter().filter_map(|name| name.as_string()).filter(|name| name != ASSETS);
    let asked = names.filter_map(|name| Some((function_name(&name), bound(env, &name)?)));
    let answers = asked.map(|(name, function)| async move {
        let answer = health_of(&name, &function).await;
        (name, answer)
    });
    let mut report = Report::default();
    for (name, answer) in join_all(answers).await {
        report.add(name, answer);
    }
    let (status, body) = report.answer();
    let response = Response::builder()
        .with_status(status)
        .with_header("content-type", "application/json; charset=utf-8")?
        .with_header("cache-control", "no-store")?
        .with_header("x-request-id", &WorkerRandom.uuid().to_string())?;
    Ok(match method {
        Method::Head => response.empty(),
        _ => response.fixed(body.to_string().into()),
    })
}

/// What a function answers; `None` where that is nothing that can be read, or takes too long.
async fn health_of(name: &str, function: &Fetcher) -> Option<Value> {
    // A binding leads to the function whatever the origin says.
    let url = format!("https://functions.internal/functions/v1/{name}/health");
    let asking = async {
        let mut response = function.fetch(url, None).await.ok()?;
        serde_json::from_slice(&response.bytes().await.ok()?).ok()
    };
    let timeout = WorkerClock.sleep_ms(HEALTH_TIMEOUT_MS);
    match select(std::pin::pin!(asking), std::pin::pin!(timeout)).await {
        Either::Left((answer, _)) => answer,
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
    Ok(response.fixed(error.to_json(request_id).to_string().into()))
}
