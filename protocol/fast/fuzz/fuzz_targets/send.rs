//! Any record and any entropy: no panic, and what is sent has the length that was told.
//!
//! Input: the length of a record in two bytes, the record, the entropy.

#![no_main]

use letterlock_fast::record::Record;
use letterlock_fast::send::{draws, prepare};
use libfuzzer_sys::fuzz_target;

const TEXT: &[u8] = b"a text";

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk() else { return };
    let Some((record, entropy)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let told: usize = draws(record).iter().sum();
    let Some(next) = prepare(record, TEXT.len(), entropy) else { return };
    assert_eq!(told, entropy.len());
    assert!(Record::read(&next.record).is_some(), "a record leads to a record");
    let mut message = vec![0; next.message_bytes()];
    assert_eq!(next.seal(TEXT, &mut message), Some(()));
});
