//! RS256: verifies RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2).
//!
//! The crate `rsa` would add 24 KB (compressed) to every function; the arithmetic of [`crypto_bigint`], which P-256 uses too,
//! adds 4 KB.

use std::rc::Rc;

use crypto_bigint::modular::runtime_mod::{DynResidue, DynResidueParams};
use crypto_bigint::{Integer, U4096};
use sha2::{Digest, Sha256};

const LIMBS: usize = U4096::LIMBS;
const MAX_BYTES: usize = U4096::BYTES;
/// RFC 7518, 3.3: 2048 bits or more.
const MIN_BYTES: usize = 256;
/// 65537, the exponent of every key that Supabase generates, in base 256.
const EXPONENT: [u8; 3] = [1, 0, 1];
/// The prefix of a SHA-256 hash (RFC 8017, 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A public key of 2048 to 4096 bits.
#[derive(Clone)]
pub struct RsaKey {
    modulus: Rc<DynResidueParams<LIMBS>>,
    bytes: usize,
}

impl RsaKey {
    /// Builds a key from modulus and exponent; returns `None` if it is too short, too long or malformed.
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let has_all_bits = modulus
            .first()
            .is_some_and(|byte| byte.leading_zeros() == 0);
        if modulus.len() < MIN_BYTES || !has_all_bits || exponent != EXPONENT {
            return None;
        }
        let number = number(modulus).filter(|number| number.is_odd().into())?;
        Some(Self {
            modulus: Rc::new(DynResidueParams::new(&number)),
            bytes: modulus.len(),
        })
    }

    /// Returns whether `signature` is the signature of `message` under this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(signature) = number(signature).filter(|_| signature.len() == self.bytes) else {
            return false;
        };
        if signature >= *self.modulus.modulus() {
            return false;
        }
        // Comparing with the only correct encoding leaves nothing to parse, and so nothing to forge.
        number(&self.encoded(message)).is_some_and(|expected| self.raised(&signature) == expected)
    }

    /// Raises a number to the power of 65537: sixteen squarings and one product.
    fn raised(&self, number: &U4096) -> U4096 {
        let base = DynResidue::new(number, *self.modulus);
        let power = (0..16).fold(base, |power, _| power.square());
        (power * base).retrieve()
    }

    /// Returns the hash of the message, padded to the key's length (RFC 8017, 9.2).
    fn encoded(&self, message: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(message);
        let mut encoded = vec![0x00, 0x01];
        encoded.resize(self.bytes - hash.len() - DIGEST_INFO.len() - 1, 0xff);
        encoded.push(0x00);
        encoded.extend_from_slice(&DIGEST_INFO);
        encoded.extend_from_slice(&hash);
        encoded
    }
}

/// Reads bytes as a big-endian number; returns `None` if it is too large.
fn number(bytes: &[u8]) -> Option<U4096> {
    let mut padded = [0; MAX_BYTES];
    padded
        .get_mut(MAX_BYTES.checked_sub(bytes.len())?..)?
        .copy_from_slice(bytes);
    Some(U4096::from_be_slice(&padded))
}

#[cfg(test)]
#[path = "rsa_tests.rs"]
pub(super) mod tests;
