"""Where the servers may listen."""

from pathlib import Path

import pytest

from etlml.errors import ConfigInvalid
from etlml.launch.listening import check_listening, url
from etlml.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_no_sign_in(host: str, tmp_path: Path) -> None:
    check_listening(Settings(home=tmp_path, host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_other_machines_are_refused_without_sign_in(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"set it to required, or listen on this machine only"):
        check_listening(Settings(home=tmp_path, host=host, auth="off"))


@pytest.mark.parametrize("auth", [None, "required"])
def test_other_machines_are_served_with_sign_in_which_is_on_unless_switched_off(
    auth: str | None, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, host="0.0.0.0", auth=auth)  # type: ignore[arg-type]
    check_listening(settings)
    assert settings.auth_required


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501/x"),
        ("0.0.0.0", "http://127.0.0.1:8501/x"),
        ("::", "http://[::1]:8501/x"),
        ("::1", "http://[::1]:8501/x"),
        ("etl.example.org", "http://etl.example.org:8501/x"),
    ],
)
def test_url_is_one_that_a_browser_here_can_open(host: str, address: str) -> None:
    assert url(host, 8501, "/x") == address
