//! The platform's side of the gateway.

use shared::platform::WorkerRandom;
use shared::random::Random;
use shared::{Code, Error};
use worker::{Context, Env, Fetcher, Request, Response, Result, Var, event};

use crate::page::{Page, document_headers, origin_of};
use crate::route::{Route, route};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let route = route(&request.path());
    let target = match &route {
        Route::Function(binding) => bound(&env, binding),
        Route::Config => return config(&request, &env),
        Route::Asset | Route::Document => bound(&env, "ASSETS"),
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

fn refuse(error: &Error) -> Result<Response> {
    let request_id = WorkerRandom.uuid();
    let response = Response::builder()
        .with_status(error.status().as_u16())
        .with_header("content-type", "application/json; charset=utf-8")?
        .with_header("x-request-id", &request_id.to_string())?;
    Ok(response.fixed(error.to_json(request_id).to_string().into()))
}
