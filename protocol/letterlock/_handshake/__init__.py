"""How two parties who were never online together come to share a secret: X3DH and PQXDH."""
