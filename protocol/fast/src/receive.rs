//! The next message of the peer, or one beyond a gap: in its chain, or with the turn of the ratchet. Nothing late.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::braid::{State as Braid, Type};
use crate::erasure::{CODEWORD_BYTES, ENTRY_BYTES, restore};
use crate::kdf::{KEY_BYTES, Numbering, chain_name, chain_step, hybrid, root_step, sparse_step};
use crate::limits::{MAX_COUNTER, MAX_SKIP};
use crate::record::{self, Draft, Record, State, Suite};
use crate::sealing::open;
use crate::skipped::{Found, Gap, Skipped, Tail};
use crate::wire::{Message, PqHeader};
use crate::{curve, exchange};

/// An authenticated message.
pub struct Received {
    /// The record after the message.
    pub record: Zeroizing<Vec<u8>>,
    /// The plaintext, its mark and its padding.
    pub padded: Zeroizing<Vec<u8>>,
    /// The length of the plaintext.
    pub length: usize,
    /// The keys that it skipped in the double ratchet.
    pub double: Vec<Skipped>,
    /// The keys that it skipped in the sparse ratchet.
    pub sparse: Vec<Skipped>,
}

/// Opens a message that is not late; `None` if it is late, a forgery, or takes Python's way.
#[must_use]
pub fn receive(bytes: &[u8], message: &[u8]) -> Option<Received> {
    let (record, message) = (Record::read(bytes)?, Message::read(message)?);
    // What is read here came alone. The first chain of a peer that began the session comes in initial messages.
    if record.state != State::Unanswered && !record.handshake.is_empty() && message.previous == 0 {
        return None; // SES-15
    }
    // All limits are checked before anything is derived.  RAT-5
    let double = Place::of(&record, &message)?;
    let mut draft = record.draft();
    let (key, double, sparse) = match (record.suite, &message.pq) {
        (Suite::X3dh, None) => {
            let double = step_double(&record, &mut draft, &message, &double)?;
            (double.key.clone(), double, None)
        }
        (Suite::Pqxdh, Some(pq)) => {
            check_epoch(&record, pq)?;
            let place = SparsePlace::of(&record, pq)?;
            let double = step_double(&record, &mut draft, &message, &double)?;
            let sparse = step_sparse(&record, &mut draft, pq, &place);
            (hybrid(&double.key, &sparse.key), double, Some(sparse))
        }
        _ => return None, // PQR-8
    };
    let associated_data = [record.key(record::ASSOCIATED_DATA), message.header_bytes].concat();
    let (padded, length) = open(&key, message.sealed, &associated_data)?;
    // The tag has verified: what was prepared may be committed.  RAT-6
    if let Some(pq) = &message.pq {
        step_braid(&record, &mut draft, pq)?;
    }
    draft.note_authenticated();
    Some(Received {
        record: draft.finish()?,
        padded,
        length,
        double: double.skipped(),
        sparse: sparse.map(|found| found.skipped()).unwrap_or_default(),
    })
}

/// Where a message stands in the double ratchet.
struct Place {
    /// Whether it begins a chain.
    is_turn: bool,
    /// How many messages of its chain it skips.
    gap: u32,
    /// How many of the chain before.
    tail: u32,
}

impl Place {
    fn of(record: &Record, message: &Message) -> Option<Self> {
        let is_known = message.ratchet_key == record.key(record::THEIRS);
        let heard = record.number(record::RECEIVED);
        let place = if record.state != State::Unanswered && is_known {
            Place { is_turn: false, gap: message.number.checked_sub(heard)?, tail: 0 }
        } else if record.state == State::Hearing || is_known {
            // In Hearing the peer cannot have a new key.  RAT-4   A signed prekey heads no chain.  RAT-3
            return None;
        } else {
            let is_first = record.state == State::Unanswered;
            let tail = if is_first { 0 } else { message.previous.checked_sub(heard)? };
            Place { is_turn: true, gap: message.number, tail }
        };
        let fits = place.gap <= MAX_SKIP && place.tail <= MAX_SKIP && message.number < MAX_COUNTER;
        fits.then_some(place)
    }
}

