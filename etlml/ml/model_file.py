"""Model files: a scikit-learn pipeline and what is known of it, in skops' format, which runs no code when it is read."""

import copy
import hashlib
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from etlml.compute.session import sync_folder
from etlml.errors import DataUnreadable, NotFound, TrainingFailed

FORMAT = "etlml-model-1"
CHECKED_BYTES = 8 * 2**20  # larger files are those of forests, whose types are known
TRUSTED = (
    "etlml.ml.preparation.Preparation",
    # Their node tables are checked by _check_trees before anything follows an index in them.
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    # Plain holders of numbers and arrays, and functions that only compute with what they are given.
    "functools.partial",
    "sklearn.utils.validation.check_array",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.cluster._bisect_k_means._BisectingTree",
    "sklearn.cluster._kmeans._kmeans_single_elkan",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
)
"""Types beyond those of scikit-learn, numpy and scipy that skops itself trusts."""


@dataclass(frozen=True)
class Written:
    """A model file that is on the disk."""

    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Stored:
    """What a model file holds: the pipeline (preparation, then estimator) and its metadata."""

    pipeline: Any
    metadata: dict[str, Any]


class _Hashed(io.RawIOBase):
    """A file that is written from start to end, with the hash of its bytes, taken while they are on their way."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="model-file")
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        written = self._aside.submit(self._write_all, view)
        self.hash.update(view)
        written.result()
        self.size += len(view)
        return len(view)

    def close(self) -> None:
        if not self.closed:
            self._aside.shutdown()
            self._file.close()
        super().close()

    def _write_all(self, view: memoryview) -> None:
        start = 0
        while start < len(view):
            start += self._file.write(view[start : start + 2**24])
        os.fsync(self._file.fileno())


def save(pipeline: Any, metadata: dict[str, Any], path: Path) -> Written:
    """Write a model file, whole or not at all, even after a power cut.

    Raises:
        TrainingFailed: The estimator holds something that could not be read back safely.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    content = {"format": FORMAT, "metadata": json.dumps(metadata), "pipeline": _storable(pipeline)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _Hashed(partial) as file:
            skops.io.dump(content, file)
        unknown = set() if file.size > CHECKED_BYTES else {*skops.io.get_untrusted_types(file=partial)} - {*TRUSTED}
        if unknown:
            raise TrainingFailed(_unsafe(pipeline, ", ".join(sorted(unknown)[:3])))
        partial.replace(path)
        sync_folder(path.parent)
    except UnsupportedTypeException as error:
        raise TrainingFailed(_unsafe(pipeline, _first_line(error))) from None
    finally:
        partial.unlink(missing_ok=True)
    return Written(path, file.hash.hexdigest(), file.size)


def load(path: Path, *, sha256: str | None = None) -> Stored:
    """Read a model file.

    Args:
        sha256: What the file's hash was when the model was registered; None to take any.

    Raises:
        NotFound: There is no such file.
        DataUnreadable: It is damaged, changed since, no model file, or holds types that are not trusted.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("model file", path.name) from None
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise DataUnreadable(
            f"The model file {path.name} was changed since the model was registered. Train the model again."
        )
    try:
        content = skops.io.loads(data, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise DataUnreadable(f"The model file {path.name} was not loaded: {_first_line(error)}") from None
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError, EOFError) as error:
        raise DataUnreadable(f"{path.name} is no model file, or it is damaged: {_first_line(error)}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataUnreadable(f"{path.name} holds no model of this platform.")
    _check_trees(content["pipeline"], path.name)
    _rebuild_search_tree(content["pipeline"][-1])
    return Stored(content["pipeline"], json.loads(content["metadata"]))


def _storable(pipeline: Any) -> Any:
    """The pipeline, or a copy that answers the same and can be stored.

    The search tree of a nearest-neighbours model is a table of indices that cannot be checked when it is read; it is
    built again from the rows. Of Birch, which skops does not take, the centres by which it answers are kept.
    """
    if type(pipeline[-1]).__name__ == "Birch":
        from sklearn.neighbors import KNeighborsClassifier

        nearest = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
        estimator = nearest.fit(pipeline[-1].subcluster_centers_, pipeline[-1].subcluster_labels_)
    elif getattr(pipeline[-1], "_tree", None) is not None:
        estimator = copy.copy(pipeline[-1])
        estimator._tree = None
    else:
        return pipeline
    return type(pipeline)([*pipeline.steps[:-1], (pipeline.steps[-1][0], estimator)])


def _rebuild_search_tree(estimator: Any) -> None:
    method = getattr(estimator, "_fit_method", None)
    if method in ("kd_tree", "ball_tree") and getattr(estimator, "_tree", None) is None:
        from sklearn.neighbors import BallTree, KDTree

        kind = KDTree if method == "kd_tree" else BallTree
        options = estimator.effective_metric_params_
        estimator._tree = kind(estimator._fit_X, estimator.leaf_size, metric=estimator.effective_metric_, **options)


def _unsafe(pipeline: Any, reason: str) -> str:
    name = type(pipeline[-1]).__name__
    return f"A {name} with these parameters cannot be stored in a file that is safe to read: {reason}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _check_trees(pipeline: Any, name: str) -> None:
    """Refuse trees whose nodes point outside of themselves: scikit-learn follows them without looking."""
    for tree in _trees(pipeline, set()):
        if not (_is_sound_predictor(tree) if hasattr(tree, "nodes") else _is_sound_tree(tree)):
            raise DataUnreadable(f"The model file {name} is damaged: a tree in it points outside of itself.")


def _trees(value: Any, seen: set[int]) -> Iterator[Any]:
    if id(value) in seen or isinstance(value, str | int | float | bytes | type(None)):
        return
    seen.add(id(value))
    if type(value).__name__ in ("Tree", "TreePredictor"):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _trees(item, seen)
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        for item in value.ravel() if isinstance(value, np.ndarray) else value:
            yield from _trees(item, seen)
    elif type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__"):
        yield from _trees(vars(value), seen)


def _is_sound_tree(tree: Any) -> bool:
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = np.flatnonzero(left != -1)
    return _points_ahead(inner, left[inner], right[inner], len(left)) and _within(feature[inner], tree.n_features)


def _is_sound_predictor(tree: Any) -> bool:
    nodes = tree.nodes
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    sets = nodes["bitset_idx"][inner][nodes["is_categorical"][inner] != 0]
    columns = 2**31 if not len(inner) else int(nodes["feature_idx"].max()) + 1
    return (
        _points_ahead(inner, nodes["left"][inner], nodes["right"][inner], len(nodes))
        and _within(nodes["feature_idx"][inner], columns)
        and _within(sets, len(tree.raw_left_cat_bitsets))
    )


def _points_ahead(inner: Any, left: Any, right: Any, count: int) -> bool:
    """Children lie behind their parents, so that there is no way round in a circle, and within the table."""
    ahead = bool((left > inner).all() and (right > inner).all())
    return ahead and bool((left < count).all() and (right < count).all())


def _within(indices: Any, count: int) -> bool:
    return bool(((indices >= 0) & (indices < count)).all())
