//! The module that Python imports: lengths are checked, and bytes are handed on.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::sealing::TAG_BYTES;
use crate::skipped::Skipped;
use crate::{
    at_rest, curve, erasure, group, kdf, kem, kem1024, late, receive as received, send as sending, signature,
};

/// What letterlock asks for before it uses anything else: it changes with every change of a function here.
const INTERFACE: u32 = 6;

/// From this many bytes of text on, other threads may run meanwhile: below, handing over costs more than it gains.
const LONG: usize = 4096;

const UNUSABLE: &str = "arguments do not fit: this is a bug of the caller";

fn unusable() -> PyErr {
    PyValueError::new_err(UNUSABLE)
}

/// Return X25519 of a private and a public key of 32 bytes each, or None if it is all zero.
#[pyfunction]
fn agree<'py>(py: Python<'py>, private: &[u8], public: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let private = private.try_into().map_err(|_| unusable())?;
    let shared = curve::agree(private, public.try_into().map_err(|_| unusable())?);
    Ok(shared.map(|shared| PyBytes::new(py, &*shared)))
}

/// Return the public half of a private key of 32 bytes.
#[pyfunction]
fn public_of<'py>(py: Python<'py>, private: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &curve::public_of(private.try_into().map_err(|_| unusable())?)))
}

/// Return whether a signature verifies under an Edwards key. False says nothing: libsodium decides then.
#[pyfunction]
fn verifies(public: &[u8], message: &[u8], signed: &[u8]) -> PyResult<bool> {
    let signed = signed.try_into().map_err(|_| unusable())?;
    Ok(signature::verifies(public.try_into().map_err(|_| unusable())?, message, signed))
}

/// Return HKDF-SHA-256, 1 to 8,160 bytes.
#[pyfunction]
fn hkdf<'py>(
    py: Python<'py>,
    salt: &[u8],
    ikm: &[u8],
    info: &[u8],
    length: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let okm = kdf::hkdf_of_length(salt, ikm, info, length).ok_or_else(unusable)?;
    Ok(PyBytes::new(py, &okm))
}

/// A key pair of ML-KEM-1024. Python holds it, and never sees the expanded private key.
#[pyclass(frozen)]
struct KemKey(kem1024::KeyPair);

#[pymethods]
impl KemKey {
    /// Return ek, 1,568 bytes.
    fn public<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.public())
    }

    /// Return K of a ciphertext of 1,568 bytes; of a forged one, another K.
    fn decapsulate<'py>(&self, py: Python<'py>, ciphertext: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let secret = self.0.decapsulate(ciphertext.try_into().map_err(|_| unusable())?);
        Ok(PyBytes::new(py, &*secret))
    }
}

/// Return the key pair of ML-KEM-1024 that a seed of 64 bytes gives.
#[pyfunction]
fn kem_key(seed: &[u8]) -> PyResult<KemKey> {
    Ok(KemKey(kem1024::KeyPair::of(seed.try_into().map_err(|_| unusable())?)))
}

/// Return whether 1,568 bytes are a canonical ek of ML-KEM-1024.
#[pyfunction]
fn is_kem_public(public: &[u8]) -> PyResult<bool> {
    Ok(kem1024::is_canonical(public.try_into().map_err(|_| unusable())?))
}

/// Return K and a ciphertext for an ek of 1,568 bytes, and m of 32 bytes.
#[pyfunction]
fn encapsulate<'py>(
    py: Python<'py>,
    public: &[u8],
    m: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (public, m) = (public.try_into().map_err(|_| unusable())?, m.try_into().map_err(|_| unusable())?);
    let (secret, ciphertext) = kem1024::encapsulate(public, m).ok_or_else(unusable)?;
    Ok((PyBytes::new(py, &*secret), PyBytes::new(py, &ciphertext)))
}

/// Return the codewords of a text from one index up to another, joined.
#[pyfunction]
fn codewords<'py>(py: Python<'py>, text: &[u8], first: usize, end: usize) -> PyResult<Bound<'py, PyBytes>> {
    let joined = erasure::codewords(text, first, end).ok_or_else(unusable)?;
    Ok(PyBytes::new(py, &joined))
}

/// Return the text of `share` codewords; each entry is an index in two bytes and a codeword.
#[pyfunction]
fn restore<'py>(py: Python<'py>, share: usize, entries: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let text = erasure::restore(share, entries).ok_or_else(unusable)?;
    Ok(PyBytes::new(py, &text))
}

