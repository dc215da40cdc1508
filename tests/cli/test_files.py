"""Data files on the command line."""

from pathlib import Path

from tests.cli.conftest import Etlml


def test_a_file_is_added_and_listed(etlml: Etlml, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a,b\n1,2\n")
    assert etlml("files", "--add", path).out == "Added as uploads/orders.csv.\n"
    assert etlml("files", "ord", "--json").json[0]["path"] == "uploads/orders.csv"
    path.write_text("a,b\n3,4\n")
    assert etlml("files", "--add", path, "--json").json["path"] == "uploads/orders-2.csv"
    assert etlml("files", "--add", path, "--replace", "--json").json["path"] == "uploads/orders.csv"
    assert len(etlml("files", "uploads/").out.splitlines()) == 3


def test_a_file_that_is_not_there_is_wrong_use(etlml: Etlml, tmp_path: Path) -> None:
    done = etlml("files", "--add", tmp_path / "none.csv")
    assert (done.code, "cannot be read" in done.err) == (2, True)


def test_a_pipeline_begins_with_a_file(etlml: Etlml, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a,b\n1,2\n")
    etlml("files", "--add", path)
    assert etlml("new", "orders", "--file", "uploads/orders.csv").out == "Made orders, with 1 step.\n"
    assert etlml("preview", "orders", "orders", "--json").json["row_count"] == 1
    assert etlml("new", "more", "--file", "uploads/orders.csv", "--template", "csv-to-parquet").code == 2
