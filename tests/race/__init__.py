"""Races: many processes want the same case at once."""
