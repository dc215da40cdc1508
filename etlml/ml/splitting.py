"""Parts the rows into those to learn from and those to judge by."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from etlml.ml.values import Indices


def split(rows: int, test_size: float, seed: int, classes: NDArray[np.int64] | None) -> tuple[Indices, Indices]:
    """Train and test positions, each ascending; the same for the same seed.

    With ``classes`` each class is parted alike, and a class always keeps a row to learn from.
    """
    shuffled = np.random.default_rng(seed).permutation(rows)
    wanted = min(max(1, round(rows * test_size)), rows - 1)
    if classes is None:
        return np.sort(shuffled[wanted:]), np.sort(shuffled[:wanted])
    groups = shuffled[np.argsort(classes[shuffled], kind="stable")]
    sizes = np.bincount(classes)
    shares = np.minimum(np.round(sizes * test_size).astype(np.int64), np.maximum(sizes - 1, 0))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    within = np.arange(rows) - np.repeat(starts, sizes)
    is_test = within < np.repeat(shares, sizes)
    if not is_test.any():  # every class is too small for its share: take the test rows where there are most
        is_test[starts[np.argmax(sizes)]] = True
    return np.sort(groups[~is_test]), np.sort(groups[is_test])


def folds(rows: int, count: int, seed: int, classes: NDArray[np.int64] | None) -> Iterator[tuple[Indices, Indices]]:
    """Train and test positions of each fold of a cross-validation; classes are spread evenly over the folds."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    if classes is not None:
        shuffled = shuffled[np.argsort(classes[shuffled], kind="stable")]
    fold = np.empty(rows, dtype=np.int64)
    fold[shuffled] = np.arange(rows) % count
    for number in range(count):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)
