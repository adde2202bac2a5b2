"""The storage floor, on real SQLite and real PostgreSQL."""
