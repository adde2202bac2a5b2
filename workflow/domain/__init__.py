"""The rules: what a case is, which steps are legal, and why. No I/O, no clock, no SQL."""
