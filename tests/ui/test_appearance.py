"""Each tab gets its viewer's theme with the start of each run of a page, and nothing else is touched."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from etlml.ui import accents, appearance
from etlml.ui.appearance import Look, Looks, dressed


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks()
    monkeypatch.setattr(appearance, "looks", looks)
    return looks


def a_start(session: str = "s") -> bytes:
    message = ForwardMsg()
    start = message.new_session
    start.main_script_path = "/app/pages/main.py"
    start.initialize.session_id = session
    for part, ground in ((start.custom_theme.light, "#ffffff"), (start.custom_theme.dark, "#101318")):
        part.background_color = ground
        part.chart_categorical_colors.extend(["#4f5bd5", "#0d9488"])
    return bytes(message.SerializeToString())


def theme_of(data: bytes) -> object:
    return ForwardMsg.FromString(data).new_session.custom_theme


def test_the_accent_is_the_primary_colour_of_both_modes() -> None:
    theme = theme_of(dressed(a_start(), Look("system", "#0f766e")))
    teal = accents.accent("#0f766e")
    assert (theme.light.primary_color, theme.dark.primary_color) == teal  # type: ignore[attr-defined]
    assert list(theme.dark.chart_categorical_colors) == [teal.dark, "#0d9488"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("mode", "ground", "base"), [("light", "#ffffff", 0), ("dark", "#101318", 1)])
def test_a_chosen_mode_is_the_only_one(mode: str, ground: str, base: int) -> None:
    theme = theme_of(dressed(a_start(), Look(mode)))  # type: ignore[arg-type]
    assert (theme.background_color, theme.base) == (ground, base)  # type: ignore[attr-defined]
    assert not theme.HasField("light")  # type: ignore[attr-defined]
    assert not theme.HasField("dark")  # type: ignore[attr-defined]


def test_a_session_that_chose_since_wins_over_what_it_began_with(fresh: Looks) -> None:
    dressed(a_start("a"), Look("light"))
    assert fresh.keep("a", Look("dark"))
    assert not fresh.keep("a", Look("dark"))
    assert theme_of(dressed(a_start("a"), Look("light"))).base == 1  # type: ignore[attr-defined]
    assert theme_of(dressed(a_start("b"), Look("light"))).base == 0  # type: ignore[attr-defined]


def test_other_messages_pass_as_they_are() -> None:
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "see pages/main.py"
    for data in (message.SerializeToString(), b"\x00no message", b""):
        assert dressed(data, Look("dark")) == data


def test_sessions_are_forgotten_in_the_end(fresh: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appearance, "_MOST_SESSIONS", 2)
    for session in ("a", "b", "c"):
        fresh.keep(session, Look())
    assert fresh.get("a") is None
    assert fresh.get("c") == Look()


def test_a_message_that_cannot_be_read_passes_as_it_is_with_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    data = b"\xff no message of pages/main.py"
    assert dressed(data, Look("dark")) == data
    assert "colours of their own" in caplog.text
