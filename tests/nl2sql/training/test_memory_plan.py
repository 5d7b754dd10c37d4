"""The plan is arithmetic; what it says is what mlx then takes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.training.memory_plan import (
    TOLERANCE,
    Architecture,
    adapter_parameters,
    cheaper,
    check_plan,
    plan_of,
    read_architecture,
)
from nl2sql.training.recipe import Recipe

ROOT = Path(__file__).parents[3]
# Qwen2.5-Coder-7B-Instruct in 4 bits with groups of 64: 7.62 G parameters at 4.5 bits.
SEVEN_B = Architecture(3584, 28, 18944, 28, 512, 152_064, 2, 4_290_000_000)
SHAPES = [
    ({"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4}, Recipe(length=256, batch=1)),
    ({"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4}, Recipe(length=256, checkpointing=False)),
    ({"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 6}, Recipe(length=128, batch=2, rank=32)),
    ({"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "vocabulary": 512}, Recipe(length=512)),
]
MEASURE = """
import contextlib, dataclasses, io, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from nl2sql.models.fast_blas import load_fast_blas
load_fast_blas()
import mlx.core as mx
import numpy as np
from nl2sql.training.recipe import LORA_KEYS, Recipe
from nl2sql.training.chat_rows import Tokens
from nl2sql.training.train_worker import Run
from tests.tiny_model import build_model
from mlx_lm.models.qwen2 import TransformerBlock
plain = TransformerBlock.__call__
for number, (shape, recipe) in enumerate(json.loads(sys.argv[2])):
    TransformerBlock.__call__ = plain
    recipe = Recipe(**recipe)
    work = Path(sys.argv[3]) / str(number)
    build_model(work / "base", **shape)
    rng = np.random.default_rng(0)
    row = Tokens(tuple(int(t) for t in rng.integers(3, 300, recipe.length)), 10)
    lora = {"rank": recipe.rank, "scale": recipe.scale, "dropout": 0.0, "keys": list(LORA_KEYS)}
    place = dict(base=str(work / "base"), work=str(work), limit=2**34)
    order = dict(recipe=dataclasses.asdict(recipe), run="x", lora=lora, **place)
    run = Run(order, [row] * recipe.batch, [row] * recipe.batch, lambda message: None)
    with contextlib.redirect_stdout(io.StringIO()):
        run.load()
        run.train()
    print(run.place.peak, flush=True)
    del run
"""


def test_the_plan_is_what_training_takes(tmp_path):
    recipes = [replace(recipe, accumulation=2, epochs=4.0) for _, recipe in SHAPES]
    shapes = [
        ({**shape, "num_attention_heads": 4, "num_key_value_heads": 2}, vars(recipe))
        for (shape, _), recipe in zip(SHAPES, recipes, strict=True)
    ]
    command = [sys.executable, "-c", MEASURE, str(ROOT), json.dumps(shapes), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    measured = [int(line) for line in run.stdout.split()]
    for number, (recipe, peak) in enumerate(zip(recipes, measured, strict=True)):
        planned = plan_of(read_architecture(tmp_path / str(number) / "base"), recipe).total
        assert abs(planned - peak) <= TOLERANCE * peak, (number, planned, peak)


@pytest.mark.parametrize(
    ("length", "layers", "checkpointing", "gigabytes"),
    [(512, 0, True, 5.9), (1024, 0, True, 7.3), (2048, 0, True, 10.3), (512, 0, False, 10.6), (1024, 16, False, 12.9)],
)
def test_seven_billion_parameters_on_paper(length, layers, checkpointing, gigabytes):
    plan = plan_of(SEVEN_B, Recipe(length=length, layers=layers, checkpointing=checkpointing))
    assert plan.total / 1e9 == pytest.approx(gigabytes, rel=0.1)  # the figures of docs/local-models.md


def test_adapter_parameters_of_seven_billion():
    assert adapter_parameters(SEVEN_B, 8, 28) == pytest.approx(20.2e6, rel=0.01)


def test_what_does_not_fit_is_refused_with_what_would():
    plan = plan_of(SEVEN_B, Recipe(length=4096, batch=2, checkpointing=False))
    with pytest.raises(UserError, match=r"training needs about [\d.]+ GB, 13.00 GB are to be had") as error:
        check_plan(plan, 13_000_000_000)
    assert "train with --checkpointing --batch 1 --length 2048" in str(error.value)
    check_plan(plan_of(SEVEN_B, Recipe(length=2048)), 13_000_000_000)
    small = plan_of(SEVEN_B, Recipe(length=1024, batch=2))
    assert cheaper(small, 7_800_000_000) == "--batch 1"


def test_what_never_fits_says_so():
    with pytest.raises(UserError, match="use a smaller base"):
        check_plan(plan_of(SEVEN_B, Recipe()), 3_000_000_000)


def test_a_config_of_another_kind_is_a_users_mistake(tiny_model, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "mamba", "d_model": 64}')
    (tmp_path / "model.safetensors").write_bytes((tiny_model / "fp32" / "model.safetensors").read_bytes())
    with pytest.raises(UserError, match="whose memory can be planned"):
        read_architecture(tmp_path)


def test_a_quantised_base_takes_less_and_the_type_of_its_norms(tiny_model):
    whole, small = (read_architecture(tiny_model / name) for name in ("fp32", "4bit"))
    assert small.weights < whole.weights / 3
    assert (whole.element, small.element) == (4, 4)
