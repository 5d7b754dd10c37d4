"""The pipeline's command line as a process of its own, with a preset that points to the scripted provider."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.server_process import ROOT, RunningServer

PRESETS = ROOT / "deployments" / "presets"
KEYS = {"ANTHROPIC_API_KEY": "key", "GEMINI_API_KEY": "key", "OPENAI_API_KEY": "key"}


@dataclass(frozen=True)
class Pipeline:
    """How to run commands: in what folder they keep everything, and by which preset."""

    folder: Path  # artifacts, Prefect's database, the preset
    preset: Path
    prefect: str = ""  # address of a Prefect server that runs; '' to let every command start its own

    @property
    def artifacts(self) -> Path:
        """Where the runs write."""
        return self.folder / "artifacts"

    @property
    def answers(self) -> Path:
        """Where they keep the answers of models."""
        return self.artifacts / "model_cache"

    def start(self, command: str, *arguments: object) -> subprocess.Popen[str]:
        """Start a command in a session of its own, so that it can be killed with all that it started."""
        words = [command, *map(str, arguments), "--preset", str(self.preset), "--artifacts", str(self.artifacts)]
        output = (self.folder / "output.txt").open("a")
        chosen = {"PREFECT_API_URL": self.prefect} if self.prefect else {}
        return subprocess.Popen(
            [str(Path(sys.executable).parent / "nl2sql"), *words],
            cwd=ROOT,
            env={**os.environ, **KEYS, "PREFECT_HOME": str(self.folder / "prefect"), **chosen},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *arguments: object, timeout: float = 1200) -> None:
        """Run a command to its end. Raises RuntimeError with the end of its output when it fails."""
        process = self.start(command, *arguments)
        try:
            code = process.wait(timeout)
        finally:
            if process.poll() is None:
                process.kill()
        if code:
            raise RuntimeError(f"nl2sql {command} ended with {code}: {self.output()[-3000:]}")

    def output(self) -> str:
        """Everything that the commands printed."""
        return (self.folder / "output.txt").read_text(errors="replace")


def prepare_pipeline(
    folder: Path, server: RunningServer, base: str = "api", prefect: str = "", **options: Any
) -> Pipeline:
    """A pipeline whose API models are `server`; `options` are top-level ones of the preset that change, numbers only.

    `concurrency` is that of each provider.
    """
    folder.mkdir(parents=True, exist_ok=True)
    concurrency = options.pop("concurrency", None)
    text = (PRESETS / f"{base}.toml").read_text(encoding="utf-8")
    for name in options:
        text = re.sub(rf"^{name} = .*\n", "", text, flags=re.MULTILINE)
    head = "".join(f"{name} = {value}\n" for name, value in options.items())
    limits = "requests_per_minute = 1_000_000\ntokens_per_minute = 1_000_000_000\n"
    limits += f"concurrency = {concurrency}\n" if concurrency else ""
    bases = (f'\n[providers.{name}]\napi_base = "{base}"\n{limits}' for name, base in server.bases.items())
    preset = folder / f"{base}.toml"
    preset.write_text(head + text + "".join(bases), encoding="utf-8")
    return Pipeline(folder, preset, prefect)
