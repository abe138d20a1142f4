//! The flat record of a session: where each field stands, and what a record may hold (`spec/storage.md`).
//!
//! A record is checked whole before any of it is used. Python refuses what is not accepted here.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::erasure::ENTRY_BYTES;
use crate::kdf::KEY_BYTES;
use crate::kem::SEED_BYTES;
use crate::limits::{MAX_COUNTER, MAX_CROSSED_MESSAGES, MAX_HANDSHAKE};
use crate::{braid, curve};

const FORMAT: u8 = 2;
const SUITE: usize = 1;
const STATE: usize = 2;
const FLAGS: usize = 3;
const YIELDS: usize = 4;
const BORN: usize = 8;
/// When the session began, until it was answered.  SES-17   In every other active session 0.
pub const ARCHIVED: usize = 16;
/// The session's associated data, 32 bytes.
pub const ASSOCIATED_DATA: usize = 24;
/// RK.
pub const ROOT: usize = 56;
/// Our ratchet private key.
pub const PRIVATE: usize = 88;
/// Our ratchet public key.
pub const PUBLIC: usize = 120;
/// `CKs`.
pub const SENDING: usize = 152;
/// Ns, the number of the next message.
pub const SENT: usize = 184;
/// PN, the length of our previous chain.
pub const PREVIOUS: usize = 188;
/// The peer's ratchet key, or its signed prekey.
pub const THEIRS: usize = 192;
/// `CKr`.
pub const RECEIVING: usize = 224;
/// Nr, the number of the next message expected.
pub const RECEIVED: usize = 256;
const HANDSHAKE_LENGTH: usize = 260;
const HEAD_BYTES: usize = 264;

/// RK of the sparse ratchet.
pub const SPARSE_ROOT: usize = 264;
/// The latest epoch of the sparse ratchet.
pub const LATEST: usize = 296;
/// The epoch of the sending chain.
pub const SENDING_EPOCH: usize = 304;
/// The epoch of the receiving chain.
pub const RECEIVING_EPOCH: usize = 312;
/// The number of the last message sent in the sparse chain.
pub const SPARSE_SENT: usize = 320;
/// The number of the last message received in the sparse chain.
pub const SPARSE_RECEIVED: usize = 324;
/// The length of our previous sparse chain.
pub const SPARSE_PREVIOUS: usize = 328;
/// The braid's state, 0 to 10.
pub const BRAID: usize = 332;
/// The sparse chain key for sending.
pub const SPARSE_SENDING: usize = 336;
/// The sparse chain key for receiving.
pub const SPARSE_RECEIVING: usize = 368;
/// The first key of the next epoch's sending chain.
pub const FOLLOWING_SENDING: usize = 400;
/// The first key of the next epoch's receiving chain.
pub const FOLLOWING_RECEIVING: usize = 432;
/// The epoch that the braid agrees on.
pub const EPOCH: usize = 464;
/// The authenticator's root.
pub const AUTHENTICATOR_ROOT: usize = 472;
/// The authenticator's key.
pub const AUTHENTICATOR_KEY: usize = 504;
/// The seed, or m and 32 zeros.
pub const SECRET: usize = 536;
/// The index of the next codeword to send.
pub const SENT_CODEWORDS: usize = 600;
const OUTGOING_LENGTH: usize = 602;
const INCOMING_LENGTH: usize = 604;
const KEPT_LENGTH: usize = 606;
const TRIPLE_BYTES: usize = 608;

const PROMOTE_NEXT: u8 = 1;
const IS_INITIATOR: u8 = 2;

/// The suite of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// X3DH, with the double ratchet.
    X3dh,
    /// PQXDH, with the triple ratchet.
    Pqxdh,
}

/// The state of the double ratchet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// We initiated, and the peer has not answered.
    Unanswered = 0,
    /// The peer spoke last.
    Hearing = 1,
    /// We have answered.
    Speaking = 2,
}

