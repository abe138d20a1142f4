//! HMAC-SHA-256 and HKDF-SHA-256, and the derivations of the two ratchets.

use hmac::{Hmac, KeyInit, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::labels;

/// Bytes of a key, and of a hash.
pub const KEY_BYTES: usize = 32;

/// A secret key; it is wiped when it is dropped.
pub type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// The first state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The most that HKDF gives.
const MAX_HKDF_BYTES: usize = 255 * KEY_BYTES;

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

/// Returns `length` bytes of HKDF(salt, ikm, info); `None` unless these are 1 to 8,160.
#[must_use]
pub fn hkdf_of_length(salt: &[u8], ikm: &[u8], info: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    if !(1..=MAX_HKDF_BYTES).contains(&length) {
        return None;
    }
    let mut extract = Hmac::<Sha256>::new_from_slice(salt).ok()?;
    extract.update(ikm);
    let expand = start(&finish(extract));
    // Room for all of it from the start: a vector that grows leaves copies behind.
    let mut okm = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(KEY_BYTES)));
    for counter in 1..=u8::MAX {
        let mut mac = expand.clone();
        mac.update(&okm[okm.len().saturating_sub(KEY_BYTES)..]);
        mac.update(info);
        mac.update(&[counter]);
        okm.extend_from_slice(&finish(mac)[..]);
        if okm.len() >= length {
            break;
        }
    }
    // What is cut off stays in the allocation, which is wiped as a whole.
    okm.truncate(length);
    Some(okm)
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

/// How the steps of a chain are numbered.
#[derive(Clone, Copy)]
pub enum Numbering {
    /// Not at all: a chain of the double ratchet.
    None,
    /// From this number on: a chain of the sparse ratchet.
    From(u32),
}

impl Numbering {
    /// What the step at `offset` authenticates, and where it begins in these bytes.
    fn input(self, offset: u32, kind: u8) -> ([u8; 5], usize) {
        match self {
            Numbering::None => ([0, 0, 0, 0, kind], 4),
            Numbering::From(first) => {
                let [a, b, c, d] = first.wrapping_add(offset).to_be_bytes();
                ([a, b, c, d, kind], 0)
            }
        }
    }
}

/// Walks over `count` messages: the prepared chain key of each of them, and the chain key behind them all.
#[must_use]
pub fn walk(key: &[u8; KEY_BYTES], numbering: Numbering, count: u32) -> (Vec<Prepared>, Key) {
    let mut block = Block::default();
    let mut key = Key::new(*key);
    // The capacity is exact: a growing vector would leave copies behind.
    let mut passed = Vec::with_capacity(count as usize);
    for offset in 0..count {
        let prepared = Prepared::of(&mut block, &key);
        let (input, at) = numbering.input(offset, CHAIN);
        prepared.hmac(&mut block, &input[at..], &mut key);
        passed.push(prepared);
    }
    (passed, key)
}

/// Makes the message keys, joined, of messages whose chain keys were passed.  RAT-11
#[must_use]
pub fn message_keys(passed: &[Prepared], numbering: Numbering) -> Zeroizing<Vec<u8>> {
    let mut block = Block::default();
    let mut keys = Zeroizing::new(vec![0; passed.len() * KEY_BYTES]);
    for ((offset, prepared), key) in (0..).zip(passed).zip(keys.as_chunks_mut().0) {
        let (input, at) = numbering.input(offset, MESSAGE);
        prepared.hmac(&mut block, &input[at..], key);
    }
    keys
}

/// The name of an epoch's receiving chain in a store: bit 255 is set, which no ratchet key has.
#[must_use]
pub fn chain_name(associated_data: &[u8; KEY_BYTES], epoch: u64) -> [u8; KEY_BYTES] {
    let hash = Sha256::new_with_prefix(labels::PQ_CHAIN_NAME)
        .chain_update(associated_data)
        .chain_update(epoch.to_be_bytes())
        .finalize();
    let mut name: [u8; KEY_BYTES] = hash.into();
    name[KEY_BYTES - 1] = 0xff;
    name
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
    let mut block = Block::default();
    let (mut first, mut second) = (Key::default(), Key::default());
    let prepared = Prepared::of(&mut block, key);
    prepared.hmac(&mut block, one, &mut first);
    prepared.hmac(&mut block, other, &mut second);
    (first, second)
}

/// A block of SHA-256 that many hashes use in turn: to wipe it after each would take as long as to hash.
struct Block(Zeroizing<[u8; BLOCK]>);

impl Default for Block {
    fn default() -> Self {
        Block(Zeroizing::new([0; BLOCK]))
    }
}

