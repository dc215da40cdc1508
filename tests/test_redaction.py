"""Secrets are replaced wherever they stand."""

import pytest

from etlml.redaction import redacted, redacted_document, register_secrets


def test_a_registered_value_is_replaced_everywhere() -> None:
    register_secrets(["s3cr3t-value"])
    assert redacted("a s3cr3t-value b s3cr3t-value") == "a *** b ***"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("mongodb://joe:hunter22@host/db", "mongodb://joe:***@host/db"),
        ("password=hunter22 user=joe", "password=*** user=joe"),
        ('{"api_key": "abcdef"}', '{"api_key": ***}'),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("no secret here: 12", "no secret here: 12"),
    ],
)
def test_secret_shapes_are_replaced_even_when_nobody_registered_them(text: str, safe: str) -> None:
    assert redacted(text) == safe


def test_telling_keys_of_a_document_are_masked_but_references_stay() -> None:
    document = {"user": "joe", "password": "x", "token": "${secret.TOKEN}", "list": [{"secret_key": "y"}]}
    assert redacted_document(document) == {
        "user": "joe",
        "password": "***",
        "token": "${secret.TOKEN}",
        "list": [{"secret_key": "***"}],
    }
