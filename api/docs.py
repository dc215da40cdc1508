"""Swagger UI from files of a package: it works without the internet."""

from importlib import resources

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_PARAMETERS = {"persistAuthorization": True, "filter": True, "displayRequestDuration": True, "validatorUrl": None}


def docs_router(*, prefix: str, openapi_url: str, title: str) -> APIRouter:
    """The page at ``prefix`` and its files below it; they hold nothing secret, so they are open to all."""
    router = APIRouter(include_in_schema=False)

    @router.get(prefix)
    def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=openapi_url,
            title=title,
            swagger_js_url=f"{prefix}/swagger-ui-bundle.js",
            swagger_css_url=f"{prefix}/swagger-ui.css",
            swagger_favicon_url=f"{prefix}/favicon-32x32.png",
            swagger_ui_parameters=_PARAMETERS,
        )

    def add(name: str, media_type: str) -> None:
        @router.get(f"{prefix}/{name}")
        def file() -> Response:
            content = resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()
            return Response(content, media_type=media_type, headers={"Cache-Control": "max-age=86400"})

    for name, media_type in _FILES.items():
        add(name, media_type)
    return router