impl Block {
    /// Hashes the block, and returns the state behind it.
    fn hash(&self, before: &[u32; 8]) -> Words {
        let mut state = Zeroizing::new(*before);
        compress256(&mut state, std::slice::from_ref(&*self.0));
        state
    }

    /// Fills the block as the last one of a message of two: `length` bytes of data are in it already.
    fn complete(&mut self, length: usize) {
        let bits = 8 * (BLOCK + length) as u64;
        self.0[length] = 0x80;
        self.0[length + 1..BLOCK - 8].fill(0);
        self.0[BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    }
}

/// A state of SHA-256.
type Words = Zeroizing<[u32; 8]>;

fn put(words: &Words, out: &mut [u8]) {
    for (bytes, word) in out.chunks_exact_mut(4).zip(&**words) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

/// A key whose two padded blocks are hashed already: what HMAC has in common for all data under one key.
///
/// The crate for HMAC does the same, for data of any length, and takes longer for the few bytes of a step.
pub struct Prepared {
    inner: Words,
    outer: Words,
}

impl Prepared {
    /// Hashes the padded blocks of a key.
    fn of(block: &mut Block, key: &[u8; KEY_BYTES]) -> Self {
        let mut padded = |pad: u8| {
            block.0.fill(pad);
            for (byte, of_key) in block.0.iter_mut().zip(key) {
                *byte ^= of_key;
            }
            block.hash(&INITIAL)
        };
        Prepared { inner: padded(0x36), outer: padded(0x5c) }
    }

    /// Writes the HMAC of data that fit into one block, up to 55 bytes.
    fn hmac(&self, block: &mut Block, data: &[u8], out: &mut [u8; KEY_BYTES]) {
        block.0[..data.len()].copy_from_slice(data);
        block.complete(data.len());
        let inner = block.hash(&self.inner);
        put(&inner, &mut block.0[..KEY_BYTES]);
        block.complete(KEY_BYTES);
        put(&block.hash(&self.outer), out);
    }
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

    #[test]
    fn hkdf_of_any_length_begins_alike() {
        let keys: [Key; 3] = hkdf(&[7; 32], &[9; 32], &[b"info"]);
        let whole: Vec<u8> = keys.iter().flat_map(|key| key.to_vec()).collect();
        for length in 1..=whole.len() {
            let okm = hkdf_of_length(&[7; 32], &[9; 32], b"info", length);
            assert_eq!(okm.as_deref().map(Vec::as_slice), Some(&whole[..length]));
        }
        assert!(hkdf_of_length(&[7; 32], &[9; 32], b"info", 0).is_none());
        assert_eq!(hkdf_of_length(b"", b"", b"", MAX_HKDF_BYTES).map(|okm| okm.len()), Some(MAX_HKDF_BYTES));
        assert!(hkdf_of_length(b"", b"", b"", MAX_HKDF_BYTES + 1).is_none());
    }

    #[test]
    fn a_prepared_key_gives_what_the_crate_gives() {
        let (mut block, mut key) = (Block::default(), Key::new([0; KEY_BYTES]));
        for length in 0..=55 {
            let data = vec![0xc3; length];
            let expected = hmac(&key, &[&data]);
            Prepared::of(&mut block, &key.clone()).hmac(&mut block, &data, &mut key);
            assert_eq!(key, expected);
        }
    }

    #[test]
    fn a_walk_gives_what_single_steps_give() {
        for (numbering, first) in [(Numbering::None, 0), (Numbering::From(7), 7)] {
            let (passed, reached) = walk(&[3; KEY_BYTES], numbering, 5);
            let keys = message_keys(&passed, numbering);
            let mut key = Key::new([3; KEY_BYTES]);
            for (offset, expected) in (0..).zip(keys.chunks_exact(KEY_BYTES)) {
                let (next, message_key) =
                    if first == 0 { chain_step(&key) } else { sparse_step(&key, first + offset) };
                assert_eq!(&message_key[..], expected);
                key = next;
            }
            assert_eq!((keys.len(), key), (5 * KEY_BYTES, reached));
        }
    }

    const HMAC: &str = "1786cf44f4088b719c3b07bb536e2c26ce8be0ea6e53742b96212eccbf0ff360";
    const HKDF: &str = "99c386cd45a86ec0d010a457eb4eb8311d6cd6241be5de11fda05a251f80285cc1a4c2def03c2aba4148b41fa8e7013133f3b92f98104b1654d8f742c4d546ed5e628a8e59762ca4760ffcca14f4a72391c74c52dfbc0cfbe40e0fdaba1d3bc1";

    fn hex(bytes: &Key) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}
