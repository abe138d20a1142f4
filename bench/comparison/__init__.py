"""What `python bench/compare.py` and `python bench/scale.py` share."""
