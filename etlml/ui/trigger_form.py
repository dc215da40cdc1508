"""What else starts a pipeline: the arrival of a file, another pipeline's success, a webhook."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import streamlit as st
from pydantic import BaseModel, Field

from etlml.clock import utc_now
from etlml.documents import Pipeline, RefusalReason, Trigger
from etlml.errors import EtlmlError
from etlml.launch import listening
from etlml.services import Services
from etlml.services.arrivals import MOST, matching_files
from etlml.services.principals import Principal
from etlml.services.webhooks import Calls
from etlml.settings import get_settings
from etlml.ui import copy_as, drafts, fields, forms, lists, parts, place, run_rows
from etlml.ui import format as words
from etlml.ui.drafts import Draft

CALLS = 3
WHY: Mapping[RefusalReason, str] = {
    "unknown": "its token was not known",
    "paused": "the pipeline was paused",
    "body": "its body was wrong",
    "rate": "there were too many",
    "other": "it could not start",
}


class FileArrival(BaseModel):
    """A file that is new or changed starts a run."""

    kind: Literal["file"] = "file"
    path: str = Field(description="A file name or glob such as inbox/*.csv; relative ones are in the data folder.")


class AfterPipeline(BaseModel):
    """Another pipeline's success starts a run."""

    kind: Literal["pipeline"] = "pipeline"
    pipeline: str = Field(description="Its name.", json_schema_extra={"picks": "input"})


class _Triggers(BaseModel):
    triggers: list[Annotated[FileArrival | AfterPipeline, Field(discriminator="kind")]] = []


@lru_cache(maxsize=1)
def _fields() -> tuple[fields.FormField, ...]:
    return fields.fields_of(_Triggers)


def draw(services: Services, draft: Draft, *, may_edit: bool) -> list[Trigger]:
    """The form of the triggers; what stands in it now, webhooks as they are."""
    document = draft.document
    others = [each for each in document.triggers if each.kind != "webhook"]
    names = [name for name in services.pipelines.names() if name != draft.saved.name]
    around = forms.Surroundings(
        key=f"{draft.pipeline_id}.{draft.form}.triggers",
        inputs=names,
        changed=lambda values: _changed(draft, values),
        disabled=not may_edit,
    )
    if not others:
        st.caption("Start a run when a file arrives, or when another pipeline succeeds.")
    values = {"triggers": [each.model_dump(include={"kind", "path", "pipeline"}, exclude_none=True) for each in others]}
    now = _triggers(forms.draw(_fields(), values, around))
    for trigger in now:
        _remark(services, trigger, names)
    return document.triggers if now == others else [*now, *_webhooks(document.triggers)]


def _changed(draft: Draft, values: dict[str, Any]) -> None:
    draft.change(triggers=[*_triggers(values), *_webhooks(draft.document.triggers)])
    draft.form += 1


def _triggers(values: dict[str, Any]) -> list[Trigger]:
    return [Trigger.model_validate(each) for each in values.get("triggers", ())]


def _webhooks(triggers: Sequence[Trigger]) -> list[Trigger]:
    return [each for each in triggers if each.kind == "webhook"]


def _remark(services: Services, trigger: Trigger, names: Sequence[str]) -> None:
    """What the trigger finds now, or what it lacks."""
    if trigger.kind == "file":
        if not trigger.path:
            st.caption(":red[Name the files to wait for, such as inbox/*.csv.]")
            return
        there = matching_files(services.environment.data_dir, trigger.path)
        more = " or more" if len(there) == MOST else ""
        first = f", such as {there[0]}" if there else ""
        st.caption(f"{words.plural(len(there), 'file')}{more} match now{first}. They start nothing; later ones do.")
    elif not trigger.pipeline:
        st.caption(":red[Choose the pipeline to wait for.]")
    elif trigger.pipeline not in names:
        st.caption(f":red[There is no other pipeline {trigger.pipeline!r}.]")


