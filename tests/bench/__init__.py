"""Measurements against hand-written floors and ordinary code; run them with ``make bench``."""
