"""A base that a test can teach: Qwen2's architecture, 0.4 M weights, pre-trained on questions of datasets/demo.

It has never seen the first HELD questions of DATABASE: an adapter is to teach it those. It learns to read the question
of a real prompt of ours and to pay no heed to the schema, first without one, as that is quick, then with the schemas of
other questions. torch trains it, 20 times as fast as mlx on a CPU. Run as a script, since it imports mlx_lm:
python tests/taught_model.py FOLDER writes FOLDER/fp32 and FOLDER/4bit.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # as a script

from nl2sql.benchmarks import load_benchmark  # noqa: E402
from nl2sql.models.chat_messages import prompt_messages  # noqa: E402
from nl2sql.profiling.profile_database import profile_database  # noqa: E402
from nl2sql.rows import CellMatch, Grounding, Question  # noqa: E402
from nl2sql.schema import schema_from_profiles  # noqa: E402
from nl2sql.training.augment_schema import Described, as_shown, augment_schema, seeded  # noqa: E402
from nl2sql.training.check_golds import needed_columns  # noqa: E402
from nl2sql.training.training_prompts import Asking, sql_prompt  # noqa: E402
from tests.tiny_model import SPECIAL, TEMPLATE, kept_models  # noqa: E402

DATABASE, HELD = "city_library", 12
DEMO = ROOT / "datasets" / "demo"
PROMPTS = sorted((ROOT / "nl2sql" / "prompts").glob("*/*.*"))
SOURCES = (Path(__file__), DEMO / "train.json", *PROMPTS)
VOCABULARY = 1024
SHAPE = {
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "intermediate_size": 256,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
TABLE_HEAD = "Column information\n\n| name | type | description | value examples |\n| --- | --- | --- | --- |\n"
TAGS = ("schema", "question", "evidence", "cells", "query", "result")
LONGEST, LONGEST_BARE = 320, 180  # tokens of a chat to learn from: with a schema and without
IGNORED = -100  # what torch's cross entropy leaves out

Row = tuple[list[int], int]  # token ids, how many of them are given


def fixed_texts() -> list[str]:
    """What stands in every prompt: a token each, so that prompts are a third as long."""
    of_models = [p for p in PROMPTS if p.stem in ("local", "letter", "schema", "question", "asked", "evidence")]
    lines = [line for path in of_models for line in path.read_text(encoding="utf-8").splitlines()]
    tags = [text for tag in TAGS for text in (f"<{tag}>\n", f"\n</{tag}>", f"</{tag}>\n\n")]
    return [TABLE_HEAD, *tags, *dict.fromkeys(line for line in lines if line and line[0] != "#" and "{" not in line)]


def tokenizer_texts() -> list[str]:
    """What the other tokens are learnt from: questions, queries and descriptions, the database's own most of all."""
    asked = load_benchmark(DEMO, "train").questions
    texts = [t for q in asked for t in (q.question, q.evidence, q.gold_sql) * (6 if q.db_id == DATABASE else 1)]
    described = sorted((DEMO / "train_databases" / DATABASE / "database_description").glob("*.csv"))
    texts += [line for f in described for line in f.read_text(errors="replace").splitlines() * 10]
    return texts + ["| x | TEXT | name; 8 rows, 3 different, 1 NULL | 'N' |", "| y | INTEGER |", "Primary key: x"] * 60


