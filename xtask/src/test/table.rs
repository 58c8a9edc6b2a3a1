//! The stages.

use super::Needs::{Build, Cargo, Deno, Node, Page, Postgres15, Workerd};
use super::Tier::{Check, Full, Test};
pub use super::run::Run;
use super::run::{self, Clippy};
use super::{Needs, Stage, Tier, wasm_tests};

const ANY: &[&str] = &[""];
const RUST: &[&str] = &["*.rs", "*Cargo.toml", "clippy.toml", "rustfmt.toml"];
const TYPESCRIPT: &[&str] = &["*.ts", "*.tsx", "*.js"];
const BIOME: &[&str] = &["*.ts", "*.tsx", "*.js", "*.css", "biome.json"];
const WASM: &[&str] = &["shared/", "functions/"];
const SQL: &[&str] = &[
    "supabase/",
    "tests/local-supabase/",
    "tests/database/",
    "tests/mutants/sql/",
];
const PRODUCT: &[&str] = &[
    "shared/",
    "functions/",
    "supabase/",
    "tools/",
    "tests/e2e/",
    "tests/compat/models/",
    "tests/simulators/",
    "tests/local-supabase/",
];
const CLIENTS: &[&str] = &[
    "shared/",
    "functions/",
    "supabase/",
    "tests/simulators/",
    "tests/compat/",
];
const CONTRACT: &[&str] = &[
    "shared/",
    "functions/",
    "supabase/",
    "docs/openapi.yaml",
    "tests/openapi/",
];
const GENERATED: &[&str] = &[
    "shared/",
    "functions/",
    "xtask/contract/",
    "xtask/functions/",
    "docs/openapi.yaml",
    "docs/errors.md",
    "web/src/api/",
    "wrangler.toml",
    "supabase/config.toml",
    "supabase/functions/",
];
const WEB: &[&str] = &[
    "web/",
    "tests/browser/",
    "shared/",
    "functions/",
    "supabase/",
];
const DEPLOY: &[&str] = &[
    "functions/",
    "supabase/",
    "web/",
    "tools/check-configuration/",
    "tools/deploy/",
    "tests/deploy/",
    "wrangler.toml",
];

/// The property tests with more inputs from new seeds; `PROPTEST_CASES` chooses how many.
const FUZZ: Run = Run::Cargo(
    &[
        "test",
        "--workspace",
        "--exclude",
        "e2e",
        "--lib",
        "--",
        "properties::",
        "any_text::",
    ],
    // A backtrace of each attempt to shrink an input would hide the input.
    &[("PROPTEST_CASES", "2000"), ("RUST_BACKTRACE", "0")],
);
/// The property tests with the same inputs in each run, so that only a change can make them fail.
const NATIVE_TESTS: Run = Run::Cargo(
    &["test", "--workspace", "--exclude", "e2e", "--no-fail-fast"],
    &[("PROPTEST_RNG_SEED", "1")],
);
const DOCS: Run = Run::Cargo(
    &["doc", "--workspace", "--no-deps"],
    &[("RUSTDOCFLAGS", "-D warnings")],
);
const SIMULATORS: Run = Run::Node(&[
    "tests/simulators/**/*.test.ts",
    "tests/local-supabase/parts.test.ts",
]);

/// Attacks, races and time, which assertions within one transaction cannot test.
const DATABASE: Run = Run::Node(&["tests/database/*.test.ts", "tests/database/races/*.test.ts"]);
const CONFORMANCE: Run = Run::Node(&["tests/local-supabase/conformance.test.ts"]);
const OPENAPI_LIVE: Run = Run::Node(&["tests/openapi/live.test.ts"]);
const PGTAP: Run = Run::Database("tests/local-supabase/pgtap.ts");

/// The end-to-end tests without those that have their own stage.
const END_TO_END: Run = Run::EndToEndWithout(&[
    "load::",
    "matrix::",
    "crashes::",
    "models::",
    "convergence::",
    "deno::",
]);
/// Starting and ending a stack does not depend on the runtime. Deno usually aborts `request.signal` when a client
/// disconnects before its document, but not always.
const END_TO_END_DENO: Run = Run::EndToEndWithout(&[
    "load::",
    "matrix::",
    "crashes::",
    "models::",
    "convergence::",
    "process::",
    "client_that_disconnects_before_the_document",
]);

/// The main journeys: to sign up, generate, edit, pay, link and export.
const BROWSER_SMOKE: Run = Run::Browser(
    &["--test-name-pattern=on a desktop"],
    // A file without such a test would start a browser and not close it.
    &[
        "tests/browser/account.test.ts",
        "tests/browser/auth.test.ts",
        "tests/browser/generation.test.ts",
        "tests/browser/look.test.ts",
        "tests/browser/playlists.test.ts",
    ],
);
const BROWSER: Run = Run::Browser(&[], &["tests/browser/*.test.ts"]);

const fn stage(
    tier: Tier,
    needs: Needs,
    name: &'static str,
    about: &'static str,
    paths: &'static [&'static str],
    run: Run,
) -> Stage {
    Stage {
        name,
        about,
        tier,
        needs,
        is_exclusive: false,
        paths,
        run,
    }
}

/// Makes a stage run alone.
const fn exclusive(stage: Stage) -> Stage {
    Stage {
        is_exclusive: true,
        ..stage
    }
}

