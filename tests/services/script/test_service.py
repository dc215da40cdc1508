"""Exported scripts: each does in a process without the platform what the platform's own run does."""

import bz2
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import joblib
import pytest

from etlml.compute.duck import open_database
from etlml.documents import Pipeline, Run
from etlml.errors import StateConflict
from etlml.services import Services
from etlml.services.yaml_text import from_yaml
from tests.engine.conftest import Workbench, _bench, _engine_home, bench  # noqa: F401

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ALONE = """
import runpy, sys
sys.modules["etlml"] = None  # to import it is an error
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Twin:
    """A pipeline run by the platform in one folder, and by its script in a copy of that folder."""

    def __init__(self, bench: Workbench, folder: Path) -> None:  # noqa: F811
        self.bench, self.folder = bench, folder
        shutil.rmtree(bench.data, ignore_errors=True)
        bench.data.mkdir(parents=True)
        self.services = Services(bench.store, bench.settings)

    @property
    def ours(self) -> Path:
        return self.bench.data

    @property
    def theirs(self) -> Path:
        return self.folder / "data"

    def split(self) -> None:
        """From here on each has its own folder."""
        shutil.copytree(self.ours, self.theirs)

    def both(self, steps: list[dict[str, Any]], *arguments: str, expected: int = 0, **fields: Any) -> tuple[Run, str]:
        pipeline = self.bench.pipeline(steps, **fields)
        run = self.bench.wait(self.bench.start(pipeline))
        ended = {step.id: step.error.message for step in run.steps if step.error}
        assert (run.status == "failed") == bool(expected), ended
        return run, self.alone(pipeline, *arguments, expected=expected)

    def alone(
        self, pipeline: Pipeline, *arguments: str, expected: int = 0, secrets: dict[str, str] | None = None
    ) -> str:
        script = self.folder / "script.py"
        script.write_text(self.services.scripts.of(pipeline.name), encoding="utf-8")
        command = [sys.executable, "-I", "-c", ALONE, str(script), "--data", str(self.theirs), *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"HOME": str(self.folder), **(secrets or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == expected, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def assert_same(self, *paths: str) -> None:
        """Files hold the same rows in the same order, with the same columns and types."""
        for path in paths:
            theirs, ours = rows_of(self.theirs / path), rows_of(self.ours / path)
            if Path(path).stem in UNORDERED:
                theirs, ours = ((sorted(rows, key=repr), types) for rows, types in (theirs, ours))
            assert theirs == ours, path


def rows_of(path: Path) -> Any:
    if path.suffix in (".csv", ".tsv", ".jsonl", ".json"):
        return path.read_text(encoding="utf-8")
    if path.suffix == ".sqlite":
        with sqlite3.connect(path) as database:
            return database.execute("SELECT * FROM t").fetchall(), database.execute("PRAGMA table_info(t)").fetchall()
    if path.suffix == ".duckdb":
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute("FROM t").fetchall(), connection.execute("DESCRIBE t").fetchall()
    source = f"read_parquet('{path}/**/*.parquet')" if path.is_dir() else f"'{path}'"
    order = " ORDER BY ALL" if path.is_dir() else ""
    return duckdb.sql(f"FROM {source}{order}").fetchall(), duckdb.sql(f"DESCRIBE FROM {source}").fetchall()


@pytest.fixture
def twin(bench: Workbench, tmp_path: Path) -> Twin:  # noqa: F811
    return Twin(bench, tmp_path)


def inline(id: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"id": id, "type": "extract", "needs": [], "config": {"source": {"kind": "inline", "rows": list(rows)}}}


def read(id: str, path: str, **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "extract", "needs": [], "config": {"source": {"kind": "file", "path": path, **fields}}}


def ops(id: str, needs: list[str], *ops: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": id, "type": "transform", "needs": needs, "config": {"ops": list(ops)}, **fields}


def save(
    id: str, need: str, path: str, mode: str = "overwrite", keys: Sequence[str] = (), **sink: Any
) -> dict[str, Any]:
    kind = {".sqlite": "sqlite", ".duckdb": "duckdb"}.get(Path(path).suffix, "file")
    table = {} if kind == "file" else {"table": "t"}
    config = {"sink": {"kind": kind, "path": path, **table, **sink}, "mode": mode, "keys": list(keys)}
    return {"id": id, "type": "load", "needs": [need], "config": config}


UNORDERED = ("window", "join", "semi", "union")  # DuckDB's threads decide
PEOPLE = [
    {"id": n, "name": name, "city": city, "age": age, "tags": ["x", "y"][: n % 3], "born": f"19{60 + n}-03-0{n}"}
    for n, (name, city, age) in enumerate(
        [("Ann", "Rome", 31), ("Bob", None, 45), ("Cid", "Oslo", None), ("Dan", "Rome", 12), ("Eve", "Oslo", 77)],
        start=1,
    )
]
CITIES = [{"town": "Rome", "land": "IT", "name": "Roma"}, {"town": "Oslo", "land": "NO", "name": "Oslo"}]
CODE = """
import math

