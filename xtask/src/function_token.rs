//! The token by which a function is its role in the database, and reaches nothing else there.
//!
//! It is a JWT that Supabase's data API accepts beside the publishable key, for it is signed with one of the project's
//! keys: locally the one that signs users' tokens; in production an own key that verifies and never signs for users.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::TokenOptions;
use crate::progress::say;

/// The roles of supabase/migrations/20261123000000_function_roles.sql.
pub const ROLES: [&str; 4] = ["fn_ai", "fn_spotify", "fn_billing", "fn_account"];

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Prints a token on the standard output, and what it is beside it.
pub fn run(options: &TokenOptions) -> Result<ExitCode> {
    let key = Key::read(&options.key)?;
    let now = now_seconds()?;
    let token = key.mint(&options.role, now, options.days)?;
    say(format_args!("{} for {} days, signed with the key {}", options.role, options.days, key.kid));
    println!("{token}");
    Ok(ExitCode::SUCCESS)
}

pub fn now_seconds() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs())
}

/// A private signing key.
pub struct Key {
    kid: String,
    key: SigningKey,
}

impl Key {
    /// Reads a private JWK from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        // What does not parse may be a secret all the same: it is not shown.
        let jwk = serde_json::from_str(&text)
            .map_err(|_| anyhow::anyhow!("{}: expected a private key as a JWK", path.display()))?;
        Self::of(&jwk).with_context(|| path.display().to_string())
    }

    /// Reads a private JWK of curve P-256 (RFC 7518, 6.2).
    pub fn of(jwk: &Value) -> Result<Self> {
        #[derive(Deserialize)]
        struct Jwk {
            kty: String,
            crv: String,
            kid: String,
            d: Option<String>,
        }
        let jwk = Jwk::deserialize(jwk)
            .map_err(|_| anyhow::anyhow!("expected a JWK with the members kty, crv, kid and d"))?;
        ensure!(jwk.kty == "EC" && jwk.crv == "P-256", "expected a key for ES256: kty EC, crv P-256");
        let scalar = jwk.d.context("the key is public: there is no member d")?;
        let scalar = URL_SAFE_NO_PAD.decode(scalar).ok().filter(|bytes| bytes.len() == 32);
        let key = scalar.and_then(|bytes| SigningKey::from_slice(&bytes).ok());
        Ok(Self { kid: jwk.kid, key: key.context("the member d is no key of P-256")? })
    }

    /// A token that makes its bearer `role` from now on.
    pub fn mint(&self, role: &str, now_seconds: u64, days: u64) -> Result<String> {
        if !ROLES.contains(&role) {
            bail!("there is no role {role}: expected one of {}", ROLES.join(", "));
        }
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid });
        let expires = now_seconds.saturating_add(days.saturating_mul(SECONDS_PER_DAY));
        let claims = json!({ "iss": "sound-whiskers", "role": role, "iat": now_seconds, "exp": expires });
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;

    fn jwk() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k1", "d": URL_SAFE_NO_PAD.encode([7; 32]) })
    }

    fn refusal(member: &str, value: Value) -> String {
        let mut jwk = jwk();
        jwk[member] = value;
        Key::of(&jwk).err().unwrap().to_string()
    }

    #[test]
    fn a_token_names_the_role_and_verifies() {
        let key = Key::of(&jwk()).unwrap();
        let token = key.mint("fn_ai", 1_000_000, 2).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        key.key.verifying_key().verify(signed.as_bytes(), &signature).unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let decoded = |part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(decoded(header), json!({ "alg": "ES256", "typ": "JWT", "kid": "k1" }));
        let expected =
            json!({ "iss": "sound-whiskers", "role": "fn_ai", "iat": 1_000_000, "exp": 1_172_800 });
        assert_eq!(decoded(claims), expected);
    }

    #[test]
    fn only_the_functions_roles_are_minted() {
        let key = Key::of(&jwk()).unwrap();
        for role in ["service_role", "authenticated", "postgres", "fn_", "FN_AI", ""] {
            assert!(key.mint(role, 0, 1).unwrap_err().to_string().contains("fn_billing"), "{role}");
        }
    }

    #[test]
    fn what_is_no_private_key_for_es256_is_refused() {
        assert!(refusal("d", Value::Null).contains("public"));
        assert!(refusal("d", json!("AAAA")).contains("no key"));
        assert!(refusal("d", json!(URL_SAFE_NO_PAD.encode([0; 32]))).contains("no key"));
        assert!(refusal("crv", json!("P-384")).contains("ES256"));
        assert!(refusal("kty", json!("RSA")).contains("ES256"));
        assert!(refusal("kid", Value::Null).contains("kid"));
    }

    #[test]
    fn a_refused_file_is_not_shown() {
        let path = std::env::temp_dir().join(format!("xtask-key-{}", std::process::id()));
        fs::write(&path, "hunter2").unwrap();
        let error = format!("{:#}", Key::read(&path).err().unwrap());
        fs::remove_file(&path).unwrap();
        assert!(error.contains("JWK") && !error.contains("hunter2"), "{error}");
    }
}
