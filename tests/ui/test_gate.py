"""Sign-in's own decisions; the whole of it is driven in a browser."""

import pytest

from etlml.ui import gate


@pytest.mark.parametrize("wanted", ["/", "/pipelines?q=a", "/run?id=1&tab=Logs"])
def test_sign_in_leads_to_pages_of_this_server(wanted: str) -> None:
    assert gate.safe_target(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/a\r\nSet-Cookie: x",
        "run",
    ],
)
def test_sign_in_leads_nowhere_else(wanted: str) -> None:
    assert gate.safe_target(wanted) == "/"


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("/login", True),
        ("/healthz", True),
        ("/static/js/main.js", True),
        ("/etlml-assets/canvas.js", True),
        ("/", False),
        ("/login/x", False),
        ("/staticky", False),
        ("/static/../_stcore/host-config", False),
        ("/_stcore/stream", False),
    ],
)
def test_only_the_door_and_the_bundles_are_open(path: str, is_open: bool) -> None:
    assert gate._is_open(path) is is_open
