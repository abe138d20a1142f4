//! The erasure code of `spec/pq-ratchet.md` \[RAT-12\]: any N codewords of 32 bytes give a text of 32 N bytes.
//!
//! The field is GF(2^16), polynomials modulo x^16 + x^12 + x^3 + x + 1, with the generator x. A codeword holds
//! sixteen elements, each on a polynomial of its own; all sixteen polynomials have the same points. So a
//! codeword is a sum of others, each times one weight. Everything here is sent in clear.

use std::sync::LazyLock;

/// Bytes of a codeword.
pub const CODEWORD_BYTES: usize = 32;
/// Bytes of an entry: the index of a codeword in two bytes, and the codeword.
pub const ENTRY_BYTES: usize = 2 + CODEWORD_BYTES;
/// Codewords of the longest text.
pub const MAX_SHARE: usize = 36;

const MODULUS: u32 = 0x1100B;
const ORDER: u32 = 0xFFFF;
/// The highest bit of each of the four elements in a `u64`.
const TOPS: u64 = 0x8000_8000_8000_8000;
/// What x^16 is reduced to.
const REDUCTION: u64 = 0x100B;

/// Four groups of four elements.
type Lanes = [u64; 4];

struct Tables {
    power: Vec<u16>,
    log: Vec<u16>,
}

/// The scales of the points 0 to N - 1, for each N: nearly every codeword that is sent lies on such a curve.
static SCALES: LazyLock<Vec<Vec<u32>>> =
    LazyLock::new(|| (0..=MAX_SHARE).map(|share| scales(&first_points(share))).collect());

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut power = vec![0; ORDER as usize];
    let mut log = vec![0; ORDER as usize + 1];
    let mut element = 1_u32;
    for exponent in 0..ORDER {
        power[exponent as usize] = low(element);
        log[element as usize] = low(exponent);
        element <<= 1;
        if element > ORDER {
            element ^= MODULUS;
        }
    }
    Tables { power, log }
});

fn low(number: u32) -> u16 {
    (number & ORDER) as u16
}

fn first_points(share: usize) -> Vec<u16> {
    (0..=u16::MAX).take(share).collect()
}

/// Returns the logarithm of 1 / product of (j - k) over all other points k, for each point j.
fn scales(points: &[u16]) -> Vec<u32> {
    let log = &TABLES.log;
    let of_point = |j: &u16| {
        let others = points.iter().filter(|k| *k != j);
        let sum: u32 = others.map(|k| u32::from(log[usize::from(j ^ k)])).sum();
        ORDER - sum % ORDER
    };
    points.iter().map(of_point).collect()
}

/// Returns the codewords of a text from index `first` up to `end`, joined; `None` if there are none such.
///
/// The length of `text` is a multiple of 32 and at most 1,152 bytes; `end` is at most 65,536.
#[must_use]
pub fn codewords(text: &[u8], first: usize, end: usize) -> Option<Vec<u8>> {
    let share = text.len() / CODEWORD_BYTES;
    let is_text = (1..=MAX_SHARE).contains(&share) && text.len().is_multiple_of(CODEWORD_BYTES);
    if !is_text || first > end || end > ORDER as usize + 1 {
        return None;
    }
    let mut joined = Vec::with_capacity((end - first) * CODEWORD_BYTES);
    joined.extend_from_slice(&text[first.min(share) * CODEWORD_BYTES..end.min(share) * CODEWORD_BYTES]);
    if end > share {
        let codewords = text.chunks_exact(CODEWORD_BYTES).map(read).collect();
        let curve = Curve { points: first_points(share), codewords, scales: SCALES[share].clone() };
        for index in first.max(share)..end {
            joined.extend_from_slice(&curve.at(u16::try_from(index).ok()?));
        }
    }
    Some(joined)
}

