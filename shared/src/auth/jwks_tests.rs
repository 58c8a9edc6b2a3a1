use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::*;
use super::*;
use crate::auth::rsa::tests::FakeRsaSigner;
use crate::error::Code;
use crate::fakes::{FakeHttp, FakeResponse, SharedClock, fake_request};
use crate::runtime::http_client::HttpError;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW_SECONDS: u64 = 1_800_000_000;
const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

/// One instance of a function, with its cache and its upstreams.
struct Instance {
    config: AuthConfig,
    cache: JwksCache,
    http: FakeHttp,
    clock: SharedClock,
}

impl Instance {
    fn answered(answers: impl IntoIterator<Item = FakeResponse>) -> Self {
        Self {
            config: FakeIssuer::config(),
            cache: JwksCache::default(),
            http: FakeHttp::answering(answers),
            clock: SharedClock::at_ms(NOW_SECONDS * SECOND_MS),
        }
    }

    /// Identifies the sender of a token that `kid` signs at this moment.
    fn receive(&self, kid: &str) -> Result<(), Code> {
        self.receive_token(&FakeIssuer::with_kid(kid).token(Uuid::nil(), self.clock.now_seconds()))
    }

    fn receive_token(&self, token: &str) -> Result<(), Code> {
        self.receiving_token(token).now_or_never().unwrap()
    }

    fn receiving(&self, kid: &str) -> LocalBoxFuture<'_, Result<(), Code>> {
        self.receiving_token(
            &FakeIssuer::with_kid(kid).token(Uuid::nil(), self.clock.now_seconds()),
        )
    }

    fn receiving_token(&self, token: &str) -> LocalBoxFuture<'_, Result<(), Code>> {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        let authenticating = async move {
            let call = fake_request().0;
            let result = authenticate(
                &call,
                &headers,
                &self.config,
                &self.cache,
                &self.http,
                &self.clock,
            );
            result.await.map(|_| ()).map_err(|error| error.code())
        };
        authenticating.boxed_local()
    }

    fn fetches(&self) -> usize {
        self.http.requests().len()
    }
}

fn keys(kids: &[&str]) -> FakeResponse {
    let keys: Vec<Value> = kids
        .iter()
        .map(|kid| FakeIssuer::with_kid(kid).jwk())
        .collect();
    FakeResponse::json(200, &json!({ "keys": keys }))
}

fn outage() -> FakeResponse {
    FakeResponse::Error(HttpError::Timeout)
}

const UNAVAILABLE: Result<(), Code> = Err(Code::DatabaseUnavailable);
const REFUSED: Result<(), Code> = Err(Code::InvalidToken);

#[test]
fn keys_are_fetched_once_in_ten_minutes() {
    let instance = Instance::answered([keys(&["a"]), keys(&["a"])]);
    for _ in 0..3 {
        assert_eq!(instance.receive("a"), Ok(()));
    }
    instance.clock.advance_ms(10 * MINUTE_MS - 1);
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(instance.fetches(), 1);
    assert_eq!(instance.http.requests()[0].url, FakeIssuer::JWKS_URL);
    instance.clock.advance_ms(1);
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(instance.fetches(), 2);
}

#[test]
fn accepts_new_and_previous_keys_after_a_rotation() {
    let instance = Instance::answered([keys(&["old"]), keys(&["new", "old"])]);
    assert_eq!(instance.receive("old"), Ok(()));
    assert_eq!(instance.receive("new"), Ok(()));
    assert_eq!(instance.receive("old"), Ok(()));
    assert_eq!(instance.fetches(), 2);
}

#[test]
fn refuses_a_revoked_key_after_the_next_fetch() {
    let instance = Instance::answered([keys(&["old"]), keys(&["new"])]);
    assert_eq!(instance.receive("old"), Ok(()));
    instance.clock.advance_ms(10 * MINUTE_MS);
    assert_eq!(instance.receive("old"), REFUSED);
}

