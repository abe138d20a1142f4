//! ML-KEM-1024, the KEM of a handshake, by the verified and constant-time code of `libcrux-ml-kem`.

use libcrux_ml_kem::mlkem1024::{self, MlKem1024Ciphertext, MlKem1024PrivateKey, MlKem1024PublicKey};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a seed, d || z.
pub const SEED_BYTES: usize = 64;
/// Bytes of ek.
pub const PUBLIC_BYTES: usize = 1568;
/// Bytes of a ciphertext.
pub const CIPHERTEXT_BYTES: usize = 1568;

const PRIVATE_BYTES: usize = 3168;

/// A key pair that was made from its seed. The private half is wiped when it is dropped.
pub struct KeyPair {
    private: Box<MlKem1024PrivateKey>,
    public: MlKem1024PublicKey,
}

impl KeyPair {
    /// Returns the key pair of a seed (FIPS 203, algorithm 16).
    #[must_use]
    pub fn of(seed: &[u8; SEED_BYTES]) -> Self {
        let (mut private, public) = mlkem1024::generate_key_pair(*seed).into_parts();
        let kept = Box::new(private.clone());
        private[0..PRIVATE_BYTES].zeroize();
        KeyPair { private: kept, public }
    }

    /// Returns ek.
    #[must_use]
    pub fn public(&self) -> &[u8; PUBLIC_BYTES] {
        self.public.as_slice()
    }

    /// Returns K (FIPS 203, algorithm 21), which is another one for a forged ciphertext.
    #[must_use]
    pub fn decapsulate(&self, ciphertext: &[u8; CIPHERTEXT_BYTES]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mlkem1024::decapsulate(&self.private, &MlKem1024Ciphertext::from(ciphertext)))
    }
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        self.private[0..PRIVATE_BYTES].zeroize();
    }
}

/// Whether every coefficient of ek is below q, as FIPS 203 section 7.2 asks.  PRIM-7
#[must_use]
pub fn is_canonical(public: &[u8; PUBLIC_BYTES]) -> bool {
    mlkem1024::validate_public_key(&public.into())
}

/// Returns K and a ciphertext for ek and m (FIPS 203, algorithm 17); `None` if ek is not canonical.
#[must_use]
pub fn encapsulate(
    public: &[u8; PUBLIC_BYTES],
    m: &[u8; 32],
) -> Option<(Zeroizing<[u8; 32]>, [u8; CIPHERTEXT_BYTES])> {
    let public = MlKem1024PublicKey::from(public);
    if !mlkem1024::validate_public_key(&public) {
        return None;
    }
    let (ciphertext, secret) = mlkem1024::encapsulate(&public, *m);
    Some((Zeroizing::new(secret), ciphertext.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decapsulation_agrees() {
        for seed in [[0_u8; SEED_BYTES], [7; SEED_BYTES], [255; SEED_BYTES]] {
            let pair = KeyPair::of(&seed);
            let encapsulated = encapsulate(pair.public(), &[9; 32]);
            assert!(encapsulated.is_some());
            if let Some((secret, mut ciphertext)) = encapsulated {
                assert_eq!(pair.decapsulate(&ciphertext), secret);
                ciphertext[5] ^= 1;
                assert_ne!(pair.decapsulate(&ciphertext), secret);
            }
        }
    }

    #[test]
    fn a_coefficient_of_q_is_refused() {
        let mut public = *KeyPair::of(&[1; SEED_BYTES]).public();
        assert!(is_canonical(&public));
        // Two coefficients of 12 bits stand in three bytes: the first one becomes q = 3329.
        (public[0], public[1]) = (0x01, public[1] & 0xf0 | 0x0d);
        assert!(!is_canonical(&public));
        assert!(encapsulate(&public, &[9; 32]).is_none());
    }
}
