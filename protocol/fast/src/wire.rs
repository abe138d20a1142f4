//! Messages that continue a session, read strictly and written (`spec/wire.md`). Initial messages are not read.

use crate::braid::Type;
use crate::erasure::CODEWORD_BYTES;
use crate::kdf::KEY_BYTES;
use crate::limits::{MAX_CODEWORD_INDEX, MAX_CODEWORDS, MAX_COUNTER, MAX_MESSAGE, MAX_PADDED, MIN_PADDED};
use crate::sealing::{SENT_NONCE_BYTES, TAG_BYTES};

/// Version 1, kind 2, six elements.
const RATCHET: [u8; 3] = [0x86, 1, 2];
/// Version 1, kind 5, twelve elements.
const TRIPLE: [u8; 3] = [0x8c, 1, 5];
const UINT: u8 = 0x00;
const BYTES: u8 = 0x40;
const ARRAY: u8 = 0x80;
const NULL: u8 = 0xf6;

/// What a message carries for the post-quantum ratchet.
#[derive(Clone, Copy)]
pub struct PqHeader<'a> {
    /// The epoch that is agreed on.
    pub epoch: u32,
    /// The message's number in its sparse chain, from 1.
    pub number: u32,
    /// The length of the sender's previous sparse chain.
    pub previous: u32,
    /// What the codewords are of.
    pub kind: Type,
    /// The index of the first codeword.
    pub first: u16,
    /// The codewords in a row.
    pub codewords: &'a [u8],
}

/// A message, taken apart.
pub struct Message<'a> {
    /// The sender's ratchet key.
    pub ratchet_key: &'a [u8; KEY_BYTES],
    /// PN.
    pub previous: u32,
    /// N.
    pub number: u32,
    /// What only a triple message has.
    pub pq: Option<PqHeader<'a>>,
    /// The bytes before the last element.
    pub header_bytes: &'a [u8],
    /// The nonce of 8 bytes, ciphertext, tag.
    pub sealed: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a ratchet or triple message; `None` for anything else.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Option<Self> {
        if data.len() > MAX_MESSAGE {
            return None;
        }
        let is_triple = match *data.first_chunk()? {
            RATCHET => false,
            TRIPLE => true,
            _ => return None,
        };
        let mut reader = Reader { data, at: RATCHET.len() };
        let ratchet_key = reader.blob(KEY_BYTES, KEY_BYTES)?.first_chunk()?;
        let (previous, number) = (reader.uint(0, MAX_COUNTER)?, reader.uint(0, MAX_COUNTER)?);
        let pq = if is_triple { Some(read_pq_header(&mut reader)?) } else { None };
        let header_bytes = &data[..reader.at];
        let overhead = SENT_NONCE_BYTES + TAG_BYTES;
        let sealed = reader.blob(overhead + MIN_PADDED, overhead + MAX_PADDED)?;
        let is_whole = reader.at == data.len();
        is_whole.then_some(Message { ratchet_key, previous, number, pq, header_bytes, sealed })
    }
}

fn read_pq_header<'a>(reader: &mut Reader<'a>) -> Option<PqHeader<'a>> {
    let (epoch, number) = (reader.uint(1, MAX_COUNTER)?, reader.uint(1, MAX_COUNTER)?);
    let previous = reader.uint(0, MAX_COUNTER)?;
    let kind = Type::of(reader.uint(0, MAX_COUNTER)?)?;
    if kind.is_bare() {
        let nulls = reader.null().is_some() && reader.null().is_some();
        return nulls.then_some(PqHeader { epoch, number, previous, kind, first: 0, codewords: &[] });
    }
    let first = u16::try_from(reader.uint(0, MAX_CODEWORD_INDEX.into())?).ok()?;
    let codewords = reader.blob(CODEWORD_BYTES, MAX_CODEWORDS * CODEWORD_BYTES)?;
    let last = usize::from(first) + codewords.len() / CODEWORD_BYTES - 1;
    let fits = codewords.len().is_multiple_of(CODEWORD_BYTES) && last <= MAX_CODEWORD_INDEX.into();
    fits.then_some(PqHeader { epoch, number, previous, kind, first, codewords })
}

