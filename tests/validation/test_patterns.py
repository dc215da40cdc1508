"""A regular expression that DuckDB can't read is explained."""

import pytest

from etlml.validation.patterns import pattern_problem


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("N[0-9]+[A-Z]*", None),
        (r"\d{3}\.\d+", None),
        ("it's", None),
        ("A(b", r"missing ). Brackets come in pairs; write \) for the character itself."),
        (
            "ab[z-a]",
            "invalid character class range at position 4 (z-a). Correct it, or write \\ before a special character.",
        ),
        ("ab**", "bad repetition operator at position 3 (**). Write \\ before *, +, ? or { for the character itself."),
        (
            r"a(?=b)",
            "invalid perl operator at position 2 ((?=). Look-around is not supported: use two rules, or the sql rule.",
        ),
        (r"(a)\1", r"invalid escape sequence at position 4 (\1). Back-references are not supported: use the sql rule."),
        (r"a\qb", r"invalid escape sequence at position 2 (\q). Write two backslashes for the character itself."),
    ],
)
def test_pattern_problem_says_what_where_and_the_mend(pattern: str, problem: str | None) -> None:
    assert pattern_problem(pattern) == problem
