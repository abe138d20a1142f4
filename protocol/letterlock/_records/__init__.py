"""Everything a store keeps, as bytes: one codec a file."""
