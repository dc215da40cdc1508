"""Forms that create one thing each, however often their button is pressed, and are empty again when it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from etlml.clock import new_id
from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.ui import format as words
from etlml.ui import parts, place


@dataclass(frozen=True)
class OneForm:
    """A form as it stands: until what it describes is created.

    A press may arrive while the page still answers the press before, which ends that page's script at whatever point it
    was: before it wrote, or after it wrote and before it said so. So both presses stand for the same thing.

    Attributes:
        suffix: Of the keys of its widgets: a form that begins anew has new ones, which are empty.
        token: Stands for the one thing that it creates.
    """

    key: str
    number: int
    token: str

    @property
    def suffix(self) -> str:
        """Empty for the first form of its kind in a session."""
        return f".{self.number}" if self.number else ""

    def create(self, services: Services, *, get: Callable[[str], Any], create: Callable[[str], Any]) -> None:
        """Create it, or leave it at what the press before created; then begin anew.

        Args:
            services: All use cases.
            get: Gives the document of an id; NotFound if there is none.
            create: Makes the document with an id.

        Raises:
            EtlmlError: It is refused; the form stays as it is.
        """
        services.once.create(f"form {self.token}", "", get=get, create=create)
        self.renew()

    def renew(self) -> None:
        """Begin anew with the next run of the page."""
        st.session_state[f"form.{self.key}"] = OneForm(self.key, self.number + 1, new_id())


def one_form(key: str) -> OneForm:
    """The form of that kind, as it stands in this session."""
    stored: OneForm = st.session_state.setdefault(f"form.{key}", OneForm(key, 0, new_id()))
    return stored


def saved(save: Callable[[], object], *, said: str, param: str) -> None:
    """Save what a form holds, say so and leave for an empty one (``param`` is what the URL calls it); or show why not."""
    try:
        save()
    except EtlmlError as error:
        st.error(words.told(error.message), icon=":material/error:")
        return
    parts.toast_later(said)
    place.set_params(**{param: None})
    st.rerun()
