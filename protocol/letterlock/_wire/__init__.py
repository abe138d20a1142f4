"""Messages and bundles to and from bytes: strict deterministic CBOR, and nothing else parses bytes."""
