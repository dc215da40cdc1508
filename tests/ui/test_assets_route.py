"""Bundles are served compressed, cached under a name that changes with them, and nothing else is served."""

import gzip

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from etlml.ui import assets_route

CLIENT = TestClient(Starlette(routes=assets_route.routes))


def test_a_bundle_is_kept_for_good_under_its_own_version() -> None:
    version = assets_route._asset("canvas.js")[2]
    reply = CLIENT.get(f"/etlml-assets/canvas.js?v={version}")
    assert "immutable" in reply.headers["cache-control"]
    assert "immutable" not in CLIENT.get("/etlml-assets/canvas.js?v=older").headers["cache-control"]


def test_a_bundle_is_compressed() -> None:
    content, packed, _ = assets_route._asset("canvas.js")
    assert gzip.decompress(packed) == content
    assert len(packed) < 200_000


@pytest.mark.parametrize("name", ["nothing.js", "theme.py", "..%2Fgate.py", "sign_in.html"])
def test_nothing_else_is_served(name: str) -> None:
    assert CLIENT.get(f"/etlml-assets/{name}").status_code == 404
