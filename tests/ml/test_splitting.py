"""How rows are parted; each claim for many shapes of data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from etlml.ml.splitting import folds, split


@given(
    rows=some.integers(2, 500),
    test_size=some.floats(0.01, 0.99),
    seed=some.integers(0, 10),
    classes=some.integers(1, 5),
)
def test_every_row_is_on_one_side_and_none_is_empty(rows: int, test_size: float, seed: int, classes: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, rows)
    for given_labels in (None, labels if np.bincount(labels).max() > 1 else None):
        train, test = split(rows, test_size, seed, given_labels)
        assert sorted([*train, *test]) == list(range(rows))
        assert len(train)
        assert len(test)


def test_classes_keep_their_shares() -> None:
    labels = np.array([0] * 900 + [1] * 100)
    _, test = split(1000, 0.2, 0, labels)
    assert np.bincount(labels[test]).tolist() == [180, 20]


def test_a_class_with_one_row_is_learned_from() -> None:
    labels = np.array([0] * 20 + [1])
    train, _ = split(21, 0.5, 0, labels)
    assert 20 in train


def test_the_seed_decides() -> None:
    first, again, other = (split(100, 0.2, seed, None)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_folds_test_every_row_once_and_spread_the_classes(count: int) -> None:
    labels = np.array([0] * 60 + [1] * 30)
    seen: list[int] = []
    for train, test in folds(90, count, 0, labels):
        assert not set(train) & set(test)
        assert abs(labels[test].mean() - 1 / 3) < 0.05
        seen.extend(test)
    assert sorted(seen) == list(range(90))
