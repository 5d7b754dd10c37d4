import json
from dataclasses import replace

import pytest

from nl2sql.errors import UserError
from nl2sql.training.rows import Chat, PairSample
from nl2sql.training.write_jsonl import jsonl_files, reason, refuse_leaks, role_samples, tally


def chat(number, variant="a", task="sql", split="train", **changed):
    user = f"<question>\nHow many otters are in zoo {number}?\n</question>"
    row = Chat(
        f"{variant}/{task}/{number}",
        variant,
        task,
        split,
        "zoo",
        str(number),
        "simple",
        "gold",
        "database",
        True,
        "generate/local",
        "You write SQL.",
        user,
        f"SELECT {number}",
        10,
        20,
        "",
    )
    return replace(row, **changed)


def pair(number, answer="A"):
    return PairSample(
        f"{number}/{answer}",
        "train",
        "zoo",
        str(number),
        "simple",
        "gold",
        "mutation:column swap",
        "SELECT 1",
        "SELECT 2",
        "compare/letter",
        "Judge.",
        "A or B?",
        answer,
        10,
        11,
        "",
    )


def test_lines_are_what_mlx_lm_reads():
    (line,) = jsonl_files([chat(1, assistant="SELECT '谁'")])["train"]
    assert json.loads(line) == {
        "messages": [
            {"role": "system", "content": "You write SQL."},
            {"role": "user", "content": chat(1).user},
            {"role": "assistant", "content": "SELECT '谁'"},
        ]
    }


def test_no_text_breaks_a_line():
    text = "a\u2028b\x85c\ud800d\x1ce\nf"
    (line,) = jsonl_files([chat(1, user=text, system="")])["train"]
    assert len(line.splitlines()) == 1
    assert line.encode("utf-8")
    assert json.loads(line)["messages"][0]["content"] == text


def test_parts_are_apart_and_the_seed_decides_the_order():
    chats = [chat(n, split="valid" if n % 5 == 0 else "train") for n in range(50)]
    files = jsonl_files(chats, seed=1)
    assert [len(files[p]) for p in ("train", "valid", "test")] == [40, 10, 0]
    assert files == jsonl_files(chats[::-1], seed=1)
    assert files["train"] != jsonl_files(chats, seed=2)["train"]


def test_roles():
    chats = [chat(1), chat(2), chat(1, "b"), chat(2, "r"), chat(3), chat(1, task="question"), chat(1, "b", "question")]
    roles = role_samples(chats, [pair(1)])
    ids = {role: {c.chat_id for c in found if isinstance(c, Chat)} for role, found in roles.items()}
    assert ids["generator_a"] == {"a/sql/1", "a/sql/2", "a/sql/3", "a/question/1"}
    assert ids["generator_b"] == {"b/sql/1", "b/question/1", "a/sql/2", "a/sql/3"}  # plain SQL where there is no other
    assert ids["reasoner"] == {"r/sql/2", "a/sql/1", "a/sql/3"}  # the gold where sampling found nothing
    assert roles["selector"] == [pair(1)]


def test_dropped_samples_are_counted_and_not_written():
    chats = [chat(1), chat(2, dropped="too long: the prompt has 2000 tokens, the limit is 1024", assistant="")]
    chats += [chat(3, dropped="gold: error: no such column: x"), chat(4, dropped="gold: error: no such table: y")]
    assert len(jsonl_files(chats)["train"]) == 1
    counts = {(b.role, b.dropped): b.samples for b in tally(role_samples(chats, [])) if b.role == "generator_a"}
    assert counts == {("generator_a", ""): 1, ("generator_a", "too long"): 1, ("generator_a", "gold: error"): 2}
    assert reason("leak: paraphrase: 12") == "leak: paraphrase"


@pytest.mark.parametrize(
    "leak",
    [
        chat(9, db_id="Dev_Zoo"),
        chat(9, user="<question>\nWhich otter is the oldest of all\n</question>"),
        chat(9, task="question", assistant="Which otter is the oldest of all?"),
    ],
)
def test_the_last_look_refuses_what_gives_dev_away(ask, leak):
    dev = [ask("d7", "Which otter is the oldest of all?", "SELECT 1", "", "dev_zoo")]
    refuse_leaks([chat(1), chat(2)], dev)
    with pytest.raises(UserError, match="nothing was written"):
        refuse_leaks([chat(1), leak], dev)
    refuse_leaks([replace(leak, dropped="leak: question: d7")], dev)
