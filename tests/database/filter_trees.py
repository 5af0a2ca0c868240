"""Random filters, built as trees, for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from tracking.database.filter_tree import And, Compare, Contains, Expression, Field, In, Matches, Not, Or
from tracking.records import RunStatus

AGGREGATES = ("min", "max", "mean", "first", "last", "best")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
ORDERLESS = ("==", "!=")

numbers = st.one_of(
    st.integers(-3, 3), st.floats(allow_nan=False), st.integers(-(1 << 80), 1 << 80), st.just(float("inf"))
)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


def trees(
    *,
    keys: st.SearchStrategy[str],
    texts: st.SearchStrategy[str],
    numbers: st.SearchStrategy[int | float] = numbers,
    moments: st.SearchStrategy[datetime] = moments,
    aggregates: Sequence[str] = AGGREGATES,
) -> st.SearchStrategy[Expression]:
    """Return filters over the given keys and values."""
    metric = st.builds(Field, st.just("metrics"), keys, st.sampled_from(aggregates))
    number_field = st.one_of(metric, st.just(Field("duration")))
    param = st.builds(Field, st.just("params"), keys)
    text_field = st.sampled_from([Field(kind) for kind in ("name", "experiment", "group", "notes")])
    status, created, tags = Field("status"), Field("created"), Field("tags")
    statuses = st.sampled_from([member.value for member in RunStatus])
    any_field = st.one_of(number_field, param, text_field, st.sampled_from([status, created, tags]))
    operator, orderless = st.sampled_from(OPERATORS), st.sampled_from(ORDERLESS)

    def listed(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
        return st.lists(values, min_size=1, max_size=3).map(tuple)

    leaf = st.one_of(
        st.builds(Compare, number_field, operator, numbers),
        st.builds(Compare, param, operator, st.one_of(numbers, texts)),
        st.builds(Compare, param, orderless, st.booleans()),
        st.builds(Compare, text_field, operator, texts),
        st.builds(Compare, st.just(status), orderless, statuses),
        st.builds(Compare, st.just(created), operator, moments),
        st.builds(Compare, any_field, orderless, st.none()),
        st.builds(In, number_field, listed(numbers)),
        st.builds(In, param, listed(st.one_of(numbers, texts, st.booleans()))),
        st.builds(In, text_field, listed(texts)),
        st.builds(In, st.just(status), listed(statuses)),
        st.builds(Contains, st.one_of(param, text_field, st.just(tags)), texts),
        st.builds(Matches, st.one_of(param, text_field, st.just(tags)), texts),
    )
    several = st.recursive(
        leaf,
        lambda below: st.one_of(
            st.builds(Not, below),
            st.builds(And, st.lists(below, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(below, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=6,
    )
    return several
