//! The OAuth state that a user takes to Spotify and back.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::{ConfigError, SecretPair};
use crate::redacted::Secret;
use crate::runtime::random::Random;

/// How long the user has to decide, in seconds.
pub const LIFETIME_SECONDS: u64 = 600;
/// The largest difference between the clocks of two instances.
const CLOCK_SKEW_SECONDS: u64 = 60;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 16;
/// Version, user, nonce, time.
const PAYLOAD_BYTES: usize = 1 + 16 + NONCE_BYTES + 8;
/// Each use of the key has its own prefix, so that one result cannot be used as another.
const SIGNATURE: &[u8] = b"sound-whiskers/spotify-state/";
const VERIFIER: &[u8] = b"sound-whiskers/spotify-verifier/";

/// The user and the time of the start, signed so that only this service can have issued them.
///
/// `base64url(version, user, nonce, seconds).base64url(HMAC-SHA256)`. It names the user whose link it is for; `POST
/// /complete` checks that the same user completes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedState {
    /// The user who started.
    pub user_id: Uuid,
    /// The state's `code_verifier` (RFC 7636). It is derived from the state with the signing key, so it is stored
    /// nowhere and cannot be read from the URL, which contains the state.
    pub verifier: Secret,
}

/// A state to send to Spotify, with its `code_verifier`, which is not sent.
#[derive(Debug)]
pub struct NewState {
    /// The state.
    pub text: String,
    /// The verifier that [`StateKeys::verify`] derives again.
    pub verifier: Secret,
}

/// The reasons why a state is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// It is malformed, or not signed with one of the keys.
    Invalid,
    /// It is older than ten minutes.
    Expired,
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "not a state of ours",
            Self::Expired => "the state has expired",
        })
    }
}

impl std::error::Error for StateError {}

/// The keys that sign states: the first one signs, both verify.
#[derive(Debug, Clone)]
pub struct StateKeys(SecretPair);

impl StateKeys {
    /// Reads `SPOTIFY_STATE_SECRETS`: one secret, or two separated by a comma, of at least 32 characters each.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        SecretPair::from_env(env, "SPOTIFY_STATE_SECRETS").map(Self)
    }

    /// Creates a state for `user_id`.
    pub fn sign(&self, user_id: Uuid, now_seconds: u64, random: &dyn Random) -> NewState {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
        payload.push(VERSION);
        payload.extend_from_slice(user_id.as_bytes());
        payload.extend_from_slice(&nonce);
        payload.extend_from_slice(&now_seconds.to_be_bytes());
        let signature = base64url_mac(&self.0.first, SIGNATURE, &payload);
        let text = format!("{}.{signature}", URL_SAFE_NO_PAD.encode(&payload));
        NewState {
            text,
            verifier: verifier(&self.0.first, &payload),
        }
    }

    /// Verifies a state that came back.
    ///
    /// # Errors
    /// [`StateError`]; the time is checked only after the signature.
    pub fn verify(&self, state: &str, now_seconds: u64) -> Result<SignedState, StateError> {
        let decode = |text: &str| {
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| StateError::Invalid)
        };
        let (payload, signature) = state.split_once('.').ok_or(StateError::Invalid)?;
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        // `verify_slice` compares in constant time.
        let is_signed_with = |key: &&Secret| {
            mac(key, SIGNATURE, &payload).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
        };
        let key = self
            .0
            .iter()
            .filter(is_signed_with)
            .last()
            .ok_or(StateError::Invalid)?;
        let (user_id, issued_seconds) = read(&payload).ok_or(StateError::Invalid)?;
        let age = now_seconds.saturating_sub(issued_seconds);
        if age > LIFETIME_SECONDS || issued_seconds > now_seconds + CLOCK_SKEW_SECONDS {
            return Err(StateError::Expired);
        }
        Ok(SignedState {
            user_id,
            verifier: verifier(key, &payload),
        })
    }
}

fn read(payload: &[u8]) -> Option<(Uuid, u64)> {
    if payload.len() != PAYLOAD_BYTES || payload.first() != Some(&VERSION) {
        return None;
    }
    let user_id = Uuid::from_slice(payload.get(1..17)?).ok()?;
    let seconds = payload.get(17 + NONCE_BYTES..)?.try_into().ok()?;
    Some((user_id, u64::from_be_bytes(seconds)))
}

/// 43 characters of the alphabet that RFC 7636, 4.1 allows.
fn verifier(key: &Secret, payload: &[u8]) -> Secret {
    Secret::new(base64url_mac(key, VERIFIER, payload))
}

