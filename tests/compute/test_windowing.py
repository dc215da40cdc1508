"""OVER is put behind the functions that need it, and nowhere else."""

import pytest

from etlml.compute.windowing import with_over


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("row_number()", "row_number() OVER w"),
        ("a / sum(a)", "a / sum(a) OVER w"),
        ("a - lag(a, 1)", "a - lag(a, 1) OVER w"),
        ("count(*) + 1", "count(*) OVER w + 1"),
        ("sum(a) FILTER (WHERE b > ')') * 2", "sum(a) FILTER (WHERE b > ')') OVER w * 2"),
        ("sum(a) OVER (PARTITION BY b)", "sum(a) OVER (PARTITION BY b)"),
        ("sum(a) OVER (ORDER BY b) / sum(a)", "sum(a) OVER (ORDER BY b) / sum(a) OVER w"),
        ("coalesce(max(a), min(b), 'sum(x)')", "coalesce(max(a) OVER w, min(b) OVER w, 'sum(x)')"),
        ("'é' || first(\"a)b\" /* ) */)", "'é' || first(\"a)b\" /* ) */) OVER w"),
        ("sum(a -- )\n)", "sum(a -- )\n) OVER w"),
        ("round(avg(a + list_sum([x for x in l])), 2)", "round(avg(a + list_sum([x for x in l])) OVER w, 2)"),
        ("max($q$)$q$ || e'\\')') + 1", "max($q$)$q$ || e'\\')') OVER w + 1"),
        ("upper(b)", "upper(b)"),
    ],
)
def test_over_is_added(text: str, expected: str) -> None:
    assert with_over(text, "OVER w") == expected
