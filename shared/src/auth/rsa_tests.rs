use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn decode(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// Returns keys and signatures that OpenSSL created, one for each length.
fn vectors() -> Value {
    serde_json::from_str(include_str!("rsa_vectors.json")).unwrap()
}

fn key_of(vector: &Value) -> RsaKey {
    RsaKey::new(&decode(&vector["modulus"]), &EXPONENT).unwrap()
}

/// Signs any message with the private key of the first vector.
pub(in crate::auth) struct FakeRsaSigner {
    key: RsaKey,
    jwk: Value,
    exponent: U4096,
}

impl FakeRsaSigner {
    pub(in crate::auth) fn new(kid: &str) -> Self {
        let vector = &vectors()["keys"][0];
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "key_ops": ["verify"], "kid": kid, "n": vector["modulus"], "e": "AQAB",
        });
        Self {
            key: key_of(vector),
            jwk,
            exponent: number(&decode(&vector["private_exponent"])).unwrap(),
        }
    }

    pub(in crate::auth) fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    /// Returns a token with that header, always signed with RS256.
    pub(in crate::auth) fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign_encoded(&self.key.encoded(signed.as_bytes()));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs a text in place of an encoded hash.
    fn sign_encoded(&self, encoded: &[u8]) -> Vec<u8> {
        let base = DynResidue::new(&number(encoded).unwrap(), *self.key.modulus);
        let signature = base.pow(&self.exponent).retrieve();
        let bytes = crypto_bigint::Encoding::to_be_bytes(&signature);
        bytes[MAX_BYTES - self.key.bytes..].to_vec()
    }
}

#[test]
fn verifies_openssl_signatures_of_every_key_length() {
    let vectors = vectors();
    let message = vectors["message"].as_str().unwrap().as_bytes();
    for vector in vectors["keys"].as_array().unwrap() {
        let key = key_of(vector);
        let signature = decode(&vector["signature"]);
        assert!(key.verifies(message, &signature), "{}", vector["bits"]);
        assert!(!key.verifies(b"another message", &signature));
        for other in vectors["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|other| *other != vector)
        {
            assert!(!key.verifies(message, &decode(&other["signature"])));
        }
    }
}

#[test]
fn refuses_signatures_of_other_lengths_or_beyond_the_modulus() {
    let vectors = vectors();
    let vector = &vectors["keys"][0];
    let key = key_of(vector);
    let (modulus, signature) = (decode(&vector["modulus"]), decode(&vector["signature"]));
    for (name, forged) in [
        ("empty", vec![]),
        ("zeros", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
        ("ones", vec![0xff; 256]),
        ("the modulus", modulus),
        ("255 bytes", signature[1..].to_vec()),
        ("257 bytes", [vec![0], signature.clone()].concat()),
        ("a zero after", [signature.clone(), vec![0]].concat()),
        ("600 bytes", vec![1; 600]),
    ] {
        assert!(!key.verifies(b"a message", &forged), "{name}");
    }
    let beyond = key
        .modulus
        .modulus()
        .wrapping_add(&number(&signature).unwrap());
    let beyond = crypto_bigint::Encoding::to_be_bytes(&beyond);
    assert!(
        !key.verifies(b"a message", &beyond[MAX_BYTES - 256..]),
        "the same signature, modulo the modulus"
    );
}

#[test]
fn refuses_other_encodings_of_the_hash() {
    let signer = FakeRsaSigner::new("rsa");
    let message = b"a message";
    let right = signer.key.encoded(message);
    assert!(signer.key.verifies(message, &signer.sign_encoded(&right)));
    let hash = Sha256::digest(message).to_vec();
    let encoded = |before: &[u8], padding: usize, between: &[u8], after: &[u8]| {
        [before, &vec![0xff; padding], between, &hash, after].concat()
    };
    let info = [&[0x00], &DIGEST_INFO[..]].concat();
    // Without NULL as the algorithm's parameters, which some verifiers let pass.
    let no_null = [
        0, 0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
        0x01, 0x04, 0x20,
    ];
    let sha512 = {
        let mut info = info.clone();
        info[15] = 0x03;
        info
    };
    for (name, wrong) in [
        ("block type 2", encoded(&[0, 2], 202, &info, &[])),
        ("block type 0", encoded(&[0, 0], 202, &info, &[])),
        (
            "a first byte that is not 0",
            encoded(&[1, 1], 202, &info, &[]),
        ),
        (
            "little padding, then a tail",
            encoded(&[0, 1], 8, &info, &[0; 194]),
        ),
        ("a tail of one byte", encoded(&[0, 1], 201, &info, &[0])),
        ("no parameters", encoded(&[0, 1], 204, &no_null, &[])),
        ("another hash's name", encoded(&[0, 1], 202, &sha512, &[])),
        ("the hash alone", encoded(&[0, 1], 221, &[0], &[])),
        (
            "no padding",
            [vec![0; 204], info.clone(), hash.clone()].concat(),
        ),
    ] {
        assert_eq!(wrong.len(), right.len(), "{name}");
        assert!(
            !signer.key.verifies(message, &signer.sign_encoded(&wrong)),
            "{name}"
        );
    }
}

#[test]
fn refuses_weak_and_malformed_keys() {
    let modulus = decode(&vectors()["keys"][0]["modulus"]);
    assert!(RsaKey::new(&modulus, &EXPONENT).is_some());
    let even = [&modulus[..255], &[modulus[255] & 0xfe]].concat();
    for (name, modulus, exponent) in [
        ("empty", &[][..], &EXPONENT[..]),
        ("1024 bits", &modulus[..128], &EXPONENT),
        ("2040 bits", &modulus[..255], &EXPONENT),
        ("a zero in front", &[&[0], &modulus[..]].concat(), &EXPONENT),
        ("2047 bits", &[&[0x7f], &modulus[1..]].concat(), &EXPONENT),
        ("4104 bits", &[0xff; 513], &EXPONENT),
        ("even", &even, &EXPONENT),
        ("exponent 1", &modulus, &[1]),
        ("exponent 3", &modulus, &[3]),
        ("no exponent", &modulus, &[]),
        ("an exponent with a zero in front", &modulus, &[0, 1, 0, 1]),
    ] {
        assert!(RsaKey::new(modulus, exponent).is_none(), "{name}");
    }
}
