"""Op 0: statistics, keys and the mechanical description of a database's columns."""
