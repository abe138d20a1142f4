//! Any record, any message and any keys: no panic, and an opened message leads to a record.
//!
//! Input: the length of a record in two bytes, the record, two keys of 32 bytes, the message.

#![no_main]

use letterlock_fast::late::{places, receive_late};
use letterlock_fast::receive::receive;
use letterlock_fast::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk() else { return };
    let Some((record, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let Some((double, rest)) = rest.split_first_chunk() else { return };
    let Some((sparse, message)) = rest.split_first_chunk() else { return };
    let sparse = match places(record, message) {
        None => return assert!(receive_late(record, message, double, Some(sparse)).is_none()),
        Some((_, place)) => place.map(|_| sparse),
    };
    if let Some(late) = receive_late(record, message, double, sparse) {
        assert!(receive(record, message).is_none(), "a message is late or not");
        assert!(late.length < late.padded.len());
        assert!(late.record.is_none_or(|after| Record::read(&after).is_some()), "a record leads to a record");
    }
});
