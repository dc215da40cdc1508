"""What packs promise: all that people made, brought up elsewhere; nothing of a pack that is not what it says."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from etlml.clock import utc_now
from etlml.documents import Connection, Model
from etlml.errors import DataUnreadable, InvalidInput
from etlml.services import Services
from etlml.services.pack_file import MANIFEST, reading, writing
from etlml.settings import Settings, get_settings
from etlml.store import Store
from etlml.store.encoding import Document
from tests.services.factories import a_document, a_finished_run

pytestmark = pytest.mark.slow

ALL = {"pipelines": 1, "connections": 1, "preferences": 1, "models": 1}


@pytest.fixture
def elsewhere(other_database: Database[Document], tmp_path: Path, home: Path) -> Services:
    """Another installation: a fresh database and a fresh home."""
    environment = Settings(home=tmp_path / "elsewhere")
    environment.make_folders()
    return Services(Store(other_database, indexes=False), environment)


@pytest.fixture
def full(services: Services) -> Services:
    """An installation with one of each."""
    services.pipelines.create(a_document(schedule="0 6 * * *", triggers=[{"kind": "file", "path": "in/*.csv"}]))
    services.webhooks.create("small")
    services.connections.create({"name": "shop", "kind": "sqlite", "config": {"path": "shop.db"}})
    services.settings.update({"environment_name": "Production"})
    a_model(services, "late", b"the model")
    return services


@pytest.fixture
def pack(full: Services, tmp_path: Path) -> Path:
    """What ``full`` packs, with its runs."""
    run = a_finished_run(full.pipelines.get("small").draft(), dict.fromkeys(("rows", "kept", "saved"), "success"))
    run.pipeline_id = full.pipelines.get("small").id
    for step in run.steps:
        step.checkpoint = None if step.id == "saved" else f"{run.id}/{step.id}.parquet"
    full.store.runs.add(run)
    folder = full.environment.runs_dir / run.id
    folder.mkdir()
    (folder / "rows.parquet").write_bytes(b"rows")
    full.runs.start("small")  # goes on, so it stays
    path = tmp_path / "pack.etlml"
    full.packing.pack(path, runs=True)
    return path


def a_model(services: Services, name: str, content: bytes, **fields: Any) -> Model:
    path = services.environment.models_dir / f"{name}.skops"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return services.store.models.register(name, algorithm="X", file_path=str(path), file_sha256=digest, **fields)


def changes(services: Services, path: Path, **options: Any) -> dict[str, str]:
    return {each.kind: each.change for each in services.packing.unpack(path, **options)}


class TestRoundTrip:
    """From here to elsewhere."""

    def test_everything_is_there_again(self, full: Services, pack: Path, elsewhere: Services) -> None:
        assert changes(elsewhere, pack) == dict.fromkeys(
            ("connection", "pipeline", "model", "run", "settings"), "created"
        )
        here, there = full.pipelines.get("small"), elsewhere.pipelines.get("small")
        assert there.draft().model_copy(update={"triggers": []}) == here.draft().model_copy(update={"triggers": []})
        assert [(each.kind, each.path, each.token_hash) for each in there.triggers] == [
            ("file", "in/*.csv", None),
            ("webhook", None, None),
        ]
        assert there.schedule_since is not None
        assert there.schedule_since > here.created_at
        assert elsewhere.connections.get("shop").config == {"path": "shop.db"}
        assert elsewhere.settings.get().environment_name == "Production"
        model = elsewhere.models.get("late")
        assert elsewhere.models.file(model).read_bytes() == b"the model"

    def test_runs_have_their_checkpoints_and_versions(self, pack: Path, elsewhere: Services) -> None:
        elsewhere.packing.unpack(pack)
        (run,) = elsewhere.runs.list(pipeline="small").items
        checkpoint = run.step("rows").checkpoint
        assert checkpoint is not None
        assert (elsewhere.environment.runs_dir / checkpoint).read_bytes() == b"rows"
        assert run.step("kept").checkpoint is None
        assert elsewhere.pipelines.version("small", run.pipeline_version).document.name == "small"
        assert elsewhere.runs.retry(run.id).step("rows").status == "cached"

    def test_a_second_time_leaves_all_alone(self, pack: Path, elsewhere: Services) -> None:
        elsewhere.packing.unpack(pack)
        elsewhere.pipelines.update("small", a_document(description="mine"))
        assert set(changes(elsewhere, pack).values()) == {"skipped"}
        assert elsewhere.pipelines.get("small").description == "mine"

    def test_replace_takes_the_packs_content_and_keeps_webhooks(self, pack: Path, elsewhere: Services) -> None:
        elsewhere.packing.unpack(pack)
        elsewhere.pipelines.update("small", a_document(description="mine"))
        token = elsewhere.webhooks.create("small")
        found = changes(elsewhere, pack, replace=True)
        assert found == {
            "connection": "replaced",
            "pipeline": "replaced",
            "model": "replaced",
            "run": "skipped",
            "settings": "replaced",
        }
        assert elsewhere.pipelines.get("small").description == ""
        assert elsewhere.webhooks.start(token).trigger == "webhook"

    def test_runs_are_left_out_unless_asked_for(self, full: Services, tmp_path: Path) -> None:
        done = full.packing.pack(tmp_path / "p")
        assert (done.counts, done.notes) == (ALL, [])
        with reading(tmp_path / "p") as pack:
            assert "documents/runs.jsonl" not in pack.manifest.entries

    def test_an_alias_stays_where_it_is_here(self, full: Services, tmp_path: Path, elsewhere: Services) -> None:
        full.models.update("late", "v1.0", aliases=["production", "packed"])
        full.packing.pack(tmp_path / "p")
        a_model(elsewhere, "late", b"other")
        a_model(elsewhere, "late", b"newer")
        elsewhere.models.update("late", "v1.1", aliases=["production"])
        elsewhere.store.models.delete(elsewhere.models.get_version("late", "v1.0").id)
        elsewhere.packing.unpack(tmp_path / "p")
        assert elsewhere.models.get_version("late", "production").version == "v1.1"
        assert elsewhere.models.get_version("late", "packed").version == "v1.0"

    def test_a_version_that_is_another_ones_here_is_not_overwritten(self, pack: Path, elsewhere: Services) -> None:
        a_model(elsewhere, "late", b"other")
        elsewhere.packing.unpack(pack)
        assert elsewhere.models.file(elsewhere.models.get("late")).read_bytes() == b"other"


class TestSecrets:
    """What stays where it is."""

    def test_neither_tokens_nor_plain_secrets_nor_running_runs_are_packed(self, full: Services, tmp_path: Path) -> None:
        full.store.connections.add(
            Connection(
                name="old",
                kind="postgres",
                config={"uri": "postgresql://u:hunter22@h/d", "host": "h", "options": {"password": "hunter22"}},
                secrets={"password": "hunter22", "key": "${secret.KEY}"},
            )
        )
        digest = full.pipelines.get("small").triggers[-1].token_hash
        running = full.runs.start("small")
        done = full.packing.pack(tmp_path / "p", runs=True)
        with zipfile.ZipFile(tmp_path / "p") as archive:
            text = b"".join(archive.read(name) for name in archive.namelist())
        assert b"hunter22" not in text
        assert digest is not None
        assert digest.encode() not in text
        assert b"${secret.KEY}" in text
        assert len(done.notes) == 2
        assert "secrets.password, config.uri, config.options" in done.notes[0]
        assert running.id in done.notes[1]

    def test_a_model_whose_file_is_gone_or_changed_is_left_out(self, full: Services, tmp_path: Path) -> None:
        a_model(full, "gone", b"1")
        (full.environment.models_dir / "gone.skops").unlink()
        a_model(full, "changed", b"2")
        (full.environment.models_dir / "changed.skops").write_bytes(b"3")
        done = full.packing.pack(tmp_path / "p")
        assert done.counts["models"] == 1
        assert sorted(note.split("is left out: ")[1] for note in done.notes) == [
            "its file is damaged.",
            "its file is gone.",
        ]


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], *, honest: bool = True) -> Path:
    """A copy of a pack with other entries; an honest one has a manifest that fits them."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    manifest = json.loads(entries.pop(MANIFEST))
    if honest:
        manifest["entries"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in entries.items()
        }
    target = path.with_name("rewritten")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr(MANIFEST, json.dumps(manifest))
    return target


