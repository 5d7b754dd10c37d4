"""Connect tables through declared and proposed keys."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from nl2sql.rows import ColumnName
from nl2sql.schema import ForeignKey, Schema

DECLARED_COST = 1.0
PROPOSED_COST = 1.5  # a join that only the data suggest is taken when it saves a table
PROPOSALS = 2  # per column; the profile lists the likeliest first
LONGEST_PATH = 4.0  # a chain of more joins than this connects nothing that a question means


@dataclass(frozen=True)
class JoinGraph:
    """The tables of a schema and the keys between them, read both ways."""

    schema: Schema

    @cached_property
    def edges(self) -> dict[str, list[tuple[str, float, ForeignKey]]]:
        """For each table its neighbours with the cost and the key of that step."""
        found: dict[str, list[tuple[str, float, ForeignKey]]] = defaultdict(list)
        for key in self._usable():
            if key.table == key.to_table:
                continue
            cost = DECLARED_COST if key.declared else PROPOSED_COST
            found[key.table].append((key.to_table, cost, key))
            found[key.to_table].append((key.table, cost, key))
        return found

    def _usable(self) -> Iterable[ForeignKey]:
        proposals: dict[tuple[str, str], int] = defaultdict(int)
        declared = {(k.table, k.column) for k in self.schema.foreign_keys if k.declared}
        for key in self.schema.foreign_keys:
            if key.declared:
                yield key
            elif (key.table, key.column) not in declared and proposals[key.table, key.column] < PROPOSALS:
                proposals[key.table, key.column] += 1
                yield key

    def between(self, tables: Iterable[str]) -> list[ColumnName]:
        """The columns of every key whose two tables are both among those given, in no repeated order."""
        chosen = set(tables)
        keys = [key for table in sorted(chosen) for other, _, key in self.edges[table] if other in chosen]
        return list(dict.fromkeys(c for key in keys for c in key_columns(key)))

    def connect(self, tables: Sequence[str]) -> list[ForeignKey]:
        """The keys that join the given tables into as few groups as they can be joined, through others if need be.

        Tables are added one after another to the group by the cheapest path: within twice the smallest tree. Those
        out of reach are left alone.
        """
        if not tables:
            return []
        group, keys = {tables[0]}, []
        for table in tables[1:]:
            path = self._path(group, table)
            keys += path
            group |= {table} | {t for key in path for t in (key.table, key.to_table)}
        return list(dict.fromkeys(keys))

    def _path(self, group: set[str], goal: str) -> list[ForeignKey]:
        """The cheapest keys from any table of the group to the goal (Dijkstra), [] when there are none."""
        if goal in group:
            return []
        queue: list[tuple[float, str]] = [(0.0, table) for table in sorted(group)]
        costs = dict.fromkeys(group, 0.0)
        steps: dict[str, tuple[str, ForeignKey]] = {}
        while queue:
            cost, table = heapq.heappop(queue)
            if table == goal:
                return _walked(steps, goal)
            if cost > costs[table]:
                continue
            for other, step, key in self.edges[table]:
                if cost + step <= LONGEST_PATH and cost + step < costs.get(other, LONGEST_PATH + 1):
                    costs[other] = cost + step
                    steps[other] = (table, key)
                    heapq.heappush(queue, (cost + step, other))
        return []


def key_columns(key: ForeignKey) -> tuple[ColumnName, ColumnName]:
    """Both ends of a key."""
    return ColumnName(key.table, key.column), ColumnName(key.to_table, key.to_column)


def _walked(steps: dict[str, tuple[str, ForeignKey]], goal: str) -> list[ForeignKey]:
    keys = []
    while goal in steps:
        goal, key = steps[goal]
        keys.append(key)
    return keys[::-1]
