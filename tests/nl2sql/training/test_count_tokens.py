import os
import subprocess
import sys
from pathlib import Path

import pytest

from nl2sql.errors import UserError
from nl2sql.training.count_tokens import BoundCounter, bound_tokens, token_counter, tokenizer_digest

ROOT = Path(__file__).parents[3]
CHAT = [
    {"role": "system", "content": "You write SQLite."},
    {"role": "user", "content": "| name | TEXT | 'Ada', 'Bo' |\n\n谁来自北京？"},
    {"role": "assistant", "content": "SELECT COUNT(*) FROM animal WHERE weight > 12345.5"},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Path:
    """A byte-level tokenizer with a chat template, made by the tests' own tiny model."""
    folder = tmp_path_factory.mktemp("tokenizer")
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); from pathlib import Path; import tiny_model;"
    code += f" tiny_model.build_tokenizer(Path({str(folder)!r}), 400)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"})
    return folder


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("", 0),
        ("cat", 1),
        ("species", 3),
        ("12345", 5),
        ("a, b", 3),
        ("北京", 6),
        (" \n\n", 1),
        ("\ud800", 3),
        ("\0", 1),
    ],
)
def test_the_bound_counts_words_digits_signs_and_bytes(text, bound):
    assert bound_tokens(text) == bound


def test_the_bound_grows_with_the_chat():
    count = BoundCounter()
    assert count(CHAT[:2], answering=True) < count(CHAT)


def test_a_tokenizer_counts_as_mlx_lm_does(tokenizer):
    from transformers import AutoTokenizer

    count, loaded = token_counter(str(tokenizer)), AutoTokenizer.from_pretrained(tokenizer)
    text = loaded.apply_chat_template(CHAT, tokenize=False)
    assert count(CHAT) == len(loaded(text, add_special_tokens=False)["input_ids"])
    prompt = loaded.apply_chat_template(CHAT[:2], tokenize=False, add_generation_prompt=True)
    assert count(CHAT[:2], answering=True) == len(loaded(prompt, add_special_tokens=False)["input_ids"])
    assert text.startswith(prompt)


def test_two_tokenizers_have_two_digests(tokenizer, tmp_path):
    before = tokenizer_digest(str(tokenizer))
    for path in tokenizer.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert tokenizer_digest(str(tmp_path)) == before != ""
    (tmp_path / "tokenizer.json").write_text("{}")
    assert tokenizer_digest(str(tmp_path)) != before


@pytest.mark.parametrize("name", ["no/such-model", "."])
def test_a_tokenizer_that_is_not_there_is_said_in_one_line(tmp_path, name):
    with pytest.raises(UserError, match="--tokenizer"):
        token_counter(str(tmp_path) if name == "." else name)


def test_a_tokenizer_without_template_is_refused(tokenizer, tmp_path):
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tokenizer)
    loaded.chat_template = None
    loaded.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="no chat template"):
        token_counter(str(tmp_path))
