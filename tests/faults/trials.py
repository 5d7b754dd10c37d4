"""A trial: disturb a run once, mend the machine, run the same again, and account for everything."""

import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults.injections import (
    DEADLY,
    SERVERS,
    Place,
    clock_environment,
    clock_library,
    fill,
    held_locks,
    inject,
    mount_small,
    unmount,
)
from tests.faults.runs import Launcher, Outcome, PrefectServer, Run, damaged, finished, wait_for
from tests.servers.kill_and_resume import kept_answers
from tests.servers.server_process import RunningServer

TASKS = ("profile", "index", "evaluate", "models")  # without Prefect; models: evaluate with a preset that asks models
FLOWS = ("pipeline", "train")  # under a Prefect server
STAGES = (*TASKS, *FLOWS)
PASSING = ("server", "clock", "locked")  # faults that a run may outlast: then it must have finished something under it
LOCK_SECONDS = 10.0  # within which no process and no lock of a killed run is left
SLOT_SECONDS = 100.0  # within which the tag's slot of a killed run is free: its lease is one minute
STUCK_SECONDS = 120.0  # after which a disturbed run that neither ends nor fails is killed
TRIES = 5  # moments that are tried until one disturbs the run
TAG = "tag:mlx"
STEPS = ("starts", "checkpoint.safetensors", "last.safetensors")  # files of a training under way


@dataclass(frozen=True)
class Fault:
    """One fault: what, in which stage, and what chooses the moment."""

    kind: str
    stage: str
    seed: int


@dataclass(frozen=True)
class Result:
    """What became of it. Everything but the times and the first four must be 0 or True."""

    fault: Fault
    disturbed: bool  # the run was under way, and did not end as if nothing had been
    ended: str  # completed, failed, killed, stuck
    saved: int  # artifacts that were finished when the disturbed run had ended
    left_over: int  # half-written files that the disturbed run left behind
    resumed: bool
    equal: bool  # results are those of the undisturbed run
    rewritten: int  # finished artifacts that were made again
    damaged: int  # artifacts that are not what their card says
    asked_again: int  # answers that were on the disk and were asked for again
    lock_seconds: float  # until no lock was held and no process left
    slot_seconds: float  # until the tag's slot was free; 0 where no stage of it takes one
    missed: int = 0  # moments before this one that disturbed nothing
    output: str = ""  # what the runs printed, where something is not as it must be

    @property
    def problems(self) -> list[str]:
        """What is not as it must be."""
        found = {
            "not resumed": not self.resumed,
            "other results": not self.equal,
            "made again": self.rewritten,
            "damaged": self.damaged,
            "asked again": self.asked_again,
            "locked": self.lock_seconds > LOCK_SECONDS,
            "slot taken": self.slot_seconds > SLOT_SECONDS,
        }
        return [name for name, wrong in found.items() if wrong]

    def told(self) -> dict[str, Any]:
        """As a line of JSON."""
        return asdict(self)


def retold(said: dict[str, Any]) -> Result:
    """A result from a line of JSON."""
    return Result(**{**said, "fault": Fault(**said["fault"])})


@dataclass(frozen=True)
class Seen:
    """What there was to see of the disturbed run."""

    disturbed: bool
    outcome: Outcome
    lock_seconds: float
    slot_seconds: float


