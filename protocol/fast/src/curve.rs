//! X25519, and which public keys are taken.
//!
//! Graviola computes where the processor has what its assembler needs, dalek elsewhere. Both give the same
//! bytes. Miri runs no assembler, so it takes dalek.

use crate::kdf::{KEY_BYTES, Key};

/// The canonical encodings of the points whose order divides 8, as u-coordinates of the curve or its twist.
const LOW_ORDER: [[u8; KEY_BYTES]; 5] = [
    [0; KEY_BYTES],
    one(),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    minus_one(),
];

const fn one() -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key[0] = 1;
    key
}

const fn minus_one() -> [u8; KEY_BYTES] {
    let mut key = [0xff; KEY_BYTES];
    key[0] = 0xec;
    key[31] = 0x7f;
    key
}

/// Whether a public key is canonical (u < 2^255 - 19) and not of low order.
#[must_use]
pub fn is_acceptable(key: &[u8; KEY_BYTES]) -> bool {
    let is_large = key[1..31].iter().all(|byte| *byte == 0xff);
    let is_canonical = key[31] < 0x7f || key[31] == 0x7f && (!is_large || key[0] < 0xed);
    is_canonical && !LOW_ORDER.contains(key)
}

/// Returns X25519(private, public); `None` if it is all zero.  PRIM-3
#[must_use]
pub fn agree(private: &[u8; KEY_BYTES], public: &[u8; KEY_BYTES]) -> Option<Key> {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if assembler::is_usable() {
        return assembler::agree(private, public);
    }
    portable::agree(private, public)
}

/// Returns the public half of a private key.
#[must_use]
pub fn public_of(private: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if assembler::is_usable() {
        return assembler::public_of(private);
    }
    portable::public_of(private)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod assembler {
    use graviola::key_agreement::x25519::{PublicKey, StaticPrivateKey};
    use zeroize::Zeroizing;

    use crate::kdf::{KEY_BYTES, Key};

    /// Whether the processor has what the crate needs; without it the crate panics.
    pub fn is_usable() -> bool {
        graviola::util::is_cpu_supported()
    }

    /// The crate refuses a product that is zero.
    pub fn agree(private: &[u8; KEY_BYTES], public: &[u8; KEY_BYTES]) -> Option<Key> {
        let private = StaticPrivateKey::from_array(private);
        let shared = private.diffie_hellman(&PublicKey::from_array(public)).ok()?;
        Some(Zeroizing::new(shared.0))
    }

    pub fn public_of(private: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
        StaticPrivateKey::from_array(private).public_key().as_bytes()
    }
}

mod portable {
    use subtle::ConstantTimeEq;
    use x25519_dalek::{PublicKey, StaticSecret};
    use zeroize::Zeroizing;

    use crate::kdf::{KEY_BYTES, Key};

    pub fn agree(private: &[u8; KEY_BYTES], public: &[u8; KEY_BYTES]) -> Option<Key> {
        let shared = StaticSecret::from(*private).diffie_hellman(&PublicKey::from(*public));
        let is_zero = shared.as_bytes().ct_eq(&[0; KEY_BYTES]);
        (!bool::from(is_zero)).then(|| Zeroizing::new(shared.to_bytes()))
    }

    pub fn public_of(private: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
        PublicKey::from(&StaticSecret::from(*private)).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_low_order_agrees_or_is_taken() {
        for key in LOW_ORDER {
            assert_eq!(agree(&[5; KEY_BYTES], &key), None);
            assert_eq!(portable::agree(&[5; KEY_BYTES], &key), None);
            assert!(!is_acceptable(&key));
        }
        assert!(is_acceptable(&public_of(&[5; KEY_BYTES])));
    }

    #[test]
    fn a_key_has_one_encoding() {
        let mut key = minus_one();
        for (first, last, is_taken) in
            [(0xeb, 0x7f, true), (0xed, 0x7f, false), (0xff, 0x7f, false), (2, 0x80, false)]
        {
            (key[0], key[31]) = (first, last);
            assert_eq!(is_acceptable(&key), is_taken);
        }
    }

    #[test]
    fn both_ways_give_the_same() {
        let mut private = [0; KEY_BYTES];
        let mut public = public_of(&[3; KEY_BYTES]);
        for round in 0..200_u8 {
            private[usize::from(round) % KEY_BYTES] ^= round.wrapping_mul(101) ^ 0x80;
            let shared = agree(&private, &public);
            assert!(shared.is_some());
            assert_eq!(shared, portable::agree(&private, &public));
            assert_eq!(public_of(&private), portable::public_of(&private));
            if let Some(shared) = shared {
                public = public_of(&shared);
            }
        }
    }
}
