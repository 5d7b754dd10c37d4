"""Which tables to join, and on what, so that all the columns of a query can be read."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from nl2sql.schema import ForeignKey, Schema

DECLARED, PROPOSED, SAME_NAME = 1.0, 1.7, 2.6  # cost of a step: a declared key is trusted most


@dataclass(frozen=True)
class Step:
    """Join `right` to what is already there, on left.left_column = right.right_column."""

    left: str
    left_column: str
    right: str
    right_column: str


@dataclass(frozen=True)
class JoinGraph:
    """The join possibilities of a schema. Ties go to keys declared first."""

    schema: Schema

    @cached_property
    def steps(self) -> dict[str, tuple[tuple[float, Step], ...]]:
        """For each table the steps that leave it, with their costs."""
        found: dict[str, list[tuple[float, Step]]] = defaultdict(list)
        seen = set()
        for cost, key in self._keys():
            if (key.table, key.column, key.to_table, key.to_column) in seen or key.table == key.to_table:
                continue
            seen.add((key.table, key.column, key.to_table, key.to_column))
            found[key.table].append((cost, Step(key.table, key.column, key.to_table, key.to_column)))
            found[key.to_table].append((cost, Step(key.to_table, key.to_column, key.table, key.column)))
        return {table: tuple(steps) for table, steps in found.items()}

    def _keys(self) -> Iterable[tuple[float, ForeignKey]]:
        proposals: dict[tuple[str, str], int] = defaultdict(int)
        for key in self.schema.foreign_keys:
            cost = DECLARED
            if not key.declared:
                proposals[key.table, key.column] += 1
                cost = PROPOSED + 0.1 * proposals[key.table, key.column]
            yield cost, key
        connected = {k.table for k in self.schema.foreign_keys} | {k.to_table for k in self.schema.foreign_keys}
        yield from self._same_names(connected)

    def _same_names(self, connected: set[str]) -> Iterable[tuple[float, ForeignKey]]:
        """Tables without any key still join on a column of the same name that is a key of one of them."""
        for table in self.schema.tables:
            for name in table.primary_key[:1] if len(table.primary_key) == 1 else ():
                for other in self.schema.columns_named(name):
                    loose = other.table not in connected or table.name not in connected
                    if other.table != table.name and loose and name.casefold() != "id":
                        yield SAME_NAME, ForeignKey(other.table, other.column, table.name, name, False)

    def connect(self, tables: Sequence[str]) -> list[Step] | None:
        """The cheapest found tree over these tables, as steps from the first one; None when they are not connected."""
        tree, steps = {tables[0]}, []
        missing = [t for t in dict.fromkeys(tables) if t not in tree]
        while missing:
            path = self._nearest(tree, set(missing))
            if path is None:
                return None
            steps.extend(path)
            tree.update(s.right for s in path)
            missing = [t for t in missing if t not in tree]
        return steps

    def _nearest(self, sources: set[str], targets: set[str]) -> list[Step] | None:
        queue: list[tuple[float, int, str, tuple[Step, ...]]] = [(0.0, i, s, ()) for i, s in enumerate(sorted(sources))]
        done: set[str] = set()
        order = len(queue)
        while queue:
            cost, _, table, path = heapq.heappop(queue)
            if table in done:
                continue
            if table in targets:
                return list(path)
            done.add(table)
            for price, step in self.steps.get(table, ()):
                if step.right not in done:
                    order += 1
                    heapq.heappush(queue, (cost + price, order, step.right, (*path, step)))
        return None

    @cached_property
    def _known(self) -> dict[tuple[str, str], tuple[float, bool]]:
        return {}

    def _relation(self, left: str, right: str) -> tuple[float, bool]:
        """The cost of joining two tables and whether it leads to at most one row; asked often, so kept."""
        if (left, right) not in self._known:
            path = self._nearest({left}, {right})
            if path is None:
                self._known[left, right] = (float("inf"), False)
            else:
                cost = sum(next(c for c, s in self.steps[p.left] if s == p) for p in path)
                self._known[left, right] = (cost, all(self._forward(s) for s in path))
        return self._known[left, right]

    def distance(self, left: str, right: str) -> float:
        """The cost of joining two tables; infinity when they are not connected."""
        return 0.0 if left == right else self._relation(left, right)[0]

    def to_one(self, left: str, right: str) -> bool:
        """Whether every row of `left` has at most one row of `right`: only foreign keys are followed, forwards."""
        return left == right or self._relation(left, right)[1]

    def _forward(self, step: Step) -> bool:
        table = self.schema.table(step.right)
        return table is not None and table.primary_key == (step.right_column,)
