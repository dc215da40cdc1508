"""How far each pipeline's schedule has been worked off, so that a clock that starts anew knows what it missed."""

from datetime import datetime

from pymongo.database import Database

from etlml.store.collection import Collection
from etlml.store.encoding import Document


class ScheduleStore:
    """The last fire of each pipeline that was dealt with."""

    def __init__(self, database: Database[Document]) -> None:
        self.collection = Collection(database["schedules"])

    def last_fires(self) -> dict[str, datetime]:
        """All of them, by pipeline."""
        return {str(each["_id"]): each["last_fire"] for each in self.collection.find({})}

    def advance(self, pipeline_id: str, fire: datetime) -> datetime:
        """Note a fire as dealt with; it never goes back. The last one by now."""
        found = self.collection.change(
            {"_id": pipeline_id}, {"$max": {"last_fire": fire}, "$setOnInsert": {"id": pipeline_id}}, upsert=True
        )
        return found["last_fire"] if found else fire

    def reset(self, pipeline_id: str, at: datetime) -> None:
        """Begin anew at a time: the schedule was set, changed or resumed, so what lies before is not made up."""
        self.collection.update({"_id": pipeline_id}, {"$set": {"last_fire": at, "id": pipeline_id}}, upsert=True)

    def delete(self, pipeline_id: str) -> None:
        """Forget a pipeline that is deleted or has no schedule any more."""
        self.collection.delete({"_id": pipeline_id})
