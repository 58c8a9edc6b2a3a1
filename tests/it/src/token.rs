//! Forging tokens, with the stack's own signing keys where a forgery needs them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stack::{Stack, User};

/// The stack's signing keys.
pub struct Keys {
    pub kid: String,
    pub es256: SigningKey,
    pub jwt_secret: String,
}

/// Reads the keys from where the local Supabase keeps them.
pub fn keys() -> Keys {
    let folder = std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set");
    let path = std::path::Path::new(&folder).join("supabase/keys.json");
    let keys: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let scalar = URL_SAFE_NO_PAD.decode(keys["es256"]["d"].as_str().unwrap()).unwrap();
    Keys {
        kid: keys["es256"]["kid"].as_str().unwrap().to_owned(),
        es256: SigningKey::from_slice(&scalar).unwrap(),
        jwt_secret: keys["jwt_secret"].as_str().unwrap().to_owned(),
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The user's own claims with some replaced; `null` removes one.
pub fn altered(user: &User, changes: &Value) -> Value {
    let mut claims = claims(&user.token);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A token of that header, signed by the stack's own ES256 key.
pub fn es256(keys: &Keys, header: &Value, claims: &Value) -> String {
    let unsigned = unsigned(header, claims);
    let signature: Signature = keys.es256.sign(unsigned.as_bytes());
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// A token of that header, signed with HMAC-SHA256 under any bytes.
pub fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let unsigned = unsigned(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(unsigned.as_bytes());
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// A token without a signature.
pub fn none(claims: &Value) -> String {
    format!("{}.", unsigned(&json!({"alg": "none", "typ": "JWT"}), claims))
}

/// The published keys.
pub async fn jwks(stack: &Stack) -> String {
    let url = format!("{}/auth/v1/.well-known/jwks.json", stack.url("/supabase_url"));
    stack.http.get(url).send().await.unwrap().text().await.unwrap()
}
