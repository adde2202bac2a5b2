"""The workers, on real PostgreSQL and in real processes."""
