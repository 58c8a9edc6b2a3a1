//! The platform's side of the function.

use std::rc::Rc;

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
    let config = Config::from_lookup(&lookup);
    let origins = AllowedOrigins::from_lookup(&lookup);
    let spawn = platform::spawner(context);
    platform::respond(
        request,
        &spawn,
        lookup,
        ENDPOINT,
        origins,
        config,
        move |request, config, call| async move {
            let deps = Deps {
                http: call.observe(WorkerHttp, WorkerClock),
                clock: WorkerClock,
                random: Rc::new(WorkerRandom),
                config,
                caches: CACHES.with(Rc::clone),
                call,
            };
            handle(request, &deps).await
        },
    )
    .await
}
