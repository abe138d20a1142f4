"""The sessions with one peer device, each from its handshake to its last message."""
