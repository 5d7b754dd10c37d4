"""Presets that name models: what becomes of their words, and what is refused."""

import pytest

from flows.model_choices import judging, lineup_entries, model_name, models_of, prices_of, provider_option, role_choice
from flows.model_options import EntryOption, Roles
from flows.options import Options, load_preset
from nl2sql.errors import UserError
from tasks.model_access import Access

PRESETS = ("api", "economy", "hybrid", "local", "offline")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_names_models_as_litellm_does(preset):
    models = models_of(load_preset(preset))
    assert bool(models) == (preset != "offline")
    assert all("/" in m or m.startswith("local:") for m in models)


def test_offline_needs_no_model():
    (entry,) = lineup_entries(load_preset("offline"))
    assert (entry.name, entry.maker, entry.choice) == ("rules", "rules", None)


@pytest.mark.parametrize(("preset", "least", "most"), [("api", 10, 11), ("hybrid", 10, 11), ("economy", 6, 8)])
def test_size_of_the_lineups(preset, least, most):
    count = sum(
        len(e.prompts) * len(e.views) * max(1, len(e.efforts)) * max(1, len(e.temperatures)) * e.samples
        for e in lineup_entries(load_preset(preset))
    )
    assert least <= count <= most


def test_a_role_carries_everything_that_decides_an_answer():
    choice = role_choice(load_preset("api"), "ground")
    assert choice is not None
    assert choice.model.startswith("anthropic/")
    assert choice.fallback.startswith("gemini/")
    assert (choice.effort, choice.max_tokens) == ("low", 2048)
    assert role_choice(load_preset("offline"), "ground") is None


def test_unknown_names_say_what_there_is():
    options = Options(preset="mine", roles=Roles.model_validate({"fix": {"model": "sonet"}}))
    with pytest.raises(UserError, match=r"preset mine: no model 'sonet'.*sonnet"):
        role_choice(options, "fix")


def test_names_of_the_preset_come_before_the_common_ones():
    options = Options(names={"sonnet": "openai/mine", "new": "gemini/gemini-4"})
    assert model_name(options, "sonnet") == "openai/mine"
    assert model_name(options, "new") == "gemini/gemini-4"
    assert model_name(options, "anthropic/claude-x") == "anthropic/claude-x"


def test_a_prompted_generator_needs_a_model():
    with pytest.raises(UserError, match="'A' of the lineup names no model"):
        lineup_entries(Options(lineup=(EntryOption(name="A"),)))


def test_generators_need_names_of_their_own():
    with pytest.raises(UserError, match="one name"):
        lineup_entries(Options.model_validate({"lineup": ["rules", "rules"]}))


def test_a_preset_changes_how_a_provider_is_reached_and_keeps_the_rest():
    options = Options.model_validate({"providers": {"anthropic": {"concurrency": 64}}})
    reached = provider_option(options, "anthropic")
    assert (reached.concurrency, reached.key, reached.timeout) == (64, "ANTHROPIC_API_KEY", 180)
    assert provider_option(Options(), "anthropic").concurrency == 16
    assert provider_option(Options(), "unheard-of").api_base is None


def test_prices_are_of_models_not_of_names():
    options = Options.model_validate({"prices": {"sonnet": {"input": 1, "output": 2}}})
    assert set(prices_of(options)) == {model_name(options, "sonnet")}


def test_a_preset_of_the_users_own(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('lineup = ["rules"]\nmax_cost = 2.5\n', encoding="utf-8")
    assert load_preset(str(mine)).max_cost == 2.5
    assert load_preset(str(mine)).preset == "mine"
    mine.write_text('[[lineup]]\nname = "A"\nmodle = "sonnet"\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"lineup\.0\.modle"):
        load_preset(str(mine))
    with pytest.raises(UserError, match="no preset"):
        load_preset(str(tmp_path / "absent.toml"))


LOCAL_JUDGE = {"model": "selector", "sure": 0.9}


def test_a_tiebreaker_comes_with_the_certainty_below_which_it_is_asked():
    roles = Roles.model_validate({"compare": LOCAL_JUDGE, "tiebreak": {"model": "flash"}})
    given = judging(Options(roles=roles), Access("run", "folder"), "groundings")
    assert (given["judge"].model, given["sure"], given["groundings"]) == ("local:selector", 0.9, "groundings")
    assert given["tiebreak"].model.startswith("gemini/")
    assert "gemini/gemini-3.8-flash" in models_of(Options(roles=roles))
    alone = judging(Options(roles=Roles.model_validate({"compare": {"model": "flash"}})), Access("run", "folder"), "g")
    assert alone.keys() == {"judge", "access"}


def test_a_tiebreaker_without_a_judge_is_refused():
    with pytest.raises(ValueError, match="compare has no model"):
        Roles.model_validate({"tiebreak": {"model": "flash"}})


@pytest.mark.parametrize(("given", "tokens"), [({}, 1_024), ({"context_tokens": 2_048}, 2_048)])
def test_local_models_are_asked_as_briefly_as_they_were_trained(given, tokens):
    roles = Roles.model_validate({"compare": LOCAL_JUDGE | given, "fix": {"model": "haiku"}})
    judge, fixer = (role_choice(Options(roles=roles), role) for role in ("compare", "fix"))
    assert judge is not None
    assert fixer is not None
    assert (judge.context_tokens, fixer.context_tokens) == (tokens, 16_000)
