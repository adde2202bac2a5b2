"""Backups are taken of a ledger that several processes are writing to; each has to verify."""