/// Returns the text of `share` codewords, each an entry of 34 bytes; `None` if an index repeats or one lacks.
#[must_use]
pub fn restore(share: usize, entries: &[u8]) -> Option<Vec<u8>> {
    if !(1..=MAX_SHARE).contains(&share) || entries.len() != share * ENTRY_BYTES {
        return None;
    }
    let mut points = Vec::with_capacity(share);
    let mut found: Vec<Option<&[u8]>> = vec![None; share];
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        let index = u16::from_be_bytes([entry[0], entry[1]]);
        if points.contains(&index) {
            return None;
        }
        points.push(index);
        if let Some(place) = found.get_mut(usize::from(index)) {
            *place = Some(&entry[2..]);
        }
    }
    let curve = found.contains(&None).then(|| {
        let codewords = entries.chunks_exact(ENTRY_BYTES).map(|entry| read(&entry[2..])).collect();
        Curve { scales: scales(&points), points, codewords }
    });
    let mut text = Vec::with_capacity(share * CODEWORD_BYTES);
    for (index, codeword) in (0..=u16::MAX).zip(found) {
        match (codeword, &curve) {
            (Some(codeword), _) => text.extend_from_slice(codeword),
            (None, Some(curve)) => text.extend_from_slice(&curve.at(index)),
            (None, None) => return None,
        }
    }
    Some(text)
}

/// The sixteen polynomials through some codewords; a subtraction is XOR.
struct Curve {
    points: Vec<u16>,
    codewords: Vec<Lanes>,
    scales: Vec<u32>,
}

impl Curve {
    /// Returns the codeword at an index that is not among the points.
    fn at(&self, index: u16) -> [u8; CODEWORD_BYTES] {
        let Tables { power, log } = &*TABLES;
        let logs: Vec<u32> =
            self.points.iter().map(|point| u32::from(log[usize::from(index ^ point)])).collect();
        let whole: u32 = logs.iter().sum();
        let weights: Vec<u16> = logs
            .iter()
            .zip(&self.scales)
            .map(|(each, scale)| power[((whole + scale + ORDER - each) % ORDER) as usize])
            .collect();
        // Horner's rule over the bits of the weights: the sum is doubled sixteen times, and no product is formed.
        let mut total: Lanes = [0; 4];
        for bit in (0..u16::BITS).rev() {
            for lanes in &mut total {
                let over = *lanes & TOPS;
                *lanes = ((*lanes ^ over) << 1) ^ ((over >> 15) * REDUCTION);
            }
            for (weight, codeword) in weights.iter().zip(&self.codewords) {
                let mask = u64::from(weight >> bit & 1).wrapping_neg();
                for (lanes, each) in total.iter_mut().zip(codeword) {
                    *lanes ^= each & mask;
                }
            }
        }
        write(&total)
    }
}

fn read(codeword: &[u8]) -> Lanes {
    let mut lanes = [0; 4];
    for (place, bytes) in lanes.iter_mut().zip(codeword.chunks_exact(8)) {
        *place = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    }
    lanes
}

fn write(lanes: &Lanes) -> [u8; CODEWORD_BYTES] {
    let mut codeword = [0; CODEWORD_BYTES];
    for (bytes, each) in codeword.chunks_exact_mut(8).zip(lanes) {
        bytes.copy_from_slice(&each.to_be_bytes());
    }
    codeword
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(share: usize) -> Vec<u8> {
        (0..share * CODEWORD_BYTES).map(|at| u8::try_from(at * 37 % 251).unwrap_or(0)).collect()
    }

    #[test]
    fn any_codewords_in_sufficient_number_give_the_text() {
        for share in [1, 2, 3, 5, 30, 36] {
            let text = text_of(share);
            for first in [0, 1, share, 200, 65_536 - share] {
                let codewords = codewords(&text, first, first + share).unwrap_or_default();
                let mut entries = Vec::new();
                for (index, codeword) in (first..).zip(codewords.chunks_exact(CODEWORD_BYTES)) {
                    entries.extend_from_slice(&u16::try_from(index).unwrap_or(0).to_be_bytes());
                    entries.extend_from_slice(codeword);
                }
                assert_eq!(restore(share, &entries), Some(text.clone()));
            }
        }
    }

    #[test]
    fn what_is_no_text_has_no_codewords() {
        for length in [0, 31, 33, 37 * 32] {
            assert_eq!(codewords(&vec![0; length], 0, 1), None);
        }
        let text = text_of(2);
        assert_eq!(codewords(&text, 2, 1), None);
        assert_eq!(codewords(&text, 0, 65_537), None);
        assert_eq!(codewords(&text, 7, 7), Some(Vec::new()));
    }

    #[test]
    fn too_few_entries_and_repeated_ones_give_no_text() {
        let entry = [0; ENTRY_BYTES];
        assert_eq!(restore(2, &entry), None);
        assert_eq!(restore(2, &[entry, entry].concat()), None);
        assert_eq!(restore(0, &[]), None);
        assert_eq!(restore(37, &[0; 37 * ENTRY_BYTES]), None);
    }
}
