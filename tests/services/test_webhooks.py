"""What webhooks promise: a token that starts one pipeline, and is nowhere to be read."""

import json

import pytest

from etlml.errors import ConfigInvalid, NotFound, StateConflict, TooManyRequests
from etlml.redaction import redacted
from etlml.services import Services
from etlml.services.throttle import Pace
from tests.services.factories import a_document


@pytest.fixture
def token(services: Services) -> str:
    """Of the webhook of ``small``."""
    services.pipelines.create(a_document())
    return services.webhooks.create("small", author="ann")


def test_its_token_starts_a_run(services: Services, token: str) -> None:
    run = services.webhooks.start(token, {"least": 2})
    assert (run.trigger, run.params["least"], run.status) == ("webhook", 2, "pending")
    with pytest.raises(ConfigInvalid, match="no parameter"):
        services.webhooks.start(token, {"lest": 2})


def test_calls_beyond_its_pace_start_nothing(services: Services, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.webhooks, "_pace", Pace(2, clock=lambda: 0.0))
    for _ in range(2):
        services.webhooks.start(token)
    with pytest.raises(TooManyRequests, match="Call it again in 60 s") as caught:
        services.webhooks.start(token)
    assert caught.value.details == {"retry_after_s": 60}
    assert services.store.runs.count() == 2


def test_only_a_digest_is_stored_and_nothing_shows_the_token(services: Services, token: str) -> None:
    services.webhooks.start(token)
    stored = services.pipelines.get("small").model_dump_json()
    audit = json.dumps([entry.model_dump(mode="json") for entry in services.audit.list().items])
    assert len(token) >= 32
    assert token not in stored + audit + services.pipelines.to_yaml(services.pipelines.get("small"))
    assert redacted(f"POST /api/hooks/{token} failed") == "POST /api/hooks/*** failed"


def test_another_token_finds_nothing_and_is_not_repeated(services: Services, token: str) -> None:
    for wrong in (token + "x", token[:-1], "", "½"):
        with pytest.raises(NotFound, match="There is no such webhook") as caught:
            services.webhooks.start(wrong)
        assert caught.value.details == {}


def test_rotating_ends_the_old_token(services: Services, token: str) -> None:
    fresh = services.webhooks.rotate("small")
    with pytest.raises(NotFound):
        services.webhooks.start(token)
    assert services.webhooks.start(fresh).trigger == "webhook"


def test_restoring_an_old_version_does_not_bring_an_old_token_back(services: Services, token: str) -> None:
    fresh = services.webhooks.rotate("small")
    services.pipelines.restore("small", 2)
    with pytest.raises(NotFound):
        services.webhooks.start(token)
    assert services.webhooks.start(fresh).trigger == "webhook"


def test_a_document_that_does_not_speak_of_it_leaves_it_in_force(services: Services, token: str) -> None:
    services.pipelines.apply(a_document(description="from git"))
    assert services.webhooks.start(token).trigger == "webhook"
    assert services.pipelines.apply(a_document(description="from git"))[1] == "unchanged"


def test_a_pipeline_has_one_webhook_and_loses_it_when_removed(services: Services, token: str) -> None:
    with pytest.raises(StateConflict, match="has a webhook already"):
        services.webhooks.create("small")
    services.webhooks.remove("small")
    with pytest.raises(NotFound):
        services.webhooks.start(token)
    with pytest.raises(NotFound):
        services.webhooks.remove("small")


def test_a_paused_pipeline_is_not_started(services: Services, token: str) -> None:
    services.schedules.pause("small")
    with pytest.raises(StateConflict, match="is paused"):
        services.webhooks.start(token)


def test_the_digest_is_shown_nowhere_and_saving_what_was_shown_keeps_it(services: Services, token: str) -> None:
    stored = services.pipelines.get("small")
    digest = stored.triggers[0].token_hash
    assert digest
    shown = stored.draft().model_dump(mode="json")
    assert shown["triggers"] == [{"kind": "webhook", "path": None, "pipeline": None, "token_hash": None}]
    versions = json.dumps([each.model_dump(mode="json") for each in services.pipelines.versions("small")])
    assert digest not in stored.model_dump_json() + versions + services.pipelines.to_yaml(stored)
    services.pipelines.update("small", {**shown, "description": "changed on a screen"})
    services.pipelines.apply_yaml(services.pipelines.to_yaml(stored))
    assert services.pipelines.get("small").triggers[0].token_hash == digest
    assert services.webhooks.start(token).trigger == "webhook"
