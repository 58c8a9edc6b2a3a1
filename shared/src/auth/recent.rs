//! Requires a recent sign-in for actions that a stolen or planted session must not be able to do.

use serde_json::Value;

use super::VerifiedUser;
use crate::error::{Code, Error};

/// The largest age of the last sign-in, in seconds.
const MAX_AGE_SECONDS: f64 = 600.0;
/// The allowed difference between the clocks of Auth and of this machine.
const LEEWAY_SECONDS: f64 = 30.0;

/// The times at which the user signed in. Auth keeps an entry `{method, timestamp}` for each method that the
/// session's user has passed; refreshing the token does not change them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SignIns {
    seconds: Vec<f64>,
}

impl SignIns {
    /// Reads the claim `amr`. A method without a time (RFC 8176 allows plain strings) does not count.
    pub(super) fn of(amr: Option<&Value>) -> Self {
        let entries = amr.and_then(Value::as_array).into_iter().flatten();
        let sign_ins =
            entries.filter(|entry| entry.get("method").is_some_and(|it| it != "token_refresh"));
        Self {
            seconds: sign_ins
                .filter_map(|entry| entry.get("timestamp")?.as_f64())
                .collect(),
        }
    }

    fn any_is_recent(&self, now_seconds: u64) -> bool {
        let now = now_seconds as f64;
        self.seconds
            .iter()
            .any(|then| (-LEEWAY_SECONDS..=MAX_AGE_SECONDS).contains(&(now - then)))
    }
}

impl VerifiedUser {
    /// Requires a sign-in within the last ten minutes. Anonymous users pass, because they have no way to sign in
    /// again.
    ///
    /// # Errors
    /// Returns 403 `sign_in_again` if the last sign-in is older than ten minutes.
    pub fn require_recent_sign_in(&self, now_seconds: u64) -> Result<(), Error> {
        if self.is_anonymous || self.sign_ins.any_is_recent(now_seconds) {
            return Ok(());
        }
        Err(Error::of(Code::SignInAgain))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::auth::{FakeIssuer, Jwks, UnverifiedJwt};

    const NOW: u64 = 1_790_000_000;

    fn require(changes: &Value) -> Result<(), Error> {
        let issuer = FakeIssuer::with_kid("k");
        let mut claims = FakeIssuer::claims(Uuid::from_u128(7), NOW);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = issuer.sign(&claims);
        let key = Jwks::parse(issuer.jwks().to_string().as_bytes())
            .unwrap()
            .get("k")
            .unwrap();
        let iss = claims["iss"].as_str().unwrap();
        UnverifiedJwt::parse(&token)
            .unwrap()
            .verify(&key, iss, NOW)
            .unwrap()
            .require_recent_sign_in(NOW)
    }

    fn entry(method: &str, age: i64) -> Value {
        json!({"method": method, "timestamp": NOW as i64 - age})
    }

    #[test]
    fn accepts_any_method_of_the_last_ten_minutes() {
        for method in [
            "password",
            "otp",
            "oauth",
            "magiclink",
            "recovery",
            "invite",
            "totp",
            "sso/saml",
            "web3",
        ] {
            for age in [-30, 0, 599, 600] {
                assert_eq!(
                    require(&json!({"amr": [entry(method, age)]})),
                    Ok(()),
                    "{method}, {age}"
                );
            }
        }
        // A second sign-in makes an old session recent, in any order of the entries.
        let (old, new) = (entry("password", 86_400), entry("totp", 5));
        for amr in [json!([old, new]), json!([new, old])] {
            assert_eq!(require(&json!({ "amr": amr })), Ok(()));
        }
    }

    #[test]
    fn refreshed_token_does_not_make_a_session_recent() {
        for amr in [
            json!([entry("password", 601)]),
            json!([entry("otp", 86_400), entry("password", 604_800)]),
            json!([entry("password", 604_800), entry("token_refresh", 0)]),
            json!([entry("password", -31)]),
            json!(["password", "otp"]),
            json!([{"method": "password"}]),
            json!([{"timestamp": NOW}]),
            json!([{"method": "password", "timestamp": NOW.to_string()}]),
            json!([]),
            json!({"method": "password", "timestamp": NOW}),
            json!(null),
        ] {
            let error = require(&json!({ "amr": amr })).unwrap_err();
            assert_eq!(
                (error.status().as_u16(), error.code()),
                (403, Code::SignInAgain),
                "{amr}"
            );
        }
    }

    #[test]
    fn anonymous_user_needs_no_recent_sign_in() {
        let amr = json!([entry("anonymous", 86_400)]);
        assert_eq!(require(&json!({"amr": amr, "is_anonymous": true})), Ok(()));
        // A user who has added an address is no longer anonymous.
        assert!(require(&json!({"amr": amr, "is_anonymous": false})).is_err());
        assert!(require(&json!({"amr": amr, "is_anonymous": "true"})).is_err());
    }
}
