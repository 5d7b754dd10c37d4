import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from nl2sql.benchmarks import load_benchmark
from nl2sql.training.check_leakage import PARAPHRASE, check_leakage, words_of

ROOT = Path(__file__).parents[3]
SPIDER = ROOT.parent / "shared" / "data" / "spider"


def embed_words(texts):
    """Vectors of the words that texts share: a stand-in for meaning that needs no model."""
    vectors = np.zeros((len(texts), 384), np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.casefold()):
            vectors[row, int(hashlib.sha256(word.encode("utf-8", "replace")).hexdigest(), 16) % 384] += 1
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def dev(ask):
    return [
        ask(
            "d0",
            "How many singers are from France?",
            "SELECT COUNT(*) FROM singer WHERE country = 'France'",
            "",
            "songs",
        ),
        ask("d1", "谁是最老的歌手？", "SELECT name FROM singer ORDER BY age DESC LIMIT 1", "", "songs"),
    ]


CASES = [
    ("database", "What is the colour of the sky?", "SELECT sky FROM colours", "SONGS"),
    ("question", "how many singers are from FRANCE", "SELECT 1", "other"),
    ("question", "谁是最老的歌手", "SELECT 2", "other"),
    ("query", "Count the French ones.", "select count(*) from singer where country = 'France'", "other"),
    ("paraphrase", "How many of the singers are from France?", "SELECT 3", "other"),
    (
        "template",
        "How many singers are from New South Wales?",
        "SELECT COUNT(*) FROM artist WHERE land = 'New South Wales'",
        "other",
    ),
]


@pytest.mark.parametrize(("kind", "question", "sql", "db_id"), CASES)
def test_each_way_to_give_a_dev_question_away(ask, dev, kind, question, sql, db_id):
    train = [ask("t0", "Which lamp is the cheapest?", "SELECT MIN(price) FROM lamp", "", "shop")]
    train.append(ask("t1", question, sql, "", db_id))
    (leak,) = check_leakage(train, dev, embed_words)
    assert (leak.question_id, leak.kind) == ("t1", kind)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("How many lamps cost more than 10?", "SELECT COUNT(*) FROM lamp WHERE price > 10"),
        ("", "SELECT 1"),
        ("\0\ud800", ""),
        ("最便宜的灯是什么？", "SELECT name FROM lamp ORDER BY price LIMIT 1"),
    ],
)
def test_other_questions_are_no_leak(ask, dev, question, sql):
    assert check_leakage([ask("t0", question, sql, "", "shop")], dev, embed_words) == []


def test_equal_sql_without_values_is_no_leak(ask):
    dev = [ask("d0", "How many dogs?", "SELECT COUNT(*) FROM customers", "", "one")]
    assert (
        check_leakage([ask("t0", "Size of clientele", "SELECT COUNT(*) FROM customers", "", "two")], dev, embed_words)
        == []
    )


def test_nothing_against_nothing(ask, dev):
    assert check_leakage([], dev, embed_words) == check_leakage(dev, [], embed_words) == []


def test_a_whole_dev_split_is_found(ask, dev):
    assert [k.kind for k in check_leakage(dev, dev, embed_words)] == ["database", "database"]


def test_words():
    assert words_of("How many, O'Hara?") == ("how", "many", "o", "hara")


@pytest.mark.skipif(not SPIDER.is_dir(), reason=f"no Spider data in {SPIDER}")
def test_two_wordings_of_one_question_are_found_and_other_databases_are_not():
    """The thresholds, measured on a part of the real questions; docs/training-data.md has all of them."""
    from nl2sql.indexes.embedding import embed

    questions = [q for q in load_benchmark(SPIDER).questions if q.db_id in ("pets_1", "orchestra", "museum_visit")]
    vectors = embed([q.question for q in questions])
    pairs = [(i, i + 1) for i in range(len(questions) - 1) if questions[i].gold_sql == questions[i + 1].gold_sql]
    near = sum(float(vectors[i] @ vectors[j]) >= PARAPHRASE for i, j in pairs)
    assert near / len(pairs) > 0.8
    train = load_benchmark(ROOT / "datasets" / "demo", "train").questions[:100]
    assert check_leakage(train, questions, embed) == []
