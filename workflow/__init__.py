"""Holdfast: hold a restricted account until the work that makes its release safe is recorded."""

__version__ = "0.1.0"
