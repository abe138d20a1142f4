//! The module that Python imports: lengths are checked, and bytes are handed on.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{erasure, kem};

/// What letterlock asks for before it uses anything else: it changes with every change of a function here.
const INTERFACE: u32 = 1;

const UNUSABLE: &str = "arguments do not fit: this is a bug of the caller";

fn unusable() -> PyErr {
    PyValueError::new_err(UNUSABLE)
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

/// Native steps for letterlock. Use letterlock, which finds this module by itself.
#[pymodule]
fn letterlock_fast(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", INTERFACE)?;
    module.add_function(wrap_pyfunction!(codewords, module)?)?;
    module.add_function(wrap_pyfunction!(restore, module)?)?;
    module.add_function(wrap_pyfunction!(encapsulate_header, module)?)?;
    module.add_function(wrap_pyfunction!(encapsulate_vector, module)?)
}
