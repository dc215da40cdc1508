"""Every scikit-learn classifier, regressor and clusterer by name, found in scikit-learn's source without importing it.

Importing scikit-learn takes seconds and much memory, which the process that only checks a pipeline need not pay.
"""

import ast
import importlib
import importlib.util
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from etlml.errors import ConfigInvalid, did_you_mean

Task = Literal["classification", "regression", "clustering"]

_TASKS: Mapping[str, Task] = {
    "ClassifierMixin": "classification",
    "RegressorMixin": "regression",
    "ClusterMixin": "clustering",
    "BaseMixture": "clustering",
}
_TASK_SUFFIX: Mapping[Task, str] = {"classification": "Classifier", "regression": "Regressor", "clustering": ""}
_SKIPPED_FOLDERS = frozenset({"tests", "externals", "utils", "datasets", "inspection", "_build_utils", "experimental"})
_LEFT_OUT = frozenset(
    {
        "FeatureAgglomeration",  # groups columns, not rows
        "MultiTaskElasticNet",  # these four want several targets
        "MultiTaskElasticNetCV",
        "MultiTaskLasso",
        "MultiTaskLassoCV",
    }
)
_WRAPPERS: Mapping[str, str] = {"SelfTrainingClassifier": "estimator"}  # whose default for it does not work
_CLASS = re.compile(r"^class (\w+)\(([^)]*)\):", re.MULTILINE)


@dataclass(frozen=True)
class Algorithm:
    """A scikit-learn estimator: its class name, its module, and what it is for."""

    name: str
    module: str
    task: Task

    @property
    def defaults(self) -> Mapping[str, bool]:
        """Its parameters, and whether each has a default."""
        return _parameters(self.name)

    @cached_property
    def estimator_class(self) -> Any:
        """The class itself; this imports scikit-learn."""
        return getattr(importlib.import_module(self.module), self.name)


@dataclass(frozen=True)
class _Class:
    module: str
    path: Path
    bases: tuple[str, ...]


def algorithm(name: str) -> Algorithm:
    """The algorithm of that name: scikit-learn's class name, or the same in snake_case.

    Raises:
        ConfigInvalid: There is none, or it needs another estimator that a parameter cannot give.
    """
    known = known_algorithms()
    plain = {_plain(class_name): class_name for class_name in known}
    class_name = plain.get(_plain(name))
    if class_name is None:
        raise ConfigInvalid(
            f"scikit-learn has no classifier, regressor or clusterer {name!r}. {_nearest(name, known)}",
            field="algorithm",
        )
    found = known[class_name]
    required = [
        name for name, has_default in found.defaults.items() if not has_default or name == _WRAPPERS.get(class_name)
    ]
    if required:
        raise ConfigInvalid(
            f"{class_name} wraps other estimators ({', '.join(required)}), which a parameter cannot give. "
            "Choose an algorithm that stands alone, such as 'random_forest_classifier'.",
            field="algorithm",
        )
    return found


@lru_cache(maxsize=1)
def known_algorithms() -> Mapping[str, Algorithm]:
    """All of them by class name."""
    classes = _classes()
    found: dict[str, Algorithm] = {}
    for name, known in classes.items():
        tasks = [_TASKS[base] for base in _ancestors(name) if base in _TASKS]
        abstract = name.startswith(("_", "Base")) or name.endswith("Mixin") or "ABCMeta" in known.bases
        if tasks and not abstract and name not in _LEFT_OUT:
            found[name] = Algorithm(name, known.module, tasks[0])
    return found


def check_parameters(chosen: Algorithm, parameters: Collection[str]) -> None:
    """ConfigInvalid for the first parameter that the algorithm does not have."""
    for name in parameters:
        if name not in chosen.defaults:
            raise ConfigInvalid(
                f"{chosen.name} has no parameter {name!r}. {did_you_mean(name, chosen.defaults)}",
                field=f"parameters.{name}",
            )


def check_task(chosen: Algorithm, task: Task | None) -> None:
    """ConfigInvalid if the algorithm is for another task; the message names the like one for the wanted task."""
    if task is None or task == chosen.task:
        return
    stem = chosen.name.removesuffix("Classifier").removesuffix("Regressor")
    like = stem + _TASK_SUFFIX[task]
    there = known_algorithms().get(like)
    mend = (
        f"Use {snake_case(like)!r}." if there and there.task == task else f"Choose one for {task}, or leave task out."
    )
    raise ConfigInvalid(f"{chosen.name} is for {chosen.task}, not for {task}. {mend}", field="task")


def snake_case(class_name: str) -> str:
    """``RandomForestClassifier`` as ``random_forest_classifier``; runs of capitals stay together (``SVC``, ``svc``)."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", class_name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _nearest(name: str, known: Collection[str]) -> str:
    examples = ("random_forest_classifier", "hist_gradient_boosting_regressor", "logistic_regression", "k_means")
    mend = did_you_mean(snake_case(name), [snake_case(class_name) for class_name in known])
    return mend if mend.startswith("Did") else f"Some of {len(known)} known: {', '.join(examples)}."


@lru_cache(maxsize=1)
def _classes() -> Mapping[str, _Class]:
    """Every class of scikit-learn with its bases, read from the source."""
    spec = importlib.util.find_spec("sklearn")
    roots = list(spec.submodule_search_locations or []) if spec else []
    found: dict[str, _Class] = {}
    for root in map(Path, roots):
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if _SKIPPED_FOLDERS.isdisjoint(parts):
                module = ".".join(("sklearn", *parts)).removesuffix(".__init__")
                for match in _CLASS.finditer(path.read_text(encoding="utf-8")):
                    bases = tuple(
                        base.split("=")[-1].strip().split(".")[-1] for base in match[2].split(",") if base.strip()
                    )
                    found.setdefault(match[1], _Class(module, path, bases))
    return found


def _ancestors(name: str) -> list[str]:
    """The class and its bases, nearest first (near enough to Python's order for single chains with mixins)."""
    known = _classes().get(name)
    return [name, *(ancestor for base in (known.bases if known else ()) for ancestor in _ancestors(base))]


@lru_cache(maxsize=256)
def _parameters(name: str) -> Mapping[str, bool]:
    for ancestor in _ancestors(name):
        known = _classes().get(ancestor)
        if known and (arguments := _init_arguments(known.path, ancestor)) is not None:
            return arguments
    return {}


def _init_arguments(path: Path, name: str) -> dict[str, bool] | None:
    """Parameters of the class's own ``__init__`` and whether they have defaults; None if it has no own."""
    for node in _parsed(path).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    spec = item.args
                    missing = len(spec.args) - len(spec.defaults)
                    placed = {arg.arg: index >= missing for index, arg in enumerate(spec.args) if index > 0}
                    return placed | {
                        arg.arg: default is not None
                        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
                    }
    return None


@lru_cache(maxsize=4)
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
