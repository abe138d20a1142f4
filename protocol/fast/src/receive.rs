//! The next message of the peer: in its chain, or with the turn of the ratchet. No gap, nothing late.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::braid::{State as Braid, Type};
use crate::erasure::{CODEWORD_BYTES, ENTRY_BYTES, restore};
use crate::kdf::{KEY_BYTES, Key, chain_step, hybrid, root_step, sparse_step};
use crate::limits::MAX_COUNTER;
use crate::record::{self, Draft, Record, State, Suite};
use crate::sealing::open;
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
}

/// Opens the very next message of a session; `None` if it is another one, a forgery, or takes Python's way.
#[must_use]
pub fn receive(bytes: &[u8], message: &[u8]) -> Option<Received> {
    let (record, message) = (Record::read(bytes)?, Message::read(message)?);
    // What is read here came alone. The first chain of a peer that began the session comes in initial messages.
    if record.state != State::Unanswered && !record.handshake.is_empty() && message.previous == 0 {
        return None; // SES-15
    }
    let mut draft = record.draft();
    let double_key = step_double(&record, &mut draft, &message)?;
    let key = match (record.suite, &message.pq) {
        (Suite::X3dh, None) => double_key,
        (Suite::Pqxdh, Some(pq)) => {
            check_epoch(&record, pq)?;
            let key = step_sparse(&record, &mut draft, pq)?;
            hybrid(&double_key, &key)
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
    Some(Received { record: draft.finish()?, padded, length })
}

/// Moves the double ratchet to the message; returns its key.
fn step_double<'a>(record: &Record<'a>, draft: &mut Draft<'a>, message: &Message) -> Option<Key> {
    if record.state != State::Unanswered && message.ratchet_key == record.key(record::THEIRS) {
        let number = record.number(record::RECEIVED);
        if message.number != number || number == MAX_COUNTER {
            return None;
        }
        let (chain, key) = chain_step(record.key(record::RECEIVING));
        draft.put(record::RECEIVING, &chain[..]);
        draft.put(record::RECEIVED, &(number + 1).to_be_bytes());
        return Some(key);
    }
    let heard =
        if record.state == State::Unanswered { message.previous } else { record.number(record::RECEIVED) };
    let is_next = message.number == 0 && message.previous == heard;
    // In Hearing the peer cannot have a new key.  RAT-4   A signed prekey heads no chain.  RAT-3
    if record.state == State::Hearing || message.ratchet_key == record.key(record::THEIRS) || !is_next {
        return None;
    }
    if !curve::is_acceptable(message.ratchet_key) {
        return None;
    }
    let agreement = curve::agree(record.key(record::PRIVATE), message.ratchet_key)?;
    let (root, chain) = root_step(record.key(record::ROOT), &agreement);
    let (chain, key) = chain_step(&chain);
    draft.set_state(State::Hearing);
    draft.put(record::ROOT, &root[..]);
    draft.put(record::PREVIOUS, &record.number(record::SENT).to_be_bytes());
    draft.clear(record::PRIVATE, record::SENT + 4 - record::PRIVATE);
    draft.put(record::THEIRS, message.ratchet_key);
    draft.put(record::RECEIVING, &chain[..]);
    draft.put(record::RECEIVED, &1_u32.to_be_bytes());
    if record.state == State::Unanswered {
        draft.handshake = &[];
    }
    Some(key)
}

/// Moves the sparse ratchet to the message; returns its key.
fn step_sparse(record: &Record, draft: &mut Draft, pq: &PqHeader) -> Option<Key> {
    let epoch = u64::from(pq.epoch) - 1;
    let current = record.long(record::RECEIVING_EPOCH);
    let mut chain = record.key(record::SPARSE_RECEIVING);
    let mut number = record.number(record::SPARSE_RECEIVED);
    if epoch != current {
        let has_next = record.long(record::LATEST) == epoch && current + 1 == epoch;
        if !has_next || pq.previous != number {
            return None;
        }
        (number, chain) = (0, record.key(record::FOLLOWING_RECEIVING));
        draft.put(record::RECEIVING_EPOCH, &epoch.to_be_bytes());
        draft.clear(record::FOLLOWING_RECEIVING, KEY_BYTES);
    }
    if Some(pq.number) != number.checked_add(1) {
        return None;
    }
    let (next, key) = sparse_step(chain, pq.number);
    draft.put(record::SPARSE_RECEIVING, &next[..]);
    draft.put(record::SPARSE_RECEIVED, &pq.number.to_be_bytes());
    Some(key)
}

/// Refuses, before any derivation, an epoch that no honest peer is in.  PQR-4
fn check_epoch(record: &Record, pq: &PqHeader) -> Option<()> {
    let ahead = u64::from(record.braid == Braid::Ct2Sampled);
    (u64::from(pq.epoch) <= record.long(record::EPOCH) + ahead).then_some(())
}

/// Moves the braid by an authenticated message.
fn step_braid<'a>(record: &Record<'a>, draft: &mut Draft<'a>, pq: &PqHeader) -> Option<()> {
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