/// A cursor over the elements of an array.
pub(crate) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begins behind what the data open with; `None` if they open with anything else.
    pub(crate) fn behind(opening: &[u8], data: &'a [u8]) -> Option<Self> {
        data.starts_with(opening).then_some(Reader { data, at: opening.len() })
    }

    /// The bytes that were read.
    pub(crate) fn passed(&self) -> &'a [u8] {
        &self.data[..self.at]
    }

    /// Whether all bytes were read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.data.len()
    }

    /// Reads the head of an array of `least` to `most` elements.
    pub(crate) fn array(&mut self, least: u32, most: u32) -> Option<u32> {
        self.head(ARRAY, least, most)
    }

    /// Reads a byte string of exactly `N` bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.blob(N, N)?.first_chunk()
    }

    /// Reads the head of a major type; its argument must be in its shortest form and within bounds.
    fn head(&mut self, major: u8, least: u32, most: u32) -> Option<u32> {
        let low = self.data.get(self.at)?.checked_sub(major)?;
        let rest = &self.data[self.at + 1..];
        let (argument, length, shortest_from) = match low {
            0..24 => (low.into(), 0, 0),
            24 => (u32::from(*rest.first()?), 1, 24),
            25 => (u32::from(u16::from_be_bytes(*rest.first_chunk()?)), 2, 1 << 8),
            26 => (u32::from_be_bytes(*rest.first_chunk()?), 4, 1 << 16),
            _ => return None, // eight bytes are never the shortest form of what is allowed
        };
        self.at += 1 + length;
        (argument >= shortest_from && (least..=most).contains(&argument)).then_some(argument)
    }

    pub(crate) fn uint(&mut self, least: u32, most: u32) -> Option<u32> {
        self.head(UINT, least, most)
    }

    pub(crate) fn blob(&mut self, least: usize, most: usize) -> Option<&'a [u8]> {
        let length = self.head(BYTES, u32::try_from(least).ok()?, u32::try_from(most).ok()?)?;
        let blob = self.data.get(self.at..)?.get(..length as usize)?;
        self.at += blob.len();
        Some(blob)
    }

    fn null(&mut self) -> Option<()> {
        let is_null = *self.data.get(self.at)? == NULL;
        self.at += 1;
        is_null.then_some(())
    }
}

/// Appends a message up to its last element.
pub fn write_header(
    out: &mut Vec<u8>,
    ratchet_key: &[u8; KEY_BYTES],
    previous: u32,
    number: u32,
    pq: Option<&PqHeader>,
) {
    out.extend_from_slice(if pq.is_some() { &TRIPLE } else { &RATCHET });
    write_head(out, BYTES, 32);
    out.extend_from_slice(ratchet_key);
    write_head(out, UINT, previous);
    write_head(out, UINT, number);
    if let Some(pq) = pq {
        for number in [pq.epoch, pq.number, pq.previous, pq.kind as u32] {
            write_head(out, UINT, number);
        }
        if pq.kind.is_bare() {
            out.extend_from_slice(&[NULL, NULL]);
        } else {
            write_head(out, UINT, pq.first.into());
            write_blob_head(out, pq.codewords.len());
            out.extend_from_slice(pq.codewords);
        }
    }
}

/// Appends the head of a byte string of a length below 2^32.
pub fn write_blob_head(out: &mut Vec<u8>, length: usize) {
    write_head(out, BYTES, u32::try_from(length).unwrap_or(u32::MAX));
}

/// Returns how many bytes the head of a byte string has.
#[must_use]
pub fn blob_head_bytes(length: usize) -> usize {
    match length {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        _ => 5,
    }
}

fn write_head(out: &mut Vec<u8>, major: u8, argument: u32) {
    let [_, b, c, d] = argument.to_be_bytes();
    match argument {
        0..24 => out.push(major + d),
        24..0x100 => out.extend_from_slice(&[major + 24, d]),
        0x100..0x1_0000 => out.extend_from_slice(&[major + 25, c, d]),
        _ => {
            let _ = b;
            out.push(major + 26);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_around_it() {
        for number in [0, 23, 24, 255, 256, 65_535, 65_536, MAX_COUNTER] {
            let codewords = [7; 64];
            let pq = PqHeader {
                epoch: 1,
                number: 9,
                previous: number,
                kind: Type::Ek,
                first: 300,
                codewords: &codewords,
            };
            for pq in [None, Some(&pq)] {
                let mut message = Vec::new();
                write_header(&mut message, &[5; 32], number, number, pq);
                write_blob_head(&mut message, 56);
                message.extend_from_slice(&[1; 56]);
                let read = Message::read(&message);
                assert!(read.is_some_and(|read| read.number == number && read.pq.is_some() == pq.is_some()));
                for end in 0..message.len() {
                    assert!(Message::read(&message[..end]).is_none());
                }
                message.push(0);
                assert!(Message::read(&message).is_none());
            }
        }
    }

    #[test]
    fn heads_have_the_length_that_is_told() {
        for length in [0, 23, 24, 255, 256, 65_535, 65_536, MAX_PADDED] {
            let mut head = Vec::new();
            write_blob_head(&mut head, length);
            assert_eq!(head.len(), blob_head_bytes(length));
        }
    }
}