def build_tokenizer() -> Any:
    """A byte-level BPE tokenizer with a ChatML template."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(tokenizer_texts(), vocab_size=VOCABULARY, special_tokens=list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.add_tokens(fixed_texts())
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def known_questions() -> tuple[list[Question], list[Question]]:
    """The questions that the base learns, all of them and those about DATABASE."""
    asked = load_benchmark(DEMO, "train").questions
    own = [q for q in asked if q.db_id == DATABASE][HELD:]
    return [q for q in asked if q.db_id != DATABASE] + own, own


def described_database() -> Described:
    """DATABASE with the texts that prompts show of it."""
    (database,) = load_benchmark(DEMO, "train", (DATABASE,)).databases
    profiles = tuple(profile_database(database))
    return as_shown(schema_from_profiles(profiles), profiles, ())


def schema_texts(described: Described, asked: list[Question]) -> list[str]:
    """A part of the schema for each question, more or less of it."""
    texts = []
    for q in asked:
        rng = seeded("schema", q.question_id)
        shown = augment_schema(described, needed_columns(q.gold_sql, described.schema), (), rng)
        texts.append(shown.text(rng.randrange(min(8, len(shown.order) + 1))))
    return texts


def some_cells(question: Question, described: Described, rng: random.Random) -> Grounding:
    """Values of the database that have nothing to do with the question."""
    chosen = rng.sample([p for p in described.profiles if p.top_values], rng.randrange(4))
    words = question.question.split()
    cells = tuple(
        CellMatch(rng.choice(words), p.table, p.column, str(rng.choice(p.top_values)), 1.0, "exact") for p in chosen
    )
    return Grounding(question.question_id, question.db_id, (), (), "", cells, (), ())


def rows_to_learn(tokenizer: Any) -> tuple[list[Row], list[Row]]:
    """The chats without a schema, and three of each question with the schemas of others."""
    described, (asked, own), rng = described_database(), known_questions(), random.Random(1)
    schemas = schema_texts(described, own)
    bare = [row_of(tokenizer, sql_prompt(Asking(q), ""), q.gold_sql) for q in asked]
    whole = []
    for q in asked * 3:
        asking = Asking(q, some_cells(q, described, rng))
        text = "\n".join(rng.sample(schemas, rng.choice((1, 1, 1, 2))))
        whole.append(row_of(tokenizer, sql_prompt(asking, text), q.gold_sql))
    return [row for row in bare if len(row[0]) < LONGEST_BARE], [row for row in whole if len(row[0]) < LONGEST]


def row_of(tokenizer: Any, prompt: Any, answer: str) -> Row:
    """A chat as token ids."""
    given = prompt_messages(prompt)
    whole = [*given, {"role": "assistant", "content": answer}]
    shown = tokenizer.apply_chat_template(given, add_generation_prompt=True, return_dict=False)
    return tokenizer.apply_chat_template(whole, return_dict=False), len(shown)


def loss_of(model: Any, rows: list[Row]) -> Any:
    """Of the answers."""
    import torch

    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows])
    wanted = torch.full((len(rows), width - 1), IGNORED)
    for number, (row, given) in enumerate(rows):
        wanted[number, given - 1 : len(row) - 1] = ids[number, given : len(row)]
    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
    learnt = wanted != IGNORED
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[learnt]), wanted[learnt])


def learn(model: Any, rows: list[Row], steps: int, batch: int, rate: float) -> None:
    """Batches of chats of similar length, on one thread, so that equal versions give equal weights."""
    import torch

    rng, by_length = random.Random(0), sorted(rows, key=lambda row: len(row[0]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    for _ in range(steps):
        at = rng.randrange(len(rows) - 2 * batch)
        loss_of(model, rng.sample(by_length[at : at + 2 * batch], batch)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()


def pretrained(tokenizer: Any) -> Any:
    """The model that knows the other questions."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    size = (len(tokenizer) + 63) // 64 * 64
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=size,
            **SHAPE,
            tie_word_embeddings=True,
            eos_token_id=SPECIAL.index("<|im_end|>"),
            bos_token_id=None,
        )
    )
    bare, whole = rows_to_learn(tokenizer)
    learn(model, bare, steps=250, batch=16, rate=3e-3)
    learn(model, whole, steps=150, batch=8, rate=2e-3)
    return model


def build(folder: Path) -> None:
    """Both forms of the model."""
    from nl2sql.models.fast_blas import load_fast_blas

    tokenizer = build_tokenizer()
    model = pretrained(tokenizer)
    model.save_pretrained(folder / "fp32")
    tokenizer.save_pretrained(folder / "fp32")
    config = json.loads((folder / "fp32" / "config.json").read_text())
    rope = config.pop("rope_parameters", None) or config  # mlx-lm reads what transformers wrote before version 5
    config |= {"rope_theta": rope["rope_theta"], "torch_dtype": "float32"}
    (folder / "fp32" / "config.json").write_text(json.dumps(config))
    load_fast_blas()
    from mlx_lm import convert

    convert(str(folder / "fp32"), str(folder / "4bit"), quantize=True, q_bits=4, q_group_size=64)


def taught_models() -> Path:
    """The folder of the models, built once for these sources and kept in the temporary folder."""
    return kept_models(Path(__file__), SOURCES)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
