//! HMAC-SHA-256 and HKDF-SHA-256, and the derivations of the two ratchets.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::labels;

/// Bytes of a key, and of a hash.
pub const KEY_BYTES: usize = 32;

/// A secret key; it is wiped when it is dropped.
pub type Key = Zeroizing<[u8; KEY_BYTES]>;

const MESSAGE: u8 = 1;
const CHAIN: u8 = 2;

/// Returns HMAC(key, data), the data being these pieces in a row.
#[must_use]
pub fn hmac(key: &[u8; KEY_BYTES], pieces: &[&[u8]]) -> Key {
    let mut mac = start(key);
    for piece in pieces {
        mac.update(piece);
    }
    finish(mac)
}

/// Returns `N` keys of 32 bytes: HKDF(salt, ikm, info), the info being these pieces in a row.
#[must_use]
pub fn hkdf<const N: usize>(salt: &[u8; KEY_BYTES], ikm: &[u8; KEY_BYTES], info: &[&[u8]]) -> [Key; N] {
    let prk = start(&hmac(salt, &[ikm]));
    let mut counter = 0_u8;
    let mut previous: Option<Key> = None;
    std::array::from_fn(|_| {
        counter += 1;
        let mut mac = prk.clone();
        if let Some(block) = &previous {
            mac.update(&block[..]);
        }
        for piece in info {
            mac.update(piece);
        }
        mac.update(&[counter]);
        let block = finish(mac);
        previous = Some(block.clone());
        block
    })
}

/// A step of a chain of the double ratchet: the next chain key, and the message key.  RAT-2
#[must_use]
pub fn chain_step(key: &[u8; KEY_BYTES]) -> (Key, Key) {
    pair(key, &[CHAIN], &[MESSAGE])
}

/// A step of a sparse chain to message `number`: the next chain key, and the message key.  PQR-1
#[must_use]
pub fn sparse_step(key: &[u8; KEY_BYTES], number: u32) -> (Key, Key) {
    let [a, b, c, d] = number.to_be_bytes();
    pair(key, &[a, b, c, d, CHAIN], &[a, b, c, d, MESSAGE])
}

/// A step of the root chain: the next root key, and a new chain key.  RAT-1
#[must_use]
pub fn root_step(root: &[u8; KEY_BYTES], agreement: &[u8; KEY_BYTES]) -> (Key, Key) {
    let [root, chain] = hkdf(root, agreement, &[labels::ROOT_STEP]);
    (root, chain)
}

/// The key that seals a message of both ratchets.  PQR-2
#[must_use]
pub fn hybrid(double: &[u8; KEY_BYTES], sparse: &[u8; KEY_BYTES]) -> Key {
    let [key] = hkdf(sparse, double, &[labels::PQ_HYBRID]);
    key
}

/// The secret of an epoch, from the KEM's secret.
#[must_use]
pub fn epoch_secret(shared: &[u8; KEY_BYTES], epoch: u64) -> Key {
    let [secret] = hkdf(&[0; KEY_BYTES], shared, &[labels::PQ_EPOCH_SECRET, &epoch.to_be_bytes()]);
    secret
}

/// The authenticator after an epoch's secret: root and key.
#[must_use]
pub fn authenticator(root: &[u8; KEY_BYTES], secret: &[u8; KEY_BYTES], epoch: u64) -> (Key, Key) {
    let [root, key] = hkdf(root, secret, &[labels::PQ_AUTHENTICATOR, &epoch.to_be_bytes()]);
    (root, key)
}

/// The sparse chains of the next epoch: root, what the initiator sends, what the recipient sends.  PQR-1
#[must_use]
pub fn add_epoch(root: &[u8; KEY_BYTES], secret: &[u8; KEY_BYTES]) -> [Key; 3] {
    hkdf(root, secret, &[labels::PQ_CHAIN_ADD_EPOCH])
}

/// The MAC of a header.
#[must_use]
pub fn header_mac(key: &[u8; KEY_BYTES], epoch: u64, header: &[u8]) -> Key {
    hmac(key, &[labels::PQ_HEADER, &epoch.to_be_bytes(), header])
}

/// The MAC of ct1 || ct2.
#[must_use]
pub fn ciphertext_mac(key: &[u8; KEY_BYTES], epoch: u64, first: &[u8], second: &[u8]) -> Key {
    hmac(key, &[labels::PQ_CIPHERTEXT, &epoch.to_be_bytes(), first, second])
}

fn pair(key: &[u8; KEY_BYTES], one: &[u8], other: &[u8]) -> (Key, Key) {
    let mut first = start(key);
    let mut second = first.clone();
    first.update(one);
    second.update(other);
    (finish(first), finish(second))
}

fn start(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_BYTES].copy_from_slice(key);
    Hmac::new((&*block).into())
}

fn finish(mac: Hmac<Sha256>) -> Key {
    let mut output = mac.finalize().into_bytes();
    let mut key = Key::default();
    key.copy_from_slice(&output);
    zeroize::Zeroize::zeroize(output.as_mut_slice());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of these tests has 32 bytes, so RFC 4231's test case 2 is out of reach; Python made this one.
    #[test]
    fn hmac_and_hkdf_give_the_known_answers() {
        let key = [7; 32];
        assert_eq!(hex(&hmac(&key, &[b"let", b"ter"])), HMAC);
        let [one, two, three] = hkdf(&key, &[9; 32], &[b"in", b"fo"]);
        assert_eq!([hex(&one), hex(&two), hex(&three)].concat(), HKDF);
    }

    const HMAC: &str = "1786cf44f4088b719c3b07bb536e2c26ce8be0ea6e53742b96212eccbf0ff360";
    const HKDF: &str = "99c386cd45a86ec0d010a457eb4eb8311d6cd6241be5de11fda05a251f80285cc1a4c2def03c2aba4148b41fa8e7013133f3b92f98104b1654d8f742c4d546ed5e628a8e59762ca4760ffcca14f4a72391c74c52dfbc0cfbe40e0fdaba1d3bc1";

    fn hex(bytes: &Key) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}