#[test]
fn unknown_key_ids_cause_one_fetch_in_30_seconds() {
    let instance = Instance::answered((0..9).map(|_| keys(&["a"])));
    assert_eq!(instance.receive("a"), Ok(()));
    for invented in ["x", "y", "z"] {
        assert_eq!(instance.receive(invented), REFUSED);
    }
    assert_eq!(instance.fetches(), 2);
    instance.clock.advance_ms(30 * SECOND_MS - 1);
    assert_eq!(instance.receive("x"), REFUSED);
    assert_eq!(instance.fetches(), 2);
    instance.clock.advance_ms(1);
    assert_eq!(instance.receive("x"), REFUSED);
    assert_eq!(instance.fetches(), 3);
}

#[test]
fn unknown_ids_on_a_cold_start_do_not_hide_a_rotated_key() {
    let instance = Instance::answered([keys(&["a"]), keys(&["new", "a"])]);
    for n in 0..100 {
        assert_eq!(instance.receive(&format!("invented-{n}")), REFUSED);
    }
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(instance.fetches(), 1);
    instance.clock.advance_ms(30 * SECOND_MS);
    assert_eq!(instance.receive("new"), Ok(()));
    assert_eq!(instance.fetches(), 2);
}

#[test]
fn concurrent_requests_share_one_fetch() {
    let ids = || {
        (0..100).map(|n| {
            if n % 10 == 0 {
                "a".to_owned()
            } else {
                format!("invented-{n}")
            }
        })
    };
    let expected = |known: Result<(), Code>, unknown: Result<(), Code>| -> Vec<_> {
        ids()
            .map(|kid| if kid == "a" { known } else { unknown })
            .collect()
    };
    for (answer, outcomes) in [
        (keys(&["a"]), expected(Ok(()), REFUSED)),
        (outage(), expected(UNAVAILABLE, UNAVAILABLE)),
    ] {
        let instance = Instance::answered([FakeResponse::Late(Box::new(answer)), keys(&["a"])]);
        let received = ids().map(|kid| instance.receiving(&kid)).collect();
        assert_eq!(instance.clock.run(received), outcomes);
        assert_eq!(instance.fetches(), 1);
        assert_eq!(instance.receive("a"), Ok(()), "a later request is served");
    }
}

#[test]
fn hanging_fetch_delays_others_by_at_most_its_time_limit() {
    let instance = Instance::answered([FakeResponse::Silence, keys(&["a"])]);
    assert!(Box::pin(instance.receiving("a")).now_or_never().is_none());
    assert_eq!(instance.clock.run(vec![instance.receiving("a")]), [Ok(())]);
    assert_eq!(
        (
            instance.clock.now_seconds() - NOW_SECONDS,
            instance.fetches()
        ),
        (3, 2)
    );
}

#[test]
fn token_is_not_judged_without_keys() {
    for answer in [
        outage(),
        FakeResponse::Error(HttpError::BudgetExhausted),
        FakeResponse::text(500, "text/html", "<h1>down</h1>"),
        FakeResponse::text(200, "text/html", "<h1>hello</h1>"),
        FakeResponse::json(404, &json!({ "keys": [] })),
        FakeResponse::json(200, &json!({ "message": "no keys" })),
    ] {
        let instance = Instance::answered([answer, keys(&["a"])]);
        assert_eq!(instance.receive("a"), UNAVAILABLE);
        assert_eq!(
            instance.receive("a"),
            Ok(()),
            "the next request tries again"
        );
    }
}

#[test]
fn uses_old_keys_for_an_hour_while_auth_is_unavailable() {
    let instance = Instance::answered([keys(&["a"])]);
    assert_eq!(instance.receive("a"), Ok(()));
    instance.clock.advance_ms(10 * MINUTE_MS);
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(
        instance.fetches(),
        2,
        "an outage is not asked about at every request"
    );
    instance.clock.advance_ms(60 * MINUTE_MS - 1);
    assert_eq!(instance.receive("a"), Ok(()));
    instance.clock.advance_ms(1);
    assert_eq!(instance.receive("a"), UNAVAILABLE);
}

