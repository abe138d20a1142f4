"""Fixtures of the documents' tests."""

from support.json_case import case

__all__ = ["case"]
