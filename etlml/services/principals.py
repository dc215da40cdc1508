"""Who asks, and what their role permits."""

from dataclasses import dataclass

from etlml.documents import Role
from etlml.errors import NotAllowed

RANKS: dict[Role, int] = {"viewer": 0, "editor": 1, "operator": 2, "admin": 3}
LOCAL_NAME = "local"


@dataclass(frozen=True)
class Principal:
    """A person or a program that is signed in; ``name`` is what the audit log shows."""

    name: str
    role: Role

    def permits(self, role: Role) -> bool:
        """Whether this one may do what ``role`` may."""
        return RANKS[self.role] >= RANKS[role]

    def require(self, role: Role) -> None:
        """Pass over in silence if permitted.

        Raises:
            NotAllowed: The role is lower.
        """
        if not self.permits(role):
            raise NotAllowed(
                f"{self.name!r} has the role {self.role}; this needs {role}. Ask an admin for it.",
                role=self.role,
                needed=role,
            )


LOCAL = Principal(LOCAL_NAME, "admin")
"""Who asks when sign-in is off: the person at this machine."""
