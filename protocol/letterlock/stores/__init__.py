"""Where an account lives between calls. Stores know records, not keys."""
