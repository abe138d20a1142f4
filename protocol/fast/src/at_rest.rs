//! XChaCha20-Poly1305, as it seals the rows of a store (`spec/storage.md`).

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305};

use crate::kdf::KEY_BYTES;
use crate::sealing::TAG_BYTES;

/// Bytes of a nonce.
pub const XNONCE_BYTES: usize = 24;

/// Writes ciphertext and tag over `out`, which has 16 bytes more than the plaintext.
#[must_use]
pub fn seal(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; XNONCE_BYTES],
    plaintext: &[u8],
    associated_data: &[u8],
    out: &mut [u8],
) -> Option<()> {
    let (text, tag) = out.split_last_chunk_mut::<TAG_BYTES>()?;
    let text = InOutBuf::new(plaintext, text).ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    *tag = cipher.encrypt_inout_detached(nonce.into(), associated_data, text).ok()?.into();
    Some(())
}

/// Writes the plaintext over `out`, which has 16 bytes less than what is sealed; `None` if the tag does not verify.
#[must_use]
pub fn open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; XNONCE_BYTES],
    sealed: &[u8],
    associated_data: &[u8],
    out: &mut [u8],
) -> Option<()> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
    let text = InOutBuf::new(ciphertext, out).ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt_inout_detached(nonce.into(), associated_data, text, &Tag::from(*tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else() {
        for length in [0, 1, 63, 64, 700, 5000] {
            let (plaintext, mut sealed, mut opened) =
                (vec![3; length], vec![0; length + 16], vec![0; length]);
            assert_eq!(seal(&[1; 32], &[2; 24], &plaintext, b"row", &mut sealed), Some(()));
            assert_eq!(open(&[1; 32], &[2; 24], &sealed, b"row", &mut opened), Some(()));
            assert_eq!(opened, plaintext);
            opened.fill(0);
            assert!(open(&[1; 32], &[2; 24], &sealed, b"other row", &mut opened).is_none());
            assert!(open(&[1; 32], &[3; 24], &sealed, b"row", &mut opened).is_none());
            assert!(open(&[1; 32], &[2; 24], &sealed[1..], b"row", &mut opened).is_none());
            for at in [0, length / 2, length, length + 15] {
                sealed[at] ^= 1;
                assert!(open(&[1; 32], &[2; 24], &sealed, b"row", &mut opened).is_none());
                sealed[at] ^= 1;
            }
            assert_eq!(opened, vec![0; length], "nothing is written that did not verify");
        }
    }
}
