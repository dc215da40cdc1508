"""People who sign in."""

from fastapi import APIRouter
from pydantic import Field

from api.bodies import StrictRoute
from api.deps import Admin, Paged, Repeatable, Use
from api.replies import List, PublicUser, Request
from etlml.documents import Role

router = APIRouter(prefix="/users", tags=["users"], route_class=StrictRoute)


class UserRequest(Request):
    """A new user."""

    name: str = Field(max_length=100)
    password: str = Field(description="At least 10 characters.")
    role: Role = "editor"


class UserChange(Request):
    """What to change of a user; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None
    password: str | None = None


@router.get("")
def list_users(services: Use, _: Admin, page: Paged) -> List[PublicUser]:
    """Users, newest first."""
    found = services.users.list(limit=page.limit, cursor=page.cursor)
    return List(items=[PublicUser.of(user) for user in found.items], next_cursor=found.next_cursor)


@router.post("", status_code=201)
def create_user(services: Use, admin: Admin, body: UserRequest, once: Repeatable) -> PublicUser:
    """Add a user."""
    user = once.create_at(
        "users",
        get=services.users.get,
        create=lambda new_id: services.users.create(
            body.name, body.password, role=body.role, author=admin.name, document_id=new_id
        ),
    )
    return PublicUser.of(user)


@router.get("/{user_id}")
def get_user(services: Use, _: Admin, user_id: str) -> PublicUser:
    """One user, by id or name."""
    return PublicUser.of(services.users.get(user_id))


@router.patch("/{user_id}")
def update_user(services: Use, admin: Admin, user_id: str, body: UserChange) -> PublicUser:
    """Change a user's role or password, or shut them out."""
    changed = services.users.update(
        user_id, role=body.role, disabled=body.disabled, password=body.password, author=admin.name
    )
    return PublicUser.of(changed)


@router.delete("/{user_id}", status_code=204)
def delete_user(services: Use, admin: Admin, user_id: str) -> None:
    """Delete a user; their tokens stop working at once."""
    services.users.delete(user_id, author=admin.name)