def with_checkpoint(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(entries: dict[str, bytes]) -> None:
        line = json.loads(entries["documents/runs.jsonl"])
        line["files"] = {name: next(iter(line["files"].values()))}
        entries["documents/runs.jsonl"] = json.dumps(line).encode()

    return change


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda entries: entries.update({name: data})


class TestDistrust:
    """Packs that are not what they say."""

    @pytest.mark.parametrize(
        "name",
        [
            "../../evil.parquet",
            "/tmp/evil.parquet",
            "a/../b.parquet",
            "a/b/c.parquet",
            "x.parquet",
            "r/x.sh",
            "..%2f/x.parquet",
        ],
    )
    def test_no_file_leaves_the_folder_of_runs(self, pack: Path, elsewhere: Services, name: str) -> None:
        before = sorted(pack.parent.rglob("*"))
        with pytest.raises(DataUnreadable, match="no checkpoint's"):
            elsewhere.packing.unpack(rewritten(pack, with_checkpoint(name)))
        new = {path.name for path in set(pack.parent.rglob("*")) - set(before)}
        assert new == {"rewritten"}
        assert elsewhere.pipelines.list().items == []

    def test_a_checkpoint_that_is_there_is_not_overwritten(self, pack: Path, elsewhere: Services) -> None:
        mine = elsewhere.environment.runs_dir / "mine" / "rows.parquet"
        mine.parent.mkdir()
        mine.write_bytes(b"mine")
        elsewhere.packing.unpack(rewritten(pack, with_checkpoint("mine/rows.parquet")))
        assert mine.read_bytes() == b"mine"

    @pytest.mark.parametrize("name", ["../evil", "files/../../evil", "documents/users.jsonl", "/evil", "files/1"])
    def test_entries_of_other_names_are_refused(self, pack: Path, elsewhere: Services, name: str) -> None:
        with pytest.raises(DataUnreadable, match="no name of a pack's entry"):
            elsewhere.packing.unpack(rewritten(pack, put(name, b"x")))

    def test_what_the_manifest_does_not_name_or_size_is_refused(self, pack: Path, elsewhere: Services) -> None:
        with pytest.raises(DataUnreadable, match="not those of its manifest"):
            elsewhere.packing.unpack(rewritten(pack, put("files/000099", b"x"), honest=False))
        with pytest.raises(
            DataUnreadable, match="not as large"
        ):  # a bomb: a few bytes that unpack to a hundred million
            elsewhere.packing.unpack(rewritten(pack, put("documents/pipelines.jsonl", b" " * 10**8), honest=False))

    def test_a_flipped_byte_anywhere_changes_nothing_elsewhere(self, pack: Path, elsewhere: Services) -> None:
        content = bytearray(pack.read_bytes())
        at = content.index(b"the model")
        content[at] ^= 1
        damaged = pack.with_name("damaged")
        damaged.write_bytes(content)
        with pytest.raises(DataUnreadable):
            elsewhere.packing.unpack(damaged)
        assert elsewhere.pipelines.list().items == []

    def test_a_cut_pack_and_other_files_are_refused(self, pack: Path, elsewhere: Services, tmp_path: Path) -> None:
        cut = tmp_path / "cut"
        cut.write_bytes(pack.read_bytes()[:-30])
        text = tmp_path / "text"
        text.write_text("no zip")
        empty = tmp_path / "empty"
        zipfile.ZipFile(empty, "w").close()
        for path in (cut, text, empty, tmp_path / "none", tmp_path):
            with pytest.raises(DataUnreadable):
                elsewhere.packing.unpack(path)

    @pytest.mark.parametrize("line", [b"[]", b"{", b"{}", b'{"document": 1}', b"\xff"])
    @pytest.mark.parametrize("kind", ["pipelines", "connections", "models", "runs", "preferences", "versions"])
    def test_documents_that_are_none_are_refused(self, pack: Path, elsewhere: Services, kind: str, line: bytes) -> None:
        path = rewritten(pack, put(f"documents/{kind}.jsonl", line))
        try:
            outcomes = elsewhere.packing.unpack(path)
        except DataUnreadable as error:
            assert "pack" in error.message  # noqa: PT017 - either is right
            assert (elsewhere.pipelines.list().items, elsewhere.connections.list().items) == ([], [])
        else:
            assert kind == "preferences"
            assert [each.change for each in outcomes if each.kind == "settings"] in (["created"], ["skipped"])

    def test_another_file_than_the_registered_one_is_no_model(self, pack: Path, elsewhere: Services) -> None:
        def swap(entries: dict[str, bytes]) -> None:
            name = json.loads(entries["documents/models.jsonl"])["file"]
            entries[name] = b"evil"

        with pytest.raises(DataUnreadable, match="not the one that was registered"):
            elsewhere.packing.unpack(rewritten(pack, swap))
        assert elsewhere.models.names() == []

    def test_a_newer_format_asks_for_an_upgrade(self, elsewhere: Services, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "p", "w") as archive:
            archive.writestr(MANIFEST, json.dumps({"format": 99, "etlml": "9.0", "anything": "else"}))
        with pytest.raises(InvalidInput, match=r"written by etlml 9\.0"):
            elsewhere.packing.unpack(tmp_path / "p")


class TestInterruption:
    """Half done is not done, and can be done again."""

    def test_an_interrupted_unpack_is_completed_by_a_second_one(
        self, pack: Path, elsewhere: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(elsewhere.store.runs, "add", broken)
            with pytest.raises(KeyboardInterrupt):
                elsewhere.packing.unpack(pack)
        found = changes(elsewhere, pack)
        assert (found["pipeline"], found["model"], found["run"]) == ("skipped", "skipped", "created")
        assert not list(elsewhere.environment.home.rglob("*.partial"))

    def test_an_interrupted_pack_leaves_the_old_one(self, full: Services, tmp_path: Path) -> None:
        path = tmp_path / "p"
        path.write_bytes(b"old")

        def interrupted() -> None:
            with writing(path, utc_now()) as writer:
                writer.add_documents("pipelines", [{"a": 1}])
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["p"]
        assert path.read_bytes() == b"old"

    def test_a_place_that_cannot_be_written_is_refused(self, full: Services, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="cannot be written"):
            full.packing.pack(tmp_path / "none" / "p")
        assert get_settings().home.exists()


class TestExperiments:
    """Experiments go along when asked."""

    @pytest.fixture
    def learnt(self, services: Services, tmp_path: Path) -> Path:
        one = services.experiments.create("try", parameters={"depth": 3})
        services.experiments.add_metrics(one.id, [{"key": "loss", "value": 0.5, "step": n} for n in range(3)])
        services.experiments.complete(one.id, metrics={"loss": 0.5})
        services.experiments.create("goes on")
        path = tmp_path / "learnt.pack"
        done = services.packing.pack(path, experiments=True)
        assert done.notes == ["Experiment 'goes on' is left out: it is running."]
        return path

    def test_they_are_there_again_with_their_metrics(self, learnt: Path, elsewhere: Services) -> None:
        assert changes(elsewhere, learnt)["experiment"] == "created"
        (one,) = elsewhere.experiments.list().items
        assert (one.name, one.parameters, one.status) == ("try", {"depth": 3}, "completed")
        assert [point.step for point in elsewhere.store.metric_points.series(one.id, "loss")] == [0, 1, 2]
        assert changes(elsewhere, learnt)["experiment"] == "skipped"

    def test_a_pack_without_them_is_read_by_older_versions(self, full: Services, tmp_path: Path) -> None:
        for asked, needed in ((False, 1), (True, 2)):
            full.packing.pack(tmp_path / "p", experiments=asked)
            with zipfile.ZipFile(tmp_path / "p") as archive:
                assert json.loads(archive.read(MANIFEST))["format"] == needed


def test_a_dry_run_says_the_same_and_does_nothing(pack: Path, elsewhere: Services) -> None:
    plan = elsewhere.packing.unpack(pack, dry_run=True)
    assert elsewhere.pipelines.list().items == []
    assert elsewhere.runs.list().items == []
    assert elsewhere.connections.list().items == []
    assert elsewhere.packing.unpack(pack) == plan
