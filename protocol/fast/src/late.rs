//! A message that is late in its chains: its keys were kept when it was skipped, and the chains stay as they are.

use zeroize::Zeroizing;

use crate::kdf::{KEY_BYTES, Key, chain_name, hybrid};
use crate::receive::{check_epoch, step_braid};
use crate::record::{self, Record, State, Suite};
use crate::sealing::open;
use crate::wire::Message;

/// Where a key is kept: the name of its chain in a store, and the number of its message.
pub type Place = ([u8; KEY_BYTES], u32);

/// A late message, once it has authenticated.
pub struct Late {
    /// The record after the message, if it changed.
    pub record: Option<Zeroizing<Vec<u8>>>,
    /// The plaintext, its mark and its padding.
    pub padded: Zeroizing<Vec<u8>>,
    /// The length of the plaintext.
    pub length: usize,
}

/// Returns where the keys of a late message are kept: the double ratchet's, then the sparse one's if there is one.
///
/// `None` if the message is late in neither chain or in one alone, or takes Python's way.
#[must_use]
pub fn places(bytes: &[u8], message: &[u8]) -> Option<(Place, Option<Place>)> {
    find(&Record::read(bytes)?, &Message::read(message)?)
}

/// Opens a message with the keys that are kept at its places; `None` if it is a forgery, or takes Python's way.
#[must_use]
pub fn receive_late(
    bytes: &[u8],
    message: &[u8],
    double: &[u8; KEY_BYTES],
    sparse: Option<&[u8; KEY_BYTES]>,
) -> Option<Late> {
    let (record, message) = (Record::read(bytes)?, Message::read(message)?);
    let (_, place) = find(&record, &message)?;
    let key = match (place, sparse) {
        (None, None) => Key::new(*double),
        (Some(_), Some(sparse)) => hybrid(double, sparse),
        _ => return None,
    };
    let associated_data = [record.key(record::ASSOCIATED_DATA), message.header_bytes].concat();
    let (padded, length) = open(&key, message.sealed, &associated_data)?;
    // The tag has verified. A late message moves no chain, but the codewords in it still count.  RAT-6
    let mut after = None;
    if let Some(pq) = &message.pq {
        let mut draft = record.draft();
        step_braid(&record, &mut draft, pq)?;
        if draft.is_changed() {
            after = Some(draft.finish()?);
        }
    }
    Some(Late { record: after, padded, length })
}

fn find(record: &Record, message: &Message) -> Option<(Place, Option<Place>)> {
    let in_chain = message.ratchet_key == record.key(record::THEIRS);
    if record.state == State::Unanswered || (in_chain && message.number >= record.number(record::RECEIVED)) {
        return None;
    }
    // What is read here came alone. The first chain of a peer that began the session comes in initial messages.
    if !record.handshake.is_empty() && message.previous == 0 {
        return None; // SES-15
    }
    let double = (*message.ratchet_key, message.number);
    match (record.suite, &message.pq) {
        (Suite::X3dh, None) => Some((double, None)),
        (Suite::Pqxdh, Some(pq)) => {
            check_epoch(record, pq)?;
            let epoch = u64::from(pq.epoch) - 1;
            let heard = (record.long(record::RECEIVING_EPOCH), record.number(record::SPARSE_RECEIVED));
            let chain = chain_name(record.key(record::ASSOCIATED_DATA), epoch);
            ((epoch, pq.number) <= heard).then_some((double, Some((chain, pq.number))))
        }
        _ => None, // PQR-8
    }
}
