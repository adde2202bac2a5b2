"""Tampering with a ledger as whoever owns its file could, and what verification says of it."""
