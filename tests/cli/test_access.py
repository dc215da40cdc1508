"""connections, users, keys, appearance."""

import io
from pathlib import Path

import pytest

from tests.cli.conftest import Etlml


def test_a_connection_is_added_changed_tested_and_deleted(etlml: Etlml, tmp_path: Path) -> None:
    assert "Added inbox" in etlml("connections", "inbox", "--kind", "folder", "--set", f"path={tmp_path}").out
    assert "Changed inbox" in etlml("connections", "inbox", "--description", "where files arrive").out
    shown = etlml("connections", "inbox").json
    assert (shown["config"]["path"], shown["description"]) == (str(tmp_path), "where files arrive")
    assert "inbox\tfolder" in etlml("connections").out
    assert etlml("connections", "inbox", "--test").code == 0
    etlml("connections", "inbox", "--rename", "arrivals")
    assert etlml("connections", "arrivals").json["description"] == "where files arrive"
    assert "Deleted the connection arrivals." in etlml("delete", "connection", "arrivals").out
    assert etlml("connections", "arrivals").code == 2


def test_a_secret_of_a_connection_is_named_and_never_written_out(etlml: Etlml) -> None:
    etlml("connections", "shop", "--kind", "http", "--set", "url=http://127.0.0.1:9", "--secret", "token=SHOP_TOKEN")
    assert etlml("connections", "shop").json["secrets"] == {"token": "${secret.SHOP_TOKEN}"}
    refused = etlml("connections", "shop", "--set", "password=hunter22")
    assert refused.code == 2
    assert "plain text" in refused.err


def test_a_person_is_added_with_a_password_from_standard_input(etlml: Etlml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
    assert "ada: operator" in etlml("users", "ada", "--add", "--role", "operator").out
    assert "ada: viewer, shut out" in etlml("users", "ada", "--role", "viewer", "--disable").out
    assert "password_hash" not in etlml("users", "--json").out
    assert "ada\tviewer\tshut out" in etlml("users").out
    assert etlml("delete", "user", "ada").code == 0


def test_a_key_is_printed_once(etlml: Etlml) -> None:
    created = etlml("keys", "nightly", "--role", "viewer", "--days", 30, "--json").json
    assert created["role"] == "viewer"
    assert created["key"] not in etlml("keys", "--json").out
    assert "nightly" in etlml("keys").out
    assert etlml("delete", "key", created["id"]).code == 0
    assert "nightly" not in etlml("keys").out


def test_the_look_of_a_person_is_changed(etlml: Etlml) -> None:
    assert etlml("appearance", "--mode", "dark", "--user", "ada", "--json").json["mode"] == "dark"
    assert etlml("appearance", "--user", "ada", "--json").json["mode"] == "dark"
    assert etlml("appearance", "--json").json["mode"] is None
    assert etlml("appearance", "--mode", "neon").code == 2


def test_indexes_are_listed_and_created(etlml: Etlml) -> None:
    assert "present" in etlml("indexes", "--create").out
    assert all(one["state"] == "present" for one in etlml("indexes", "--json").json)
