"""One visual language: the style sheet, the bundles and Streamlit's theme agree."""

import tomllib
from pathlib import Path

from etlml.ui import looks, theme

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_our_parts_have_the_colours_of_the_theme() -> None:
    for name, key in (
        ("ink", "textColor"),
        ("line", "borderColor"),
        ("soft", "secondaryBackgroundColor"),
        ("accent", "primaryColor"),
    ):
        light, dark = CONFIG["theme"]["light"][key], CONFIG["theme"]["dark"][key]
        assert f"--{name}: light-dark({light}, {dark})" in theme.style_sheet()


def test_states_have_one_colour_everywhere() -> None:
    for tone in ("ok", "bad", "warn", "dull", "reuse"):
        assert f"--{tone}: {looks.COLOURS[tone]}" in theme.style_sheet()  # type: ignore[index]


def test_nothing_is_fetched_from_elsewhere() -> None:
    assets = ROOT / "etlml" / "ui" / "assets"
    for name in ("theme.css", "sign_in.html", "rows.js"):
        text = (assets / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text


def test_the_server_listens_on_loopback_and_tells_nothing() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["client"]["showErrorDetails"] == "type"
    assert CONFIG["browser"]["gatherUsageStats"] is False


def test_every_bundle_names_its_licences() -> None:
    text = (ROOT / "etlml" / "ui" / "assets" / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    for name in ("react ", "@xyflow/react ", "@dagrejs/dagre ", "inter "):
        assert name in text
