"""Rules on the rows of a table."""

from decimal import Decimal
from typing import Any

from etlml.services.script.parts.tables import Failed, columns_of, con, count, here, paths, quoted, same, table, text


def check_rules(name: str, rows: str, rules: list[dict[str, Any]], on_failure: str = "fail") -> None:
    """Check rules on the rows of a table, and pass the rows on under a new name.

    A broken rule of severity error or critical fails the step, only warns, or sets its rows aside (on_failure: fail, warn,
    quarantine); lesser ones warn.
    """
    broken = [rule for rule in measured(rows, rules) if not rule["holds"]]
    grave = [rule for rule in broken if rule.get("severity", "error") in ("error", "critical")]
    for rule in broken:
        if rule not in grave or on_failure != "fail":
            print(f"  warning: {rule['message']}")
    if grave and (on_failure == "fail" or (on_failure == "quarantine" and any("failing" not in r for r in grave))):
        raise Failed(f"{len(grave)} of {len(rules)} rules broken: " + " ".join(rule["message"] for rule in grave[:3]))
    if grave and on_failure == "quarantine":
        set_aside(name, rows, grave)
    elif name != rows:
        same(name, rows)


def measured(rows: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules with what was found: holds, and message."""
    counts = [
        f"count(*) FILTER ({rule.get('checked', 'TRUE')}), count(*) FILTER ({rule.get('failing', 'FALSE')})"
        for rule in rules
    ]
    row = con.execute(f"SELECT {', '.join(counts)} FROM {quoted(rows)}").fetchall()[0]
    return [{**rule, **verdict(rule, *row[2 * n : 2 * n + 2])} for n, rule in enumerate(rules)]


def verdict(rule: dict[str, Any], checked: int, failed: int) -> dict[str, Any]:
    """Whether a rule holds, and what to say of it."""
    if "failing" not in rule:  # a rule about the table: how many rows there are
        least, most = rule.get("min"), rule.get("max")
        holds = (least is None or checked >= least) and (most is None or checked <= most)
        expected = " and ".join(
            f"{word} {n:,}" for word, n in (("at least", least), ("at most", most)) if n is not None
        )
        return {"holds": holds, "message": f"There are {checked:,} rows, not {expected}."}
    mostly = Decimal(str(rule.get("mostly", 1)))
    share = f" ({failed / checked:.2%}; {1 - mostly:.2%} allowed)" if checked and mostly != 1 else ""
    message = f"{rule['rule']}: {failed:,} of {checked:,} {rule['says']}{share}."
    return {"holds": checked - failed >= mostly * checked, "message": message}


def set_aside(name: str, rows: str, rules: list[dict[str, Any]]) -> None:
    """Write the rows that break any of the rules to quarantine/<name>.parquet; the others go on."""
    marks = ", ".join(f"CASE WHEN {rule['failing']} THEN {text(rule['rule'])} END" for rule in rules)
    scan = f"read_parquet({text(paths[rows])})"
    target = here.data / "quarantine" / f"{name}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(quoted(column) for column in columns_of(quoted(rows)))
    flagged = (
        f"SELECT {columns}, file_row_number + 1 AS _row_number, "
        f"list_filter([{marks}], lambda x: x IS NOT NULL) AS _failed_rules FROM {scan}"
    )
    con.execute(f"COPY (SELECT * FROM ({flagged}) WHERE len(_failed_rules) > 0) TO {text(target)} (FORMAT parquet)")
    numbers = f"SELECT _row_number - 1 FROM read_parquet({text(target)})"
    table(name, f"SELECT {columns} FROM {scan} WHERE file_row_number NOT IN ({numbers})")
    print(f"  warning: {count(rows) - count(name):,} of {count(rows):,} rows were set aside in {target}.")
