//! The in-order steps of a letterlock session, and the costly parts of its post-quantum ratchet.
//!
//! Python defines every answer. A function here gives exactly the same one, or none at all; then Python takes
//! its own way. Nothing here is a design of its own, and no state is kept between two calls.
//!
//! Not here: errors and their texts, entropy, storage.

#[forbid(unsafe_code)]
pub mod erasure;
#[forbid(unsafe_code)]
pub mod kem;
#[cfg(feature = "python")]
mod python;
