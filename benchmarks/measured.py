"""What the benchmarks share: one measured step beside its rival and its floor, timed in turns, in one table."""

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

WIDE = 170  # characters of a table that goes to a file


@dataclass(frozen=True)
class Measured:
    """One step: median seconds of ours, of the rival's way and of the floor, which no implementation goes below."""

    step: str
    ours_s: float
    rival: str  # what it is compared with, '' when with nothing
    rival_s: float | None
    floor_s: float | None
    note: str


Clock = Callable[[], float]


def interleaved(works: Mapping[str, Callable[[], object]], rounds: int = 3, warm_up: bool = True) -> dict[str, float]:
    """Median seconds of each work by the clock, run in turns so that a busy moment meets all of them."""
    return measured_by({"clock": time.perf_counter}, works, rounds, warm_up)["clock"]


def measured_by(
    clocks: Mapping[str, Clock], works: Mapping[str, Callable[[], object]], rounds: int = 3, warm_up: bool = True
) -> dict[str, dict[str, float]]:
    """The same by several clocks: by clock and work. On a busy machine processor_seconds tells more than the time."""
    if warm_up:
        for work in works.values():
            work()
    taken: dict[str, dict[str, list[float]]] = {clock: {name: [] for name in works} for clock in clocks}
    for _ in range(rounds):
        for name, work in works.items():
            starts = {clock: read() for clock, read in clocks.items()}
            work()
            for clock, read in clocks.items():
                taken[clock][name].append(read() - starts[clock])
    return {
        clock: {name: statistics.median(seconds) for name, seconds in by_work.items()}
        for clock, by_work in taken.items()
    }


def processor_seconds() -> float:
    """Of this process, and of its children once they have ended and were waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def machine() -> str:
    """The shape of this machine and how busy it is: figures mean nothing without."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores, load = os.cpu_count(), os.getloadavg()[0]
    return (
        f"{cores} cores, {memory:.0f} GB, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, load {load:.1f}"
    )


def show(title: str, rows: Sequence[Measured], console: Console | None = None) -> None:
    """Print the table."""
    table = Table(title=title, caption=machine(), title_justify="left", caption_justify="left")
    for name in ("step", "ours", "rival", "rival's", "ratio", "floor", "ours / floor", "note"):
        table.add_column(name, justify="left" if name in ("step", "rival", "note") else "right")
    for row in rows:
        ratio = f"{row.rival_s / row.ours_s:.1f}x" if row.rival_s is not None else ""
        over = f"{row.ours_s / row.floor_s:.1f}" if row.floor_s else ""
        cells = (row.step, _seconds(row.ours_s), row.rival, _seconds(row.rival_s), ratio, _seconds(row.floor_s))
        table.add_row(*cells, over, row.note)
    (console or Console(width=None if Console().is_terminal else WIDE)).print(table)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{1000 * seconds:.3g} ms"
        if seconds >= 1e-3
        else f"{1e6 * seconds:.3g} µs"
    )
