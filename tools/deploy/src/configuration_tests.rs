use std::cell::RefCell;
use std::collections::BTreeSet;

use shared::config::ConfigError;
use shared::runtime::cors::AllowedOrigins;

use super::*;

const COMPLETE: &str = "
APP_ORIGINS=https://app.example
SUPABASE_URL=https://abcdefghijklmnopqrst.supabase.co
SUPABASE_PUBLISHABLE_KEY=sb_publishable_1
SPOTIFY_CLIENT_ID=id
SPOTIFY_CLIENT_SECRET=a-secret
SPOTIFY_REDIRECT_URI=https://abcdefghijklmnopqrst.supabase.co/functions/v1/spotify-oauth/callback
SPOTIFY_STATE_SECRETS=0123456789abcdef0123456789abcdef
SPOTIFY_TOKEN_SECRETS=fedcba9876543210fedcba9876543210
STRIPE_SECRET_KEY=sk_test_1
STRIPE_WEBHOOK_SECRETS=whsec_0123456789abcdef0123456789abcdef
STRIPE_PRICE_ID=price_1
LLM_BASE_URL=https://llm.example/v1
LLM_API_KEY=a-key
LLM_MODEL=a-model
FN_AI_TOKEN=token-of-ai
FN_SPOTIFY_TOKEN=token-of-spotify
FN_BILLING_TOKEN=token-of-billing
FN_ACCOUNT_TOKEN=token-of-account
";

fn configuration(changes: &[(&str, Option<&str>)]) -> Configuration {
    let mut given: Variables = COMPLETE
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, value) in changes {
        match value {
            Some(value) => given.insert((*name).to_owned(), (*value).to_owned()),
            None => given.remove(*name),
        };
    }
    Configuration(given)
}

fn functions() -> Vec<Function> {
    Workspace::open().unwrap().functions
}

fn problems(
    target: Target,
    environment: Environment,
    changes: &[(&str, Option<&str>)],
) -> Vec<String> {
    let options = Options {
        target,
        environment,
        env_file: None,
        dry_run: true,
    };
    configuration(changes).problems(&functions(), &options)
}

/// Reads a function's configuration, as its entry does.
fn read(function: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    let (endpoint, configure) = functions::ALL
        .iter()
        .find(|(it, _)| it.name == function)
        .unwrap();
    let origins = endpoint
        .serves_pages
        .then(|| AllowedOrigins::from_env(&lookup).map(drop));
    configure(&lookup).and(origins.unwrap_or(Ok(())))
}

#[test]
fn each_function_is_handed_exactly_what_it_reads() {
    // The variables that a deployment sets in another way: credentials, and the names that Supabase injects.
    let set_otherwise = [
        FUNCTION_TOKEN,
        SECRET_KEY,
        "SUPABASE_SECRET_KEYS",
        "SUPABASE_SERVICE_ROLE_KEY",
        "SUPABASE_PUBLISHABLE_KEYS",
        "SUPABASE_ANON_KEY",
    ];
    let configuration = configuration(&[]);
    for function in functions()
        .iter()
        .filter(|function| function.name != GATEWAY)
    {
        let values = configuration.of(function);
        let asked = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            values.get(name).cloned()
        };
        assert_eq!(read(&function.name, lookup), Ok(()), "{}", function.name);
        let _ = read(&function.name, |name| {
            asked.borrow_mut().insert(name.to_owned());
            None
        });
        let mut asked = asked.into_inner();
        // The platform's side of every function reads them.
        asked.extend(["HEALTH_TOKEN", "SERVER_TIMING"].map(str::to_owned));
        asked.retain(|name| !set_otherwise.contains(&name.as_str()));
        let listed: BTreeSet<_> = function.variables().map(str::to_owned).collect();
        assert_eq!(asked, listed, "{}", function.name);
        for name in &function.needs.secrets {
            let without = |asked: &str| (asked != name).then(|| values.get(asked).cloned())?;
            assert!(
                read(&function.name, without).is_err(),
                "{} works without {name}",
                function.name
            );
        }
    }
}

