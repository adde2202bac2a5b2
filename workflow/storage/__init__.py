"""The database: the only floor that speaks SQL."""
