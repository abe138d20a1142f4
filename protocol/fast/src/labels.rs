//! The labels of protocol version 1, as in `_primitives/labels.py`.

/// Of a step of the root chain.
pub const ROOT_STEP: &[u8] = b"letterlock-v1 root step";
/// Of a new epoch of the sparse chains.
pub const PQ_CHAIN_ADD_EPOCH: &[u8] = b"letterlock-v1 pq chain add epoch";
/// Of the key that seals a message.
pub const PQ_HYBRID: &[u8] = b"letterlock-v1 pq hybrid";
/// Of an update of the braid's authenticator.
pub const PQ_AUTHENTICATOR: &[u8] = b"letterlock-v1 pq authenticator update";
/// Of an epoch's secret.
pub const PQ_EPOCH_SECRET: &[u8] = b"letterlock-v1 pq epoch secret";
/// Of the MAC of a header.
pub const PQ_HEADER: &[u8] = b"letterlock-v1 pq header";
/// Of the MAC of a ciphertext.
pub const PQ_CIPHERTEXT: &[u8] = b"letterlock-v1 pq ciphertext";
/// Of the name of an epoch's receiving chain.
pub const PQ_CHAIN_NAME: &[u8] = b"letterlock-v1 pq chain name";
/// Of what the tag of a group text authenticates.
pub const GROUP_TEXT: &[u8] = b"letterlock-v1 text of a group";
/// Of what the signature of a group text signs.
pub const GROUP_SIGNATURE: &[u8] = b"letterlock-v1 signature of a group text";