@dataclass
class Lane:
    """Trials one after the other, over one Prefect server; `prepared` are artifacts that a stage starts from."""

    folder: Path
    go: Launcher
    stages: tuple[str, ...]
    datasets: Mapping[str, Path]
    asked: Mapping[str, dict[str, Any]]  # what each stage is asked
    models: RunningServer | None = None
    clocked: Launcher | None = None  # of processes whose clock can be moved
    prepared: dict[str, Path] = field(default_factory=dict)
    undisturbed: dict[str, Outcome] = field(default_factory=dict)
    gaps: dict[str, list[float]] = field(default_factory=dict)  # seconds before each sign of progress, undisturbed

    @property
    def server(self) -> PrefectServer:
        """Its Prefect server."""
        return self.go.server

    def prepare(self, stages: Sequence[str]) -> None:
        """Run each stage undisturbed, keeping what the next one starts from."""
        before = self.folder / "nothing"
        before.mkdir(parents=True, exist_ok=True)
        for stage in stages:
            if stage in FLOWS:  # the first run on a new server takes several times as long as all others
                self._undisturbed(stage, before, "first")
            artifacts, outcome = self._undisturbed(stage, before, stage)
            self.prepared[stage], self.undisturbed[stage] = before, outcome
            before = artifacts if stage in ("profile", "index") else before

    def _undisturbed(self, stage: str, before: Path, name: str) -> tuple[Path, Outcome]:
        artifacts = self._copy(before, self.folder / "undisturbed" / name)
        had, last, gaps = _progress(stage, artifacts), time.monotonic(), []
        run = self.go.start(artifacts, **self._asking(stage))
        while run.runs():
            now = time.monotonic()
            for _ in range(_progress(stage, artifacts) - had - len(gaps)):
                gaps.append(now - last)
                last = now
            time.sleep(0.005)
        outcome = run.end()
        if not outcome.completed:
            raise RuntimeError(f"{stage} fails undisturbed: {outcome.output[-2000:]}")
        self.gaps[stage] = gaps
        return artifacts, outcome

    def _copy(self, source: Path, folder: Path) -> Path:
        artifacts = folder / "artifacts"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, artifacts, ignore=shutil.ignore_patterns(".results", "report", "manifests"))
        return artifacts

    def _asking(self, stage: str) -> dict[str, Any]:
        return {"dataset": self.datasets[stage], **self.asked[stage]}

    @contextmanager
    def _place(self, fault: Fault) -> Iterator[Place]:
        """A fresh folder, on a small disk of its own where that is to be filled."""
        folder = self.folder / f"trial-{fault.stage}-{fault.seed}"
        if fault.kind == "full disk":
            mount_small(folder)
        try:
            artifacts = self._copy(self.prepared[fault.stage], folder)
            if fault.kind == "full disk" and fault.stage == "profile":  # over sooner than a whole disk is filled
                fill(folder / "ballast", left=2**20)
            clock, chance = self.folder / "clock", random.Random(fault.seed)
            yield Place(artifacts, self.datasets[fault.stage], fault.stage, clock, self.server, chance)
        finally:
            if fault.kind in ("full disk", "read-only"):
                unmount(folder if fault.kind == "full disk" else folder / "artifacts")
            shutil.rmtree(folder, ignore_errors=True)

    def disturb(self, fault: Fault) -> Result:
        """One trial; at another moment where the first disturbed nothing, up to `TRIES` in all."""
        missed = 0
        result = self._disturb(fault, missed)
        while not (result.disturbed or result.problems) and missed < TRIES - 1:
            missed += 1
            result = self._disturb(replace(fault, seed=fault.seed + missed), missed)
        return replace(result, missed=missed)

    def _disturb(self, fault: Fault, missed: int) -> Result:
        with self._place(fault) as place:
            run = self._start(fault, place)
            self._wait_for_moment(fault, place, run, missed)
            under_way, had, delivered = run.runs(), len(finished(place.artifacts)), self._delivered()
            injected = inject(fault.kind, run, place)
            if fault.kind == "server":  # whatever keeps servers running starts it again
                injected.mend()
            outcome = run.end(STUCK_SECONDS)
            if fault.kind == "read-only":
                injected.mend()
            locks = _seconds_until(lambda: not run.leftovers() and not held_locks(place.artifacts), LOCK_SECONDS)
            if fault.kind not in ("read-only", "server"):
                injected.mend()
            later = len(finished(place.artifacts)) - had
            if fault.kind == "locked" and self.models and fault.stage == "models":
                later = self._delivered() - delivered  # each of them had to wait for the cache
            disturbed = under_way and injected.took and self._differs(fault, outcome, later)
            return self._resume(fault, place, Seen(disturbed, outcome, locks, self._slot_seconds(fault)))

    def _differs(self, fault: Fault, outcome: Outcome, later: int) -> bool:
        """Whether a fault did something: the run failed, or came out otherwise, or went on under a passing fault."""
        if not outcome.completed or outcome.results() != self.undisturbed[fault.stage].results():
            return True
        held = fault.kind == "locked" and fault.stage not in ("models", "train")  # to the end: whoever asks it fails
        return fault.kind in PASSING and not held and later > 0

    def _start(self, fault: Fault, place: Place) -> Run:
        if fault.kind != "clock":
            return self.go.start(place.artifacts, **self._asking(fault.stage))
        if self.clocked is None:
            moved = clock_environment(place.clock, clock_library(self.folder))
            self.clocked = Launcher(self.go.code, self.server, moved)
        return self.clocked.start(place.artifacts, **self._asking(fault.stage))

    def close(self) -> None:
        """End the processes that it started for itself."""
        if self.clocked is not None:
            self.clocked.close()

    def _wait_for_moment(self, fault: Fault, place: Place, run: Run, missed: int) -> None:
        """Until there was so much progress, at random, and a random part of what the next sign took undisturbed.

        A smaller part after moments that came too late: the machine may have been busier then.
        """
        had, gaps = _progress(fault.stage, place.artifacts), self.gaps[fault.stage]
        early = fault.kind == "locked" and fault.stage == "train"  # the training takes the lock itself
        after = 0 if early else place.chance.randrange(len(gaps))
        delay = place.chance.uniform(0.0, 0.9) * gaps[after] / (1 + missed)
        while run.runs() and _progress(fault.stage, place.artifacts) - had < after:
            time.sleep(0.005)
        limit = time.monotonic() + delay
        while run.runs() and _progress(fault.stage, place.artifacts) - had <= after and time.monotonic() < limit:
            time.sleep(0.005)

    def _delivered(self) -> int:
        return sum(c["delivered"] and c["status"] == 200 for c in self.models.calls()) if self.models else 0

    def _slot_seconds(self, fault: Fault) -> float:
        if fault.stage != "train":
            return 0.0
        return _seconds_until(lambda: not self.server.slots(TAG), SLOT_SECONDS)

    def _resume(self, fault: Fault, place: Place, seen: Seen) -> Result:
        saved, wrong = finished(place.artifacts), len(damaged(place.artifacts))
        unfinished = len(list(place.artifacts.glob("*/.*.tmp")))
        cache = place.artifacts / "model_cache"
        self._settle()
        delivered, kept = self._delivered(), len(kept_answers(cache))
        again = self.go.run(place.artifacts, **self._asking(fault.stage))
        self._settle()
        now = finished(place.artifacts)
        asked_again = self._delivered() - delivered - (len(kept_answers(cache)) - kept)
        result = Result(
            fault,
            seen.disturbed,
            _ending(fault, seen.outcome),
            len(saved),
            unfinished,
            again.completed,
            again.results() == self.undisturbed[fault.stage].results(),
            sum(now.get(card) != text for card, text in saved.items()),
            wrong + len(damaged(place.artifacts)),
            asked_again if fault.stage == "models" else 0,
            round(seen.lock_seconds, 3),
            round(seen.slot_seconds, 3),
        )
        printed = f"{seen.outcome.output[-6000:]}\n--- again ---\n{again.output[-6000:]}"
        return replace(result, output=printed) if result.problems else result

    def _settle(self) -> None:
        if self.models:
            self.models.idle(30)


