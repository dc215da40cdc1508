"""Notification channels: where messages about runs and data go."""

from fastapi import APIRouter, Response
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Admin, IfMatch, Operator, Paged, Repeatable, Search, Use, tagged
from api.replies import List, Request, TestReply
from etlml.documents import Channel, Notice, NotificationEvent

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=StrictRoute)


class ChannelRequest(Request):
    """A channel. Its URL is in apprise's notation, e.g. ``slack://...``; it is stored as a secret and never comes back."""

    name: str
    url: str = Field(max_length=4000, description="The whole URL, or one whose secrets are ${secret.NAME}.")
    events: list[NotificationEvent] = ["run_failed", "run_recovered"]
    pipelines: list[str] = Field(default_factory=list, max_length=1000)
    tags: list[str] = Field(default_factory=list, max_length=1000)
    enabled: bool = True


class ChannelChange(Request):
    """What to change of a channel; what is left out stays, the URL too."""

    name: str | None = None
    url: str | None = Field(None, max_length=4000)
    events: list[NotificationEvent] | None = None
    pipelines: list[str] | None = Field(None, max_length=1000)
    tags: list[str] | None = Field(None, max_length=1000)
    enabled: bool | None = None


@router.get("")
def list_notifications(services: Use, _: Operator, page: Paged, q: Search = None) -> List[Channel]:
    """Channels, newest first, without their URLs."""
    return List.of(services.notifications.list(q=q, limit=page.limit, cursor=page.cursor))


@router.post("", status_code=201)
def create_notification(
    services: Use, admin: Admin, body: ChannelRequest, once: Repeatable, response: Response
) -> Channel:
    """Add a channel."""
    channel = once.create_at(
        "notifications",
        get=services.notifications.get,
        create=lambda new_id: services.notifications.create(body.model_dump(), author=admin.name, document_id=new_id),
    )
    return tagged(response, channel)


@router.get("/{channel_id}")
def get_notification(services: Use, _: Operator, channel_id: str, response: Response) -> Channel:
    """One channel, by id or name."""
    return tagged(response, services.notifications.get(channel_id))


@router.put("/{channel_id}")
def update_notification(
    services: Use, admin: Admin, channel_id: str, body: ChannelChange, if_match: IfMatch, response: Response
) -> Channel:
    """Change a channel."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    channel = services.notifications.update(channel_id, changes, expected_etag=if_match, author=admin.name)
    return tagged(response, channel)


@router.delete("/{channel_id}", status_code=204)
def delete_notification(services: Use, admin: Admin, channel_id: str) -> None:
    """Remove a channel with its URL."""
    services.notifications.delete(channel_id, author=admin.name)


@router.post("/{channel_id}/test")
def check_notification(services: Use, _: Operator, channel_id: str) -> TestReply:
    """Send a message now; a failure is the answer, not an error."""
    return TestReply.model_validate(services.notifications.test(channel_id))


@router.get("/{channel_id}/notices")
def list_notices(services: Use, _: Operator, channel_id: str, page: Paged) -> List[Notice]:
    """What a channel was told, newest first."""
    return List.of(services.notifications.notices(channel_id, limit=page.limit, cursor=page.cursor))
