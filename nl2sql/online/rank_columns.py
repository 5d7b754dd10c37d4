"""Order a database's columns for one question: by their scores, and by what the tables that they belong to need."""

from collections.abc import Collection, Sequence

import numpy as np

from nl2sql.online.join_paths import JoinGraph, key_columns
from nl2sql.online.score_columns import ColumnScorer

LINKED_TABLE = 0.25  # what a column gains when its table is in S1
DRAFTED = 0.5  # what it gains when a draft uses it
SURE_CELL = 0.3  # and when it holds a surely matched cell
# A key is worth a share of what its tables are worth, which is the score of their best column; likewise the columns
# that name the rows of a table that a likely column refers to: who asks for the pupils of exams.sid wants their names.
JOINING_KEY = 0.8  # of the weaker one of two tables that it joins
PATH_KEY = 0.7  # of a table that it leads to from better ones, through others if need be
PRIMARY_KEY = 0.4  # of its table
NAME_OF_REFERENCED = 0.6  # of the column that refers
KEY_OF_REFERENCED = 0.5
PATH_TABLES = 5  # the best ones, which are joined by paths


class ColumnRanker:
    """What of a schema's keys and names is the same for every question, computed once."""

    def __init__(self, scorer: ColumnScorer, graph: JoinGraph) -> None:
        """Find the places of all keys and of the columns that name rows; linear in their number."""
        self.scorer, self.graph = scorer, graph
        keys = dict.fromkeys(key for edges in graph.edges.values() for _, _, key in edges)
        joined = [scorer.place(c.table, c.column) for key in keys for c in key_columns(key)]
        self._from, self._to = _places(joined[::2]), _places(joined[1::2])
        tables = graph.schema.tables
        self._primary = _places([scorer.place(t.name, c) for t in tables for c in t.primary_key])
        owners = scorer.table_of[self._to]
        pairs = [
            (int(name), int(at))
            for name in np.flatnonzero(scorer.naming)
            for at in np.flatnonzero(owners == scorer.table_of[name])
        ]
        self._names, named_by = _places([name for name, _ in pairs]), _places([at for _, at in pairs])
        self._referring = self._from[named_by]
        self._named = np.unique(named_by)  # keys to a table whose rows have names

    def rank(
        self,
        total: np.ndarray,
        linked: Collection[int],
        drafted: Collection[int] = (),
        celled: Collection[int] = (),
        keys: bool = True,
    ) -> np.ndarray:
        """The worth of every column: `total` is its score, `linked` the places of S1's columns, and so are the others.

        A column that is worth keeping so brings the keys that tie its table to others that are, and the names of what
        it refers to. Without `keys` every column stands for itself.
        """
        table_of = self.scorer.table_of
        meant = np.zeros(len(self.scorer.tables), bool)
        meant[table_of[list(linked)]] = True
        worth = total + LINKED_TABLE * meant[table_of]
        worth[list(drafted)] += DRAFTED
        worth[list(celled)] += SURE_CELL
        if not keys:
            return worth
        tables = np.zeros(len(meant))
        np.maximum.at(tables, table_of, worth)
        self._lift_keys(worth, tables)
        own = worth.copy()
        np.maximum.at(worth, self._names, NAME_OF_REFERENCED * own[self._referring])
        np.maximum.at(worth, self._to[self._named], KEY_OF_REFERENCED * own[self._from[self._named]])
        return worth

    def _lift_keys(self, worth: np.ndarray, tables: np.ndarray) -> None:
        table_of = self.scorer.table_of
        joining = JOINING_KEY * np.minimum(tables[table_of[self._from]], tables[table_of[self._to]])
        np.maximum.at(worth, self._from, joining)
        np.maximum.at(worth, self._to, joining)
        np.maximum.at(worth, self._primary, PRIMARY_KEY * tables[table_of[self._primary]])
        best = np.argsort(-tables, kind="stable")[:PATH_TABLES]
        names = [self.scorer.tables[i] for i in best]
        for count in range(2, len(best) + 1):
            path = [c for key in self.graph.connect(names[:count]) for c in key_columns(key)]
            places = _places([self.scorer.place(c.table, c.column) for c in path])
            worth[places] = np.maximum(worth[places], PATH_KEY * tables[best[count - 1]])


def _places(found: Sequence[int | None]) -> np.ndarray:
    return np.array(found, dtype=np.int64)  # a key's columns are in the schema that it was read from
