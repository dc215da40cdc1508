"""The bundles of our own components and the font: served once, cached for good under a name that holds their content's hash."""

import gzip
import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "etlml-assets"
_TYPES = {"js": "text/javascript", "woff2": "font/woff2", "css": "text/css", "svg": "image/svg+xml"}
_YEAR_S = 31_536_000


@lru_cache(maxsize=16)
def _asset(name: str) -> tuple[bytes, bytes, str]:
    """An asset as it is, compressed, and its hash."""
    content = (files("etlml.ui") / "assets" / name).read_bytes()
    return content, gzip.compress(content, 9, mtime=0), hashlib.sha256(content).hexdigest()[:12]


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    kind = name.rpartition(".")[2]
    if kind not in _TYPES or "/" in name or not (files("etlml.ui") / "assets" / name).is_file():
        return Response("There is no such file.", 404)
    content, packed, version = _asset(name)
    fresh = request.query_params.get("v") == version
    headers = {
        "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if fresh else "public, max-age=3600",
        "Vary": "Accept-Encoding",
    }
    if kind != "woff2" and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = packed, "gzip"
    return Response(content, media_type=_TYPES[kind], headers=headers)


routes = [Route(f"/{PREFIX}/{{name}}", _serve)]


@lru_cache(maxsize=8)
def loader(name: str, *, isolated: bool = True) -> Callable[..., Any]:
    """The Streamlit component ``<name>.js``: a few lines that import the bundle, so that a rerun sends no bundle again.

    Not ``isolated``, it is dressed by the theme's style sheet.
    """
    import streamlit as st

    version = _asset(f"{name}.js")[2]
    script = "\n".join(
        (
            f'const bundle = await import(new URL("{PREFIX}/{name}.js?v={version}", document.baseURI).href)',
            "export default bundle.default",
        )
    )
    component: Callable[..., Any] = st.components.v2.component(f"etlml_{name}", js=script, isolate_styles=isolated)
    return component
