from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nl2sql.profiling.value_formats import BARE_FORMATS, DAY_FORMATS, date_format, number_date_format, shape


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2020-03-10T12:00:00", "2019-10-08T09:30:00"], "%Y-%m-%dT%H:%M:%S"),
        (["3/4/20", "12/25/19"], "%m/%d/%y"),
        (["13/4/2020", "1/1/2020"], "%d/%m/%Y"),
        (["Feb 9, 1940", "Mar 12, 1950"], "%b %d, %Y"),
        (["19990101", "20001231"], "%Y%m%d"),
        (["2020-01-01", "N/A", "", "2021-12-31"], "%Y-%m-%d"),
        (["2008-01-01 10:00:00.0", "2009-01-01 11:30:59.5"], "%Y-%m-%d %H:%M:%S.%f"),
        (["12345678", "87654321"], ""),
        (["1999", "2001"], ""),
        (["2020-13-45", "2020-99-99"], ""),
        (["(651) 928-4507", "403-555-1310"], ""),
        ([], ""),
        (["N/A", "-"], ""),
        (["yesterday"] * 3, ""),
    ],
)
def test_date_formats(texts, expected):
    assert date_format(texts) == expected


def reads(text, format_):
    try:
        return bool(datetime.strptime(text, format_))
    except ValueError:
        return False


@settings(deadline=None, max_examples=30)
@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2099, 1, 1)), min_size=4, max_size=30, unique=True))
def test_nearly_all_dates_of_a_format_can_be_read_in_the_one_found(days):
    for format_ in (*DAY_FORMATS[:4], *BARE_FORMATS[:2]):
        texts = [d.strftime(format_) for d in days]
        found = date_format(texts)
        assert found
        assert sum(reads(t, found) for t in texts) >= 0.95 * len(texts)


def test_numbers_are_dates_only_when_the_name_says_so():
    assert number_date_format("created_at", "INTEGER", 1_500_000_000, 1_600_000_000) == "epoch"
    assert number_date_format("created_at", "INTEGER", 1_500_000_000_000, 1_600_000_000_000) == "epoch"
    assert number_date_format("phone", "INTEGER", 1_500_000_000, 1_600_000_000) == ""
    assert number_date_format("date", "INTEGER", 19990101, 20201231) == "%Y%m%d"
    assert number_date_format("date", "REAL", 2_458_000.5, 2_459_000.25) == "%J"
    assert number_date_format("time", "INTEGER", 5, 90) == ""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2020-01-01", "1999-12-31"], "9999-99-99"),
        (["TX", "CA"], "AA"),
        (["Angela", "Bo"], "A+a+"),
        (["recABC12", "recZZ9", "rec-1"], "rec*"),
        (["Москва", "Тверь"], "A+a+"),
        (["东京", "大阪"], "xx"),
        (["a b", "1-2", "x"], ""),
        (["", ""], ""),
    ],
)
def test_shapes(texts, expected):
    assert shape(texts) == expected
