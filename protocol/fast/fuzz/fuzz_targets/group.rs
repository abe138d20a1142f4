//! Any bytes that a member sealed, and any text: no panic, what is read lies in its bounds, and no forgery opens.

#![no_main]

use letterlock_fast::group::{Chain, Content, open_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(content) = Content::read(input) {
        assert!(input.ends_with(content.text));
        assert!(content.heard.len() <= 4);
        assert!(content.heard.iter().all(|each| each.since <= each.number));
    }
    let chain = Chain { public: &[9; 32], number: 0, key: &[7; 32] };
    assert!(open_text(&chain, input, &[8; 32]).is_none(), "nobody signed it");
});
