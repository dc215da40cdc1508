"""Settings that people change while everything runs."""

from fastapi import APIRouter, Response

from api.bodies import StrictRoute
from api.deps import Admin, IfMatch, Use, Viewer, tagged
from api.replies import RetentionReply
from etlml.services.preferences import Appearance, Preferences, PreferencesChange

router = APIRouter(prefix="/settings", tags=["settings"], route_class=StrictRoute)


@router.get("")
def get_settings(services: Use, _: Viewer, response: Response) -> Preferences:
    """All settings; what nobody set has its default."""
    return tagged(response, services.settings.get())


@router.put("")
def update_settings(
    services: Use, admin: Admin, body: PreferencesChange, if_match: IfMatch, response: Response
) -> Preferences:
    """Change the settings that the body names, leave the others alone."""
    changes = body.model_dump(exclude_unset=True)
    return tagged(response, services.settings.update(changes, expected_etag=if_match, author=admin.name))


@router.get("/appearance")
def get_appearance(services: Use, viewer: Viewer) -> Appearance:
    """How the pages look to whoever asks; null is what the settings say."""
    return services.settings.appearance(viewer.name)


@router.put("/appearance")
def update_appearance(services: Use, viewer: Viewer, body: Appearance) -> Appearance:
    """Change how the pages look to whoever asks; open pages follow with their next step."""
    return services.settings.set_appearance(viewer.name, body.model_dump(exclude_unset=True))


@router.get("/retention")
def preview_retention(services: Use, _: Viewer) -> RetentionReply:
    """What the retention settings would free now; nothing is removed."""
    return RetentionReply.of(services.retention.policy(), services.retention.preview())


@router.post("/retention")
def apply_retention(services: Use, admin: Admin) -> RetentionReply:
    """Remove now what the retention settings no longer keep; workers do so every hour."""
    policy = services.retention.policy()
    return RetentionReply.of(policy, services.retention.apply(author=admin.name))