def webhook(services: Services, pipeline: Pipeline, draft: Draft, user: Principal) -> None:
    """The webhook: made, renewed, taken away at once, without saving the draft."""
    there = any(each.kind == "webhook" and each.token_hash for each in pipeline.triggers)
    _shown_once(pipeline)
    if not there:
        st.caption("A secret address that other systems send a POST request to. It is shown once.")
    may = user.permits("editor")
    with st.container(horizontal=True, vertical_alignment="center"):
        if there:
            st.html(parts.tone_pill("In force", "ok"))
            if st.button("New token …", icon=":material/refresh:", key="webhook_renew", disabled=not may):
                parts.confirm(
                    "Make a new token?",
                    "The old address stops working at once. The new one is shown once.",
                    "Make a new token",
                    lambda: _keep(services, draft, user, services.webhooks.rotate(pipeline.id, author=user.name)),
                    "The webhook has a new token.",
                    commands=copy_as.pipelines.renew_webhook(pipeline.name),
                )
            if st.button("Delete …", icon=":material/delete:", key="webhook_delete", disabled=not may):
                parts.confirm(
                    "Delete the webhook?",
                    "Its address stops working at once.",
                    "Delete",
                    lambda: _removed(services, pipeline, draft, user),
                    "The webhook is gone.",
                    commands=copy_as.pipelines.delete_webhook(pipeline.name),
                )
        elif st.button("Create a webhook", icon=":material/webhook:", key="webhook_create", disabled=not may):
            with parts.shown_errors():
                _keep(services, draft, user, services.webhooks.create(pipeline.id, author=user.name))
                st.rerun()
        if not there:
            parts.command_lines(copy_as.pipelines.create_webhook(pipeline.name))
    if there:
        _calls(services, pipeline)


def _keep(services: Services, draft: Draft, user: Principal, token: str) -> None:
    st.session_state["new_webhook"] = (draft.pipeline_id, token)
    _taken_over(services, draft, user)


def _removed(services: Services, pipeline: Pipeline, draft: Draft, user: Principal) -> None:
    services.webhooks.remove(pipeline.id, author=user.name)
    st.session_state.pop("new_webhook", None)
    _taken_over(services, draft, user)


def _taken_over(services: Services, draft: Draft, user: Principal) -> None:
    """Let the draft stand on the version that the webhook made, with its edits as they are."""
    pipeline = services.pipelines.get(draft.pipeline_id)
    others = [each for each in draft.document.triggers if each.kind != "webhook"]
    drafts.stand_on(services, draft, pipeline, user.name, triggers=[*others, *_webhooks(pipeline.triggers)])


def _shown_once(pipeline: Pipeline) -> None:
    owner, token = st.session_state.get("new_webhook") or ("", "")
    if owner != pipeline.id:
        return
    settings = get_settings()
    url = listening.url(settings.host, settings.api_port, f"/api/hooks/{token}")
    with st.container(border=True):
        st.markdown("**Copy it now: it is shown this once.**")
        body = "" if not pipeline.params else " \\\n  -H 'Content-Type: application/json' -d '{\"params\": {}}'"
        st.code(f"curl -X POST {url}{body}", language="bash", wrap_lines=True)
        if st.button("I have copied it", key="webhook_seen"):
            del st.session_state["new_webhook"]
            st.rerun()


def _calls(services: Services, pipeline: Pipeline) -> None:
    try:
        found = services.runs.list(pipeline=pipeline.id, trigger="webhook", limit=CALLS).items
        calls = services.webhooks.calls(pipeline.id)
    except EtlmlError:
        return
    _refusals(calls)
    if not found and calls.refused:
        return
    if not found:
        st.caption("Nobody has called it yet.")
        return
    st.caption(f"Last delivery {words.ago(found[0].created_at, utc_now())}")
    columns = tuple(one for one in run_rows.RUN_COLUMNS if one.key in ("name", "status", "started"))
    happened = lists.draw("webhook_calls", columns, [run_rows.run_row(run, named=False) for run in found], head=False)
    if happened.opened:
        place.go("run", id=happened.opened)


def refused_text(calls: Calls, now: datetime) -> str:
    """How many calls were refused, and why the last one was; empty if none was."""
    if not calls.refusals:
        return ""
    last = calls.refusals[0]
    return f"Refused: {calls.refused:,}, the last {words.ago(last.ts, now)} because {WHY[last.reason]}"


def _refusals(calls: Calls) -> None:
    now = utc_now()
    if not (text := refused_text(calls, now)):
        return
    with st.expander(text, icon=":material/block:"):
        rows = [
            lists.row(
                f"{number}", why={"text": WHY[one.reason].capitalize(), "sub": one.message}, at=lists.when(one.ts)
            )
            for number, one in enumerate(calls.refusals)
        ]
        columns = (lists.Column("why", "Why", "name"), lists.Column("at", "When", "time"))
        lists.draw("refusals", columns, rows, head=False, opens=False)
