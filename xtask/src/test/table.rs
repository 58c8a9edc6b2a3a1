//! The stages.

use super::Needs::{Build, Cargo, Deno, Node, Page, Postgres15, Workerd};
use super::Tier::{Check, Full, Test};
use super::{Context, Needs, Stage, Tier, stages, wasm_tests};
use anyhow::Result;

const ANY: &[&str] = &[""];
const RUST: &[&str] = &["*.rs", "*Cargo.toml", "clippy.toml", "rustfmt.toml"];
const TYPESCRIPT: &[&str] = &["*.ts", "*.tsx", "*.js"];
const WASM: &[&str] = &["shared/", "functions/"];
const SQL: &[&str] = &["supabase/", "tests/local-supabase/", "tests/database"];
const PRODUCT: &[&str] = &[
    "shared/",
    "functions/",
    "supabase/",
    "tools/",
    "tests/it/",
    "tests/simulators/",
    "tests/local-supabase/",
];
const CLIENTS: &[&str] =
    &["shared/", "functions/", "supabase/", "tests/simulators/", "tests/supabase-js/", "tests/stripe-sdk/"];
const CONTRACT: &[&str] = &["shared/", "functions/", "supabase/", "docs/openapi.yaml", "tests/openapi/"];
const GENERATED: &[&str] =
    &["shared/", "functions/", "tools/contract/", "docs/openapi.yaml", "docs/errors.md", "web/src/api/"];
const WEB: &[&str] = &["web/", "tests/page/", "tests/browser/", "shared/", "functions/", "supabase/"];
const DEPLOY: &[&str] = &["functions/", "supabase/", "web/", "tests/deploy/", "wrangler.toml"];

const fn stage(
    tier: Tier,
    needs: Needs,
    name: &'static str,
    about: &'static str,
    paths: &'static [&'static str],
    run: fn(&mut Context<'_>) -> Result<()>,
) -> Stage {
    Stage { name, about, tier, needs, is_exclusive: false, paths, run }
}

/// A stage that runs beside no other.
const fn exclusive(stage: Stage) -> Stage {
    Stage { is_exclusive: true, ..stage }
}

pub const STAGES: &[Stage] = &[
    stage(Test, Build, "build", "the artefacts of all functions and the page", WEB, stages::build),
    stage(Check, Cargo, "format", "rustfmt", RUST, stages::format),
    stage(Check, Cargo, "lint-native", "clippy over everything", RUST, stages::lint_native),
    stage(Check, Cargo, "generated", "generated files are as the sources say", GENERATED, stages::generated),
    stage(Check, Cargo, "native-tests", "unit and property tests, house rules", ANY, stages::native_tests),
    stage(Full, Cargo, "wasm-pack", "wasm-pack is installed for the tests in wasm", WASM, stages::wasm_pack),
    stage(Test, Cargo, "lint-wasm", "clippy for wasm", WASM, stages::lint_wasm),
    stage(Test, Cargo, "wasm-tests", "unit tests in wasm and of its JavaScript", WASM, wasm_tests::run),
    stage(Full, Cargo, "docs", "rustdoc without warnings", RUST, stages::docs),
    stage(Full, Cargo, "mutants", "sabotaged Rust turns tests red", WASM, stages::mutants),
    stage(Full, Cargo, "fuzz", "the property tests with many more cases", WASM, stages::fuzz),
    stage(Check, Node, "types", "TypeScript", TYPESCRIPT, stages::types),
    stage(Check, Node, "page", "the parts of the page that need no browser", WEB, stages::page),
    stage(Check, Node, "openapi", "the contract", CONTRACT, stages::openapi),
    stage(Test, Node, "stand-ins", "simulators and local Supabase", &["tests/"], stages::stand_ins),
    stage(Test, Workerd, "end-to-end", "the product over HTTP", PRODUCT, stages::end_to_end),
    stage(Test, Workerd, "supabase-js", "Supabase's own client", CLIENTS, stages::supabase_js),
    stage(Test, Workerd, "stripe-sdk", "Stripe's own client", CLIENTS, stages::stripe_sdk),
    stage(Full, Workerd, "models", "llama.cpp's server", PRODUCT, stages::models),
    stage(Full, Workerd, "histories", "a thousand billing histories", PRODUCT, stages::histories),
    stage(Full, Workerd, "deploy", "wrangler and the Supabase CLI, against loopback", DEPLOY, stages::deploy),
    exclusive(stage(Full, Workerd, "load", "two hundred users at once", PRODUCT, stages::load)),
    exclusive(stage(Full, Workerd, "faults", "each outbound call meets each fault", PRODUCT, stages::faults)),
    exclusive(stage(Full, Workerd, "crashes", "parts killed under load", PRODUCT, stages::crashes)),
    stage(Test, Page, "pgtap", "assertions in SQL", SQL, stages::pgtap),
    stage(Test, Page, "database", "access, attacks, races, time", SQL, stages::database),
    stage(Test, Page, "conformance", "local Supabase is like the hosted one", SQL, stages::conformance),
    stage(Test, Page, "openapi-live", "the contract against real responses", CONTRACT, stages::openapi_live),
    stage(Test, Page, "browser-smoke", "the main journeys in Chromium", WEB, stages::browser_smoke),
    stage(Full, Page, "browser", "all of the page in Chromium", WEB, stages::browser),
    stage(Full, Page, "schemathesis", "generated requests", CONTRACT, stages::schemathesis),
    stage(Full, Page, "mutations", "sabotaged SQL turns tests red", SQL, stages::mutations),
    stage(Full, Deno, "end-to-end-deno", "the same on Deno", PRODUCT, stages::end_to_end_deno),
    exclusive(stage(Full, Deno, "faults-deno", "the same on Deno", PRODUCT, stages::faults_deno)),
    stage(Full, Deno, "browser-deno", "the same on Deno", WEB, stages::browser),
    stage(Full, Deno, "openapi-live-deno", "the same on Deno", CONTRACT, stages::openapi_live),
    stage(Full, Deno, "schemathesis-deno", "the same on Deno", CONTRACT, stages::schemathesis),
    stage(Full, Postgres15, "pgtap-15", "the same on PostgreSQL 15", SQL, stages::pgtap),
    stage(Full, Postgres15, "database-15", "the same on PostgreSQL 15", SQL, stages::database),
    stage(Full, Postgres15, "cron-15", "the jobs by pg_cron", SQL, stages::cron),
    stage(Full, Postgres15, "conformance-15", "the same on PostgreSQL 15", SQL, stages::conformance),
    stage(
        Full,
        Postgres15,
        "database-lint",
        "the advisors' and linters' opinion",
        SQL,
        stages::database_lint,
    ),
];
