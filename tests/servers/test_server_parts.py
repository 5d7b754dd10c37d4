"""Recognising prompts and filling schemas, without a server."""

import pytest

from tests.servers.billing import Prices, Tokens
from tests.servers.recognise_prompts import PromptTable, load_starts
from tests.servers.script import fill_schema


def test_prompts_are_recognised_by_their_longest_start(tmp_path):
    (tmp_path / "generate").mkdir()
    (tmp_path / "generate" / "direct.md").write_text("# Direct\n\nYou write SQLite for a question. Write it at once.\n")
    (tmp_path / "generate" / "plan.md").write_text("You write SQLite for a question. Plan it first.\n{schema}")
    table = PromptTable(load_starts(tmp_path))
    assert table.name_of("You write SQLite for a question. Plan it first.\n\nAnd more") == "generate/plan"
    assert table.name_of("You write SQLite for a question. Write it at once.") == "generate/direct"
    assert table.name_of("You write poems.") == ""
    assert table.name_of("") == ""


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, {"a": ""}),
        ({"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2}, [3, 3]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": ["string", "null"]}, ""),
        ({"$ref": "#/$defs/Node", "$defs": {"Node": {"enum": ["B", "A"]}}}, "B"),
        ({"type": "boolean"}, False),
        ({"const": 7}, 7),
    ],
)
def test_schemas_are_filled_with_the_least(schema, value):
    assert fill_schema(schema) == value


def test_a_schema_that_contains_itself_ends():
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}, "required": ["child"]}
    assert fill_schema(tree)["child"]["child"] is not None


def test_prices_given_go_before_the_map_and_unknown_models_cost_nothing():
    prices = Prices(known={"gemini/m": {"input_cost_per_token": 1e-6}}, given={"n": {"output_cost_per_token": 2e-6}})
    assert prices.dollars("m", Tokens(prompt=1000, output=5)) == pytest.approx(1e-3)
    assert prices.dollars("n", Tokens(prompt=1000, output=5)) == pytest.approx(1e-5)
    assert prices.dollars("other", Tokens(prompt=1000, output=5)) == 0