fn base64url_mac(key: &Secret, purpose: &[u8], payload: &[u8]) -> String {
    let bytes = mac(key, purpose, payload).map(|mac| mac.finalize().into_bytes().to_vec());
    URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default())
}

/// `None` if the secret cannot be a key; HMAC accepts keys of any length.
fn mac(key: &Secret, purpose: &[u8], payload: &[u8]) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).ok()?;
    Some(mac.chain_update(purpose).chain_update(payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::FakeRandom;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: u64 = 1_790_000_000;
    const USER: Uuid = Uuid::from_u128(7);

    fn keys(secrets: &str) -> StateKeys {
        StateKeys::from_env(|_| Some(secrets.to_owned())).unwrap()
    }

    fn one() -> String {
        "1".repeat(32)
    }

    fn two() -> String {
        "2".repeat(32)
    }

    #[test]
    fn state_identifies_its_user_for_ten_minutes() {
        let keys = keys(&one());
        let state = keys.sign(USER, NOW, &FakeRandom::default()).text;
        for later in [0, 1, 600] {
            assert_eq!(
                keys.verify(&state, NOW + later).unwrap().user_id,
                USER,
                "{later}"
            );
        }
        for (now, what) in [(NOW + 601, "late"), (NOW - 61, "from the future")] {
            assert_eq!(keys.verify(&state, now), Err(StateError::Expired), "{what}");
        }
    }

    #[test]
    fn no_two_states_are_the_same() {
        let (keys, random) = (keys(&one()), FakeRandom::default());
        let (one, other) = (keys.sign(USER, NOW, &random), keys.sign(USER, NOW, &random));
        assert_ne!(one.text, other.text);
        assert_ne!(one.verifier, other.verifier);
    }

    #[test]
    fn a_verifier_is_the_states_own_and_stands_nowhere_in_it() {
        let (random, both) = (FakeRandom::default(), keys(&format!("{},{}", two(), one())));
        for (signer, reader) in [(keys(&one()), keys(&one())), (keys(&one()), both)] {
            let state = signer.sign(USER, NOW, &random);
            assert_eq!(
                reader.verify(&state.text, NOW).unwrap().verifier,
                state.verifier
            );
            let verifier = state.verifier.expose();
            assert_eq!(verifier.len(), 43);
            assert!(
                verifier
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)),
                "{verifier}"
            );
            assert!(
                !state.text.contains(verifier),
                "the signature is the verifier"
            );
        }
    }

    #[test]
    fn while_a_key_is_changed_both_verify_and_the_first_signs() {
        let old = keys(&one()).sign(USER, NOW, &FakeRandom::default()).text;
        let both = keys(&format!("{},{}", two(), one()));
        assert!(both.verify(&old, NOW).is_ok());
        let new = both.sign(USER, NOW, &FakeRandom::default()).text;
        assert!(keys(&two()).verify(&new, NOW).is_ok());
        assert_eq!(keys(&one()).verify(&new, NOW), Err(StateError::Invalid));
    }

    #[test]
    fn no_change_of_a_single_character_goes_unnoticed() {
        let keys = keys(&one());
        let state = keys.sign(USER, NOW, &FakeRandom::default()).text;
        for at in 0..state.len() {
            for other in ['A', 'z', '.', '_', '=', 'é'] {
                let mut changed: Vec<char> = state.chars().collect();
                changed[at] = other;
                let changed: String = changed.into_iter().collect();
                // The last character of a base64 text may have unused bits; decoding refuses those.
                assert!(
                    changed == state || keys.verify(&changed, NOW).is_err(),
                    "{changed}"
                );
            }
        }
        for end in 0..state.len() {
            let cut: String = state.chars().take(end).collect();
            assert_eq!(
                keys.verify(&cut, NOW),
                Err(StateError::Invalid),
                "cut at {end}"
            );
        }
        assert!(keys.verify(&format!("{state}A"), NOW).is_err());
    }

    #[test]
    fn a_good_signature_over_something_else_is_no_state() {
        let keys = keys(&one());
        for payload in [&b""[..], b"short", &[VERSION; 200], &[2; PAYLOAD_BYTES]] {
            let signature = mac(&Secret::new(one()), SIGNATURE, payload)
                .unwrap()
                .finalize()
                .into_bytes();
            let state = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(payload),
                URL_SAFE_NO_PAD.encode(signature)
            );
            assert_eq!(keys.verify(&state, NOW), Err(StateError::Invalid));
        }
    }
}
