//! Padding, and ChaCha20-Poly1305 as it seals a message \[WIRE-9\] \[SES-1\].

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use zeroize::Zeroizing;

use crate::kdf::KEY_BYTES;
use crate::limits::{MAX_PLAINTEXT, MIN_PADDED};

/// Bytes of the nonce that are sent.
pub const SENT_NONCE_BYTES: usize = 8;
/// Bytes of the tag.
pub const TAG_BYTES: usize = 16;
const MARK: u8 = 0x80;

/// Returns to how many bytes a plaintext is padded.
#[must_use]
pub fn padded_length(length: usize) -> usize {
    let needed = (length + 1).max(MIN_PADDED);
    let exponent = needed.ilog2();
    let mask = (1 << (exponent - exponent.ilog2() - 1)) - 1;
    (needed + mask) & !mask
}

/// Writes nonce, ciphertext and tag over `out`, which has 24 bytes more than the padded plaintext.
#[must_use]
pub fn seal(
    key: &[u8; KEY_BYTES],
    nonce: [u8; SENT_NONCE_BYTES],
    plaintext: &[u8],
    associated_data: &[u8],
    out: &mut [u8],
) -> Option<()> {
    let padded = padded_length(plaintext.len());
    if out.len() != SENT_NONCE_BYTES + padded + TAG_BYTES {
        return None;
    }
    let (sent_nonce, rest) = out.split_at_mut(SENT_NONCE_BYTES);
    let (text, tag) = rest.split_at_mut(padded);
    sent_nonce.copy_from_slice(&nonce);
    text[..plaintext.len()].copy_from_slice(plaintext);
    text[plaintext.len()] = MARK;
    text[plaintext.len() + 1..].fill(0);
    let cipher = ChaCha20Poly1305::new(key.into());
    tag.copy_from_slice(
        &cipher.encrypt_inout_detached(&whole_nonce(nonce), associated_data, text.into()).ok()?,
    );
    Some(())
}

/// Returns the padded plaintext, and how long the plaintext is; `None` for a wrong tag or another padding.
#[must_use]
pub fn open(
    key: &[u8; KEY_BYTES],
    sealed: &[u8],
    associated_data: &[u8],
) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    let (nonce, rest) = sealed.split_first_chunk()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
    let mut padded = Zeroizing::new(vec![0; ciphertext.len()]);
    let text = InOutBuf::new(ciphertext, &mut padded).ok()?;
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher.decrypt_inout_detached(&whole_nonce(*nonce), associated_data, text, &Tag::from(*tag)).ok()?;
    // The text is authentic from here on, so branches on its end tell a stranger nothing.
    let length = padded.iter().rposition(|byte| *byte != 0)?;
    let fits = padded[length] == MARK && length <= MAX_PLAINTEXT && padded_length(length) == padded.len();
    fits.then_some((padded, length))
}

fn whole_nonce(sent: [u8; SENT_NONCE_BYTES]) -> Nonce {
    let mut nonce = Nonce::default();
    nonce[4..].copy_from_slice(&sent);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else() {
        for length in [0, 1, 31, 32, 33, 100, 1000, 70_000] {
            let plaintext = vec![0x80; length];
            let mut sealed = vec![0; padded_length(length) + 24];
            assert_eq!(seal(&[1; 32], [2; 8], &plaintext, b"ad", &mut sealed), Some(()));
            let opened = open(&[1; 32], &sealed, b"ad");
            assert!(opened.is_some_and(|(padded, end)| padded[..end] == plaintext));
            assert!(open(&[1; 32], &sealed, b"da").is_none());
            assert!(open(&[2; 32], &sealed, b"ad").is_none());
            sealed[9] ^= 1;
            assert!(open(&[1; 32], &sealed, b"ad").is_none());
        }
    }

    #[test]
    fn paddings_that_sealing_does_not_make_are_refused() {
        for padded in [&[0; 32][..], &[0x80; 33], &[&[1; 31][..], &[0]].concat()] {
            let mut sealed = vec![0; padded.len() + 24];
            sealed[8..8 + padded.len()].copy_from_slice(padded);
            let end = 8 + padded.len();
            let cipher = ChaCha20Poly1305::new(&[1; 32].into());
            let tag = cipher.encrypt_inout_detached(&whole_nonce([0; 8]), b"", (&mut sealed[8..end]).into());
            sealed[end..].copy_from_slice(&tag.unwrap_or_default());
            assert!(open(&[1; 32], &sealed, b"").is_none());
        }
    }
}
