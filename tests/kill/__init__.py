"""Kills: a writing process is ended half-way, and what it acknowledged has to be there."""
