"""One conversation with one peer device, from the handshake to its last message."""
