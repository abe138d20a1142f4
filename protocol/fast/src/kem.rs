//! Incremental encapsulation to ML-KEM-768, by the verified and constant-time code of `libcrux-ml-kem`.
//!
//! The header is rho || H(ek), 64 bytes; the vector is the rest of the key, 1,152 bytes. Between the two steps
//! only m is kept, so the second step computes the first one again.

use libcrux_ml_kem::mlkem768::incremental;
use zeroize::Zeroizing;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 64;
/// Bytes of a vector.
pub const VECTOR_BYTES: usize = 1152;
/// Bytes of ct1.
pub const FIRST_BYTES: usize = 960;
/// Bytes of ct2.
pub const SECOND_BYTES: usize = 128;

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

    #[test]
    fn decapsulation_agrees() {
        for seed in [[0_u8; 64], [7; 64], [255; 64]] {
            let pair = incremental::KeyPairCompressedBytes::from_seed(seed);
            let m = [9; 32];
            let (secret, first) = encapsulate_header(pair.pk1(), &m).unwrap_or_default_pair();
            let second = encapsulate_vector(pair.pk1(), pair.pk2(), &m).unwrap_or([0; SECOND_BYTES]);
            let opened = incremental::decapsulate_compressed_key(
                pair.sk(),
                &incremental::Ciphertext1 { value: first },
                &incremental::Ciphertext2 { value: second },
            );
            assert_eq!(opened, *secret);
        }
    }

    trait OrDefault {
        fn unwrap_or_default_pair(self) -> (Zeroizing<[u8; 32]>, [u8; FIRST_BYTES]);
    }

    impl OrDefault for Option<(Zeroizing<[u8; 32]>, [u8; FIRST_BYTES])> {
        fn unwrap_or_default_pair(self) -> (Zeroizing<[u8; 32]>, [u8; FIRST_BYTES]) {
            self.unwrap_or((Zeroizing::new([0; 32]), [0; FIRST_BYTES]))
        }
    }

    #[test]
    fn a_vector_of_another_header_is_refused() {
        let one = incremental::KeyPairCompressedBytes::from_seed([1; 64]);
        let other = incremental::KeyPairCompressedBytes::from_seed([2; 64]);
        assert_eq!(encapsulate_vector(one.pk1(), other.pk2(), &[9; 32]), None);
        assert_eq!(encapsulate_vector(one.pk1(), &[0; VECTOR_BYTES], &[9; 32]), None);
    }
}
