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
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let lookup = platform::lookup(&env);
    // No page calls it.
    let origins = Ok(AllowedOrigins::default());
    platform::respond(request, ENDPOINT, origins, async |request, _call| {
        let config = Config::from_lookup(&lookup)?;
        handle(request, &Deps { http: WorkerHttp, clock: WorkerClock, random: &WorkerRandom, config }).await
    })
    .await
}
