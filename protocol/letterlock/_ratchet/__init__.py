"""The double ratchet: pure state transitions, no I/O, no randomness of its own."""
