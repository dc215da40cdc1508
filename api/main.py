"""The REST app, and the server that serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from api.deps import get_principal
from api.docs import docs_router
from api.errors import COMMON_RESPONSES, install_handlers
from api.metrics import Measured, Metrics, PlatformCollector
from api.origins import BrowserGuard, Cors, Origins
from api.routes import (
    api_keys,
    audit,
    auth,
    backfills,
    connections,
    experiments,
    files,
    hooks,
    logs,
    models,
    notifications,
    pipelines,
    runs,
    schedules,
    secrets,
    settings,
    starts,
    status,
    system,
    users,
    validations,
)
from api.schema import complete_schema
from etlml import __version__
from etlml.errors import ConfigInvalid
from etlml.services import Services
from etlml.services.hurry import Hurried
from etlml.settings import Settings
from etlml.store import open_store

OPENAPI_URL = "/api/openapi.json"
DOCS_URL = "/api/docs"
GRACE_S = 5
_ROUTES = (
    pipelines,
    starts,
    hooks,
    runs,
    backfills,
    experiments,
    models,
    validations,
    logs,
    connections,
    files,
    schedules,
    settings,
    notifications,
    secrets,
    system,
    users,
    api_keys,
    audit,
    status,
    auth,
)


def create_app(source: Services | Settings) -> FastAPI:
    """The REST app.

    Args:
        source: Ready services (their store stays open), or settings, from which the app opens a store when it starts and
            closes it when it stops.
    """
    environment = source.environment if isinstance(source, Services) else source

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if isinstance(source, Services):
            yield
            return
        app.state.services = await run_in_threadpool(_opened, source)
        try:
            yield
        finally:
            await run_in_threadpool(app.state.services.store.close)

    app = FastAPI(
        title="ETL & ML Platform",
        version=__version__,
        description="Everything that a screen can do: pipelines, runs, data quality, experiments and models.",
        openapi_url=OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    if isinstance(source, Services):
        app.state.services = source
    for noun in _ROUTES:
        app.include_router(noun.router, prefix="/api", responses=COMMON_RESPONSES)
    app.include_router(docs_router(prefix=DOCS_URL, openapi_url=OPENAPI_URL, title="ETL & ML Platform"))
    install_handlers(app)
    _add_metrics(app)
    _add_guards(app, environment)
    complete_schema(app)
    return app


def _add_guards(app: FastAPI, environment: Settings) -> None:
    origins = Origins(lambda: app.state.services.settings.get().cors_origins)
    app.add_middleware(Cors, origins=origins)
    app.add_middleware(BrowserGuard, origins=origins, loopback_only=environment.is_loopback)
    app.add_middleware(Hurried)


def _add_metrics(app: FastAPI) -> None:
    metrics = Metrics()
    metrics.registry.register(PlatformCollector(lambda: app.state.services))
    app.add_middleware(Measured, metrics=metrics)

    @app.get("/metrics", include_in_schema=False, dependencies=[Depends(get_principal)])
    def prometheus() -> Response:
        """Figures in Prometheus's text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _opened(environment: Settings) -> Services:
    if environment.mongodb_uri is None:
        raise ConfigInvalid(
            "The REST server needs a MongoDB: start it with `etlml api` or `etlml up`, or set ETLML_MONGODB_URI."
        )
    return Services(open_store(environment.mongodb_uri.get_secret_value(), environment.database), environment)


def server(environment: Settings, *, port: int | None = None, source: Services | None = None) -> uvicorn.Server:
    """A server that is ready to ``run()``; ``should_exit = True`` or a SIGTERM has it finish its requests and stop.

    Raises:
        ConfigInvalid: Others could reach it without sign-in.
    """
    if not environment.is_loopback and not environment.auth_required:
        raise ConfigInvalid(
            f"The REST server would listen on {environment.host} without sign-in. Leave ETLML_AUTH unset, or set it to required.",
            field="auth",
        )
    config = uvicorn.Config(
        create_app(source or environment),
        host=environment.host,
        port=environment.api_port if port is None else port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return uvicorn.Server(config)


def serve(environment: Settings, port: int | None = None) -> None:
    """Serve REST until SIGTERM or Ctrl-C; requests that go on are finished."""
    server(environment, port=port).run()
