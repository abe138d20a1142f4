//! A text of a group that is not late: its signature, its chain, its tag, and what it holds (`spec/groups.md`).

use zeroize::Zeroizing;

use crate::kdf::{KEY_BYTES, Key, Numbering, message_keys, walk};
use crate::labels::{GROUP_SIGNATURE, GROUP_TEXT};
use crate::limits::{
    MAX_COUNTER, MAX_GROUP_MEMBERS, MAX_GROUP_SKIP, MAX_GROUP_TEXT, MAX_HEARD, MAX_ID, MAX_PLAINTEXT,
    MIN_PADDED,
};
use crate::sealing::{SENT_NONCE_BYTES, TAG_BYTES, open};
use crate::signature::{SIGNATURE_BYTES, verifies};
use crate::wire::Reader;

/// An array of ten elements, version 1, kind 28.
const TEXT: [u8; 4] = [0x8a, 1, 0x18, 28];
/// An array of three elements.
const CONTENT: [u8; 1] = [0x83];
const GROUP_ID_BYTES: usize = 16;

/// What a device has of the chain of another one.
pub struct Chain<'a> {
    /// Under which its texts are signed in this epoch.
    pub public: &'a [u8; KEY_BYTES],
    /// The number of the next text.
    pub number: u32,
    /// The chain key of that text.
    pub key: &'a [u8; KEY_BYTES],
}

/// An authentic text.
pub struct Opened {
    /// The chain key behind the text.
    pub key: Key,
    /// The keys of the texts that it skipped, joined.
    pub skipped: Zeroizing<Vec<u8>>,
    padded: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Opened {
    /// What the sender sealed; `None` if that is no content.
    #[must_use]
    pub fn content(&self) -> Option<Content<'_>> {
        Content::read(&self.padded[..self.length])
    }
}

/// Opens a text; `None` if it is late or a forgery, or takes Python's way.
///
/// The caller says that the text is of this chain, and has the hash of the entry which it names.
#[must_use]
pub fn open_text(chain: &Chain, text: &[u8], entry_hash: &[u8; KEY_BYTES]) -> Option<Opened> {
    let text = Text::read(text)?;
    // All limits are checked before anything is derived.
    let gap = text.number.checked_sub(chain.number)?;
    if gap > MAX_GROUP_SKIP {
        return None;
    }
    if !verifies(chain.public, &[GROUP_SIGNATURE, entry_hash, text.signed].concat(), text.signature) {
        return None;
    }
    let (passed, after) = walk(chain.key, Numbering::None, gap + 1);
    let (passed, own) = passed.split_at(gap as usize);
    let own = message_keys(own, Numbering::None);
    let associated_data = [GROUP_TEXT, entry_hash, text.header].concat();
    let (padded, length) = open(own.first_chunk()?, text.sealed, &associated_data)?;
    // The tag has verified. Now the keys of what was skipped are worth deriving.  GRP-7
    let skipped = message_keys(passed, Numbering::None);
    Some(Opened { key: after, skipped, padded, length })
}

/// A text as it travels, taken apart.
struct Text<'a> {
    number: u32,
    /// The bytes before `sealed`.
    header: &'a [u8],
    sealed: &'a [u8],
    /// The bytes before the signature.
    signed: &'a [u8],
    signature: &'a [u8; SIGNATURE_BYTES],
}

impl<'a> Text<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        if data.len() > MAX_GROUP_TEXT {
            return None;
        }
        let mut reader = Reader::behind(&TEXT, data)?;
        reader.bytes::<GROUP_ID_BYTES>()?;
        let (_epoch, _entry) = (reader.uint(1, MAX_COUNTER)?, reader.uint(1, MAX_COUNTER)?);
        reader.bytes::<KEY_BYTES>()?;
        let (_device, number) = (reader.uint(1, MAX_ID)?, reader.uint(0, MAX_COUNTER)?);
        let header = reader.passed();
        let sealed = reader.blob(SENT_NONCE_BYTES + MIN_PADDED + TAG_BYTES, MAX_GROUP_TEXT)?;
        let signed = reader.passed();
        let signature = reader.bytes()?;
        reader.is_at_end().then_some(Text { number, header, sealed, signed, signature })
    }
}

/// What the sealed bytes of a text hold.
pub struct Content<'a> {
    /// The head of the sender's chain before the text.
    pub head_before: &'a [u8; KEY_BYTES],
    /// Heads of the chains of others.
    pub heard: Vec<Heard<'a>>,
    /// The text itself.
    pub text: &'a [u8],
}

/// The head of another device's chain, as the sender received it.
pub struct Heard<'a> {
    /// The place of the device's user among the members.
    pub member: u32,
    /// Which of the user's devices.
    pub device: u32,
    /// The first of the texts that were read.
    pub since: u32,
    /// The last of them.
    pub number: u32,
    /// The head behind that one.
    pub head: &'a [u8; KEY_BYTES],
}

impl<'a> Content<'a> {
    /// Reads what a member sealed; `None` if Python has to say what is wrong with it.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::behind(&CONTENT, data)?;
        let head_before = reader.bytes()?;
        let count = reader.array(0, MAX_HEARD)?;
        let heard = (0..count).map(|_| Heard::read(&mut reader)).collect::<Option<Vec<_>>>()?;
        let text = reader.blob(0, MAX_PLAINTEXT)?;
        let fits = heard.is_sorted_by(|one, other| one.place() < other.place()) && reader.is_at_end();
        fits.then_some(Content { head_before, heard, text })
    }
}

