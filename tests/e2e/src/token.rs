//! Forging tokens with the stack's own signing keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stack::{User, data_dir, with};

pub struct Keys {
    pub kid: String,
    pub es256: SigningKey,
    pub jwt_secret: String,
}

pub fn keys() -> Keys {
    let text = std::fs::read_to_string(data_dir().join("supabase/keys.json")).unwrap();
    let keys: Value = serde_json::from_str(&text).unwrap();
    let scalar = URL_SAFE_NO_PAD.decode(keys["es256"]["d"].as_str().unwrap()).unwrap();
    Keys {
        kid: keys["es256"]["kid"].as_str().unwrap().to_owned(),
        es256: SigningKey::from_slice(&scalar).unwrap(),
        jwt_secret: keys["jwt_secret"].as_str().unwrap().to_owned(),
    }
}

impl Keys {
    pub fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "JWT", "kid": self.kid})
    }

    pub fn es256(&self, claims: &Value) -> String {
        self.es256_as(&self.header(), claims)
    }

    pub fn es256_as(&self, header: &Value, claims: &Value) -> String {
        let unsigned = unsigned(header, claims);
        let signature: Signature = self.es256.sign(unsigned.as_bytes());
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// The user's own claims with some replaced; `null` removes one.
pub fn altered(user: &User, changes: &Value) -> Value {
    let payload = user.token.split('.').nth(1).unwrap();
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let mut claims = with(claims, changes);
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A token that is signed with HMAC-SHA256 under any bytes.
pub fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let unsigned = unsigned(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(unsigned.as_bytes());
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

pub fn none(claims: &Value) -> String {
    format!("{}.", unsigned(&json!({"alg": "none", "typ": "JWT"}), claims))
}
