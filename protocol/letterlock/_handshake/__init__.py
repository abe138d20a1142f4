"""X3DH and PQXDH: two parties agree on a secret although they were never online together."""