/// Return K and ct1 for a header of 64 bytes and m of 32 bytes.
#[pyfunction]
fn encapsulate_header<'py>(
    py: Python<'py>,
    header: &[u8],
    m: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (header, m) = (header.try_into().map_err(|_| unusable())?, m.try_into().map_err(|_| unusable())?);
    let (secret, first) = kem::encapsulate_header(header, m).ok_or_else(unusable)?;
    Ok((PyBytes::new(py, &*secret), PyBytes::new(py, &first)))
}

/// Return ct2 for a header of 64 bytes, a vector of 1,152 bytes that belongs to it, and the same m.
#[pyfunction]
fn encapsulate_vector<'py>(
    py: Python<'py>,
    header: &[u8],
    vector: &[u8],
    m: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (header, vector) =
        (header.try_into().map_err(|_| unusable())?, vector.try_into().map_err(|_| unusable())?);
    let m = m.try_into().map_err(|_| unusable())?;
    let second = kem::encapsulate_vector(header, vector, m).ok_or_else(unusable)?;
    Ok(PyBytes::new(py, &second))
}

/// Return how many random bytes the next message of a session draws: a list, empty where `send` returns None.
#[pyfunction]
fn draws(record: &[u8]) -> Vec<usize> {
    sending::draws(record)
}

/// Return the record after the next message and the message, or None: then Python's way is taken.
#[pyfunction]
fn send<'py>(
    py: Python<'py>,
    record: &[u8],
    plaintext: &[u8],
    entropy: &[u8],
) -> PyResult<Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
    let Some(next) = sending::prepare(record, plaintext.len(), entropy) else { return Ok(None) };
    let message = PyBytes::new_with(py, next.message_bytes(), |out| {
        let sealed = if plaintext.len() < LONG {
            next.seal(plaintext, out)
        } else {
            py.detach(|| next.seal(plaintext, out))
        };
        sealed.ok_or_else(unusable)
    })?;
    Ok(Some((PyBytes::new(py, &next.record), message)))
}

/// Keys of messages that were skipped in a row: chain, number of the first message, keys.
type Range<'py> = (Bound<'py, PyBytes>, u32, Bound<'py, PyBytes>);
/// What a message skipped in both ratchets.
type Halves<'py> = (Vec<Range<'py>>, Vec<Range<'py>>);

fn ranges<'py>(py: Python<'py>, skipped: &[Skipped]) -> Vec<Range<'py>> {
    skipped
        .iter()
        .map(|range| (PyBytes::new(py, &range.chain), range.start, PyBytes::new(py, &range.keys)))
        .collect()
}

/// Return the record after a message that is not late, its plaintext, and None or what it skipped.
///
/// None instead of all that: then Python's way is taken.
#[pyfunction]
fn receive<'py>(
    py: Python<'py>,
    record: &[u8],
    message: &[u8],
) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Option<Halves<'py>>)> {
    let opened = if message.len() < LONG {
        received::receive(record, message)
    } else {
        py.detach(|| received::receive(record, message))
    }?;
    let (double, sparse) = (ranges(py, &opened.double), ranges(py, &opened.sparse));
    let skipped = (!double.is_empty() || !sparse.is_empty()).then_some((double, sparse));
    let plaintext = PyBytes::new(py, &opened.padded[..opened.length]);
    Some((PyBytes::new(py, &opened.record), plaintext, skipped))
}

/// Return where the keys of a late message are kept, chain and number of each: none, one or two of them.
#[pyfunction]
fn places<'py>(py: Python<'py>, record: &[u8], message: &[u8]) -> Vec<(Bound<'py, PyBytes>, u32)> {
    let Some((double, sparse)) = late::places(record, message) else { return Vec::new() };
    [Some(double), sparse]
        .into_iter()
        .flatten()
        .map(|(chain, number)| (PyBytes::new(py, &chain), number))
        .collect()
}

/// The changed record after a late message, and its plaintext.
type Late<'py> = (Option<Bound<'py, PyBytes>>, Bound<'py, PyBytes>);

/// Return None or the changed record after a late message, and its plaintext. The keys are in the order of `places`.
///
/// None instead of all that: then Python's way is taken.
#[pyfunction]
#[pyo3(signature = (record, message, double, sparse = None, /))]
fn receive_late<'py>(
    py: Python<'py>,
    record: &[u8],
    message: &[u8],
    double: &[u8],
    sparse: Option<&[u8]>,
) -> PyResult<Option<Late<'py>>> {
    let double = double.try_into().map_err(|_| unusable())?;
    let sparse = sparse.map(TryInto::try_into).transpose().map_err(|_| unusable())?;
    let opened = if message.len() < LONG {
        late::receive_late(record, message, double, sparse)
    } else {
        py.detach(|| late::receive_late(record, message, double, sparse))
    };
    Ok(opened.map(|opened| {
        let record = opened.record.map(|record| PyBytes::new(py, &record));
        (record, PyBytes::new(py, &opened.padded[..opened.length]))
    }))
}

