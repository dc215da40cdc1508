"""SQL over several lines."""

from etlml.services.script.sql_layout import laid_out


def test_brackets_in_brackets_are_opened_only_so_deep() -> None:
    text = laid_out("SELECT " + "(" * 400 + "x" + ")" * 400 + " AS y FROM t")
    assert "".join(text.split()) == "SELECT" + "(" * 400 + "x" + ")" * 400 + "ASyFROMt"
