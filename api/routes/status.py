"""Health and figures."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.deps import Since, Use, Viewer

router = APIRouter(tags=["status"])


@router.get("/health")
def get_health(services: Use, response: Response) -> dict[str, Any]:
    """Whether everything that has to run does run; 503 if MongoDB cannot be reached. Open to all, for supervisors."""
    health = services.health.check()
    if health["status"] == "down":
        response.status_code = 503
    if services.environment.auth_required:
        return {"status": health["status"]}
    return health


@router.get("/stats")
def get_stats(
    services: Use,
    _: Viewer,
    since: Since = None,
    timezone: Annotated[str, Query(max_length=60, description="IANA name; days start at its midnight.")] = "UTC",
) -> dict[str, Any]:
    """The figures of the dashboard, of the last 7 days unless told otherwise."""
    return services.stats.overview(since, timezone=timezone)
