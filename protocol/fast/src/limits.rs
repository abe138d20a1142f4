//! The limits of `letterlock.limits` that are asked for here.

/// The greatest message number, chain length and epoch.
pub const MAX_COUNTER: u32 = u32::MAX;
/// Bytes of the longest plaintext.
pub const MAX_PLAINTEXT: usize = 16 * 1024 * 1024;
/// Bytes of the shortest padded plaintext.
pub const MIN_PADDED: usize = 32;
/// Bytes of the longest padded plaintext.
pub const MAX_PADDED: usize = MAX_PLAINTEXT + 512 * 1024;
/// Bytes of a whole message.
pub const MAX_MESSAGE: usize = MAX_PADDED + 4096;
/// Codewords in one message.
pub const MAX_CODEWORDS: usize = 64;
/// The greatest index of a codeword.
pub const MAX_CODEWORD_INDEX: u16 = u16::MAX;
/// The most messages for which a session can yield.
pub const MAX_CROSSED_MESSAGES: u32 = 16;
/// Bytes of the longest header of an initial message.
pub const MAX_HANDSHAKE: usize = 4096;
/// The number of the last message of a chain that carries as many computed codewords as fit.
pub const FULL_CODEWORDS_UNTIL: u32 = 4;
/// Later messages carry a computed codeword if this divides their number.
pub const COMPUTED_CODEWORD_INTERVAL: u32 = 4;
/// The most messages that one message can skip in one chain.
pub const MAX_SKIP: u32 = 2000;
/// The greatest id of a device.
pub const MAX_ID: u32 = u32::MAX;
/// Bytes of an encoded group text.
pub const MAX_GROUP_TEXT: usize = 17 * 1024 * 1024 + 1024;
/// The most texts that one text of a group can skip.
pub const MAX_GROUP_SKIP: u32 = 2000;
/// Heads of other chains in one text of a group.
pub const MAX_HEARD: u32 = 4;
/// Members of a group.
pub const MAX_GROUP_MEMBERS: u32 = 1000;
/// The most chain steps that are taken for a message under a ratchet key that is not known.  SES-9
const MAX_TRIAL_STEPS: u32 = 4 * MAX_SKIP;
// A message skips at most MAX_SKIP in each of its two chains, so one session alone never comes near the limit.
const _: () = assert!(2 * MAX_SKIP < MAX_TRIAL_STEPS);
