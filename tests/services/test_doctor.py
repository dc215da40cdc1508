"""What the doctor finds."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from etlml.services import Services
from etlml.services.doctor import Doctor
from etlml.services.health import versions
from etlml.settings import Settings


def found(settings: Settings, name: str) -> tuple[str, str, str]:
    check = next(check for check in Doctor(settings).run() if check.name == name)
    return check.status, check.message, check.mend


def test_sound_installation_passes_without_a_database(home: Path) -> None:
    checks = Doctor(Settings(home=home)).run()
    assert {check.status for check in checks} <= {"ok", "warn"}
    assert all(check.mend for check in checks if check.status != "ok")
    assert {"Python", "home folder", "disk space", "MongoDB", "DuckDB", "sign-in"} <= {check.name for check in checks}


def test_open_store_is_asked_too(services: Services) -> None:
    checks = {check.name: check for check in services.doctor.run()}
    assert (checks["MongoDB"].message, checks["workers"].status) == ("MongoDB answers.", "warn")


def test_taken_port_is_a_warning(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        status, message, mend = found(Settings(home=home, port=other.getsockname()[1]), "port of the UI")
    assert status == "warn"
    assert "is taken" in message
    assert "ETLML_PORT" in mend


def test_a_port_at_which_etlml_itself_answers_is_fine(home: Path) -> None:
    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, message, _ = found(Settings(home=home, port=server.server_port), "port of the UI")
        server.shutdown()
    assert (status, message) == ("ok", f"etlml answers at {server.server_port}.")


def test_home_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    status, _, mend = found(Settings(home=tmp_path / "file" / "home"), "home folder")
    assert (status, mend) == ("fail", "Set ETLML_HOME to a folder of yours.")


def test_listening_to_all_without_sign_in_is_a_failure(home: Path) -> None:
    assert found(Settings(home=home, host="0.0.0.0", auth="off"), "sign-in")[0] == "fail"


@pytest.mark.parametrize("package", ["etlml", "python", "duckdb"])
def test_versions_are_known(package: str) -> None:
    assert versions()[package][0].isdigit()
