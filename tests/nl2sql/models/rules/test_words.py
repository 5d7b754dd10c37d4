import pytest

from nl2sql.models.rules.words import split_identifier, stem, tokenise


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CountryName", ("country", "name")),
        ("country_name", ("country", "name")),
        ("country name", ("country", "name")),
        ("Fname", ("first", "name")),
        ("LName", ("last", "name")),
        ("StuID", ("student", "id")),
        ("Song_release_year", ("song", "release", "year")),
        ("HTTPStatus", ("http", "status")),
        ("", ()),
    ],
)
def test_split_identifier(name, words):
    assert split_identifier(name) == words


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("countries", "country"),
        ("matches", "match"),
        ("buses", "buse"),
        ("status", "status"),
        ("glass", "glass"),
        ("people", "person"),
        ("is", "is"),
        ("series", "series"),
    ],
)
def test_stem(plural, singular):
    assert stem(plural) == singular


def test_tokens_keep_their_places():
    text = "What's Adela O'Gallagher's T-shirt on 2019/9/4, for 1,200.50?"
    tokens = tokenise(text)
    assert [text[t.start : t.end] for t in tokens] == [t.text for t in tokens]
    assert [t.text for t in tokens] == [
        "What", "'s", "Adela", "O'Gallagher", "'s", "T", "shirt", "on", "2019/9/4", ",", "for", "1,200.50", "?"
    ]  # fmt: skip
