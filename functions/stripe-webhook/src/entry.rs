//! The platform's side of the function.

use shared::cors::AllowedOrigins;
use shared::platform::{self, WorkerClock, WorkerHttp, WorkerRandom};
use worker::{Context, Env, Request, Response, Result, event};

use crate::config::Config;
use crate::handler::{Deps, ENDPOINT, handle};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let lookup = platform::lookup(&env);
    let config = Config::from_lookup(&lookup);
    // No page calls it.
    let origins = Ok(AllowedOrigins::default());
    let spawn = platform::spawner(context);
    platform::respond(
        request,
        &spawn,
        lookup,
        ENDPOINT,
        origins,
        config,
        move |request, config, call| async move {
            let http = call.observe(WorkerHttp, WorkerClock);
            handle(request, &Deps { http, clock: WorkerClock, random: &WorkerRandom, config, call }).await
        },
    )
    .await
}
