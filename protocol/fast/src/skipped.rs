//! Messages that were skipped, and their keys.

use zeroize::Zeroizing;

use crate::kdf::{KEY_BYTES, Key, Numbering, Prepared, message_keys, walk};

/// The keys of messages that were skipped in a row, in one chain.
pub struct Skipped {
    /// The name of the chain in a store.
    pub chain: [u8; KEY_BYTES],
    /// The number of the first message.
    pub start: u32,
    /// A key for each message, joined.
    pub keys: Zeroizing<Vec<u8>>,
}

/// The messages between the last one of a chain and the one that arrived, with the chain key of each.
pub struct Gap {
    chain: [u8; KEY_BYTES],
    start: u32,
    numbering: Numbering,
    passed: Vec<Prepared>,
}

impl Gap {
    /// Walks over `count` messages of a chain; returns the chain key behind them too, and no gap if there is none.
    #[must_use]
    pub fn walk(
        chain: [u8; KEY_BYTES],
        start: u32,
        numbering: Numbering,
        key: &[u8; KEY_BYTES],
        count: u32,
    ) -> (Option<Self>, Key) {
        let (passed, key) = walk(key, numbering, count);
        let gap = (count > 0).then_some(Gap { chain, start, numbering, passed });
        (gap, key)
    }

    /// Makes the keys of the messages. Call it once the message beyond the gap has authenticated.  RAT-11
    #[must_use]
    pub fn keys(&self) -> Skipped {
        let keys = message_keys(&self.passed, self.numbering);
        Skipped { chain: self.chain, start: self.start, keys }
    }
}

/// The rest of a chain that a message ended: nothing is derived before the message has authenticated.
pub struct Tail<'a> {
    /// The name of the chain in a store.
    pub chain: [u8; KEY_BYTES],
    /// The number of the first message that is missing.
    pub start: u32,
    /// How steps are numbered.
    pub numbering: Numbering,
    /// The chain key of that message.
    pub key: &'a [u8; KEY_BYTES],
    /// How many messages are missing.
    pub count: u32,
}

/// What one ratchet has for a message: its key, and what it skips.
pub struct Found<'a> {
    /// The message's key.
    pub key: Key,
    /// What is missing of the chain before.
    pub tail: Option<Tail<'a>>,
    /// What is missing of its own chain.
    pub gap: Option<Gap>,
}

impl Found<'_> {
    /// Makes the keys of everything skipped, the older chain first.  RAT-11
    #[must_use]
    pub fn skipped(&self) -> Vec<Skipped> {
        let tail = self
            .tail
            .as_ref()
            .and_then(|tail| Gap::walk(tail.chain, tail.start, tail.numbering, tail.key, tail.count).0);
        tail.iter().chain(&self.gap).map(Gap::keys).collect()
    }
}
