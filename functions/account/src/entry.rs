//! The platform's side of the function.

use std::rc::Rc;

use shared::clock::Clock;
use shared::cors::AllowedOrigins;
use shared::endpoint::{Call, serve};
use shared::platform::{self, WorkerClock, WorkerHttp, WorkerLog, WorkerRandom};
use shared::random::Random;
use worker::{Context, Env, Request, Response, Result, event};

use crate::config::Config;
use crate::handler::{Caches, Deps, ENDPOINT, handle};

thread_local! {
    static CACHES: Rc<Caches> = Rc::default();
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let started_ms = WorkerClock.now_ms();
    let lookup = platform::lookup(&env);
    let origins = AllowedOrigins::from_lookup(&lookup);
    let request = platform::read_request(request, ENDPOINT.max_body_bytes).await;
    let call =
        Call::new(ENDPOINT, request.method().clone(), WorkerRandom.uuid(), started_ms, Rc::new(WorkerLog));
    let allowed = origins.clone().unwrap_or_default();
    let response = serve(&call, &allowed, &WorkerClock, request, async |request| {
        origins?;
        let deps = Deps {
            http: WorkerHttp,
            clock: WorkerClock,
            config: Config::from_lookup(&lookup)?,
            caches: CACHES.with(Rc::clone),
        };
        handle(request, &deps).await
    });
    platform::write_response(response.await)
}
