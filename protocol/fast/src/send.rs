//! The next message of a session: in its chain, or with the turn of the ratchet.

use zeroize::Zeroizing;

use crate::braid::{State as Braid, Type};
use crate::erasure::{CODEWORD_BYTES, codewords};
use crate::kdf::{KEY_BYTES, Key, chain_step, hybrid, root_step, sparse_step};
use crate::kem::SEED_BYTES;
use crate::limits::{
    COMPUTED_CODEWORD_INTERVAL, FULL_CODEWORDS_UNTIL, MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER,
    MAX_PLAINTEXT,
};
use crate::record::{self, Draft, Record, State, Suite};
use crate::sealing::{SENT_NONCE_BYTES, TAG_BYTES, padded_length, seal};
use crate::wire::{PqHeader, blob_head_bytes, write_blob_head, write_header};
use crate::{curve, exchange};

/// How many indices codewords have.
const INDICES: usize = MAX_CODEWORD_INDEX as usize + 1;

/// A message that only needs to be sealed, and the record to store with it.
pub struct Sending {
    /// The record after the message.
    pub record: Zeroizing<Vec<u8>>,
    key: Key,
    associated_data: Vec<u8>,
    prefix: Vec<u8>,
    nonce: [u8; SENT_NONCE_BYTES],
    padded: usize,
}

/// Returns how many random bytes the next message draws, one draw after the other; none for Python's way.
///
/// A private key where the ratchet turns, a seed or m where the braid begins a text, and the nonce.
#[must_use]
pub fn draws(record: &[u8]) -> Vec<usize> {
    let Some(record) = Record::read(record) else { return Vec::new() };
    let mut draws = Vec::with_capacity(3);
    if record.state == State::Hearing {
        draws.push(KEY_BYTES);
    }
    match record.braid_if_any() {
        Some(Braid::KeysUnsampled) => draws.push(SEED_BYTES),
        Some(Braid::HeaderReceived) => draws.push(KEY_BYTES),
        _ => {}
    }
    draws.push(SENT_NONCE_BYTES);
    draws
}

/// Derives the next message for a plaintext of `length` bytes; `None` if it takes Python's way.
///
/// `entropy` has the bytes of all `draws` in a row.
#[must_use]
pub fn prepare(bytes: &[u8], length: usize, entropy: &[u8]) -> Option<Sending> {
    let record = Record::read(bytes)?;
    if length > MAX_PLAINTEXT {
        return None;
    }
    let mut draft = record.draft();
    let (entropy, nonce) = entropy.split_last_chunk()?;
    let private_bytes = if record.state == State::Hearing { KEY_BYTES } else { 0 };
    let (private, text_entropy) = entropy.split_at_checked(private_bytes)?;
    let (ratchet_key, double_key, number) = step_double(&record, &mut draft, private)?;
    let previous = record.number(record::PREVIOUS);
    let padded = padded_length(length);
    let size = if record.state == State::Unanswered { record.handshake.len() } else { 0 } + padded;
    let mut header = Vec::new();
    let key = match record.suite {
        Suite::X3dh if !text_entropy.is_empty() => return None,
        Suite::X3dh => {
            write_header(&mut header, &ratchet_key, previous, number, None);
            double_key
        }
        Suite::Pqxdh => {
            let place = step_sparse(&record, &mut draft)?;
            begin_text(&record, &mut draft, text_entropy)?;
            let sent = next_codewords(&record, &mut draft, size, number)?;
            let pq = PqHeader {
                epoch: u32::try_from(record.long(record::EPOCH)).ok()?,
                number: place.number,
                previous: place.previous,
                kind: sent.kind,
                first: sent.first,
                codewords: &sent.joined,
            };
            write_header(&mut header, &ratchet_key, previous, number, Some(&pq));
            hybrid(&double_key, &place.key)
        }
    };
    let mut associated_data = record.key(record::ASSOCIATED_DATA).to_vec();
    associated_data.extend_from_slice(&header);
    let prefix = prefix(&record, &header, padded);
    Some(Sending { record: draft.finish()?, key, associated_data, prefix, nonce: *nonce, padded })
}

impl Sending {
    /// Returns the bytes of the whole message.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        self.prefix.len() + self.sealed_bytes()
    }

    fn sealed_bytes(&self) -> usize {
        SENT_NONCE_BYTES + self.padded + TAG_BYTES
    }

    /// Writes the message over `out`, which has `message_bytes` bytes.
    #[must_use]
    pub fn seal(&self, plaintext: &[u8], out: &mut [u8]) -> Option<()> {
        let (prefix, sealed) = out.split_at_mut_checked(self.prefix.len())?;
        prefix.copy_from_slice(&self.prefix);
        seal(&self.key, self.nonce, plaintext, &self.associated_data, sealed)
    }
}