impl<'a> Heard<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        reader.array(5, 5)?;
        let (member, device) = (reader.uint(0, MAX_GROUP_MEMBERS - 1)?, reader.uint(1, MAX_ID)?);
        let (since, number) = (reader.uint(0, MAX_COUNTER)?, reader.uint(0, MAX_COUNTER)?);
        let head = reader.bytes()?;
        (since <= number).then_some(Heard { member, device, since, number, head })
    }

    fn place(&self) -> (u32, u32) {
        (self.member, self.device)
    }
}

#[cfg(all(test, target_arch = "x86_64", not(miri)))]
mod tests {
    use graviola::signing::eddsa::Ed25519SigningKey;

    use super::*;
    use crate::sealing::{padded_length, seal};
    use crate::wire::write_blob_head;

    const ENTRY_HASH: &[u8; KEY_BYTES] = &[9; KEY_BYTES];
    const KEY: &[u8; KEY_BYTES] = &[7; KEY_BYTES];

    fn signing_key() -> Option<Ed25519SigningKey> {
        Ed25519SigningKey::from_bytes(&[4; 32]).ok()
    }

    fn public() -> [u8; KEY_BYTES] {
        signing_key().map_or([0; KEY_BYTES], |key| key.public_key().as_bytes())
    }

    /// The text of this number, when the next one has number 5.
    fn sealed(number: u8, content: &[u8]) -> Vec<u8> {
        let (passed, _) = walk(KEY, Numbering::None, u32::from(number) - 4);
        let keys = message_keys(&passed, Numbering::None);
        let mut text = [&TEXT[..], &[0x50], &[1; 16], &[1, 1, 0x58, 32], &[2; 32], &[1, number]].concat();
        let associated_data = [GROUP_TEXT, ENTRY_HASH, &text].concat();
        let mut sealed = vec![0; padded_length(content.len()) + SENT_NONCE_BYTES + TAG_BYTES];
        let key = keys.last_chunk().copied().unwrap_or_default();
        assert_eq!(seal(&key, [3; 8], content, &associated_data, &mut sealed), Some(()));
        write_blob_head(&mut text, sealed.len());
        text.extend_from_slice(&sealed);
        let signature = signing_key().map(|key| key.sign(&[GROUP_SIGNATURE, ENTRY_HASH, &text].concat()));
        write_blob_head(&mut text, SIGNATURE_BYTES);
        text.extend_from_slice(&signature.unwrap_or([0; SIGNATURE_BYTES]));
        text
    }

    fn opened(text: &[u8]) -> Option<Opened> {
        open_text(&Chain { public: &public(), number: 5, key: KEY }, text, ENTRY_HASH)
    }

    fn head(first: u8, last: u8) -> Vec<u8> {
        [&[0x85, 3, first, 0, last, 0x58, 32][..], &[6; 32]].concat()
    }

    fn content(heads: &[Vec<u8>]) -> Vec<u8> {
        let count = u8::try_from(heads.len()).unwrap_or_default();
        [&[0x83, 0x58, 32][..], &[5; 32], &[0x80 + count], &heads.concat(), b"\x44text"].concat()
    }

    #[test]
    fn a_text_opens_and_no_other_bytes_do() {
        let mut text = sealed(5, &content(&[head(1, 0), head(2, 8)]));
        let read = opened(&text);
        assert!(read.as_ref().is_some_and(|opened| opened.skipped.is_empty()));
        assert!(
            read.and_then(|opened| opened.content().map(|content| content.text == b"text")) == Some(true)
        );
        for at in 0..text.len() {
            text[at] ^= 1;
            assert!(opened(&text).is_none());
            text[at] ^= 1;
            assert!(opened(&text[..at]).is_none());
        }
        text.push(0);
        assert!(opened(&text).is_none());
    }

    #[test]
    fn texts_of_another_entry_or_key_do_not_open() {
        let (text, public) = (sealed(5, &content(&[])), public());
        assert!(open_text(&Chain { public: &public, number: 5, key: KEY }, &text, KEY).is_none());
        assert!(open_text(&Chain { public: &[1; 32], number: 5, key: KEY }, &text, ENTRY_HASH).is_none());
        assert!(open_text(&Chain { public: &public, number: 5, key: &public }, &text, ENTRY_HASH).is_none());
        assert!(open_text(&Chain { public: &public, number: 6, key: KEY }, &text, ENTRY_HASH).is_none());
    }

    #[test]
    fn a_gap_leaves_keys_for_what_it_skipped() {
        let (passed, _) = walk(KEY, Numbering::None, 3);
        let (_, after) = walk(KEY, Numbering::None, 4);
        let read = opened(&sealed(8, &content(&[])));
        assert!(read.is_some_and(|opened| {
            opened.key == after && opened.skipped == message_keys(&passed, Numbering::None)
        }));
    }

    #[test]
    fn what_is_no_content_is_given_to_nobody() {
        let heads = [head(1, 0), head(2, 0), head(3, 0), head(4, 0), head(5, 0)];
        assert!(Content::read(&content(&heads[..4])).is_some_and(|content| content.heard.len() == 4));
        let swapped = [heads[1].clone(), heads[0].clone()];
        let twice = [heads[0].clone(), heads[0].clone()];
        let backwards = [[&[0x85, 3, 1, 9, 8, 0x58, 32][..], &[6; 32]].concat()];
        for wrong in [&heads[..], &swapped, &twice, &backwards, &[head(0, 0)]] {
            assert!(Content::read(&content(wrong)).is_none());
        }
        let right = content(&heads[..1]);
        for end in 0..right.len() {
            assert!(Content::read(&right[..end]).is_none());
        }
        assert!(Content::read(&[&right[..], &[0]].concat()).is_none());
        assert!(opened(&sealed(5, &right[1..])).is_some_and(|opened| opened.content().is_none()));
    }
}
