//! The steps of the braid that begin a text or complete one (`spec/pq-ratchet.md`).
//!
//! Each changes a draft of the next record. `None` leaves the step to Python, also where a peer's texts
//! contradict each other: Python has the error for that.

use std::borrow::Cow;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::braid::State;
use crate::kdf::{KEY_BYTES, Key, add_epoch, authenticator, ciphertext_mac, epoch_secret, header_mac};
use crate::kem::{
    FIRST_BYTES, HEADER_BYTES, KeyPair, SECOND_BYTES, SEED_BYTES, encapsulate_header, encapsulate_vector,
};
use crate::limits::MAX_COUNTER;
use crate::record::{self, Draft, Record};

const NONE: Cow<'static, [u8]> = Cow::Borrowed(&[]);

/// Makes a key pair from its seed; its header with a MAC is the text to send.
pub fn begin_header(record: &Record, draft: &mut Draft, seed: &[u8; SEED_BYTES]) {
    let pair = KeyPair::of(seed);
    let mac = header_mac(record.key(record::AUTHENTICATOR_KEY), record.long(record::EPOCH), pair.header());
    draft.outgoing = Cow::Owned([pair.header(), &mac[..]].concat());
    draft.put(record::SECRET, seed);
    draft.set_braid(State::KeysSampled);
}

/// Encapsulates to the header that was kept; ct1 is the text to send, and the epoch has its secret.
pub fn begin_first(record: &Record, draft: &mut Draft, m: &[u8; KEY_BYTES]) -> Option<()> {
    let epoch = record.long(record::EPOCH);
    let (shared, first) = encapsulate_header(record.kept.try_into().ok()?, m)?;
    let secret = epoch_secret(&shared, epoch);
    put_authenticator(draft, &authenticator(record.key(record::AUTHENTICATOR_ROOT), &secret, epoch));
    draft.outgoing = Cow::Owned(first.to_vec());
    draft.put(record::SECRET, m);
    draft.set_braid(State::Ct1Sampled);
    put_epoch(record, draft, epoch, &secret);
    Some(())
}

/// Sends the vector from now on: the peer has the header.
pub fn begin_vector(record: &Record, draft: &mut Draft) -> Option<()> {
    draft.outgoing = Cow::Owned(KeyPair::of(record.seed()?).vector().to_vec());
    draft.clear(record::SENT_CODEWORDS, 2);
    draft.set_braid(State::HeaderSent);
    Some(())
}

/// Takes a text that is complete, in the state that collected it. `is_acknowledged`: the peer has ct1.
pub fn complete(
    record: &Record,
    draft: &mut Draft,
    state: State,
    text: &[u8],
    is_acknowledged: bool,
) -> Option<()> {
    draft.incoming = &[];
    draft.arrived.clear();
    match state {
        State::HeaderSent => {
            draft.kept = Cow::Owned(text.to_vec());
            draft.set_braid(State::Ct1Received);
            Some(())
        }
        State::EkSentCt1Received => complete_second(record, draft, text),
        State::NoHeaderReceived => {
            let (header, mac) = text.split_last_chunk()?;
            let key = record.key(record::AUTHENTICATOR_KEY);
            check(mac, &header_mac(key, record.long(record::EPOCH), header))?;
            draft.kept = Cow::Owned(header.to_vec());
            draft.set_braid(State::HeaderReceived);
            Some(())
        }
        State::Ct1Sampled | State::Ct1Acknowledged => complete_vector(record, draft, text, is_acknowledged),
        _ => None,
    }
}

/// ct2 is here: the epoch has its secret, and the next one begins with the roles changed.
fn complete_second(record: &Record, draft: &mut Draft, text: &[u8]) -> Option<()> {
    let epoch = record.long(record::EPOCH);
    if epoch >= MAX_COUNTER.into() {
        return None;
    }
    let (second, mac) = text.split_last_chunk()?;
    let first: &[u8; FIRST_BYTES] = record.kept.try_into().ok()?;
    let shared = KeyPair::of(record.seed()?).decapsulate(first, second.try_into().ok()?);
    let secret = epoch_secret(&shared, epoch);
    let after = authenticator(record.key(record::AUTHENTICATOR_ROOT), &secret, epoch);
    check(mac, &ciphertext_mac(&after.1, epoch, first, second))?;
    put_authenticator(draft, &after);
    draft.put(record::EPOCH, &(epoch + 1).to_be_bytes());
    draft.clear(record::SECRET, SEED_BYTES);
    draft.kept = NONE;
    draft.set_braid(State::NoHeaderReceived);
    put_epoch(record, draft, epoch, &secret);
    Some(())
}

/// The vector is here: ct2 is made, and m is not needed any more.
fn complete_vector(record: &Record, draft: &mut Draft, vector: &[u8], is_acknowledged: bool) -> Option<()> {
    let header: &[u8; HEADER_BYTES] = record.kept.try_into().ok()?;
    let m = record.key(record::SECRET);
    // The vector is checked first: a peer that repeats a wrong one must not make us compute with m.  PRIM-11
    let second: [u8; SECOND_BYTES] = encapsulate_vector(header, vector.try_into().ok()?, m)?;
    let first = match record.braid {
        State::Ct1Sampled => record.outgoing.try_into().ok()?,
        _ => encapsulate_header(header, m)?.1,
    };
    let key = record.key(record::AUTHENTICATOR_KEY);
    let mac = ciphertext_mac(key, record.long(record::EPOCH), &first, &second);
    let text = Cow::Owned([&second[..], &mac[..]].concat());
    draft.clear(record::SECRET, SEED_BYTES);
    if is_acknowledged {
        draft.clear(record::SENT_CODEWORDS, 2);
        (draft.outgoing, draft.kept) = (text, NONE);
        draft.set_braid(State::Ct2Sampled);
    } else {
        draft.kept = text;
        draft.set_braid(State::EkReceivedCt1Sampled);
    }
    Some(())
}

fn check(mac: &[u8; KEY_BYTES], expected: &Zeroizing<[u8; KEY_BYTES]>) -> Option<()> {
    bool::from(mac.ct_eq(&**expected)).then_some(())
}

fn put_authenticator(draft: &mut Draft, after: &(Key, Key)) {
    draft.put(record::AUTHENTICATOR_ROOT, &after.0[..]);
    draft.put(record::AUTHENTICATOR_KEY, &after.1[..]);
}

/// Gives the sparse ratchet the chains of an epoch. The chains before it stay until a message needs the new ones.
fn put_epoch(record: &Record, draft: &mut Draft, epoch: u64, secret: &Key) {
    let [root, a2b, b2a] = add_epoch(record.key(record::SPARSE_ROOT), secret);
    let (ours, theirs) = if record.is_initiator() { (a2b, b2a) } else { (b2a, a2b) };
    draft.put(record::SPARSE_ROOT, &root[..]);
    draft.put(record::LATEST, &epoch.to_be_bytes());
    draft.put(record::FOLLOWING_SENDING, &ours[..]);
    draft.put(record::FOLLOWING_RECEIVING, &theirs[..]);
}
