import pytest

from nl2sql.reporting.generator_diversity import Diversity
from nl2sql.reporting.model_charts import BINS, heat_map, histogram, money_chart, round_width
from nl2sql.reporting.model_costs import model_costs


def test_the_stacked_bar_is_as_long_as_the_dollars(call):
    calls = [call(role="link", dollars=0.25), call(role="taste", dollars=0.75), call(role="fix")]
    costs = model_costs(["1"], calls)
    assert costs is not None
    found = [(s.role, s.colour, s.start, s.end) for s in money_chart(costs).segments]
    assert found == [("link", "link", 0, 25), ("fix", "fix", 25, 25), ("taste", "other", 25, 100)]


def test_a_run_that_cost_nothing_has_no_bins(call):
    costs = model_costs(["1", "2"], [call()])
    assert costs is not None
    chart = money_chart(costs)
    assert (chart.bins, chart.free) == ((), 2)


def test_every_value_is_in_the_bin_whose_ends_hold_it():
    values = [0.001, 0.01, 0.0100001, 0.02, 0.2]
    bins = histogram(values)
    assert [b.count for b in bins][:2] == [2, 2]
    assert (len(bins), bins[-1].count, bins[-1].high) == (BINS, 1, pytest.approx(0.2))
    assert sum(b.count for b in bins) == len(values)
    assert max(b.height for b in bins) == 100


@pytest.mark.parametrize("value", [1e-9, 0.3, 0.7, 1, 3, 9_999])
def test_bins_are_few_and_round(value):
    bins = histogram([value])
    assert len(bins) <= BINS
    assert sum(b.count for b in bins) == 1
    assert bins[-1].low < value <= bins[-1].high * (1 + 1e-9)


def test_widths_are_round():
    assert [round_width(w) for w in (0.011, 0.02, 0.03, 0.07)] == pytest.approx([0.02, 0.02, 0.05, 0.1])


def test_the_heat_map_has_a_measure_on_either_side():
    matrix = ((None, 40.0), (40.0, None))
    right = ((None, 10.0), (10.0, None))
    found = heat_map(Diversity(("A", "recorded:B"), 9, matrix, right, (), ()))
    assert [[c[0] for c in r.cells] for r in found.rows] == [["none", "above"], ["below", "none"]]
    assert found.rows[0].cells[1] == ("above", "40", 1.0, "A and B: different results for 40.0 %")
    assert found.rows[1].cells[0][1:] == ("10", 1.0, "B and A: exactly one right for 10.0 %")
    assert found.highest == (40, 10)


def test_generators_without_a_common_question_leave_a_blank():
    nothing = ((None, None), (None, None))
    found = heat_map(Diversity(("A", "B"), 0, nothing, nothing, (), ()))
    assert found.rows[0].cells[1][:2] == ("blank", "–")
    assert found.highest == (0, 0)