/// Moves the double ratchet to the message.
fn step_double<'a>(
    record: &Record<'a>,
    draft: &mut Draft<'a>,
    message: &Message,
    place: &Place,
) -> Option<Found<'a>> {
    if !place.is_turn {
        let heard = record.number(record::RECEIVED);
        let chain = *message.ratchet_key;
        let (gap, before) =
            Gap::walk(chain, heard, Numbering::None, record.key(record::RECEIVING), place.gap);
        let (chain, key) = chain_step(&before);
        draft.put(record::RECEIVING, &chain[..]);
        draft.put(record::RECEIVED, &(message.number + 1).to_be_bytes());
        return Some(Found { key, tail: None, gap });
    }
    if !curve::is_acceptable(message.ratchet_key) {
        return None;
    }
    let agreement = curve::agree(record.key(record::PRIVATE), message.ratchet_key)?;
    let (root, chain) = root_step(record.key(record::ROOT), &agreement);
    let (gap, before) = Gap::walk(*message.ratchet_key, 0, Numbering::None, &chain, place.gap);
    let (chain, key) = chain_step(&before);
    draft.set_state(State::Hearing);
    draft.put(record::ROOT, &root[..]);
    draft.put(record::PREVIOUS, &record.number(record::SENT).to_be_bytes());
    draft.clear(record::PRIVATE, record::SENT + 4 - record::PRIVATE);
    draft.put(record::THEIRS, message.ratchet_key);
    draft.put(record::RECEIVING, &chain[..]);
    draft.put(record::RECEIVED, &(message.number + 1).to_be_bytes());
    if record.state == State::Unanswered {
        draft.clear(record::ARCHIVED, 8);
        draft.handshake = &[];
    }
    let tail = (place.tail > 0).then(|| Tail {
        chain: *record.key(record::THEIRS),
        start: record.number(record::RECEIVED),
        numbering: Numbering::None,
        key: record.key(record::RECEIVING),
        count: place.tail,
    });
    Some(Found { key, tail, gap })
}

/// Where a message stands in the sparse ratchet.
struct SparsePlace {
    /// Whether it begins the chain of an epoch.
    is_new: bool,
    /// How many messages of its chain it skips.
    gap: u32,
    /// How many of the chain before.
    tail: u32,
}

impl SparsePlace {
    fn of(record: &Record, pq: &PqHeader) -> Option<Self> {
        let epoch = u64::from(pq.epoch) - 1;
        let (current, heard) = (record.long(record::RECEIVING_EPOCH), record.number(record::SPARSE_RECEIVED));
        let is_new = epoch != current;
        let (steps, tail) = if is_new {
            let has_next = record.long(record::LATEST) == epoch && current + 1 == epoch;
            (pq.number, has_next.then(|| pq.previous.checked_sub(heard))??)
        } else {
            (pq.number.checked_sub(heard)?, 0)
        };
        let gap = steps.checked_sub(1)?;
        (gap <= MAX_SKIP && tail <= MAX_SKIP).then_some(SparsePlace { is_new, gap, tail })
    }
}

/// Moves the sparse ratchet to the message.
fn step_sparse<'a>(
    record: &Record<'a>,
    draft: &mut Draft<'a>,
    pq: &PqHeader,
    place: &SparsePlace,
) -> Found<'a> {
    let (current, heard) = (record.long(record::RECEIVING_EPOCH), record.number(record::SPARSE_RECEIVED));
    let associated_data = record.key(record::ASSOCIATED_DATA);
    let name = |epoch, count| if count > 0 { chain_name(associated_data, epoch) } else { [0; KEY_BYTES] };
    let mut epoch = current;
    let (mut start, mut chain) = (heard.wrapping_add(1), record.key(record::SPARSE_RECEIVING));
    let mut tail = None;
    if place.is_new {
        tail = (place.tail > 0).then(|| Tail {
            chain: name(current, place.tail),
            start,
            numbering: Numbering::From(start),
            key: chain,
            count: place.tail,
        });
        epoch = u64::from(pq.epoch) - 1;
        (start, chain) = (1, record.key(record::FOLLOWING_RECEIVING));
        draft.put(record::RECEIVING_EPOCH, &epoch.to_be_bytes());
        draft.clear(record::FOLLOWING_RECEIVING, KEY_BYTES);
    }
    let (gap, before) = Gap::walk(name(epoch, place.gap), start, Numbering::From(start), chain, place.gap);
    let (next, key) = sparse_step(&before, pq.number);
    draft.put(record::SPARSE_RECEIVING, &next[..]);
    draft.put(record::SPARSE_RECEIVED, &pq.number.to_be_bytes());
    Found { key, tail, gap }
}

