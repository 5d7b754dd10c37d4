"""What is seen before a run with models begins."""

import pytest

from flows.model_settings import ANSWERS, check_models, run_access, with_local_models
from flows.options import Options, load_preset
from nl2sql.errors import UserError

KEYS = ("ANTHROPIC_API_KEY", "GEMINI_API_KEY")
SECRET = "sk-never-shown"


@pytest.fixture
def with_keys(monkeypatch):
    for name in KEYS:
        monkeypatch.setenv(name, SECRET)


def roles(**chosen) -> Options:
    return Options.model_validate({"preset": "mine", "roles": chosen})


@pytest.mark.parametrize("preset", ["api", "economy", "local", "offline"])
def test_the_presets_ask_models_for_what_they_take(preset, with_keys, tmp_path):
    check_models(load_preset(preset), str(tmp_path))


@pytest.mark.parametrize("name", KEYS)
def test_a_missing_key_is_named(name, with_keys, monkeypatch, tmp_path):
    monkeypatch.delenv(name)
    with pytest.raises(UserError, match=f"{name} is not set.*export {name}"):
        check_models(load_preset("api"), str(tmp_path))
    check_models(load_preset("api"), str(tmp_path), keys=False)


def test_a_local_model_that_is_not_there_says_how_to_make_it(with_keys, tmp_path):
    with pytest.raises(UserError, match="nl2sql train generator_b"):
        check_models(load_preset("hybrid"), str(tmp_path))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"model": "anthropic/claude-17"}, "price of 'anthropic/claude-17' is not known"),
        ({"model": "sonnet", "temperature": 0.3}, "temperature 0.3 is refused"),
        ({"model": "flash", "effort": "minimal"}, "effort 'minimal' is refused"),
        ({"model": "haiku", "max_tokens": 199_999}, "max_tokens"),
        ({"model": "haiku", "temperature": 1, "fallback": "gemini/gemini-0"}, "gemini-0"),
    ],
)
def test_what_a_model_does_not_take_is_an_error(chosen, said, with_keys, tmp_path):
    with pytest.raises(UserError, match=said):
        check_models(roles(fix=chosen), str(tmp_path))


def test_a_prompt_that_does_not_exist(with_keys, tmp_path):
    entry = {"name": "A", "model": "haiku", "prompts": ["inspired"]}
    with pytest.raises(UserError, match=r"'A' of the lineup.*inspired"):
        check_models(Options.model_validate({"lineup": [entry]}), str(tmp_path))


def test_access_carries_limits_and_never_shows_a_key(with_keys, tmp_path):
    access = run_access(load_preset("api").model_copy(update={"max_cost": 3.0}), str(tmp_path), questions=7)
    assert access is not None
    assert {limit.provider for limit in access.limits} == {"anthropic", "gemini"}
    assert all(limit.api_key == SECRET for limit in access.limits)
    assert SECRET not in repr(access)
    assert (access.max_cost, access.questions) == (3.0, 7)
    assert access.folder == str(tmp_path / ANSWERS)


def test_without_models_there_is_no_access(tmp_path):
    assert run_access(Options(), str(tmp_path)) is None
    assert with_local_models(Options(), str(tmp_path)) == Options()
