//! Any record and any message: no panic, and an opened message leads to a record.
//!
//! Input: the length of a record in two bytes, the record, the message.

#![no_main]

use letterlock_fast::kdf::KEY_BYTES;
use letterlock_fast::limits::MAX_SKIP;
use letterlock_fast::receive::receive;
use letterlock_fast::record::Record;
use letterlock_fast::wire::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk() else { return };
    let Some((record, message)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let _ = Message::read(message);
    if let Some(received) = receive(record, message) {
        assert!(Record::read(&received.record).is_some(), "a record leads to a record");
        assert!(received.length < received.padded.len());
        for skipped in received.double.iter().chain(&received.sparse) {
            assert!(skipped.keys.len().is_multiple_of(KEY_BYTES));
            assert!((1..=MAX_SKIP as usize).contains(&(skipped.keys.len() / KEY_BYTES)));
        }
    }
});
