"""The cryptographic building blocks, and the only code that imports `nacl` or `cryptography`."""
