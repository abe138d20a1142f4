"""Test vectors: run them, and let another implementation be asked, or ask, the same questions."""
