"""Rows that a check has set aside."""

import duckdb
import pytest

from etlml.documents import Validation
from etlml.errors import NotFound
from etlml.services import Services

SQL = "SELECT * FROM (VALUES (7, -1.5, 3, ['between(x)']), (8, NULL, 4, ['not_null(x)'])) rows(id, x, _row_number, _failed_rules)"


@pytest.fixture
def check(services: Services) -> Validation:
    folder = services.environment.runs_dir / "r"
    folder.mkdir(parents=True)
    duckdb.sql(SQL).write_parquet(str(folder / "check.quarantine.parquet"))
    return services.store.validations.add(
        Validation(
            name="check",
            run_id="r",
            step_id="check",
            status="failed",
            score=0.9,
            row_count=40,
            quarantine={"path": "r/check.quarantine.parquet", "rows": 2},
        )
    )


def test_they_are_looked_at_with_the_rules_that_they_break(services: Services, check: Validation) -> None:
    found = services.quarantine.page(check.id, limit=1)
    assert found["rows"] == [{"id": 7, "x": -1.5, "_row_number": 3, "_failed_rules": ["between(x)"]}]
    assert found["total"] == 2
    assert services.quarantine.of_step("r", "check").id == check.id


@pytest.mark.parametrize(
    ("form", "begins"), [("csv", b"id,x,_row_number,_failed_rules\n7,-1.5,3,"), ("parquet", b"PAR1")]
)
def test_all_of_them_are_a_file(services: Services, check: Validation, form: str, begins: bytes) -> None:
    found = services.quarantine.file(check.id, form)  # type: ignore[arg-type]
    assert found.path.read_bytes().startswith(begins)
    assert found.name == f"check-set-aside-{check.id[-6:]}.{form}"
    found.done()
    assert not found.path.exists()


@pytest.mark.parametrize("path", ["r/gone.parquet", "../../rows.parquet", ""])
def test_what_is_gone_or_elsewhere_is_not_found(services: Services, check: Validation, path: str) -> None:
    other = services.store.validations.add(
        Validation(
            name="other", status="failed", score=1, row_count=4, quarantine={"path": path, "rows": 1} if path else None
        )
    )
    with pytest.raises(NotFound):
        services.quarantine.page(other.id)
    with pytest.raises(NotFound):
        services.quarantine.of_step("r", "another")
