"""The check of a file: what is in it, the rules, and at once what they find, before the result is kept."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from etlml.errors import EtlmlError
from etlml.services import Services
from etlml.services.data_files import FORMATS
from etlml.services.preview import Preview
from etlml.services.principals import Principal
from etlml.ui import complaints, copy_as, forms, live_preview, parts, place, preview_html, source_files, step_form

PATH, RULES, FORM, GIVEN = "check_path", "check_rules", "check_form", "check_upload"
HEIGHT = 420


def draw(services: Services, user: Principal) -> None:
    """Draw the page; the file stands in the URL."""
    place.link("validations", "Validations", icon=":material/chevron_left:")
    parts.head("Check a file", sub="nothing is changed; the result is kept")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        path = _file(services, user)
    with right:
        spot = st.container(key="check_preview")
    may_check = user.permits("editor")
    found = _contents(services, path, spot) if path and may_check else None
    with left:
        rules = _rules(found)
        _check(services, user, path, rules, may_check=may_check)
    with spot:
        _show(services, path, found, rules)


def _file(services: Services, user: Principal) -> str:
    """The file's path: one of those that are there, typed, or of a file that is uploaded now."""

    def added() -> None:
        if (given := st.session_state.get(GIVEN)) is None:
            return
        try:
            st.session_state[PATH] = services.data_files.add(given.name, given, author=user.name).path
        except EtlmlError as error:
            st.toast(error.message, icon=":material/error:")

    known = [each.path for each in services.data_files.list(kinds=FORMATS)]
    asked = place.param(PATH)
    chosen = st.selectbox(
        "File",
        known if not asked or asked in known else [asked, *known],
        index=None,
        key=PATH,
        bind="query-params",
        placeholder="Choose a file, or type its path",
        accept_new_options=True,
        help="Relative paths start at ETLML_HOME/data.",
    )
    if user.permits("editor"):
        with st.container(horizontal=True):
            with st.popover("Upload a file", icon=":material/upload_file:"):
                source_files.uploader(GIVEN, added)
                st.caption("It is kept in the data folder, under uploads.")
            parts.command_lines(copy_as.pipelines.add_file("FILE.csv"), quiet=True)
    return chosen or ""


def _contents(services: Services, path: str, spot: Any) -> Preview | None:
    """What is in the file; the reason on the screen if it cannot be read."""
    try:
        with spot, st.spinner("Reading …"):
            return _preview(services, path, ())
    except EtlmlError as error:
        spot.html(parts.error_html(error))
        return None


def _preview(services: Services, path: str, rules: Sequence[dict[str, Any]]) -> Preview:
    """The rows of the file, and what the rules find in them."""
    steps = list(services.data_files.reader(path)["steps"])
    if rules:
        steps.append({"id": "check", "type": "validate", "needs": [steps[0]["id"]], "config": {"rules": list(rules)}})
    return services.previews.of_step({"name": "check", "steps": steps}, steps[-1]["id"])


def _rules(found: Preview | None) -> Sequence[dict[str, Any]]:
    """The form of the rules; it offers the columns of the file."""
    kept = st.session_state.setdefault(RULES, {"rules": []})
    number = st.session_state.setdefault(FORM, 0)

    def changed(values: forms.Values) -> None:
        st.session_state[RULES] = values
        st.session_state[FORM] = number + 1

    columns = [str(column["name"]) for column in found.columns] if found else []
    around = forms.Surroundings(key=f"adhoc.{number}", columns=columns, changed=changed)
    rules = forms.draw((step_form.rule_fields(),), kept, around).get("rules", [])
    st.session_state[RULES] = {"rules": rules}
    return list(rules)


def _check(services: Services, user: Principal, path: str, rules: Sequence[dict[str, Any]], *, may_check: bool) -> None:
    with st.container(horizontal=True):
        pressed = st.button(
            "Check",
            type="primary",
            icon=":material/play_arrow:",
            key="check_now",
            disabled=not (path and rules and may_check),
        )
        if path and rules:
            parts.command_lines(copy_as.validations.run(path, rules))
    if not pressed:
        return
    try:
        with st.spinner("Checking …"):
            validation = services.validations.run(path, rules, author=user.name)
    except EtlmlError as error:
        st.error(error.message, icon=":material/error:")
        return
    place.set_params(view=None, id=validation.id)  # the file leaves the URL with its field
    st.rerun()


def _show(services: Services, path: str, found: Preview | None, rules: Sequence[dict[str, Any]]) -> None:
    """The rows and columns of the file, and what the rules find in them as they are written."""
    if not path:
        parts.empty("No file chosen", "Its rows, columns and what each rule finds stand here.")
    if found is None:
        return
    if rules:
        try:
            found = _preview(services, path, rules)
        except EtlmlError as error:
            st.html(preview_html.op_error(complaints.in_form(error.message, {"rules": rules})))
    chosen = st.segmented_control(
        "Part", ("Rows", "Columns"), default="Rows", key="check_part", label_visibility="collapsed", required=True
    )
    live_preview.part(found, str(chosen), height=HEIGHT, key="check")
