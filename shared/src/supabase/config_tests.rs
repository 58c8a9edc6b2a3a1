//! Tests of the configuration's variables and keys.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::supabase::tests::{URL, config_of};

#[test]
fn newer_variables_and_function_tokens_take_precedence() {
    let mut variables = vec![
        ("SUPABASE_URL", URL),
        ("SUPABASE_ANON_KEY", "eyJanon"),
        ("SUPABASE_SERVICE_ROLE_KEY", "eyJservice"),
    ];
    for (more, publishable_key, service) in [
        (
            None,
            "eyJanon",
            ServiceCredential::LegacyJwt(Secret::new("eyJservice")),
        ),
        (
            Some(("SUPABASE_PUBLISHABLE_KEY", "p1")),
            "p1",
            ServiceCredential::LegacyJwt(Secret::new("eyJservice")),
        ),
        (
            Some(("SUPABASE_SECRET_KEY", "s1")),
            "p1",
            ServiceCredential::SecretKey(Secret::new("s1")),
        ),
        (
            Some((
                "SUPABASE_PUBLISHABLE_KEYS",
                r#"{"default":"p2","web":"p3"}"#,
            )),
            "p2",
            ServiceCredential::SecretKey(Secret::new("s1")),
        ),
        (
            Some(("SUPABASE_SECRET_KEYS", r#"{"default":"s2"}"#)),
            "p2",
            ServiceCredential::SecretKey(Secret::new("s2")),
        ),
        (
            Some(("SUPABASE_FUNCTION_TOKEN", "t")),
            "p2",
            ServiceCredential::FunctionToken(Secret::new("t")),
        ),
    ] {
        variables.extend(more);
        let config = config_of(&variables).unwrap();
        assert_eq!(config.publishable_key, Secret::new(publishable_key));
        assert_eq!(config.service, service);
    }
}

#[test]
fn names_every_missing_variable() {
    let error = config_of(&[]).unwrap_err();
    assert_eq!(
        error.names().collect::<Vec<_>>(),
        [
            "SUPABASE_URL",
            "SUPABASE_PUBLISHABLE_KEY",
            "SUPABASE_SECRET_KEY"
        ]
    );
}

#[test]
fn refuses_keys_of_another_kind() {
    for (name, value) in [
        ("SUPABASE_PUBLISHABLE_KEYS", r#"{"default":"sb_secret_1"}"#),
        ("SUPABASE_PUBLISHABLE_KEYS", r#"{"web":"sb_secret_1"}"#),
        ("SUPABASE_SECRET_KEYS", r#"{"default":"sb_publishable_1"}"#),
        ("SUPABASE_SECRET_KEYS", r#"{"default":"two words"}"#),
        ("SUPABASE_FUNCTION_TOKEN", "line\nbreak"),
        ("SUPABASE_URL", "project.example"),
    ] {
        let mut variables = vec![(name, value)];
        variables.extend([
            ("SUPABASE_URL", URL),
            ("SUPABASE_PUBLISHABLE_KEY", "p"),
            ("SUPABASE_SECRET_KEY", "s"),
        ]);
        let error = config_of(&variables).unwrap_err();
        assert_eq!(error.names().collect::<Vec<_>>(), [name], "{value}");
        assert!(!error.to_string().contains(value), "{error}");
    }
}

/// Documents of named keys, each with the key that is used; `None` if the next variable is read.
const NAMED_KEYS: [(&str, Option<&str>); 14] = [
    (r#"{"default":"k1","web":"k2"}"#, Some("k1")),
    (r#"{"web":"k2","default":"k1"}"#, Some("k1")),
    (r#"{"web":"k2"}"#, Some("k2")),
    (r#"{"web":"k2","app":"k3"}"#, Some("k2")),
    (r#" {"zebra" : "k2", "app" : "k3"} "#, Some("k2")),
    (r#"{"default":"","web":"k2"}"#, Some("k2")),
    (
        r#"{"default":null,"nested":{"default":"k4"},"web":"k2"}"#,
        Some("k2"),
    ),
    ("{}", None),
    (r#"{"default":""}"#, None),
    (r#"{"default":7}"#, None),
    (r#"["k1"]"#, None),
    ("sb_publishable_1", None),
    (r#"{"default":"k1""#, None),
    (r#"{"default":"k1"} {"#, None),
];

#[test]
fn uses_the_default_key_then_the_first_then_the_next_variable() {
    for (document, key) in NAMED_KEYS {
        for [named, next] in [
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_PUBLISHABLE_KEY"],
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_ANON_KEY"],
        ] {
            let variables = [
                ("SUPABASE_URL", URL),
                (named, document),
                (next, "next"),
                ("SUPABASE_SECRET_KEY", "s"),
            ];
            let config = config_of(&variables).unwrap();
            assert_eq!(
                config.publishable_key.expose(),
                key.unwrap_or("next"),
                "{document} {next}"
            );
        }
        for [named, next] in [
            ["SUPABASE_SECRET_KEYS", "SUPABASE_SECRET_KEY"],
            ["SUPABASE_SECRET_KEYS", "SUPABASE_SERVICE_ROLE_KEY"],
        ] {
            let variables = [
                ("SUPABASE_URL", URL),
                (named, document),
                (next, "next"),
                ("SUPABASE_ANON_KEY", "p"),
            ];
            let expected = ServiceCredential::SecretKey(Secret::new(key.unwrap_or("next")));
            assert_eq!(
                config_of(&variables).unwrap().service,
                expected,
                "{document} {next}"
            );
        }
    }
}

#[test]
fn empty_named_keys_without_an_alternative_are_an_error() {
    for (document, _) in NAMED_KEYS.iter().filter(|(_, key)| key.is_none()) {
        let variables = [
            ("SUPABASE_URL", URL),
            ("SUPABASE_PUBLISHABLE_KEYS", document),
            ("SUPABASE_SECRET_KEYS", document),
        ];
        let error = config_of(&variables).unwrap_err();
        assert_eq!(
            error.names().collect::<Vec<_>>(),
            ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_SECRET_KEYS"],
            "{document}"
        );
        assert!(
            error
                .to_string()
                .contains(r#"must be JSON like {"default":"sb_…"}"#),
            "{error}"
        );
    }
}
