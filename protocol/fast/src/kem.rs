//! Incremental encapsulation to ML-KEM-768, by the verified and constant-time code of `libcrux-ml-kem`.
//!
//! The header is rho || H(ek), 64 bytes; the vector is the rest of the key, 1,152 bytes. Between the two steps
//! only m is kept, so the second step computes the first one again.

use libcrux_ml_kem::mlkem768::incremental::{self, Ciphertext1, Ciphertext2};
use zeroize::Zeroizing;

/// Bytes of a seed.
pub const SEED_BYTES: usize = 64;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 64;
/// Bytes of a vector.
pub const VECTOR_BYTES: usize = 1152;
/// Bytes of ct1.
pub const FIRST_BYTES: usize = 960;
/// Bytes of ct2.
pub const SECOND_BYTES: usize = 128;

/// Bytes of a key pair: dk, as FIPS 203 expands it.
const PAIR_BYTES: usize = incremental::key_pair_compressed_len();

/// A key pair that was made from its seed; it is wiped when it is dropped.
pub struct KeyPair(Zeroizing<[u8; PAIR_BYTES]>);

impl KeyPair {
    /// Returns the key pair of a seed of 64 bytes.
    #[must_use]
    pub fn of(seed: &[u8; SEED_BYTES]) -> Self {
        let mut pair = Zeroizing::new([0; PAIR_BYTES]);
        incremental::generate_key_pair_compressed(*seed, &mut pair);
        KeyPair(pair)
    }

    /// Returns rho || H(ek).
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.0[2 * VECTOR_BYTES..][..HEADER_BYTES]
    }

    /// Returns the rest of the public key.
    #[must_use]
    pub fn vector(&self) -> &[u8] {
        &self.0[VECTOR_BYTES..][..VECTOR_BYTES]
    }

    /// Returns K, which is another one for a forged ciphertext.
    #[must_use]
    pub fn decapsulate(&self, first: &[u8; FIRST_BYTES], second: &[u8; SECOND_BYTES]) -> Zeroizing<[u8; 32]> {
        let (first, second) = (Ciphertext1 { value: *first }, Ciphertext2 { value: *second });
        Zeroizing::new(incremental::decapsulate_compressed_key(&self.0, &first, &second))
    }
}

type State = Zeroizing<[u8; incremental::encaps_state_len()]>;

/// Returns K and ct1 for a header and m.
#[must_use]
pub fn encapsulate_header(
    header: &[u8; HEADER_BYTES],
    m: &[u8; 32],
) -> Option<(Zeroizing<[u8; 32]>, [u8; FIRST_BYTES])> {
    let (secret, first, _) = first_step(header, m)?;
    Some((secret, first))
}

/// Returns ct2 for the m that `encapsulate_header` was given; `None` if vector and header do not fit.
#[must_use]
pub fn encapsulate_vector(
    header: &[u8; HEADER_BYTES],
    vector: &[u8; VECTOR_BYTES],
    m: &[u8; 32],
) -> Option<[u8; SECOND_BYTES]> {
    // To a vector that an attacker chose, such as zero, ct2 would reveal m.  PRIM-11
    incremental::validate_pk_bytes(header, vector).ok()?;
    let (_, _, state) = first_step(header, m)?;
    Some(incremental::encapsulate2(&state, vector).value)
}

fn first_step(
    header: &[u8; HEADER_BYTES],
    m: &[u8; 32],
) -> Option<(Zeroizing<[u8; 32]>, [u8; FIRST_BYTES], State)> {
    let mut state = State::new([0; incremental::encaps_state_len()]);
    let mut secret = Zeroizing::new([0; 32]);
    let first = incremental::encapsulate1(header, *m, &mut *state, &mut *secret).ok()?;
    Some((secret, first.value, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N])
    }

    #[test]
    fn decapsulation_agrees() {
        for seed in [[0_u8; 64], [7; 64], [255; 64]] {
            let pair = KeyPair::of(&seed);
            let (header, vector) = (array(pair.header()), array(pair.vector()));
            let encapsulated = encapsulate_header(&header, &[9; 32]);
            let second = encapsulate_vector(&header, &vector, &[9; 32]);
            assert!(encapsulated.is_some() && second.is_some());
            if let (Some((secret, first)), Some(second)) = (encapsulated, second) {
                assert_eq!(pair.decapsulate(&first, &second), secret);
                assert_ne!(pair.decapsulate(&first, &[0; SECOND_BYTES]), secret);
            }
        }
    }

    #[test]
    fn a_vector_of_another_header_is_refused() {
        let (one, other) = (KeyPair::of(&[1; 64]), KeyPair::of(&[2; 64]));
        let header = array(one.header());
        assert_eq!(encapsulate_vector(&header, &array(other.vector()), &[9; 32]), None);
        assert_eq!(encapsulate_vector(&header, &[0; VECTOR_BYTES], &[9; 32]), None);
    }
}
