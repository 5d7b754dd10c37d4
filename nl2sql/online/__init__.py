"""Ops 5 to 9: ground, link, generate, repair, select."""
