from collections import Counter

from nl2sql.rows import ColumnName
from nl2sql.training.augment_schema import augment_schema, fit_schema, seeded

NEEDED = (ColumnName("animal", "species"), ColumnName("keeper", "name"))


def forms(zoo, number=200, linked=()):
    return [augment_schema(zoo.described, NEEDED, linked, seeded(0, i)) for i in range(number)]


def test_equal_seeds_give_equal_forms_and_others_differ(zoo):
    texts = [f.text() for f in forms(zoo, 20)]
    assert texts == [f.text() for f in forms(zoo, 20)]
    assert len(set(texts)) > 10


def test_what_the_query_needs_is_always_there_with_its_keys(zoo):
    keys = {ColumnName("animal", "keeper_id"), ColumnName("keeper", "id")}
    for form in forms(zoo):
        assert {*NEEDED, *keys} <= set(form.needed)
        assert "species" in form.text(0)
        assert "animal.keeper_id = keeper.id" in form.text(0)


def test_other_tables_and_columns_stay_in_their_shares(zoo):
    kept = Counter(c for f in forms(zoo, 600) for c in f.order)
    # The table with 80 %, its column with 70 % or, as its first, when no other was kept: 0.8 x (0.7 + 0.3 x 0.3).
    assert 0.57 < kept[ColumnName("visit", "day")] / 600 < 0.69
    assert 0.64 < kept[ColumnName("animal", "weight")] / 600 < 0.76


def test_linked_columns_are_kept_and_go_last(zoo):
    linked = (ColumnName("visit", "visitors"), ColumnName("animal", "weight"))
    for form in forms(zoo, 50, linked):
        assert form.order[:2] == linked
        assert "visitors" in form.text(1)


def test_examples_are_permuted_with_their_counts(zoo):
    form = forms(zoo, 1)[0]
    before = {(p.table, p.column): p for p in zoo.described.profiles}
    for profile in form.described.profiles:
        old = before[profile.table, profile.column]
        pairs = set(zip(profile.top_values, profile.top_counts, strict=True))
        assert pairs == set(zip(old.top_values, old.top_counts, strict=True))


def test_the_longest_text_under_the_limit_is_taken(zoo):
    form = max(forms(zoo, 20), key=lambda f: len(f.order))
    lengths = [len(form.text(n)) for n in range(len(form.order) + 1)]
    for limit in (lengths[0] + 1, lengths[2] + 1, lengths[-1], lengths[-1] + 1):
        text = fit_schema(form, len, limit)
        assert len(text) < limit
        assert text == form.text(max(n for n, length in enumerate(lengths) if length < limit))
    assert fit_schema(form, len, 1) == form.text(0)  # nothing fits: the caller sees what is too long
