//! Verifying an Ed25519 signature, where that can be done faster than libsodium does it.
//!
//! Graviola multiplies where the processor has what its assembler needs. Nowhere else is anything verified here.

use crate::kdf::KEY_BYTES;

/// Bytes of a signature, R || s.
pub const SIGNATURE_BYTES: usize = 64;

/// The y-coordinates of the points whose order divides 8, without the sign of x.
#[cfg(all(target_arch = "x86_64", not(miri)))]
const LOW_ORDER: [[u8; KEY_BYTES]; 5] = [
    [0; KEY_BYTES],
    ends(0x01, 0, 0),
    ends(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

#[cfg(all(target_arch = "x86_64", not(miri)))]
const fn ends(first: u8, middle: u8, last: u8) -> [u8; KEY_BYTES] {
    let mut key = [middle; KEY_BYTES];
    (key[0], key[31]) = (first, last);
    key
}

/// Whether a signature verifies under an Edwards key.  PRIM-5
///
/// False says nothing: the caller asks libsodium, which accepts a few more and has the last word.
#[must_use]
#[cfg_attr(not(all(target_arch = "x86_64", not(miri))), allow(unused_variables))]
pub fn verifies(public: &[u8; KEY_BYTES], message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if graviola::util::is_cpu_supported() {
        // The crate refuses s >= q, and what is not canonical.
        return !is_low_order(public)
            && !is_low_order(signature.first_chunk().unwrap_or(&[0; KEY_BYTES]))
            && graviola::signing::eddsa::Ed25519VerifyingKey::from_bytes(public)
                .is_ok_and(|key| key.verify(signature, message).is_ok());
    }
    false
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn is_low_order(point: &[u8; KEY_BYTES]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    LOW_ORDER.contains(&y)
}

#[cfg(all(test, target_arch = "x86_64", not(miri)))]
mod tests {
    use graviola::signing::eddsa::Ed25519SigningKey;

    use super::*;

    #[test]
    fn a_signature_verifies_under_its_key_alone() {
        let signed = Ed25519SigningKey::from_bytes(&[4; 32])
            .map(|key| (key.public_key().as_bytes(), key.sign(b"message")));
        assert!(signed.is_ok());
        if let Ok((mut public, mut signature)) = signed {
            assert!(verifies(&public, b"message", &signature));
            assert!(!verifies(&public, b"massage", &signature));
            signature[63] ^= 0x10;
            assert!(!verifies(&public, b"message", &signature));
            signature[63] ^= 0x10;
            public[0] ^= 1;
            assert!(!verifies(&public, b"message", &signature));
        }
    }

    #[test]
    fn under_a_key_of_low_order_nothing_verifies() {
        // With s = 0 and R = A = the identity, the equation holds for every message.
        let mut signature = [0; SIGNATURE_BYTES];
        signature[0] = 1;
        let identity = ends(0x01, 0, 0);
        let crate_says = graviola::signing::eddsa::Ed25519VerifyingKey::from_bytes(&identity)
            .is_ok_and(|key| key.verify(&signature, b"any").is_ok());
        assert!(crate_says);
        assert!(!verifies(&identity, b"any", &signature));
        for mut key in LOW_ORDER {
            assert!(is_low_order(&key));
            key[31] |= 0x80;
            assert!(is_low_order(&key));
        }
    }
}
