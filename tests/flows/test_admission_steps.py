"""A preset with local models, taken apart into what was there before and one local model more at a time."""

import pytest

from flows.admission_steps import changed, local_changes, replaced, start_of, steps_from
from flows.model_options import EntryOption, JudgeOption, RoleOption, Roles
from flows.options import Options
from nl2sql.errors import UserError

LOCAL = "local:generator_b@0123456789abcdef"
API = EntryOption(name="A", model="some/model")
OURS = EntryOption(name="B1", model="ours")
ROLES = Roles(
    ground=RoleOption(model="some/model"),
    fix=RoleOption(model="ours"),
    compare=JudgeOption(model="ours"),
    tiebreak=RoleOption(model="some/model"),
)
MINE = Options(preset="mine", lineup=(OURS, API), roles=ROLES, names={"ours": LOCAL})


def test_without_another_preset_the_local_models_are_left_out():
    start = start_of(MINE, None)
    assert (start.lineup, start.preset) == ((API,), "mine-before")
    assert start.roles == Roles(ground=ROLES.ground)
    assert local_changes(start) == []
    alone = MINE.model_copy(update={"lineup": (OURS,)})
    assert [e.name for e in start_of(alone, None).lineup] == ["rules"]


def test_each_step_adds_one_model_and_the_last_is_the_preset():
    before, seen = start_of(MINE, None), []
    for change in steps_from(before, MINE):
        seen.append((change.use, change.model, replaced(before, change)))
        before = changed(before, change, MINE)
    assert seen == [
        ("generate", LOCAL, "the lineup A"),
        ("fix", LOCAL, "no model to fix"),
        ("compare", LOCAL, "no model to compare"),
    ]
    assert set(before.lineup) == set(MINE.lineup)
    assert before.roles == ROLES


def test_a_model_takes_the_place_of_what_another_preset_has():
    names = {**MINE.names, "older": LOCAL.replace("0", "f")}
    there = Options(lineup=(API, OURS.model_copy(update={"model": "older"})), roles=Roles(fix=RoleOption(model="x/y")))
    mine = MINE.model_copy(update={"names": names})
    before = start_of(mine, there)
    generator, fixer, _ = steps_from(before, mine)
    assert changed(before, generator, mine).lineup == (API, OURS)
    assert replaced(before, fixer) == "x/y"


def test_nothing_to_compare_is_a_users_mistake():
    with pytest.raises(UserError, match="preset offline has no local model"):
        steps_from(Options(), Options())
