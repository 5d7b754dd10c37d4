"""Sentences: the order of tasks, one flow per file."""
