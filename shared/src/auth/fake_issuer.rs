use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use uuid::Uuid;

use super::AuthConfig;

/// Signs tokens as Supabase Auth does, for tests.
pub struct FakeIssuer {
    kid: String,
    key: SigningKey,
}

impl FakeIssuer {
    /// The project's URL.
    pub const URL: &str = "https://project.example";
    /// The URL of its keys.
    pub const JWKS_URL: &str = "https://project.example/auth/v1/.well-known/jwks.json";

    /// Creates an issuer whose key has that id; the key depends on the id only.
    pub fn with_kid(kid: &str) -> Self {
        use sha2::{Digest, Sha256};
        let key = SigningKey::from_slice(&Sha256::digest(kid)).unwrap();
        Self {
            kid: kid.to_owned(),
            key,
        }
    }

    /// Returns the configuration of a function that trusts this issuer.
    pub fn config() -> AuthConfig {
        AuthConfig::from_env(|name| (name == "SUPABASE_URL").then(|| Self::URL.to_owned())).unwrap()
    }

    /// Returns its public key, as in a JWKS document.
    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_encoded_point(false);
        let encode = |bytes: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(bytes.unwrap());
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "key_ops": ["verify"],
            "kid": self.kid, "x": encode(point.x()), "y": encode(point.y()),
        })
    }

    /// Returns its JWKS document.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    /// Returns the claims about a user for the hour that begins at `now_seconds`.
    pub fn claims(user: Uuid, now_seconds: u64) -> Value {
        json!({
            "iss": format!("{}/auth/v1", Self::URL), "sub": user, "aud": "authenticated",
            "role": "authenticated", "iat": now_seconds, "exp": now_seconds + 3600,
            "email": "ann@example.com", "is_anonymous": false, "session_id": Uuid::nil(),
            "amr": [{"method": "password", "timestamp": now_seconds}],
        })
    }

    /// Returns a user's token, valid for an hour from `now_seconds` on.
    pub fn token(&self, user: Uuid, now_seconds: u64) -> String {
        self.sign(&Self::claims(user, now_seconds))
    }

    /// Signs a token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(
            &json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid }),
            claims,
        )
    }

    /// Signs a token with this header, always with ES256.
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Signs any two texts with ES256.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}
