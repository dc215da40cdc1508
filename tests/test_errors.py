"""Errors: the message, the mend, and that they survive a process pool."""

import pickle

import pytest

from etlml.errors import ColumnMissing, EtlmlError, NotFound, PipelineInvalid, did_you_mean, known_errors


@pytest.mark.parametrize(
    "error",
    [
        ColumnMissing("a", ["b"]),
        NotFound("run", "r1"),
        PipelineInvalid("p", [{"message": "m"}]),
        EtlmlError("x", field="f"),
    ],
)
def test_errors_survive_pickling_with_their_details(error: EtlmlError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.details) == (type(error), str(error), error.details)


def test_column_missing_names_the_nearest_column_whatever_its_case() -> None:
    assert str(ColumnMissing("Distnce", ["distance", "origin"])) == (
        "The input has no column 'Distnce'. Did you mean 'distance'?"
    )


def test_without_a_near_name_the_first_ones_are_listed() -> None:
    assert did_you_mean("zzz", [f"c{n}" for n in range(12)]).endswith("and 4 more.")


def test_every_error_is_listed_in_the_docstring_of_its_module() -> None:
    import etlml.errors

    for name in known_errors():
        if known_errors()[name].__module__ == "etlml.errors":
            assert name in (etlml.errors.__doc__ or "")
