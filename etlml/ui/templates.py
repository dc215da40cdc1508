"""What the palette offers: a step for each thing that people look for by name, ready to be filled in."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

from etlml.documents import Step, StepType


class StepTemplate(NamedTuple):
    """One entry of the palette."""

    key: str
    label: str
    group: str
    type: StepType
    id: str
    hint: str
    config: Mapping[str, Any]

    def step(self, id: str) -> Step:
        """A fresh step made from this template."""
        return Step(id=id, type=self.type, config=copy.deepcopy(dict(self.config)))


def _extract(key: str, label: str, hint: str, **source: Any) -> StepTemplate:
    return StepTemplate(f"extract.{key}", label, "Extract", "extract", key, hint, {"source": source})


def _transform(op: str, label: str, hint: str, **fields: Any) -> StepTemplate:
    return StepTemplate(f"transform.{op}", label, "Transform", "transform", op, hint, {"ops": [{"op": op, **fields}]})


def _rule(rule: str, label: str, hint: str, **fields: Any) -> StepTemplate:
    return StepTemplate(
        f"validate.{rule}", label, "Validate", "validate", "check", hint, {"rules": [{"rule": rule, **fields}]}
    )


def _load(key: str, label: str, hint: str, mode: str = "overwrite", **sink: Any) -> StepTemplate:
    return StepTemplate(f"load.{key}", label, "Load", "load", f"save_{key}", hint, {"sink": sink, "mode": mode})


def _train(algorithm: str, label: str, hint: str) -> StepTemplate:
    return StepTemplate(f"train.{algorithm}", label, "Train", "train", "model", hint, {"algorithm": algorithm})


_ALL = (
    _extract("file", "File", "CSV, TSV, JSON, Parquet or Excel; a glob reads several", kind="file", path=""),
    _extract("sqlite", "SQLite table", "A table or query of a SQLite file", kind="sqlite", path="", table=""),
    _extract("duckdb", "DuckDB table", "A table or query of a DuckDB file", kind="duckdb", path="", table=""),
    _extract("rows", "Typed-in rows", "A few rows written here", kind="inline", rows=[{"a": 1}]),
    StepTemplate("transform", "Transform", "Transform", "transform", "transform", "An empty list of ops", {"ops": []}),
    _transform("filter", "Filter", "Keep the rows that meet a condition", where="true"),
    _transform("derive", "Derive columns", "New columns from expressions", columns={}),
    _transform("select", "Select columns", "Keep only some columns", columns=[]),
    _transform("rename", "Rename columns", "Give columns other names", columns={}),
    _transform("cast", "Change types", "Turn columns into other types", columns={}),
    _transform("fill_null", "Fill missing", "A value for what is missing", columns={}),
    _transform("drop_null", "Drop missing", "Leave out rows with missing values"),
    _transform("dedupe", "Remove duplicates", "One row for each key", keys=[]),
    _transform("sort", "Sort", "Order the rows", by=[]),
    _transform("join", "Join", "Match rows of two inputs", on=[], how="left", **{"with": ""}),
    _transform("union", "Union", "Put the rows of inputs below each other", **{"with": ""}),
    _transform("aggregate", "Aggregate", "Group and count, sum, average", by=[], columns={}),
    _transform("pivot", "Pivot", "Values become columns", index=[], on="", values="", agg="sum"),
    _transform("window", "Window", "Ranks, running totals, previous rows", columns={}, by=[], order_by=[]),
    _transform("sql", "SQL query", "One SELECT over the inputs", query="SELECT * FROM input"),
    _transform("python", "Python", "A function of a pandas DataFrame", code="def transform(df):\n    return df\n"),
    _transform("sample", "Sample", "Some of the rows, at random", rows=1000, seed=0),
    _transform("limit", "Limit", "The first rows", rows=1000),
    _rule("not_null", "Not missing", "A column must have values", column=""),
    _rule("unique", "Unique", "No value twice", column=""),
    _rule("between", "Between", "Numbers or dates within bounds", column="", min=0, max=100),
    _rule("in_set", "In a set", "Only these values", column="", values=[]),
    _rule("matches", "Matches", "Texts that fit a pattern", column="", regex=".*"),
    _rule("row_count_between", "Row count", "Neither too few nor too many rows", min=1),
    _rule("sql", "SQL rule", "A condition that each row must meet", where="true"),
    _load("parquet", "Parquet file", "Compressed columns", kind="file", path="out/result.parquet"),
    _load("csv", "CSV file", "Text for any program", kind="file", path="out/result.csv"),
    _load("excel", "Excel file", "A sheet", kind="file", path="out/result.xlsx"),
    _load(
        "sqlite", "SQLite table", "A table in a SQLite file", kind="sqlite", path="out/result.sqlite", table="result"
    ),
    _load(
        "duckdb", "DuckDB table", "A table in a DuckDB file", kind="duckdb", path="out/result.duckdb", table="result"
    ),
    _train("random_forest_classifier", "Random forest", "Classes, robust default"),
    _train("hist_gradient_boosting_classifier", "Gradient boosting", "Classes, fast on many rows"),
    _train("logistic_regression", "Logistic regression", "Classes, easy to explain"),
    _train("random_forest_regressor", "Forest regression", "Numbers, robust default"),
    _train("hist_gradient_boosting_regressor", "Boosted regression", "Numbers, fast on many rows"),
    _train("linear_regression", "Linear regression", "Numbers, easy to explain"),
    _train("k_means", "K-means clusters", "Groups without a target"),
)
OTHER_WORDS: Mapping[str, str] = {
    "extract.file": "read import open load source excel csv",
    "extract.rows": "inline constant manual table creator",
    "transform.filter": "where keep remove rows row filter condition",
    "transform.derive": "formula calculate compute new column expression math add column",
    "transform.select": "keep drop remove columns column filter project",
    "transform.cast": "convert type date number text parse string to date",
    "transform.fill_null": "null na impute default coalesce replace missing value",
    "transform.drop_null": "null na dropna remove empty rows",
    "transform.dedupe": "distinct unique duplicate drop_duplicates",
    "transform.sort": "order by top",
    "transform.join": "merge lookup vlookup combine joiner",
    "transform.union": "append concat concatenate stack",
    "transform.aggregate": "group by groupby sum count mean average",
    "transform.pivot": "crosstab spread wide",
    "transform.window": "rank lag lead cumulative moving row number",
    "transform.sql": "query select",
    "transform.python": "code script pandas",
    "validate.not_null": "null na required quarantine",
    "validate.unique": "duplicate key quarantine",
    "validate.between": "range min max outlier quarantine",
    "validate.in_set": "allowed values category list quarantine",
    "validate.matches": "regex pattern format quarantine",
    "validate.sql": "expression condition expect quarantine",
    "load.parquet": "write save export output sink",
    "load.csv": "write save export output sink",
    "load.excel": "write save export output sink xlsx",
    "load.sqlite": "write save export output sink database",
    "load.duckdb": "write save export output sink database",
    "train.random_forest_classifier": "classification classify predict model learner machine learning",
    "train.hist_gradient_boosting_classifier": "classification classify predict model learner machine learning xgboost",
    "train.logistic_regression": "classification classify predict model learner machine learning",
    "train.random_forest_regressor": "regression predict model learner machine learning",
    "train.hist_gradient_boosting_regressor": "regression predict model learner machine learning xgboost",
    "train.linear_regression": "regression predict model learner machine learning",
    "train.k_means": "clustering segment model learner machine learning",
}
"""What people who know other programs type to find a step, beside its label, its hint and its key."""
TEMPLATES: Mapping[str, StepTemplate] = {template.key: template for template in _ALL}


def palette() -> list[dict[str, str]]:
    """The palette as the canvas draws it."""
    return [
        {
            "key": t.key,
            "label": t.label,
            "group": t.group,
            "type": t.type,
            "id": t.id,
            "hint": t.hint,
            "words": f"{t.key.partition('.')[2]} {OTHER_WORDS.get(t.key, '')}",
        }
        for t in _ALL
    ]
