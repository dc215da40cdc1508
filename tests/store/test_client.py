import pytest

from etlml.errors import ConfigInvalid, Unavailable
from etlml.redaction import redacted
from etlml.store import open_store
from etlml.store.client import Store, connect

SECRET = "geheim99"


class TestOpenStore:
    def test_a_server_that_is_away_is_unavailable_and_the_password_stays_hidden(self) -> None:
        with pytest.raises(Unavailable, match="MongoDB cannot be reached") as caught:
            open_store(f"mongodb://me:{SECRET}@127.0.0.1:1/", serverSelectionTimeoutMS=50)
        assert SECRET not in str(caught.value) + str(caught.value.details)
        assert redacted(f"a log line with {SECRET}") == "a log line with ***"

    @pytest.mark.parametrize(
        "uri",
        [
            "http://x",
            f"mongodb://me:{SECRET}:x@host",
            f"mongodb://me:{SECRET}@",
            "mongodb://[x",
            "mongodb://h:99999",
            "",
        ],
    )
    def test_a_uri_that_cannot_be_used_is_refused(self, uri: str) -> None:
        with pytest.raises(ConfigInvalid, match="ETLML_MONGODB_URI cannot be used") as caught:
            open_store(uri)
        assert SECRET not in str(caught.value)

    def test_wrong_credentials_are_told(self, mongo_server: str) -> None:
        uri = mongo_server.replace("mongodb://", f"mongodb://me:{SECRET}@")
        with pytest.raises(Unavailable, match="refused the credentials") as caught:
            open_store(uri)
        assert SECRET not in str(caught.value)

    def test_options_of_the_uri_win_over_ours(self, mongo_server: str) -> None:
        with connect(mongo_server + "&maxPoolSize=3") as client:
            assert client.options.pool_options.max_pool_size == 3
            assert client.options.pool_options.appname == "etlml"

    def test_writes_wait_for_majority_and_journal(self, real_store: Store) -> None:
        concern = real_store.runs.collection.raw.write_concern.document
        assert concern == {"w": "majority", "j": True}


class TestStore:
    def test_ping_takes_milliseconds(self, store: Store) -> None:
        assert store.ping() < 1000

    def test_facts_and_sizes(self, real_store: Store) -> None:
        facts = real_store.facts()
        assert facts.has_transactions
        assert facts.replica_set == "etlml"
        real_store.settings.set("a", 1)
        assert real_store.sizes()["settings"]["documents"] == 1
