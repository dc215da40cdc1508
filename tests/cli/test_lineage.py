"""export --script and lineage."""

from pathlib import Path

from tests.cli.conftest import Etlml


def test_export_writes_a_script_with_other_values_of_parameters(etlml: Etlml, small: Path, tmp_path: Path) -> None:
    etlml("apply", small)
    out = tmp_path / "small.py"
    assert etlml("export", "small", "--script", "--param", "least=3", "-o", out).code == 0
    assert 'PARAMS = {"least": 3}' in out.read_text()
    compile(out.read_text(), "small.py", "exec")
    assert etlml("export", "small", "--param", "least=3").code == 2


def test_lineage_tells_all_columns_or_the_way_of_one(etlml: Etlml, small: Path) -> None:
    etlml("apply", small)
    assert "some\tn\tnumbers.n\t" in etlml("lineage", "small").out
    told = etlml("lineage", "small", "some.n", "--json").json
    assert [leg["text"] for leg in told["goes"]] == ["saved to some.csv (overwrite)"]
    assert "rows\tsome\t\tn >= 2" in etlml("lineage", "small", "some.n").out
    assert etlml("lineage", "small", "some").code == 2
