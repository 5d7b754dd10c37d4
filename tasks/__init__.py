"""Verbs on disk: read artifacts, make one pure call, write an artifact. Retries and caching live here."""
