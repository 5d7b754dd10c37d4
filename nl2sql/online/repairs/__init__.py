"""The deterministic repairs, in the order in which they are tried. Each one's name is the action that is recorded."""

from nl2sql.online.repairs.failure import MakeRepair
from nl2sql.online.repairs.functions import quote_date_part, translate_dialect
from nl2sql.online.repairs.joins import join_on_keys, join_owner, join_through
from nl2sql.online.repairs.literals import (
    look_up_key,
    match_whole_day,
    move_to_sibling,
    pad_date,
    respell_value,
    use_boolean_value,
    use_close_value,
    use_containing_value,
)
from nl2sql.online.repairs.names import (
    qualify_ambiguous,
    qualify_with_owner,
    quote_string,
    use_close_column,
    use_close_table,
    use_referencing_column,
)
from nl2sql.online.repairs.statements import (
    close_quote,
    double_apostrophes,
    drop_repeated_distinct,
    quote_dates,
    quote_names,
    quote_words,
    take_first_statement,
)

# For statements that do not run: text first, since the others need a tree; the surest facts before the guesses.
ERROR_REPAIRS: tuple[MakeRepair, ...] = (
    take_first_statement,
    double_apostrophes,
    close_quote,
    quote_names,
    quote_words,
    drop_repeated_distinct,
    translate_dialect,
    quote_string,
    qualify_with_owner,
    qualify_ambiguous,
    use_referencing_column,
    use_close_table,
    join_owner,
    use_close_column,
)

# For statements that return nothing: here the database shows that what was written cannot have been meant.
BLANK_REPAIRS: tuple[MakeRepair, ...] = (
    quote_dates,
    pad_date,
    quote_date_part,
    use_boolean_value,
    respell_value,
    match_whole_day,
    move_to_sibling,
    look_up_key,
    join_on_keys,
    join_through,
)

# And here it cannot: who asks for a name that nobody has is right to get nothing. Only where an empty result is wrong.
EMPTY_REPAIRS: tuple[MakeRepair, ...] = (
    use_close_value,
    use_containing_value,
)

REPAIRS: tuple[MakeRepair, ...] = ERROR_REPAIRS + BLANK_REPAIRS + EMPTY_REPAIRS
