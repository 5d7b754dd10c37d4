"""The scripted provider of models, for every test that talks to an API, and a tiny language model."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.server_process import RunningServer, run_model_server
from tests.taught_model import taught_models
from tests.tiny_model import tiny_models

# One thread for each product of matrices in the processes that tests start: the matrices are small, and the threads of
# two workers on two cores mostly wait for one another. A training gives the same loss for half the processor time.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def model_server_process(tmp_path_factory) -> Iterator[RunningServer]:
    with run_model_server(tmp_path_factory.mktemp("model_server")) as server:
        yield server


@pytest.fixture
def model_server(model_server_process) -> RunningServer:
    """A well-behaved server on loopback without any memory of earlier tests; `control` makes it misbehave."""
    model_server_process.reset()
    return model_server_process


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of a model of 0.3 M parameters: fp32, the same in 4bit, and another one of the same shape."""
    return tiny_models()


@pytest.fixture(scope="session")
def taught_model() -> Path:
    """Folder of a model of 0.4 M parameters that knows some questions of the demo: fp32, and the same in 4bit."""
    return taught_models()
