"""Fixtures of the stores' tests."""

from support.cli_tools import fast_path

__all__ = ["fast_path"]
