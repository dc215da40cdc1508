"""Nothing of a channel's URL leaves the secrets: not by screen, REST, database, log, audit, bundle or pack."""

import io
import logging
import zipfile
from pathlib import Path

import pytest

from etlml.clock import utc_now
from etlml.documents import Channel, Pipeline, Run
from etlml.engine.notifying import Notifying
from etlml.services import Services

PLAIN = ("pa55word-plain", "T0KEN-in-path", "query-t0ken-1")
BEHIND = "swordfish-behind-1"
URLS = (
    "json://me:pa55word-plain@127.0.0.1:9/T0KEN-in-path?+X-Key=query-t0ken-1",
    "json://me:pa55word-plain@127.0.0.1:9/${secret.HOOK}/T0KEN-in-path?+X-Key=query-t0ken-1",
    "json://me:${secret.HOOK}@127.0.0.1:9/T0KEN-in-path?+X-Key=query-t0ken-1",
)


@pytest.mark.parametrize("url", URLS)
def test_no_part_of_a_url_is_to_be_read_anywhere(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    caplog.set_level(logging.DEBUG, "apprise")
    caplog.set_level(logging.INFO)
    services.secrets.set("HOOK", BEHIND)
    notifying = Notifying(services.store, services.environment, utc_now)
    services.notifications.create({"name": "team", "url": "json://127.0.0.1:9/first"})
    services.notifications.update("team", {"url": url})
    told = [str(services.notifications.test("team"))]
    services.store.pipelines.add(Pipeline(id="p", name="p"))
    services.store.runs.add(Run(pipeline_id="p", pipeline_name="p", status="failed", finished_at=utc_now()))
    notifying.tick()
    assert "did not take the message" in str(services.notifications.get("team").last_error)
    told += [one.model_dump_json() for one in services.notifications.list().items]
    told += [one.model_dump_json() for one in services.notifications.notices("team").items]
    told += [one.model_dump_json() for one in services.audit.list().items]
    database = services.store.database
    told += [str(list(database[name].find())) for name in database.list_collection_names()]
    services.packing.pack(tmp_path / "all.pack", runs=True)
    told += [_text(services.diagnostics.content()), _text((tmp_path / "all.pack").read_bytes()), caplog.text]
    for secret in (*PLAIN, BEHIND):
        assert [text[:300] for text in told if secret in text] == []


def test_a_url_that_an_earlier_version_stored_as_it_was_is_masked(services: Services) -> None:
    services.store.channels.add(Channel(name="old", target="json://127.0.0.1/T0KEN/${secret.HOOK}"))
    assert services.notifications.get("old").model_dump(mode="json")["target"] == "***"


def _text(packed: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
