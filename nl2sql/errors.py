"""Mistakes that a user can mend: printed as one line, without a traceback."""


class UserError(Exception):
    """States the value, the rule and the command that mends it."""
