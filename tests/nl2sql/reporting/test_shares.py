import pytest

from nl2sql.reporting.shares import money, quantile, short_count, wilson_interval


def test_wilson_interval_matches_published_values():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for correct, n, low, high in (
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0, 16.11),
        (1, 29, 0.61, 17.18),
    ):
        assert wilson_interval(correct, n) == pytest.approx((low, high), abs=0.006)


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0.00"),
        (1204.5, "$1,204.50"),
        (0.5, "$0.50"),
        (0.0123, "$0.012"),
        (0.00314, "$0.0031"),
        (4e-12, "$0.00000000"),
        (float("nan"), "$?"),
        (float("inf"), "$?"),
    ],
)
def test_money_is_in_cents_and_small_sums_in_two_digits(dollars, text):
    assert money(dollars) == text


def test_a_quantile_is_one_of_the_values():
    assert quantile(range(1, 101), 0.95) == 95
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([7], 0.95) == 7
    assert quantile([], 0.95) == 0


def test_counts_are_short():
    assert [short_count(n) for n in (0, 9_999, 12_345, 1_234_567)] == ["0", "9,999", "12.3 k", "1.2 M"]
