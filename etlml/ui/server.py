"""Around the pages: routes, the gate, what starts and stops with the server."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from etlml.services.hurry import Hurried
from etlml.settings import get_settings
from etlml.ui import appearance, assets_route, backend, downloads, gate, late_events, log_export, unsent


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Open the store and start the engine if nobody else runs one; stop what was started at the end."""
    unsent.keep_for_fragments()
    late_events.pass_over()
    await asyncio.to_thread(_open)
    try:
        yield {}
    finally:
        await asyncio.to_thread(backend.close)


def _open() -> None:
    opened = backend.backend()
    password = opened.first_password()
    if password is not None:  # for the terminal only: not into the log, which is kept
        print(f"Sign in as admin with the password {password} and change it in the settings.", file=sys.stderr)  # noqa: T201
    if not opened.settings.supervised:
        opened.start_engine_if_alone()
    threading.Thread(target=_warm, name="warm", daemon=True).start()


def _warm() -> None:
    """Load what pages need before somebody waits for it, then take all that is loaded out of the collector's sight.

    Streamlit collects garbage after each run of a script: without what stays anyway, a live page costs a tenth of the time.
    """
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    from etlml.steps.registry import config_classes

    config_classes()
    gc.collect()
    gc.freeze()


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def routes() -> list[BaseRoute]:
    """Beside the pages: health, bundles, sign-in."""
    return [Route("/healthz", _health), *assets_route.routes, *downloads.routes, *log_export.routes, *gate.routes]


def middleware() -> list[Middleware]:
    """Each viewer's colours; the gate before it, where the settings ask for sign-in."""
    gates = [Middleware(gate.Gate)] if get_settings().auth_required else []
    return [Middleware(Hurried), *gates, Middleware(appearance.Dressed)]
