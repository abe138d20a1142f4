//! The in-order steps of a letterlock session, texts of groups, the costly parts of the post-quantum ratchet, and
//! the primitives of a handshake.
//!
//! Python defines every answer. A function here gives exactly the same one, or none at all; then Python takes
//! its own way. Nothing here is a design of its own, and no state is kept between two calls.
//!
//! Not here: errors and their texts, entropy, storage.

#[forbid(unsafe_code)]
pub mod at_rest;
#[forbid(unsafe_code)]
pub mod braid;
#[forbid(unsafe_code)]
pub mod curve;
#[forbid(unsafe_code)]
pub mod erasure;
#[forbid(unsafe_code)]
pub mod exchange;
#[forbid(unsafe_code)]
pub mod group;
#[forbid(unsafe_code)]
pub mod kdf;
#[forbid(unsafe_code)]
pub mod kem;
#[forbid(unsafe_code)]
pub mod kem1024;
#[forbid(unsafe_code)]
pub mod labels;
#[forbid(unsafe_code)]
pub mod late;
#[forbid(unsafe_code)]
pub mod limits;
#[cfg(feature = "python")]
mod python;
#[forbid(unsafe_code)]
pub mod receive;
#[forbid(unsafe_code)]
pub mod record;
#[forbid(unsafe_code)]
pub mod sealing;
#[forbid(unsafe_code)]
pub mod send;
#[forbid(unsafe_code)]
pub mod signature;
#[forbid(unsafe_code)]
pub mod skipped;
#[forbid(unsafe_code)]
pub mod wire;
