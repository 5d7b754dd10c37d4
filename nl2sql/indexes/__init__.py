"""Op 1: cells, columns and examples, built offline and looked up online."""