/// A record that has been checked.
pub struct Record<'a> {
    /// Its suite.
    pub suite: Suite,
    /// The state of its double ratchet.
    pub state: State,
    /// The state of its braid; of the X3DH suite it is the first one, and means nothing.
    pub braid: braid::State,
    head: &'a [u8],
    /// The text that the braid sends.
    pub outgoing: &'a [u8],
    /// The entries that it has collected.
    pub incoming: &'a [u8],
    /// What it keeps for later.
    pub kept: &'a [u8],
    /// The header to repeat, or the id of the peer's handshake, or nothing.
    pub handshake: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a record of a session that is not archived; `None` if it is not one that Python would write.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let suite = match (bytes.first()?, bytes.get(SUITE)?) {
            (&FORMAT, 1) => Suite::X3dh,
            (&FORMAT, 2) => Suite::Pqxdh,
            _ => return None,
        };
        let head_bytes = if suite == Suite::X3dh { HEAD_BYTES } else { TRIPLE_BYTES };
        let (head, rest) = bytes.split_at_checked(head_bytes)?;
        let state = match head[STATE] {
            0 => State::Unanswered,
            1 => State::Hearing,
            2 => State::Speaking,
            _ => return None,
        };
        let mut record = Record {
            suite,
            state,
            braid: braid::State::KeysUnsampled,
            head,
            outgoing: &[],
            incoming: &[],
            kept: &[],
            handshake: rest,
        };
        if suite == Suite::Pqxdh {
            record.braid = braid::State::of(record.number(BRAID))?;
            let (outgoing, rest) = rest.split_at_checked(record.short(OUTGOING_LENGTH).into())?;
            let (incoming, rest) = rest.split_at_checked(record.short(INCOMING_LENGTH).into())?;
            let (kept, rest) = rest.split_at_checked(record.short(KEPT_LENGTH).into())?;
            (record.outgoing, record.incoming, record.kept, record.handshake) =
                (outgoing, incoming, kept, rest);
        }
        let fits = record.fits_double() && (suite == Suite::X3dh || record.fits_triple());
        fits.then_some(record)
    }

    fn fits_double(&self) -> bool {
        let (flags, yields) = (self.head[FLAGS], self.number(YIELDS));
        let length = self.handshake.len();
        let known = if self.suite == Suite::X3dh { PROMOTE_NEXT } else { PROMOTE_NEXT | IS_INITIATOR };
        let is_unanswered = self.state == State::Unanswered;
        let one_state = match self.state {
            State::Unanswered => {
                flags & PROMOTE_NEXT == 0
                    && yields == 0
                    && length <= MAX_HANDSHAKE
                    && self.is_zero(PREVIOUS, 4)
                    && self.is_zero(RECEIVING, KEY_BYTES + 4)
            }
            State::Hearing => self.is_zero(PRIVATE, SENT + 4 - PRIVATE),
            State::Speaking => true,
        };
        one_state
            && flags & !known == 0
            && yields <= MAX_CROSSED_MESSAGES
            && (is_unanswered || length == 0 || length == KEY_BYTES)
            && self.number(HANDSHAKE_LENGTH) as usize == length
            && self.long(BORN) >> 63 == 0
            && if is_unanswered { self.long(ARCHIVED) >> 63 == 0 } else { self.long(ARCHIVED) == 0 }
            && curve::is_acceptable(self.key(THEIRS))
            && (self.state == State::Hearing || curve::is_acceptable(self.key(PUBLIC)))
    }

    fn fits_triple(&self) -> bool {
        let holds = self.braid.holds();
        let secret = match holds.secret {
            braid::Secret::None => self.is_zero(SECRET, 2 * KEY_BYTES),
            braid::Secret::Randomness => self.is_zero(SECRET + KEY_BYTES, KEY_BYTES),
            braid::Secret::Seed => true,
        };
        let sends = holds.outgoing != 0 || self.short(SENT_CODEWORDS) == 0;
        let lengths = self.outgoing.len() == holds.outgoing
            && self.incoming.len() <= holds.incoming * ENTRY_BYTES
            && self.incoming.len().is_multiple_of(ENTRY_BYTES)
            && self.kept.len() == holds.kept;
        secret && sends && lengths && self.has_distinct_indices() && self.fits_epochs()
    }

    fn has_distinct_indices(&self) -> bool {
        self.indices()
            .enumerate()
            .all(|(count, index)| !self.indices().take(count).any(|other| other == index))
    }

    /// Whether the sparse chains are in the epochs that the braid implies.  STO-8
    fn fits_epochs(&self) -> bool {
        let epoch = self.long(EPOCH);
        let (latest, sending, receiving) =
            (self.long(LATEST), self.long(SENDING_EPOCH), self.long(RECEIVING_EPOCH));
        let Some(begun) = epoch.checked_sub(1) else { return false };
        let has_secret = self.braid.has_secret();
        let one_behind = |chain: u64| chain == begun || chain.checked_add(1) == Some(begun);
        let sends_in = if self.braid.begins() { one_behind(sending) } else { sending == begun };
        let hears_in = if self.braid == braid::State::NoHeaderReceived {
            one_behind(receiving)
        } else {
            receiving == begun
        };
        let follows = |chain: u64, key: usize| {
            if chain == latest { self.is_zero(key, KEY_BYTES) } else { chain.checked_add(1) == Some(latest) }
        };
        epoch <= MAX_COUNTER.into()
            && latest == if has_secret { epoch } else { begun }
            && sends_in
            && hears_in
            && follows(sending, FOLLOWING_SENDING)
            && follows(receiving, FOLLOWING_RECEIVING)
    }

    /// The indices of the codewords that were collected, in order of arrival.
    pub fn indices(&self) -> impl Iterator<Item = u16> {
        self.incoming.chunks_exact(ENTRY_BYTES).map(|entry| u16::from_be_bytes([entry[0], entry[1]]))
    }

    /// Returns the 32 bytes at an offset.
    #[must_use]
    pub fn key(&self, at: usize) -> &'a [u8; KEY_BYTES] {
        const NONE: &[u8; KEY_BYTES] = &[0; KEY_BYTES];
        self.head.get(at..).and_then(<[u8]>::first_chunk).unwrap_or(NONE)
    }

    /// Returns the four-byte number at an offset.
    #[must_use]
    pub fn number(&self, at: usize) -> u32 {
        self.head.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_be_bytes)
    }

    /// Returns the eight-byte number at an offset.
    #[must_use]
    pub fn long(&self, at: usize) -> u64 {
        self.head.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u64::from_be_bytes)
    }

    /// Returns the two-byte number at an offset.
    #[must_use]
    pub fn short(&self, at: usize) -> u16 {
        self.head.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u16::from_be_bytes)
    }

    /// Returns the seed of our key pair.
    #[must_use]
    pub fn seed(&self) -> Option<&'a [u8; SEED_BYTES]> {
        self.head.get(SECRET..)?.first_chunk()
    }

    fn is_zero(&self, at: usize, length: usize) -> bool {
        // All bytes are looked at, because some of them may be a secret that should not be there.
        self.head[at..at + length].iter().fold(0, |sum, byte| sum | byte) == 0
    }

    /// Returns the braid's state, if the session has a braid.
    #[must_use]
    pub fn braid_if_any(&self) -> Option<braid::State> {
        (self.suite == Suite::Pqxdh).then_some(self.braid)
    }

    /// Whether we initiated the sparse ratchet.
    #[must_use]
    pub fn is_initiator(&self) -> bool {
        self.head[FLAGS] & IS_INITIATOR != 0
    }

    /// Returns a copy to change.
    #[must_use]
    pub fn draft(&self) -> Draft<'a> {
        Draft {
            head: Zeroizing::new(self.head.to_vec()),
            outgoing: Cow::Borrowed(self.outgoing),
            incoming: self.incoming,
            arrived: Vec::new(),
            kept: Cow::Borrowed(self.kept),
            handshake: self.handshake,
            changed: false,
        }
    }
}