#[test]
fn each_function_is_handed_the_token_of_its_role_alone() {
    let functions = functions();
    let function = |name: &str| {
        functions
            .iter()
            .find(|function| function.name == name)
            .unwrap()
    };
    let all = configuration(&[(SECRET_KEY, Some("sb_secret_1"))]);
    assert_eq!(
        all.of(function("ai-playlist"))[FUNCTION_TOKEN],
        "token-of-ai"
    );
    assert_eq!(
        all.of(function("stripe-webhook"))[FUNCTION_TOKEN],
        "token-of-billing"
    );
    assert!(!all.of(function("ai-playlist")).contains_key(SECRET_KEY));
    assert_eq!(
        all.of(function("spotify-search"))[FUNCTION_TOKEN],
        "token-of-spotify"
    );
    assert!(
        !all.of(function("spotify-search"))
            .contains_key("SPOTIFY_TOKEN_SECRETS")
    );
    let without = configuration(&[(SECRET_KEY, Some("sb_secret_1")), ("FN_AI_TOKEN", None)]);
    assert_eq!(
        without.of(function("ai-playlist"))[SECRET_KEY],
        "sb_secret_1"
    );
    assert!(
        !all.of(function(GATEWAY))
            .keys()
            .any(|name| name.contains("SECRET") || name.contains("TOKEN"))
    );
}

#[test]
fn a_project_is_handed_nothing_under_a_reserved_name() {
    let legacy = "0123456789abcdef0123456789abcdef";
    let configuration = configuration(&[
        ("SUPABASE_JWT_SECRET", Some(legacy)),
        (SECRET_KEY, Some("sb_secret_1")),
    ]);
    let text = configuration.of_project(&Workspace::open().unwrap());
    assert!(
        text.contains("FN_AI_TOKEN='token-of-ai'\n") && text.contains("LLM_MODEL='a-model'\n"),
        "{text}"
    );
    assert!(
        text.contains(&format!("\nJWT_SECRET='{legacy}'\n")),
        "{text}"
    );
    assert!(
        !text.contains("SUPABASE_") && !text.contains("sb_secret_1"),
        "{text}"
    );
}

#[test]
fn complete_configuration_is_ready_for_both_platforms() {
    for target in [Target::Cloudflare, Target::Supabase] {
        assert_eq!(
            problems(target, Environment::Staging, &[]),
            Vec::<String>::new()
        );
    }
}

/// The payload of a token of `fn_ai` that expires in the year 2100, and of one that expired in 1970.
const FUTURE_OF_AI: &str = "e.eyJyb2xlIjoiZm5fYWkiLCJleHAiOjQxMDI0NDQ4MDB9.s";
const PAST_OF_AI: &str = "e.eyJyb2xlIjoiZm5fYWkiLCJleHAiOjF9.s";

#[test]
fn a_token_of_another_role_or_of_the_past_is_refused_and_so_is_an_unknown_name() {
    let legacy = Some("is not the key of the role ");
    for (name, value, problem) in [
        ("FN_AI_TOKEN", FUTURE_OF_AI, None),
        (
            "FN_ACCOUNT_TOKEN",
            FUTURE_OF_AI,
            Some("is a token of the role fn_ai"),
        ),
        ("FN_AI_TOKEN", PAST_OF_AI, Some("has expired")),
        ("SUPABASE_PUBLISHABLE_KEY", FUTURE_OF_AI, legacy),
        ("SUPABASE_SECRET_KEY", FUTURE_OF_AI, legacy),
        ("LLM_MODLE", "a-model", Some("is read by nothing")),
        ("CATALOGUE_MEMORY_DAYS", "3", None),
        ("SUPABASE_ACCESS_TOKEN", "sbp_1", None),
        ("TERMS_URL", "HTTP://intranet.example/terms", None),
    ] {
        let problems = problems(
            Target::Cloudflare,
            Environment::Staging,
            &[(name, Some(value))],
        );
        let starts = problem.map(|problem| format!("{name} {problem}"));
        assert_eq!(
            problems.len(),
            usize::from(starts.is_some()),
            "{problems:?}"
        );
        assert!(
            starts.is_none_or(|start| problems[0].starts_with(&start)),
            "{problems:?}"
        );
        assert!(!format!("{problems:?}").contains(value), "{problems:?}");
    }
}

#[test]
fn missing_variables_are_named_with_their_functions() {
    let changes = [
        ("LLM_API_KEY", None),
        ("LLM_MODEL", None),
        ("FN_SPOTIFY_TOKEN", None),
    ];
    let problems = problems(Target::Cloudflare, Environment::Staging, &changes);
    assert!(
        problems.contains(&"ai-playlist: LLM_API_KEY, LLM_MODEL missing".to_owned()),
        "{problems:?}"
    );
    let token =
        "spotify-export: FN_SPOTIFY_TOKEN, or else SUPABASE_SECRET_KEY, is missing".to_owned();
    assert!(problems.contains(&token), "{problems:?}");
}