/// Refuses, before any derivation, an epoch that no honest peer is in.  PQR-4
pub(crate) fn check_epoch(record: &Record, pq: &PqHeader) -> Option<()> {
    let ahead = u64::from(record.braid == Braid::Ct2Sampled);
    (u64::from(pq.epoch) <= record.long(record::EPOCH) + ahead).then_some(())
}

/// Moves the braid by an authenticated message.
pub(crate) fn step_braid<'a>(record: &Record<'a>, draft: &mut Draft<'a>, pq: &PqHeader) -> Option<()> {
    let epoch = record.long(record::EPOCH);
    if u64::from(pq.epoch) > epoch {
        draft.put(record::EPOCH, &u64::from(pq.epoch).to_be_bytes());
        stop_sending(draft, Braid::KeysUnsampled);
        return Some(());
    }
    if u64::from(pq.epoch) < epoch {
        return Some(());
    }
    match (record.braid, pq.kind) {
        (Braid::KeysSampled, Type::Ct1) => {
            exchange::begin_vector(record, draft)?;
            collect(record, Braid::HeaderSent, draft, pq)
        }
        (Braid::HeaderSent, Type::Ct1)
        | (Braid::EkSentCt1Received, Type::Ct2)
        | (Braid::NoHeaderReceived, Type::Hdr)
        | (Braid::Ct1Sampled, Type::Ek)
        | (Braid::Ct1Acknowledged, Type::Ek | Type::EkCt1Ack) => collect(record, record.braid, draft, pq),
        (Braid::Ct1Received, Type::Ct2) => {
            stop_sending(draft, Braid::EkSentCt1Received);
            collect(record, Braid::EkSentCt1Received, draft, pq)
        }
        (Braid::Ct1Sampled, Type::EkCt1Ack) => {
            // ct1 has arrived, so its text gives way; m can make it again.
            stop_sending(draft, Braid::Ct1Acknowledged);
            collect(record, Braid::Ct1Acknowledged, draft, pq)
        }
        (Braid::EkReceivedCt1Sampled, Type::Ct1Ack | Type::EkCt1Ack) => {
            stop_sending(draft, Braid::Ct2Sampled);
            std::mem::swap(&mut draft.outgoing, &mut draft.kept);
            Some(())
        }
        _ => Some(()),
    }
}

fn stop_sending(draft: &mut Draft, next: Braid) {
    draft.outgoing = Cow::Borrowed(&[]);
    draft.clear(record::SENT_CODEWORDS, 2);
    draft.set_braid(next);
}

/// Adds the codewords of a message to those of a state; takes the text if it is complete.  RAT-12
fn collect<'a>(record: &Record<'a>, state: Braid, draft: &mut Draft<'a>, pq: &PqHeader) -> Option<()> {
    let share = state.holds().incoming + 1;
    let missing = share - record.incoming.len() / ENTRY_BYTES;
    let codewords = (pq.first..=u16::MAX).zip(pq.codewords.chunks_exact(CODEWORD_BYTES));
    for (index, codeword) in codewords.filter(|(index, _)| !record.indices().any(|known| known == *index)) {
        if draft.arrived.len() / ENTRY_BYTES == missing {
            break;
        }
        draft.arrived.extend_from_slice(&index.to_be_bytes());
        draft.arrived.extend_from_slice(codeword);
    }
    if draft.arrived.len() / ENTRY_BYTES < missing {
        return Some(());
    }
    let text = restore(share, &[record.incoming, &draft.arrived].concat())?;
    exchange::complete(
        record,
        draft,
        state,
        &text,
        pq.kind == Type::EkCt1Ack || state == Braid::Ct1Acknowledged,
    )
}
