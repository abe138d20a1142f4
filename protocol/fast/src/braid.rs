//! The states of the ML-KEM Braid, and what each of them holds (`spec/storage.md`).

use crate::kem::{FIRST_BYTES, HEADER_BYTES, SECOND_BYTES, VECTOR_BYTES};

const MAC_BYTES: usize = 32;
/// Bytes of a header with its MAC.
pub const HEADER_TEXT: usize = HEADER_BYTES + MAC_BYTES;
/// Bytes of ct2 with the MAC of the ciphertext.
pub const SECOND_TEXT: usize = SECOND_BYTES + MAC_BYTES;

/// The braid's states, by their number in a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A new key is to be made and its header sent.
    KeysUnsampled,
    /// The header is sent.
    KeysSampled,
    /// The vector is sent; ct1 is collected.
    HeaderSent,
    /// The vector is sent; ct1 is here.
    Ct1Received,
    /// ct2 is collected.
    EkSentCt1Received,
    /// The header is collected.
    NoHeaderReceived,
    /// m is to be drawn, and ct1 sent.
    HeaderReceived,
    /// ct1 is sent; the vector is collected.
    Ct1Sampled,
    /// ct1 is sent; the vector is here.
    EkReceivedCt1Sampled,
    /// ct1 has arrived; the vector is collected.
    Ct1Acknowledged,
    /// ct2 is sent.
    Ct2Sampled,
}

use State::{
    Ct1Acknowledged, Ct1Received, Ct1Sampled, Ct2Sampled, EkReceivedCt1Sampled, EkSentCt1Received,
    HeaderReceived, HeaderSent, KeysSampled, KeysUnsampled, NoHeaderReceived,
};

const STATES: [State; 11] = [
    KeysUnsampled,
    KeysSampled,
    HeaderSent,
    Ct1Received,
    EkSentCt1Received,
    NoHeaderReceived,
    HeaderReceived,
    Ct1Sampled,
    EkReceivedCt1Sampled,
    Ct1Acknowledged,
    Ct2Sampled,
];

/// Which text the codewords of a message belong to, by its number on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Nothing.
    None = 0,
    /// The header and its MAC.
    Hdr = 1,
    /// The vector.
    Ek = 2,
    /// The vector; ct1 has arrived.
    EkCt1Ack = 3,
    /// Nothing; ct1 has arrived.
    Ct1Ack = 4,
    /// ct1.
    Ct1 = 5,
    /// ct2 and the MAC.
    Ct2 = 6,
}

impl Type {
    /// Returns the type of a number.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        const TYPES: [Type; 7] =
            [Type::None, Type::Hdr, Type::Ek, Type::EkCt1Ack, Type::Ct1Ack, Type::Ct1, Type::Ct2];
        TYPES.get(usize::try_from(number).ok()?).copied()
    }

    /// Returns the type of a message that spares the codewords: an acknowledgement goes on.  PQR-9
    #[must_use]
    pub fn without_codewords(self) -> Self {
        if matches!(self, Type::EkCt1Ack | Type::Ct1Ack) { Type::Ct1Ack } else { Type::None }
    }

    /// Whether it carries no codewords.
    #[must_use]
    pub fn is_bare(self) -> bool {
        matches!(self, Type::None | Type::Ct1Ack)
    }
}

/// Which secret a state has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// None.
    None,
    /// The seed of our key pair.
    Seed,
    /// m, the randomness of an encapsulation.
    Randomness,
}

/// What a state holds: its secret, the bytes of its texts, and how many codewords at most it has collected.
pub struct Holds {
    /// Its secret.
    pub secret: Secret,
    /// Bytes of the text that it sends, or 0.
    pub outgoing: usize,
    /// Codewords at most: one less than give the text.
    pub incoming: usize,
    /// Bytes of what it keeps.
    pub kept: usize,
}

impl State {
    /// Returns the state of a number.
    #[must_use]
    pub fn of(number: u32) -> Option<Self> {
        STATES.get(usize::try_from(number).ok()?).copied()
    }

    /// Returns what a state holds.
    #[must_use]
    pub fn holds(self) -> Holds {
        let (secret, outgoing, text, kept) = match self {
            KeysUnsampled => (Secret::None, 0, 0, 0),
            KeysSampled => (Secret::Seed, HEADER_TEXT, 0, 0),
            HeaderSent => (Secret::Seed, VECTOR_BYTES, FIRST_BYTES, 0),
            Ct1Received => (Secret::Seed, VECTOR_BYTES, 0, FIRST_BYTES),
            EkSentCt1Received => (Secret::Seed, 0, SECOND_TEXT, FIRST_BYTES),
            NoHeaderReceived => (Secret::None, 0, HEADER_TEXT, 0),
            HeaderReceived => (Secret::None, 0, 0, HEADER_BYTES),
            Ct1Sampled => (Secret::Randomness, FIRST_BYTES, VECTOR_BYTES, HEADER_BYTES),
            EkReceivedCt1Sampled => (Secret::None, FIRST_BYTES, 0, SECOND_TEXT),
            Ct1Acknowledged => (Secret::Randomness, 0, VECTOR_BYTES, HEADER_BYTES),
            Ct2Sampled => (Secret::None, SECOND_TEXT, 0, 0),
        };
        Holds { secret, outgoing, incoming: (text / crate::erasure::CODEWORD_BYTES).saturating_sub(1), kept }
    }

    /// Whether the epoch's secret is known already.
    #[must_use]
    pub fn has_secret(self) -> bool {
        matches!(self, Ct1Sampled | EkReceivedCt1Sampled | Ct1Acknowledged | Ct2Sampled)
    }

    /// Whether the chain that we last sent in may belong to the epoch before.
    #[must_use]
    pub fn begins(self) -> bool {
        matches!(self, KeysUnsampled | NoHeaderReceived | HeaderReceived)
    }

    /// Returns the type of the messages that a state sends.
    #[must_use]
    pub fn sends(self) -> Type {
        match self {
            KeysUnsampled | KeysSampled => Type::Hdr,
            HeaderSent => Type::Ek,
            Ct1Received => Type::EkCt1Ack,
            EkSentCt1Received => Type::Ct1Ack,
            NoHeaderReceived | Ct1Acknowledged => Type::None,
            HeaderReceived | Ct1Sampled | EkReceivedCt1Sampled => Type::Ct1,
            Ct2Sampled => Type::Ct2,
        }
    }
}
