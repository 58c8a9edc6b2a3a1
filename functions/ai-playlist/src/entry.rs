//! The platform's side of the function.

use std::rc::Rc;

use futures_util::FutureExt;
use shared::cors::AllowedOrigins;
use shared::platform::{self, WorkerClock, WorkerHttp, WorkerRandom};
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
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let lookup = platform::lookup(&env);
    let origins = AllowedOrigins::from_lookup(&lookup);
    let client_gone = platform::client_gone(&request).shared();
    platform::respond(request, ENDPOINT, origins, async |request, call| {
        let deps = Deps {
            http: WorkerHttp,
            clock: WorkerClock,
            random: Rc::new(WorkerRandom),
            config: Rc::new(Config::from_lookup(&lookup)?),
            caches: CACHES.with(Rc::clone),
            spawn: platform::spawner(context),
            client_gone,
            call: call.clone(),
        };
        handle(request, deps).await
    })
    .await
}