#[test]
fn unknown_key_is_unavailable_while_auth_is_unavailable() {
    let instance = Instance::answered([keys(&["old"]), outage(), keys(&["old", "new"])]);
    assert_eq!(instance.receive("old"), Ok(()));
    assert_eq!(instance.receive("new"), UNAVAILABLE);
    assert_eq!(instance.receive("new"), UNAVAILABLE);
    assert_eq!(instance.fetches(), 2);
    instance.clock.advance_ms(30 * SECOND_MS);
    assert_eq!(instance.receive("new"), Ok(()));
}

#[test]
fn token_without_a_usable_key_id_causes_no_fetch() {
    let instance = Instance::answered([]);
    let issuer = FakeIssuer::with_kid("a");
    let claims = FakeIssuer::claims(Uuid::nil(), NOW_SECONDS);
    for header in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": "a" }),
    ] {
        assert_eq!(
            instance.receive_token(&issuer.sign_with_header(&header, &claims)),
            REFUSED
        );
    }
    assert_eq!(instance.receive_token("sb_publishable_key"), REFUSED);
    assert_eq!(instance.fetches(), 0);
}

#[test]
fn expired_token_has_its_own_code() {
    let instance = Instance::answered([keys(&["a"])]);
    let token = FakeIssuer::with_kid("a").token(Uuid::nil(), NOW_SECONDS - 7200);
    assert_eq!(instance.receive_token(&token), Err(Code::TokenExpired));
}

#[test]
fn accepts_rsa_and_p256_keys_side_by_side() {
    let signer = FakeRsaSigner::new("rsa");
    let document = json!({ "keys": [FakeIssuer::with_kid("a").jwk(), signer.jwk()] });
    let instance = Instance::answered([FakeResponse::json(200, &document)]);
    let claims = FakeIssuer::claims(Uuid::nil(), NOW_SECONDS);
    let token =
        |alg: &str, kid: &str| signer.sign_with_header(&json!({ "alg": alg, "kid": kid }), &claims);
    assert_eq!(instance.receive_token(&token("RS256", "rsa")), Ok(()));
    assert_eq!(instance.receive("a"), Ok(()));
    assert_eq!(
        instance.receive_token(&token("RS256", "a")),
        REFUSED,
        "the other key's id"
    );
    assert_eq!(instance.receive_token(&token("ES256", "rsa")), REFUSED);
    assert_eq!(instance.fetches(), 1);
}

#[test]
fn parses_only_usable_keys() {
    let changed = |mut jwk: Value, changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let key = |kid: &str, changes: Value| changed(FakeIssuer::with_kid(kid).jwk(), changes);
    let rsa = |kid: &str, changes: Value| changed(FakeRsaSigner::new(kid).jwk(), changes);
    let document = json!({ "keys": [
        { "kty": "RSA", "kid": "short-rsa", "n": "AQAB", "e": "AQAB" },
        rsa("rsa-encryption", json!({ "use": "enc" })),
        rsa("rsa-pss", json!({ "alg": "PS256" })),
        rsa("rsa-of-another-type", json!({ "kty": "EC", "crv": "P-256" })),
        rsa("rsa-exponent", json!({ "e": "Aw" })),
        rsa("rsa-bare", json!({ "alg": null, "use": null })),
        rsa("rsa", json!({})),
        { "kty": "oct", "kid": "hmac" },
        "nonsense",
        null,
        key("curve", json!({ "crv": "P-384" })),
        key("type", json!({ "kty": "OKP" })),
        key("algorithm", json!({ "alg": "ES384" })),
        key("encryption", json!({ "use": "enc" })),
        key("short", json!({ "x": "AQAB" })),
        key("off-the-curve", json!({ "x": FakeIssuer::with_kid("other").jwk()["x"] })),
        key("nameless", json!({ "kid": null })),
        key("bare", json!({ "alg": null, "use": null })),
        key("full", json!({})),
    ]});
    let jwks = Jwks::parse(document.to_string().as_bytes()).unwrap();
    let kids = document["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| key.get("kid")?.as_str());
    let usable: Vec<&str> = kids.filter(|kid| jwks.get(kid).is_some()).collect();
    assert_eq!(usable, ["rsa-bare", "rsa", "bare", "full"]);
    assert!(
        Jwks::parse(br#"{"keys":[]}"#)
            .unwrap()
            .get("full")
            .is_none()
    );
}
