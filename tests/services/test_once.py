"""What an Idempotency-Key promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from etlml.documents import Pipeline
from etlml.errors import Conflict, NameTaken, PipelineInvalid
from etlml.services import Services
from tests.services.factories import a_document


def create(
    services: Services, key: str, document: dict[str, object] | None = None, fingerprint: str = "f"
) -> tuple[Pipeline, bool]:
    wanted = document or a_document()
    return services.once.create(
        key,
        fingerprint,
        get=services.pipelines.get,
        create=lambda new_id: services.pipelines.create(wanted, document_id=new_id),
    )


def test_second_request_gets_what_the_first_created(services: Services) -> None:
    first, replayed = create(services, "k")
    again, replayed_again = create(services, "k")
    assert (first.id, replayed, replayed_again) == (again.id, False, True)


def test_another_request_with_the_key_is_refused(services: Services) -> None:
    create(services, "k")
    with pytest.raises(Conflict, match="used for another request"):
        create(services, "k", fingerprint="g")


def test_refused_request_frees_its_key(services: Services) -> None:
    with pytest.raises(PipelineInvalid):
        create(services, "k", {"name": "/"})
    create(services, "k", fingerprint="g")
    with pytest.raises(NameTaken):
        create(services, "other")
    create(services, "other", a_document(name="second"), fingerprint="h")


def test_request_that_died_half_way_is_completed_under_its_id(services: Services) -> None:
    def die(_: str) -> Pipeline:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.once.create("k", "f", get=services.pipelines.get, create=die)
    pipeline, replayed = create(services, "k")
    assert not replayed
    assert create(services, "k") == (pipeline, True)


def test_requests_at_the_same_moment_create_one(services: Services) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = {pipeline.id for pipeline, _ in pool.map(lambda _: create(services, "k"), range(4))}
    assert len(ids) == 1
    assert len(services.pipelines.list().items) == 1