LONG = '''a
b'''

def transform(df):
    df["root"], df["text"] = df["id"].map(math.sqrt), LONG
    return df
"""
OPS: dict[str, list[dict[str, Any]]] = {
    "select": [{"op": "select", "columns": ["name", "ID", "age"]}],
    "drop": [{"op": "drop", "columns": ["tags", "city"]}],
    "rename": [{"op": "rename", "columns": {"name": "first name", "id": "order"}}],
    "cast": [{"op": "cast", "columns": {"id": "string", "born": "date"}}, {"op": "cast", "columns": {"name": "int"}, "on_error": "null"}],  # noqa: E501
    "filter": [{"op": "filter", "where": "age > ${params.least} -- grown up"}],
    "derive": [{"op": "derive", "columns": {"twice": "age * 2", "name": "upper(name)", "more": "twice + ${params.least}"}}],
    "fill_null": [{"op": "fill_null", "columns": {"city": "it's \"nowhere\"", "age": -1}}],
    "drop_null": [{"op": "drop_null"}],
    "replace": [{"op": "replace", "column": "city", "values": {"Rome": "${params.word}", "Oslo": None}}],
    "dedupe": [{"op": "dedupe", "keys": ["city"], "order_by": ["-age"]}],
    "sort": [{"op": "sort", "by": ["-city", "age"]}, {"op": "limit", "rows": 4}],
    "sample": [{"op": "sample", "rows": 3, "seed": 5}, {"op": "sample", "fraction": 0.9}],
    "aggregate": [{"op": "aggregate", "by": ["city"], "columns": {"n": "count(*)", "ages": "sum(age)"}, "label": "by city"}],
    "window": [{"op": "window", "columns": {"rank": "row_number()", "total": "sum(age)"}, "by": ["city"], "order_by": ["age"]}],
    "unpivot": [{"op": "unpivot", "ids": ["name"], "columns": ["id", "age"], "name": "what", "value": "how_much"}],
    "pivot": [{"op": "derive", "columns": {"city": "coalesce(city, 'none')"}}, {"op": "pivot", "index": ["name"], "on": "city", "values": "age"}],  # noqa: E501
    "pivoted": [{"op": "pivot", "on": "city", "values": "age", "columns": ["Rome", "Oslo"], "agg": "count"}],
    "join": [{"op": "join", "with": "cities", "left_on": ["city"], "right_on": ["town"], "how": "full"}],
    "semi": [{"op": "join", "with": "cities", "left_on": ["city"], "right_on": ["town"], "how": "semi"}],
    "union": [{"op": "union", "with": ["cities"]}],
    "unnest": [{"op": "unnest", "column": "tags"}],
    "split": [{"op": "split", "column": "born", "by": "-", "into": ["year", "rest"]}],
    "sql": [{"op": "sql", "query": "SELECT i.*, c.land\nFROM input i LEFT JOIN cities c ON c.town = i.city\nORDER BY id"}],
    "off": [{"op": "limit", "rows": 0, "enabled": False}, {"op": "limit", "rows": 2}],
    "python": [
        {"op": "filter", "where": "id < 5"},
        {"op": "python", "code": CODE},
        {"op": "derive", "columns": {"half": "root / 2"}},
    ],
    "python_last": [{"op": "python", "code": "def transform(df):\n    return df.assign(n=${params.least}, age=df['age'])\n"}],
}  # fmt: skip


@pytest.mark.slow
class TestEveryOp:
    def test_gives_the_rows_of_the_platform(self, twin: Twin) -> None:
        steps = [inline("people", PEOPLE), inline("cities", CITIES)]
        for name, chain in OPS.items():
            steps += [ops(name, ["people", "cities"], *chain), save(f"save_{name}", name, f"out/{name}.parquet")]
        twin.split()
        run, _ = twin.both(steps, params={"least": 18, "word": "Roma's"})
        assert run.status == "success", run.error
        twin.assert_same(*(f"out/{name}.parquet" for name in OPS))

    def test_takes_other_values_of_parameters(self, twin: Twin) -> None:
        steps = [inline("people", PEOPLE), ops("old", ["people"], *OPS["filter"], *OPS["derive"], *OPS["python_last"])]
        steps.append(save("save", "old", "out/${params.word}-${run.scheduled_date}.csv"))
        twin.split()
        pipeline = twin.bench.pipeline(steps, params={"least": 18, "word": "a"})
        said = twin.alone(pipeline, "--param", "least=40", "--param", "word=b", "--scheduled-for", "2024-05-31")
        assert "old: 2 rows" in said
        assert '"more"' not in said
        assert (twin.theirs / "out/b-2024-05-31.csv").read_text().count("\n") == 3
        assert "give NAME=VALUE; parameters are least, word" in twin.alone(pipeline, "--param", "most=1", expected=2)

    def test_fixes_a_parameter_that_decides_which_columns_there_are(self, twin: Twin) -> None:
        steps = [inline("people", PEOPLE), ops("one", ["people"], {"op": "select", "columns": ["${params.column}"]})]
        twin.split()
        pipeline = twin.bench.pipeline(steps, params={"column": "name"})
        assert "its value is part of the script" in twin.alone(pipeline, "--param", "column=age", expected=2)
        assert "SELECT age FROM people" in twin.services.scripts.of(pipeline.name, {"column": "age"})

    def test_asks_for_a_run_first_where_only_a_run_can_tell_the_columns(self, twin: Twin) -> None:
        pipeline = twin.bench.pipeline([inline("people", PEOPLE), ops("python", ["people"], *OPS["python"])])
        with pytest.raises(StateConflict, match="Run the pipeline once, then export it again"):
            twin.services.scripts.of(pipeline.name)


@pytest.mark.slow
class TestEverySource:
    def test_gives_the_rows_of_the_platform(self, twin: Twin) -> None:
        made = make_sources(twin.ours)
        twin.split()
        steps = []
        for name, source in made.items():
            steps += [
                {"id": name, "type": "extract", "needs": [], "config": {"source": source}},
                save(f"save_{name}", name, f"out/{name}.parquet"),
            ]
        run, _ = twin.both(steps)
        assert run.status == "success", run.error
        twin.assert_same(*(f"out/{name}.parquet" for name in made))


def make_sources(folder: Path) -> dict[str, dict[str, Any]]:
    """One file of each kind, and the sources that read them."""
    columns = "i AS id, 'v' || i AS name, i / 2 AS half, i % 3 = 0 AS third, DATE '2024-01-01' + i::INT AS day"
    table = f"SELECT {columns} FROM range(7) t(i)"
    (folder / "many").mkdir()
    formats = {"tsv": "csv, DELIMITER '\t'", "json": "json, ARRAY true", "jsonl": "json", "xlsx": "xlsx, HEADER true"}
    paths = ("a.csv", "a.csv.gz", "a.tsv", "a.parquet", "a.json", "a.jsonl", "a.xlsx")
    with open_database(extensions=["excel"]) as connection:
        for name in (*paths, "many/1.csv", "many/2.csv"):
            ending = name.removesuffix(".gz").rpartition(".")[2]
            connection.execute(f"COPY ({table}) TO '{folder}/{name}' (FORMAT {formats.get(ending, ending)})")
    with duckdb.connect(folder / "base.duckdb") as connection:
        connection.execute(f"CREATE TABLE things AS {table}")
    with sqlite3.connect(folder / "base.sqlite") as database:
        database.execute("CREATE TABLE things (id INTEGER, name TEXT, half REAL, day DATE)")
        database.executemany(
            "INSERT INTO things VALUES (?, ?, ?, ?)", [(1, "a", 0.5, "2024-01-01"), (2, None, None, None)]
        )
    (folder / "odd.csv.bz2").write_bytes(bz2.compress("näme;n\nGérard;NA\nZoë;3\n".encode("latin-1")))
    grouped = "SELECT name, count(*) AS n FROM things GROUP BY ALL ORDER BY 1"
    return {path.replace(".", "_"): {"kind": "file", "path": path} for path in paths} | {
        "typed": {"kind": "file", "path": "a.csv", "types": {"id": "VARCHAR"}, "null_values": ["", "v1"]},
        "several": {"kind": "file", "path": "many/*.csv"},
        "foreign": {
            "kind": "file",
            "path": "odd.csv.bz2",
            "encoding": "latin-1",
            "delimiter": ";",
            "null_values": ["NA"],
        },
        "sqlite_table": {"kind": "sqlite", "path": "base.sqlite", "table": "things"},
        "sqlite_query": {"kind": "sqlite", "path": "base.sqlite", "query": "SELECT id * 2 AS twice, name FROM things"},
        "duckdb_table": {"kind": "duckdb", "path": "base.duckdb", "table": "things"},
        "duckdb_query": {"kind": "duckdb", "path": "base.duckdb", "query": grouped},
    }


@pytest.mark.slow
class TestEverySink:
    def test_holds_the_rows_of_the_platform_after_each_mode(self, twin: Twin) -> None:
        endings = ("parquet", "csv", "tsv", "jsonl", "json", "xlsx", "sqlite", "duckdb")
        first = inline("first", [{"k": n, "name": f"a{n}", "x": n / 4, "ok": n % 2 == 0} for n in range(5)])
        more = inline("more", [{"name": "new", "k": n, "ok": True, "x": 0.25} for n in (3, 9)])
        steps = [first, more, ops("dated", ["more"], {"op": "derive", "columns": {"day": "DATE '2024-02-03'"}})]
        files, last = [], ""
        for ending in endings:
            for mode in ("append", "merge"):
                path = f"out/{mode}.{ending}"
                files.append(path)
                one = save(f"a_{mode}_{ending}", last or "first", path)
                two = save(f"b_{mode}_{ending}", f"in_{mode}_{ending}", path, mode, ["k"] if mode == "merge" else [])
                # after the first load: a step that takes both, so that the second waits
                waits = ops(f"in_{mode}_{ending}", ["more", f"a_{mode}_{ending}"])
                steps += [one, waits, two]
        steps += [
            save("day_sqlite", "dated", "out/dated.sqlite"),
            save("parts", "first", "out/parts", partition_by=["ok"]),
        ]
        steps += [
            ops("after", ["more", "parts"]),
            save("parts_more", "after", "out/parts", "merge", ["k"], partition_by=["ok"]),
        ]
        twin.split()
        run, _ = twin.both(steps)
        assert run.status == "success", run.error
        twin.assert_same(*(path for path in files if not path.endswith("xlsx")), "out/dated.sqlite", "out/parts")
        assert xlsx_rows(twin.theirs / "out/merge.xlsx") == xlsx_rows(twin.ours / "out/merge.xlsx")


def xlsx_rows(path: Path) -> Any:
    with open_database(extensions=["excel"]) as connection:
        return connection.execute(f"FROM read_xlsx('{path}')").fetchall()


class TestRules:
    def test_fail_warn_and_set_aside_as_in_the_platform(self, twin: Twin) -> None:
        grown = {"rule": "between", "column": "age", "min": 18}
        named = {"rule": "not_null", "column": "city", "severity": "warning"}
        off = {"rule": "between", "column": "age", "min": 1000, "enabled": False}

        def check(id: str, *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
            config = {"rules": list(rules), **fields}
            return {"id": id, "type": "validate", "needs": ["people"], "config": config, "on_failure": "continue"}

        steps = [
            inline("people", PEOPLE),
            check("warned", grown, named, off, on_failure="warn"),
            check(
                "aside",
                grown,
                off,
                {"rule": "unique", "column": "city"},
                {"rule": "row_count_between", "min": 3},
                on_failure="quarantine",
            ),
            save("save", "aside", "out/rest.parquet"),
            check("failed", grown, {"rule": "in_set", "column": "city", "values": ["Rome", "Oslo"], "mostly": 0.5}),
            save("never", "failed", "out/never.csv"),
        ]
        twin.split()
        run, said = twin.both(steps)
        assert {step.id: step.status for step in run.steps}["never"] == "skipped"
        assert "failed: failed: 1 of 2 rules broken: between(age): 1 of 4 are below 18" in said
        assert "never: skipped" in said
        assert "4 of 5 rows were set aside" in said
        assert not (twin.theirs / "out/never.csv").exists()
        twin.assert_same("out/rest.parquet")

    def test_a_failure_that_counts_ends_the_script_with_1(self, twin: Twin) -> None:
        source = {**inline("people", PEOPLE), "validations": [{"rule": "not_null", "column": "city"}]}
        twin.split()
        run, said = twin.both([source, save("save", "people", "out/a.csv")], expected=1)
        assert run.status == "failed"
        assert "not_null(city): 1 of 5 are missing (null)" in said

    def test_a_secret_comes_from_the_environment(self, twin: Twin) -> None:
        keep = {"op": "filter", "where": "name = '${secret.WHO}'"}
        twin.split()
        pipeline = twin.bench.pipeline([inline("people", PEOPLE), ops("one", ["people"], keep)])
        assert "one: 1 rows" in twin.alone(pipeline, secrets={"ETLML_SECRET_WHO": "Eve"})
        assert "Set the environment variable ETLML_SECRET_WHO" in twin.alone(pipeline, expected=1)


TRAININGS = {
    "forest": {
        "target": "species",
        "algorithm": "random_forest_classifier",
        "parameters": {"n_estimators": 8},
        "cv": 3,
    },
    "linear": {"target": "body_mass_g", "algorithm": "ridge"},
    "boosted": {
        "target": "sex",
        "algorithm": "hist_gradient_boosting_classifier",
        "parameters": {"max_iter": 5},
        "seed": 3,
    },
    "near": {
        "target": "species",
        "algorithm": "k_neighbors_classifier",
        "features": ["bill_length_mm", "code", "seen"],
    },
    "groups": {
        "algorithm": "k_means",
        "features": ["bill_length_mm", "body_mass_g", "island"],
        "parameters": {"n_clusters": 3},
    },
}


@pytest.mark.slow
class TestTraining:
    def test_gives_the_metrics_and_the_answers_of_the_platform(self, twin: Twin) -> None:
        shutil.copytree(ROOT / "examples/data", twin.ours / "examples")
        twin.split()
        more = {
            "code": "'c' || (row_number() OVER () % 40)",
            "seen": "TIMESTAMP '2024-01-01' + to_hours((row_number() OVER () * 7)::INT)",
        }
        steps = [
            read("birds", "examples/penguins.csv", null_values=["", "NA"]),
            ops("more", ["birds"], {"op": "window", "columns": more}),
            save("save", "more", "out/birds.parquet"),
        ]
        steps += [
            {"id": name, "type": "train", "needs": ["more"], "config": config} for name, config in TRAININGS.items()
        ]
        run, _ = twin.both(steps)
        assert run.status == "success", run.error
        for name in TRAININGS:
            metrics = joblib.load(twin.theirs / f"models/{name}.joblib")["metrics"]
            assert metrics == pytest.approx(run.step(name).metrics["metrics"], rel=1e-12, abs=1e-12), name


@pytest.mark.slow
class TestTheExamples:
    @pytest.mark.parametrize("name", ["penguins", "daily-summary"])
    def test_give_what_their_runs_give(self, twin: Twin, name: str) -> None:
        run, steps = example(twin, name)
        twin.assert_same(*(step["config"]["sink"]["path"] for step in steps if step["type"] == "load"))
        for step in steps:
            if step["type"] == "train":
                model = joblib.load(twin.theirs / f"models/{step['config']['register_as']}.joblib")
                assert model["metrics"] == pytest.approx(run.step(step["id"]).metrics["metrics"], rel=1e-12)

    def test_gives_all_flights(self, twin: Twin) -> None:
        run, _ = example(twin, "flights")
        ours, theirs = (f"read_parquet('{folder}/out/flights.parquet')" for folder in (twin.ours, twin.theirs))
        assert (
            duckdb.sql(
                f"(FROM {ours} EXCEPT ALL FROM {theirs}) UNION ALL (FROM {theirs} EXCEPT ALL FROM {ours})"
            ).fetchall()
            == []
        )
        metrics = joblib.load(twin.theirs / "models/late-flight.joblib")["metrics"]
        assert metrics == pytest.approx(run.step("model").metrics["metrics"], rel=1e-12)


def example(twin: Twin, name: str) -> tuple[Run, list[dict[str, Any]]]:
    """An example pipeline, run by both."""
    shutil.copytree(ROOT / "examples/data", twin.ours / "examples")
    twin.split()
    written = from_yaml((ROOT / f"examples/pipelines/{name}.yaml").read_text())
    return twin.both(written["steps"], name=name, params=written.get("params", {}))[0], written["steps"]


def test_a_script_is_text_that_speaks_of_itself(twin: Twin) -> None:
    pipeline = twin.bench.pipeline(
        [inline("people", PEOPLE), save("save", "people", "out/a.csv")], description="Who is who."
    )
    text = twin.services.scripts.of(pipeline)
    assert text.startswith('"""p (version 1)\n\nWho is who.\n')
    assert "import etlml" not in text
    assert "from etlml" not in text
    assert json.dumps(text)
