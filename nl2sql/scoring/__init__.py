"""Execution accuracy, recall of linking and the statistics of a run."""