/// Returns the message up to what is sealed; an unanswered session repeats its handshake around it.
fn prefix(record: &Record, header: &[u8], padded: usize) -> Vec<u8> {
    let sealed = SENT_NONCE_BYTES + padded + TAG_BYTES;
    let mut prefix = Vec::with_capacity(record.handshake.len() + header.len() + 10);
    if record.state == State::Unanswered {
        prefix.extend_from_slice(record.handshake);
        write_blob_head(&mut prefix, header.len() + blob_head_bytes(sealed) + sealed);
    }
    prefix.extend_from_slice(header);
    write_blob_head(&mut prefix, sealed);
    prefix
}

/// Begins the text of a state that begins one: with a seed, or with m.
fn begin_text(record: &Record, draft: &mut Draft, entropy: &[u8]) -> Option<()> {
    match record.braid {
        Braid::KeysUnsampled => exchange::begin_header(record, draft, entropy.try_into().ok()?),
        Braid::HeaderReceived => exchange::begin_first(record, draft, entropy.try_into().ok()?)?,
        _ => return entropy.is_empty().then_some(()),
    }
    Some(())
}

/// Moves the double ratchet to the next message; returns its ratchet key, message key and number.
fn step_double(record: &Record, draft: &mut Draft, private: &[u8]) -> Option<([u8; KEY_BYTES], Key, u32)> {
    if record.state != State::Hearing {
        let number = record.number(record::SENT);
        if number == MAX_COUNTER {
            return None;
        }
        let (chain, key) = chain_step(record.key(record::SENDING));
        draft.put(record::SENDING, &chain[..]);
        draft.put(record::SENT, &(number + 1).to_be_bytes());
        return Some((*record.key(record::PUBLIC), key, number));
    }
    let private: &[u8; KEY_BYTES] = private.try_into().ok()?;
    let public = curve::public_of(private);
    let agreement = curve::agree(private, record.key(record::THEIRS))?;
    let (root, chain) = root_step(record.key(record::ROOT), &agreement);
    let (chain, key) = chain_step(&chain);
    draft.set_state(State::Speaking);
    draft.put(record::ROOT, &root[..]);
    draft.put(record::PRIVATE, private);
    draft.put(record::PUBLIC, &public);
    draft.put(record::SENDING, &chain[..]);
    draft.put(record::SENT, &1_u32.to_be_bytes());
    Some((public, key, 0))
}

struct Place {
    number: u32,
    previous: u32,
    key: Key,
}

/// Moves the sparse ratchet to the next message, which is in the epoch before the one being agreed on.
fn step_sparse(record: &Record, draft: &mut Draft) -> Option<Place> {
    let epoch = record.long(record::EPOCH).checked_sub(1)?;
    let (mut chain, mut number) = (record.key(record::SPARSE_SENDING), record.number(record::SPARSE_SENT));
    let mut previous = record.number(record::SPARSE_PREVIOUS);
    if epoch != record.long(record::SENDING_EPOCH) {
        // A record is in one of these two epochs, and has the next chain if it is not in this one.  STO-8
        (previous, number, chain) = (number, 0, record.key(record::FOLLOWING_SENDING));
        draft.put(record::SENDING_EPOCH, &epoch.to_be_bytes());
        draft.put(record::SPARSE_PREVIOUS, &previous.to_be_bytes());
        draft.clear(record::FOLLOWING_SENDING, KEY_BYTES);
    }
    number = number.checked_add(1)?;
    let (next, key) = sparse_step(chain, number);
    draft.put(record::SPARSE_SENDING, &next[..]);
    draft.put(record::SPARSE_SENT, &number.to_be_bytes());
    Some(Place { number, previous, key })
}

struct Codewords {
    kind: Type,
    first: u16,
    joined: Vec<u8>,
}

/// Returns the codewords of the message with this number in its chain.  PQR-7, PQR-9
fn next_codewords(record: &Record, draft: &mut Draft, size: usize, number: u32) -> Option<Codewords> {
    let (text, kind) = (&*draft.outgoing, record.braid.sends());
    let share = text.len() / CODEWORD_BYTES;
    let first = usize::from(record.short(record::SENT_CODEWORDS));
    let computed = max_computed(number);
    if text.is_empty() || computed == 0 && first >= share {
        return Some(Codewords { kind: kind.without_codewords(), first: 0, joined: Vec::new() });
    }
    let most = (size / (4 * CODEWORD_BYTES)).clamp(1, MAX_CODEWORDS).min(share);
    let end = (first + most).min(first.max(share) + computed).min(INDICES);
    let joined = codewords(text, first, end)?;
    draft.put(record::SENT_CODEWORDS, &u16::try_from(end % INDICES).ok()?.to_be_bytes());
    Some(Codewords { kind, first: u16::try_from(first).ok()?, joined })
}

/// Returns how many computed codewords a message may carry that has this number in its chain.  PQR-9
fn max_computed(number: u32) -> usize {
    if number <= FULL_CODEWORDS_UNTIL {
        MAX_CODEWORDS
    } else {
        usize::from(number.is_multiple_of(COMPUTED_CODEWORD_INTERVAL))
    }
}
