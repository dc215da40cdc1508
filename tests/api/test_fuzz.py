"""Garbage in, an error of our shape out: never a 500, never an answer that the OpenAPI document does not know."""

import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from api.main import create_app
from etlml.services import Services
from tests.services.factories import a_document

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

EXAMPLES = 4
HOST = {"Host": "localhost"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of schemathesis's own making
@pytest.mark.timeout(600)
def test_no_request_breaks_the_api(services: Services) -> None:
    import schemathesis  # takes a second, which the quick tests do without

    there = what_is_there(services)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", create_app(services), headers=HOST)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 50
    for operation in operations:
        fuzz(operation, there)


def what_is_there(services: Services) -> dict[str, str]:
    """One of most things, and the path parameters that name them."""
    pipeline = services.pipelines.create(a_document(schedule="0 6 * * *"))
    services.connections.create({"name": "shop", "kind": "sqlite", "config": {"path": "shop.db"}})
    return {
        "pipeline_id": pipeline.id,
        "run_id": services.runs.start("small").id,
        "step_id": "rows",
        "experiment_id": services.experiments.create("mine").id,
        "connection_id": services.connections.get("shop").id,
    }


def fuzz(operation: "APIOperation", there: dict[str, str]) -> None:
    """Send an operation requests that its description allows, and some that it does not."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    held = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy())
    def send(case: "Case") -> None:
        if case.method != "DELETE":  # so that requests get past the look for the document
            case.path_parameters = {name: there.get(name, value) for name, value in case.path_parameters.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case.call_and_validate(headers=HOST, checks=held)

    send()