/// The next record of a session, while it is made.
pub struct Draft<'a> {
    head: Zeroizing<Vec<u8>>,
    /// See `Record`. What is here is sent in clear, sooner or later.
    pub outgoing: Cow<'a, [u8]>,
    /// See `Record`.
    pub incoming: &'a [u8],
    /// Entries to put behind `incoming`.
    pub arrived: Vec<u8>,
    /// See `Record`.
    pub kept: Cow<'a, [u8]>,
    /// See `Record`.
    pub handshake: &'a [u8],
    changed: bool,
}

impl Draft<'_> {
    /// Whether anything was put, cleared or collected.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed || !self.arrived.is_empty()
    }

    /// Puts bytes at an offset.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.changed = true;
        self.head[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Puts zeros at an offset.
    pub fn clear(&mut self, at: usize, length: usize) {
        self.changed = true;
        self.head[at..at + length].fill(0);
    }

    /// Sets the state of the double ratchet.
    pub fn set_state(&mut self, state: State) {
        self.head[STATE] = state as u8;
    }

    /// Sets the state of the braid.
    pub fn set_braid(&mut self, state: braid::State) {
        self.put(BRAID, &(state as u32).to_be_bytes());
    }

    /// Notes that the peer used the session while it was active: nothing is due, and it yields once less.  SES-12
    pub fn note_authenticated(&mut self) {
        self.head[FLAGS] &= !PROMOTE_NEXT;
        let yields = self.head[YIELDS..].first_chunk().copied().map_or(0, u32::from_be_bytes);
        self.put(YIELDS, &yields.saturating_sub(1).to_be_bytes());
    }

    /// Returns the record. It is wiped when it is dropped.
    #[must_use]
    pub fn finish(mut self) -> Option<Zeroizing<Vec<u8>>> {
        let incoming = self.incoming.len() + self.arrived.len();
        let rest = self.outgoing.len() + incoming + self.kept.len() + self.handshake.len();
        if self.head.len() == TRIPLE_BYTES {
            self.put(OUTGOING_LENGTH, &u16::try_from(self.outgoing.len()).ok()?.to_be_bytes());
            self.put(INCOMING_LENGTH, &u16::try_from(incoming).ok()?.to_be_bytes());
            self.put(KEPT_LENGTH, &u16::try_from(self.kept.len()).ok()?.to_be_bytes());
        }
        self.put(HANDSHAKE_LENGTH, &u32::try_from(self.handshake.len()).ok()?.to_be_bytes());
        // The capacity is exact: a growing vector would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.head.len() + rest));
        for part in [&self.head, &*self.outgoing, self.incoming, &self.arrived, &*self.kept, self.handshake] {
            bytes.extend_from_slice(part);
        }
        Some(bytes)
    }
}