/// A head of another chain: member, device, the first and the last text that were read, head.
type Heard<'py> = (u32, u32, u32, u32, Bound<'py, PyBytes>);
/// The chain key behind a text, the keys that it skipped, the head before it, heads of others, and the text itself.
type GroupText<'py> =
    (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Vec<Heard<'py>>, Bound<'py, PyBytes>);

/// Return what a text of a group that is not late leads to. `number` and `key` are of the next text of its chain.
///
/// None instead of all that: then Python's way is taken.
#[pyfunction]
fn open_group_text<'py>(
    py: Python<'py>,
    public: &[u8],
    number: u32,
    key: &[u8],
    text: &[u8],
    entry_hash: &[u8],
) -> PyResult<Option<GroupText<'py>>> {
    let (public, key) = (public.try_into().map_err(|_| unusable())?, key.try_into().map_err(|_| unusable())?);
    let entry_hash = entry_hash.try_into().map_err(|_| unusable())?;
    let chain = group::Chain { public, number, key };
    let opened = if text.len() < LONG {
        group::open_text(&chain, text, entry_hash)
    } else {
        py.detach(|| group::open_text(&chain, text, entry_hash))
    };
    let Some(opened) = opened else { return Ok(None) };
    Ok(opened.content().map(|content| {
        let heard = content
            .heard
            .iter()
            .map(|each| (each.member, each.device, each.since, each.number, PyBytes::new(py, each.head)));
        (
            PyBytes::new(py, &*opened.key),
            PyBytes::new(py, &opened.skipped),
            PyBytes::new(py, content.head_before),
            heard.collect(),
            PyBytes::new(py, content.text),
        )
    }))
}

/// Return ciphertext and tag of a row under XChaCha20-Poly1305.
#[pyfunction]
fn seal_at_rest<'py>(
    py: Python<'py>,
    key: &[u8],
    nonce: &[u8],
    plaintext: &[u8],
    associated_data: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let (key, nonce) = (key.try_into().map_err(|_| unusable())?, nonce.try_into().map_err(|_| unusable())?);
    PyBytes::new_with(py, plaintext.len() + TAG_BYTES, |out| {
        at_rest::seal(key, nonce, plaintext, associated_data, out).ok_or_else(unusable)
    })
}

/// Return the plaintext of a row, or None if its tag does not verify.
#[pyfunction]
fn open_at_rest<'py>(
    py: Python<'py>,
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
    associated_data: &[u8],
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let (key, nonce) = (key.try_into().map_err(|_| unusable())?, nonce.try_into().map_err(|_| unusable())?);
    let Some(length) = sealed.len().checked_sub(TAG_BYTES) else { return Ok(None) };
    let mut is_authentic = false;
    let opened = PyBytes::new_with(py, length, |out| {
        is_authentic = at_rest::open(key, nonce, sealed, associated_data, out).is_some();
        Ok(())
    })?;
    Ok(is_authentic.then_some(opened))
}

/// Native steps for letterlock. Use letterlock, which finds this module by itself.
#[pymodule]
fn letterlock_fast(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", INTERFACE)?;
    module.add_function(wrap_pyfunction!(draws, module)?)?;
    module.add_function(wrap_pyfunction!(send, module)?)?;
    module.add_function(wrap_pyfunction!(receive, module)?)?;
    module.add_function(wrap_pyfunction!(places, module)?)?;
    module.add_function(wrap_pyfunction!(receive_late, module)?)?;
    module.add_function(wrap_pyfunction!(open_group_text, module)?)?;
    module.add_function(wrap_pyfunction!(agree, module)?)?;
    module.add_function(wrap_pyfunction!(public_of, module)?)?;
    module.add_function(wrap_pyfunction!(verifies, module)?)?;
    module.add_function(wrap_pyfunction!(hkdf, module)?)?;
    module.add_function(wrap_pyfunction!(kem_key, module)?)?;
    module.add_function(wrap_pyfunction!(is_kem_public, module)?)?;
    module.add_function(wrap_pyfunction!(encapsulate, module)?)?;
    module.add_function(wrap_pyfunction!(seal_at_rest, module)?)?;
    module.add_function(wrap_pyfunction!(open_at_rest, module)?)?;
    module.add_function(wrap_pyfunction!(codewords, module)?)?;
    module.add_function(wrap_pyfunction!(restore, module)?)?;
    module.add_function(wrap_pyfunction!(encapsulate_header, module)?)?;
    module.add_function(wrap_pyfunction!(encapsulate_vector, module)?)
}
