"""What is wrong with a step, in the words of its form."""

import pytest

from etlml.ui.complaints import in_form

CAST = {"ops": [{"op": "filter", "where": "true"}, {"op": "cast", "columns": {}}]}


@pytest.mark.parametrize(
    ("message", "config", "shown"),
    [
        (
            "Step 'x': field 'ops[1].columns' is empty. Add at least one.",
            CAST,
            "2 · Cast › Columns is empty. Add at least one.",
        ),
        ("Field 'ops[1].columns.order_date': No type.", CAST, "2 · Cast › Columns › order_date: No type."),
        ("Step 'x': field 'source.path' is empty.", {"source": {"kind": "file"}}, "Source › Path is empty."),
        (
            "Step 'x': field 'rules[0].column' is empty.",
            {"rules": [{"rule": "unique"}]},
            "1 · Unique › Column is empty.",
        ),
        ("Its input is missing. Connect another step to it.", {}, "Its input is missing. Connect another step to it."),
        (
            "Step 'x': Op 2 (cast): No date, or set on_error: null.",
            CAST,
            "2 · Cast: No date, or set On error to null.",
        ),
        ("Field 'ops[7].where' is missing.", CAST, "8 › Where is missing."),
    ],
)
def test_a_field_is_named_as_the_form_labels_it(message: str, config: dict[str, object], shown: str) -> None:
    assert in_form(message, config) == shown
