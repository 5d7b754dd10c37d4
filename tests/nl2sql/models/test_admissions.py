"""Which local models may be used: the newest comparison of the same weights in the same use decides."""

from dataclasses import replace

import pytest

from nl2sql.errors import UserError
from nl2sql.models.admissions import FILE, Admission, add_admission, check_admitted, read_admissions

MODEL = "local:generator_a@0123456789abcdef"
EVEN = Admission("fix", MODEL, "no model to fix", "demo", 40, 12, 12, 1.0, "before", "after", 1.0)


def test_a_comparison_admits_the_same_weights_in_the_same_use_only(tmp_path):
    add_admission(tmp_path / "new", EVEN)
    assert read_admissions(tmp_path / "new") == [EVEN]
    check_admitted([("fix", MODEL)], tmp_path / "new")
    for use, model in (("compare", MODEL), ("fix", f"{MODEL},kv8"), ("fix", MODEL.replace("0", "f"))):
        with pytest.raises(UserError, match="has not been compared with what it would replace: nl2sql admit"):
            check_admitted([("fix", MODEL), (use, model)], tmp_path / "new")


def test_the_worse_model_stays_out_until_a_newer_comparison_says_otherwise(tmp_path):
    add_admission(tmp_path, EVEN)
    add_admission(tmp_path, replace(EVEN, right=11, p_value=0.5))
    with pytest.raises(UserError, match="11 of 40 right with it, 12 with no model to fix") as e:
        check_admitted([("fix", MODEL)], tmp_path)
    assert "\n" not in str(e.value)
    add_admission(tmp_path, replace(EVEN, right=13))
    check_admitted([("fix", MODEL)], tmp_path)


def test_no_questions_admit_nothing():
    assert not replace(EVEN, questions=0, right=0, right_before=0).admitted


@pytest.mark.parametrize("text", ["{", "[]", '{"use": "fix"}', "\udcff"])
def test_a_file_that_is_not_ours_is_one_line_and_stays_as_it_is(tmp_path, text):
    (tmp_path / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match="cannot be read") as error:
        check_admitted([("fix", MODEL)], tmp_path)
    assert "\n" not in str(error.value)
    assert (tmp_path / FILE).read_bytes() == text.encode("utf-8", "surrogateescape")