#[rustfmt::skip]
pub const STAGES: &[Stage] = &[
    stage(Test, Build, "build", "the artefacts of all functions and the page", WEB, Run::Other(run::build)),
    stage(Check, Cargo, "format", "rustfmt", RUST, Run::Other(run::format)),
    stage(Check, Cargo, "lint-native", "clippy over everything", RUST, Run::Clippy(Clippy::Native)),
    stage(Check, Cargo, "native-tests", "unit, property and architecture tests", ANY, NATIVE_TESTS),
    stage(Full, Cargo, "wasm-pack", "wasm-pack is installed for the tests in wasm", WASM, Run::Other(run::wasm_pack)),
    stage(Test, Cargo, "lint-wasm", "clippy for wasm", WASM, Run::Clippy(Clippy::Wasm)),
    stage(Test, Cargo, "wasm-tests", "unit tests in wasm and of its JavaScript", WASM, Run::Other(wasm_tests::run)),
    stage(Full, Cargo, "docs", "rustdoc without warnings", RUST, DOCS),
    stage(Full, Cargo, "mutants-rust", "mutants of the Rust sources fail tests", WASM, Run::Cargo(&["run", "--package", "rust-mutants"], &[])),
    stage(Full, Cargo, "fuzz", "the property tests with many more cases", WASM, FUZZ),
    stage(Check, Cargo, "generated", "generated files match their sources", GENERATED, Run::Other(run::generated)),
    stage(Check, Node, "biome", "lints of all TypeScript, format of the page and its tests", BIOME, Run::Other(run::biome)),
    stage(Check, Node, "types", "TypeScript", TYPESCRIPT, Run::Other(run::types)),
    stage(Check, Node, "page", "unit tests of the page", WEB, Run::Node(&["web/tests/*.test.ts"])),
    stage(Check, Node, "openapi", "the contract", CONTRACT, Run::Node(&["tests/openapi/openapi.test.ts"])),
    stage(Test, Node, "simulators", "simulators and local Supabase", &["tests/"], SIMULATORS),
    stage(Test, Workerd, "end-to-end", "the product over HTTP", PRODUCT, END_TO_END),
    stage(Test, Workerd, "supabase-js", "Supabase's own client", CLIENTS, Run::Node(&["tests/compat/supabase-js.test.ts"])),
    stage(Test, Workerd, "stripe-sdk", "Stripe's own client", CLIENTS, Run::Node(&["tests/compat/stripe-sdk.test.ts"])),
    stage(Full, Workerd, "models", "llama.cpp's server", PRODUCT, Run::Other(run::models)),
    stage(Full, Workerd, "histories", "a thousand billing histories", PRODUCT, Run::EndToEnd("convergence::")),
    stage(Full, Workerd, "deploy", "wrangler and the Supabase CLI, against loopback", DEPLOY, Run::Other(run::deploy)),
    exclusive(stage(Full, Workerd, "load", "two hundred users at once", PRODUCT, Run::EndToEnd("load::"))),
    exclusive(stage(Full, Workerd, "faults", "each outbound call meets each fault", PRODUCT, Run::EndToEnd("matrix::on_workerd"))),
    exclusive(stage(Full, Workerd, "crashes", "parts killed under load", PRODUCT, Run::EndToEnd("crashes::"))),
    stage(Test, Page, "pgtap", "assertions in SQL", SQL, PGTAP),
    stage(Test, Page, "database", "access, attacks, races, time", SQL, DATABASE),
    stage(Test, Page, "conformance", "the local Supabase behaves like a hosted one", SQL, CONFORMANCE),
    stage(Test, Page, "openapi-live", "the contract against real responses", CONTRACT, OPENAPI_LIVE),
    stage(Test, Page, "browser-smoke", "the main journeys in Chromium", WEB, BROWSER_SMOKE),
    stage(Full, Page, "browser", "all of the page in Chromium", WEB, BROWSER),
    stage(Full, Page, "schemathesis", "generated requests", CONTRACT, Run::Other(run::schemathesis)),
    stage(Full, Page, "mutants-sql", "mutants of the SQL fail tests", SQL, Run::Database("tests/mutants/sql/main.ts")),
    stage(Full, Deno, "end-to-end-deno", "the same on Deno", PRODUCT, END_TO_END_DENO),
    exclusive(stage(Full, Deno, "faults-deno", "the same on Deno", PRODUCT, Run::EndToEnd("matrix::on_deno"))),
    stage(Full, Deno, "browser-deno", "the same on Deno", WEB, BROWSER),
    stage(Full, Deno, "openapi-live-deno", "the same on Deno", CONTRACT, OPENAPI_LIVE),
    stage(Full, Deno, "schemathesis-deno", "the same on Deno", CONTRACT, Run::Other(run::schemathesis)),
    stage(Full, Postgres15, "pgtap-15", "the same on PostgreSQL 15", SQL, PGTAP),
    stage(Full, Postgres15, "database-15", "the same on PostgreSQL 15", SQL, DATABASE),
    stage(Full, Postgres15, "cron-15", "the jobs by pg_cron", SQL, Run::Node(&["tests/database/cron/*.test.ts"])),
    stage(Full, Postgres15, "conformance-15", "the same on PostgreSQL 15", SQL, CONFORMANCE),
    stage(Full, Postgres15, "database-lint", "Supabase's advisors, squawk, plpgsql_check", SQL, Run::Database("tests/database/lint/main.ts")),
];
