"""Run SQL from a stranger against a SQLite file: read-only, limited in time, rows and memory."""
