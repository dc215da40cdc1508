"""Who uses the services while somebody waits: a MongoDB that was just looked for in vain is not waited for again."""

from starlette.types import ASGIApp, Receive, Scope, Send

from etlml.store import hurried

__all__ = ["Hurried", "hurried"]


class Hurried:
    """Has every request answered at once while MongoDB does not answer; only the first ones wait some seconds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] == "lifespan":  # what starts and stops with the server has time
            return await self._app(scope, receive, send)
        with hurried():
            await self._app(scope, receive, send)
