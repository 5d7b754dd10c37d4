"""Ops 2 to 4: what local models learn from, and how they are trained."""