def _progress(stage: str, artifacts: Path) -> int:
    """How far a stage has come: artifacts that are finished; a training also begins, saves and ends."""
    done = len(finished(artifacts))
    if stage != "train":
        return done
    return len(STEPS) + done if done else sum(any(artifacts.glob(f"adapters/.*.training/{name}")) for name in STEPS)


def _ending(fault: Fault, outcome: Outcome) -> str:
    if not outcome.in_time:
        return "stuck"
    if outcome.completed:
        return "completed"
    return "killed" if fault.kind in DEADLY else "failed"


def _seconds_until(there: Any, limit: float) -> float:
    """How long it took, above `limit` where it did not come about."""
    try:
        return wait_for(there, limit)
    except TimeoutError:
        return limit + 1.0


def choose_faults(count: int, seed: int, stages: Sequence[str], kinds: Sequence[str]) -> list[Fault]:
    """So many faults: every kind in every stage in turn, in a random order, at random moments."""
    chance = random.Random(seed)
    pairs = [(kind, stage) for kind in kinds for stage in stages if kind not in SERVERS or stage in FLOWS]
    chosen: list[tuple[str, str]] = []
    while len(chosen) < count:
        chance.shuffle(pairs)
        chosen += pairs[: count - len(chosen)]
    return [Fault(kind, stage, chance.randrange(2**31)) for kind, stage in chosen]
