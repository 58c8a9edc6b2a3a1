//! The platform's side of the gateway.

use shared::platform::WorkerRandom;
use shared::random::Random;
use shared::{Code, Error};
use worker::{Context, Env, Fetcher, Request, Response, Result, event};

use crate::route::{Route, route};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let target = match route(&request.path()) {
        Route::Function(binding) => bound(&env, &binding),
        Route::Asset => bound(&env, "ASSETS"),
        Route::Nowhere => None,
    };
    match target {
        None => refuse(&Error::new(Code::NotFound, "There is no such function.")),
        Some(target) => match target.fetch_request(request).await {
            Ok(response) => Ok(response),
            Err(_) => refuse(&Error::new(Code::Internal, "The function could not be reached.")),
        },
    }
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
