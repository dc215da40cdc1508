"""The database as admins look after it."""

from etlml.services import Services


def test_missing_indexes_are_created_and_told_in_the_audit(services: Services) -> None:
    services.store.runs.collection.raw.drop_index("newest")
    assert [fact.name for fact in services.database.indexes() if fact.state == "missing"] == ["newest"]
    assert {fact.state for fact in services.database.create_indexes(author="ada")} == {"present"}
    (entry,) = services.audit.list(kind="indexes").items
    assert (entry.actor, entry.action, entry.details["indexes"]) == ("ada", "created", ["pipeline_runs.newest"])
