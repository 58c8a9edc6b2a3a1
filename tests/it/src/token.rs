//! Forging tokens, with the stack's own signing keys where a forgery needs them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Encoding, U2048};
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stack::{Stack, User};

/// The stack's signing keys.
pub struct Keys {
    pub kid: String,
    pub es256: SigningKey,
    pub rsa: RsaKey,
    pub jwt_secret: String,
}

/// A private RSA key of 2048 bits.
pub struct RsaKey {
    pub kid: String,
    modulus: U2048,
    exponent: U2048,
}

/// Reads the keys from where the local Supabase keeps them.
pub fn keys() -> Keys {
    let folder = std::env::var("SOUND_WHISKERS_DATA_DIR").expect("SOUND_WHISKERS_DATA_DIR is not set");
    let path = std::path::Path::new(&folder).join("supabase/keys.json");
    let keys: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let bytes = |part: &Value| URL_SAFE_NO_PAD.decode(part.as_str().unwrap()).unwrap();
    let scalar = bytes(&keys["es256"]["d"]);
    // An exponent may be shorter than the modulus.
    let number = |part: &Value| U2048::from_be_hex(&format!("{:0>512}", hex(&bytes(part))));
    Keys {
        kid: keys["es256"]["kid"].as_str().unwrap().to_owned(),
        es256: SigningKey::from_slice(&scalar).unwrap(),
        rsa: RsaKey {
            kid: keys["rs256"]["kid"].as_str().unwrap().to_owned(),
            modulus: number(&keys["rs256"]["n"]),
            exponent: number(&keys["rs256"]["d"]),
        },
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

/// A token of that header, signed by the stack's own RSA key (RFC 8017, 8.2.1).
pub fn rs256(keys: &Keys, header: &Value, claims: &Value) -> String {
    let unsigned = unsigned(header, claims);
    let info = "003031300d060960864801650304020105000420";
    let encoded = format!("0001{}{info}{}", "ff".repeat(202), hex(&Sha256::digest(&unsigned)));
    let number = DynResidue::new(&U2048::from_be_hex(&encoded), DynResidueParams::new(&keys.rsa.modulus));
    let signature = number.pow(&keys.rsa.exponent).retrieve().to_be_bytes();
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
