"""Whatever asks a local model carries the tag of which one task runs at a time."""

import pytest

from flows.local_limits import TAG
from flows.model_choices import asking, fixing, judging, linking_models, local_tags
from flows.model_options import Roles
from flows.options import Options
from tasks.model_access import Access

ACCESS = Access(run="run", folder="answers")
HERE, THERE = {"ours": "local:selector@0123456789abcdef"}, {"ours": "some/model"}
GIVEN = {
    "summarise": lambda o: asking(o, ACCESS, choice="summarise"),
    "ground": lambda o: asking(o, ACCESS, choice="ground"),
    "link": lambda o: linking_models(o, ACCESS),
    "draft": lambda o: linking_models(o, ACCESS),
    "fix": lambda o: fixing(o, ACCESS),
    "compare": lambda o: judging(o, ACCESS),
}


@pytest.mark.parametrize("role", GIVEN)
def test_a_role_takes_its_turn_when_its_model_is_local(role):
    options = Options(roles=Roles.model_validate({role: {"model": "ours"}}), names=HERE)
    assert local_tags(GIVEN[role](options)) == (TAG,)
    assert local_tags(GIVEN[role](options.model_copy(update={"names": THERE}))) == ()