#[test]
fn invalid_values_are_named_and_not_shown() {
    let supabase = Target::Supabase;
    for (target, environment, name, value) in [
        (
            Target::Cloudflare,
            Environment::Staging,
            "APP_ORIGINS",
            "https://app.example,http://app.example",
        ),
        (
            Target::Cloudflare,
            Environment::Staging,
            "SUPABASE_URL",
            "http://abcdefghijklmnopqrst.supabase.co",
        ),
        (
            Target::Cloudflare,
            Environment::Staging,
            "SUPABASE_URL",
            "https://data.example",
        ),
        (
            Target::Cloudflare,
            Environment::Staging,
            "SPOTIFY_REDIRECT_URI",
            "https://app.example/callback",
        ),
        (
            supabase,
            Environment::Staging,
            "SPOTIFY_REDIRECT_URI",
            "https://app.example/functions/v1/spotify-oauth/callback",
        ),
        (
            supabase,
            Environment::Production,
            "STRIPE_SECRET_KEY",
            "rk_test_1",
        ),
        (supabase, Environment::Production, "SERVER_TIMING", "true"),
        (supabase, Environment::Staging, "SERVER_TIMING", "1"),
        (supabase, Environment::Staging, "ANONYMOUS_SIGN_INS", "yes"),
        (
            supabase,
            Environment::Staging,
            "CONTACT_URL",
            "ann@app.example",
        ),
        (supabase, Environment::Staging, "TERMS_URL", "/terms"),
        (
            supabase,
            Environment::Staging,
            "LLM_BASE_URL",
            "http://llm.example/v1",
        ),
        (
            supabase,
            Environment::Staging,
            "SPOTIFY_API_BASE_URL",
            "http://spotify.example",
        ),
        (
            supabase,
            Environment::Staging,
            "SPOTIFY_ACCOUNTS_BASE_URL",
            "http://accounts.example",
        ),
        (
            supabase,
            Environment::Staging,
            "STRIPE_API_BASE_URL",
            "http://stripe.example",
        ),
        (
            supabase,
            Environment::Staging,
            "AUTH_ISSUER",
            "http://auth.example",
        ),
        (
            supabase,
            Environment::Staging,
            "SUPABASE_DB_URL",
            "postgresql://u@db.example/x?password=y",
        ),
        (supabase, Environment::Staging, "LLM_API_KEY", "it's"),
    ] {
        let problems = problems(target, environment, &[(name, Some(value))]);
        assert!(
            problems.iter().any(|problem| problem.starts_with(name)),
            "{name} {value}: {problems:?}"
        );
        assert!(
            !problems.iter().any(|problem| problem.contains(value)),
            "{problems:?}"
        );
    }
}

#[test]
fn a_database_elsewhere_is_reached_by_its_own_url() {
    let url = "postgresql://postgres@127.0.0.1:1/postgres";
    for (given, password) in [
        (url, None),
        (
            "postgresql://postgres:hunter2@127.0.0.1:1/postgres",
            Some("hunter2"),
        ),
        (
            "postgresql://postgres:a%40b%3A%2Fc@d@127.0.0.1:1/postgres",
            Some("a@b:/c@d"),
        ),
    ] {
        let changes = [
            ("SUPABASE_URL", Some("https://data.example")),
            ("SUPABASE_DB_URL", Some(given)),
        ];
        let configuration = configuration(&changes);
        assert_eq!(
            configuration.database(),
            (url.to_owned(), password.map(str::to_owned))
        );
        assert_eq!(configuration.project(), "");
        assert!(configuration.reaches_database());
    }
}

#[test]
fn the_tools_get_their_own_credentials_and_the_functions_none_of_them() {
    let configuration = configuration(&[
        ("CLOUDFLARE_API_TOKEN", Some("cf")),
        ("SUPABASE_ACCESS_TOKEN", Some("sbp")),
    ]);
    assert_eq!(
        configuration.account("CLOUDFLARE_"),
        [("CLOUDFLARE_API_TOKEN".into(), "cf".into())].into()
    );
    assert_eq!(
        configuration.account("SUPABASE_"),
        [("SUPABASE_ACCESS_TOKEN".into(), "sbp".into())].into()
    );
    for function in functions() {
        assert!(
            !configuration
                .of(&function)
                .values()
                .any(|value| ["cf", "sbp"].contains(&value.as_str()))
        );
    }
}
