"""Around the pages: routes, the gate, what starts and stops with the server."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from etlml.settings import get_settings
from etlml.ui import assets_route, backend, gate


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Open the store and start the engine if nobody else runs one; stop what was started at the end."""
    await asyncio.to_thread(_open)
    try:
        yield {}
    finally:
        await asyncio.to_thread(backend.close)


def _open() -> None:
    opened = backend.backend()
    password = opened.prepare()
    if password is not None:  # for the terminal only: not into the log, which is kept
        print(f"Sign in as admin with the password {password} and change it in the settings.", file=sys.stderr)  # noqa: T201
    if not opened.settings.supervised:
        opened.start_engine_if_alone()
    import pandas  # noqa: F401  (pages need it; loaded here, the first page is quick)

    # What is loaded stays: out of the collector's sight, a live page costs a tenth of the time.
    gc.collect()
    gc.freeze()


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def routes() -> list[BaseRoute]:
    """Beside the pages: health, bundles, sign-in."""
    return [Route("/healthz", _health), *assets_route.routes, *gate.routes]


def middleware() -> list[Middleware]:
    """The gate, where the settings ask for sign-in."""
    return [Middleware(gate.Gate)] if get_settings().auth_required else []
