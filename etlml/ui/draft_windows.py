"""One person's draft in two windows: neither writes over the other's changes, and each is told of them.

The draft that was kept first stays where it is. A window that edits an older one keeps its own beside it, aside.
"""

from typing import TYPE_CHECKING, Any

import streamlit as st

from etlml.clock import new_id
from etlml.documents import PipelineDraft
from etlml.engine.leftovers import draft_key
from etlml.services import Services

if TYPE_CHECKING:
    from etlml.ui.drafts import Draft


def keep(services: Services, draft: "Draft", user: str) -> None:
    """Put the draft into the database, beside what another window has put there; take it out where there is nothing to save."""
    own, aside = _keys(draft, user)
    there = services.store.settings.get(own)
    draft.is_apart = there is not None and _stamp(there) != draft.stamp
    if not draft.is_dirty:
        services.store.settings.delete(aside if draft.is_apart else own)
        return
    kept = _kept(draft)
    services.store.settings.set(aside if draft.is_apart else own, kept)
    if not draft.is_apart:
        draft.stamp = kept["stamp"]


def draw(services: Services, draft: "Draft", user: str) -> None:
    """Say that another window has changes of its own, and offer them; nothing where it has none."""
    own, aside = _keys(draft, user)
    found = services.store.settings.some([own, aside])
    draft.is_apart = own in found and _stamp(found[own]) != draft.stamp
    if (own if draft.is_apart else aside) not in found:
        return
    if draft.is_apart:
        mine = " What you changed here is kept too." if draft.is_dirty else ""
        st.warning(f"This draft was changed in another window.{mine}", icon=":material/tab_duplicate:")
    else:
        st.info("There are other unsaved changes of yours, made in another window.", icon=":material/tab_duplicate:")
    with st.container(horizontal=True):
        st.button(
            "Load those changes",
            icon=":material/swap_horiz:",
            key="window_load",
            on_click=load_other,
            args=(services, draft, user),
            help="What stands here stays at hand: you can come back to it." if draft.is_dirty else None,
        )
        st.button(
            "Keep only what is here",
            key="window_keep",
            type="tertiary",
            on_click=keep_only_this,
            args=(services, draft, user),
            help="The changes of the other window are forgotten, unless it is still open.",
        )


def load_other(services: Services, draft: "Draft", user: str) -> None:
    """Go on with what the other window has; what stands here is kept aside."""
    own, aside = _keys(draft, user)
    found = services.store.settings.some([own, aside])
    other = found.get(own if draft.is_apart else aside)
    if other is None:  # it was saved or discarded meanwhile
        return
    if draft.is_dirty:
        services.store.settings.set(aside, _kept(draft))
    else:
        services.store.settings.delete(aside)
    services.store.settings.set(own, other)
    draft.version, draft.stamp, draft.is_apart = int(other["version"]), _stamp(other), False
    draft.replace(PipelineDraft.model_validate(other["document"]))
    draft.is_stored()


def keep_only_this(services: Services, draft: "Draft", user: str) -> None:
    """Go on with what stands here; what the other window had put into the database is forgotten."""
    own, aside = _keys(draft, user)
    services.store.settings.delete(aside)
    if draft.is_apart and not draft.is_dirty:
        services.store.settings.delete(own)
    elif draft.is_apart:
        kept = _kept(draft)
        services.store.settings.set(own, kept)
        draft.stamp = kept["stamp"]
    draft.is_apart = False
    draft.is_stored()


def _keys(draft: "Draft", user: str) -> tuple[str, str]:
    """Where the draft stands, and where that of a second window does; both end with the pipeline's id."""
    return draft_key(user, draft.pipeline_id), draft_key(f"aside/{user}", draft.pipeline_id)


def _kept(draft: "Draft") -> dict[str, Any]:
    return {"version": draft.version, "document": draft.document.model_dump(mode="json"), "stamp": new_id()}


def _stamp(kept: Any) -> str:
    return str(kept.get("stamp") or "") if isinstance(kept, dict) else ""
