"""What a fitted selection policy gains over voting, on random pools of the generators of evaluated runs.

    python -m benchmarks.selection RUN [--pools 20] [--size 10]
    python -m benchmarks.selection RUN --at-most 66 [--size 10]
    python -m benchmarks.selection RUN --weakest [--size 31]

Every pool is `size` generators drawn at random; with --at-most there is one pool, the most accurate generators whose EX
is at most that many percent, and with --weakest the least accurate ones, stages of one system included. Each database
is judged by a policy that was fitted on the others. Per question the gain is averaged over the pools, then the mean
over questions gets its bootstrap interval. The rivals: the plain vote, the plain vote among results that are not empty,
and the pipeline's own selection without a policy.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from flows.runs import judged_of, read_run
from nl2sql.scoring.fit_policy import Judged, leave_one_database_out, measure_cases
from nl2sql.scoring.statistics import difference_interval

RIVALS = ("vote", "non_empty", "selection")


def main() -> None:
    """Print the mean over the pools and the gain over each rival."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--pools", type=int, default=20)
    parser.add_argument("--size", type=int, default=10)
    parser.add_argument("--at-most", type=float, metavar="PERCENT")
    parser.add_argument("--weakest", action="store_true")
    asked = parser.parse_args()
    judged = judged_of(read_run(asked.run))
    accuracies = accuracies_of(judged)
    right: dict[str, list[list[bool]]] = defaultdict(list)
    for chosen in chosen_pools(accuracies, asked):
        pool = pool_of(judged, chosen)
        choices, _ = leave_one_database_out(measure_cases(pool))
        for name in (*RIVALS, "policy", "available"):
            right[name].append([getattr(c, name) for c in choices])
        print(f"pool of {len(chosen)}, best single {100 * max(accuracies[g] for g in chosen):.1f} %", flush=True)
    report({name: np.array(values, dtype=float).mean(axis=0) for name, values in right.items()})


def accuracies_of(judged: Sequence[Judged]) -> dict[str, float]:
    """EX of each generator over all questions, 0..1."""
    right: dict[str, int] = defaultdict(int)
    for item in judged:
        for candidate in item.candidates:
            right[candidate.generator] += candidate.candidate_id in item.right
    return {generator: count / len(judged) for generator, count in right.items()}


def chosen_pools(accuracies: dict[str, float], asked: argparse.Namespace) -> Iterable[list[str]]:
    """The generators of each pool."""
    ranked = sorted(accuracies, key=lambda g: (accuracies[g], g))
    if asked.weakest:
        return [ranked[: asked.size]]
    if asked.at_most is not None:
        return [[g for g in ranked if 100 * accuracies[g] <= asked.at_most][-asked.size :]]
    chance = random.Random(0)
    return (chance.sample(sorted(ranked), asked.size) for _ in range(asked.pools))


def pool_of(judged: Sequence[Judged], generators: Iterable[str]) -> list[Judged]:
    """The same questions with the candidates of these generators, ordered by database as the choices are."""
    kept = set(generators)
    order = {d: i for i, d in enumerate(dict.fromkeys(j.question.db_id for j in judged))}
    found = [replace(j, candidates=tuple(c for c in j.candidates if c.generator in kept)) for j in judged]
    return sorted(found, key=lambda j: order[j.question.db_id])


def report(right: dict[str, np.ndarray]) -> None:
    """One line per way of selecting, then one per gain."""
    for name, values in right.items():
        print(f"{name:<10} {100 * values.mean():6.2f} %")
    for rival in RIVALS:
        gain = difference_interval(right[rival], right["policy"])
        print(f"policy - {rival:<10} {100 * gain.value:+.2f} points ({100 * gain.low:+.2f} to {100 * gain.high:+.2f})")


if __name__ == "__main__":
    main()
