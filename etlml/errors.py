"""Everything etlml raises on purpose.

EtlmlError                 a fault that the reader of the message can mend
├── InvalidInput           what was given cannot be used as it is
│   ├── TookTooLong        the database did not come to an end in the time that a query may take
│   ├── ConfigInvalid      a step's, rule's or setting's configuration has a wrong field
│   ├── GraphInvalid       the steps of a pipeline do not form a graph that can run (cycle, unknown or doubled id)
│   ├── PipelineInvalid    a pipeline document has one or more problems; carries the list
│   ├── ColumnMissing      a step names a column that its input lacks
│   ├── ExpressionInvalid  an SQL expression or query cannot be parsed or bound; the position is marked
│   ├── SqlRefused         SQL that is more than one SELECT, or reaches outside its inputs
│   └── DataUnreadable     a file or table that is missing, empty, damaged or not what its format says
├── NotFound               no document with that id or name
├── Conflict               the change collides with what is stored
│   ├── NameTaken          the name or id is already stored
│   ├── StateConflict      the document is in a state that does not allow this
│   └── VersionConflict    somebody else changed the document in between (If-Match)
├── NotSignedIn            no or wrong credentials
├── NotAllowed             the signed-in user's role does not permit this
├── TooManyRequests        the same was asked for too often; carries how long to wait
├── Unavailable            an outside system (MongoDB, a connection) cannot be reached
└── StepError              a step could not do its work
    ├── ValidationFailed   rules of severity error or critical are broken; carries the outcome
    ├── LoadFailed         a sink refused the rows; nothing of them was written
    ├── TrainingFailed     a model could not be trained on these data
    ├── PythonFailed       user code raised; carries the traceback of that code
    ├── MemoryExceeded     a child process or query went over its memory cap
    ├── StepTimeout        a step or run went over its time limit
    └── StepCancelled      the run was cancelled while the step was working
"""

import copyreg
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any


def did_you_mean(name: str, known: Collection[str], *, shown: int = 8) -> str:
    """The mend for a name that is not known: the nearest known name, else the first few known ones."""
    names = sorted(known)
    lowered = {known_name.lower(): known_name for known_name in names}
    near = get_close_matches(name.lower(), lowered, n=1)
    if near:
        return f"Did you mean {lowered[near[0]]!r}?"
    if not names:
        return "There is none yet."
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"Known: {', '.join(names[:shown])}{more}."


class EtlmlError(Exception):
    """A fault that the reader of the message can mend.

    Args:
        message: What was wrong, where, and the mend, in full sentences. Never a secret, never a traceback.
        details: Machine-readable facts for REST's ``details`` (field, column, step, position, ...).
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = details

    @property
    def type(self) -> str:
        """The name under which documents, REST and screens know this kind of error."""
        return type(self).__name__

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        # The default replays args into __init__, which loses or refuses keyword arguments across a process pool.
        return copyreg.__newobj__, (type(self),), {**self.__dict__, "args": self.args}  # type: ignore[attr-defined]

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        state = dict(state or {})
        self.args = state.pop("args", ())
        self.__dict__.update(state)


class InvalidInput(EtlmlError):
    """What was given cannot be used as it is."""


class TookTooLong(InvalidInput):
    """The database did not come to an end in the time that a query may take."""


class ConfigInvalid(InvalidInput):
    """A configuration has a wrong field; ``details['field']`` says which, dotted."""


class GraphInvalid(InvalidInput):
    """The steps of a pipeline do not form a graph that can run."""


class PipelineInvalid(InvalidInput):
    """A pipeline document has problems; ``details['problems']`` is the list, each {step, field, type, message}."""

    def __init__(self, name: str, problems: list[dict[str, Any]]) -> None:
        lines = "; ".join(problem["message"] for problem in problems[:5])
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        super().__init__(f"Pipeline {name!r} cannot be used: {lines}{more}", problems=problems)


class ColumnMissing(InvalidInput):
    """A step names a column that its input lacks."""

    def __init__(self, column: str, present: Collection[str], *, where: str = "the input") -> None:
        super().__init__(
            f"{where[:1].upper()}{where[1:]} has no column {column!r}. {did_you_mean(column, present)}",
            column=column,
            present=sorted(present)[:50],
        )


class ExpressionInvalid(InvalidInput):
    """An SQL expression or query cannot be parsed or bound; ``details['position']`` is 1-based where known."""


class SqlRefused(InvalidInput):
    """SQL that is not one SELECT, or reaches for a file, a table or a function outside its inputs."""


class DataUnreadable(InvalidInput):
    """A file or table that is missing, empty, damaged or not what its format says."""


class NotFound(EtlmlError):
    """No document with that id or name."""

    def __init__(self, kind: str, key: str, known: Collection[str] | None = None) -> None:
        mend = f" {did_you_mean(key, known)}" if known is not None else ""
        super().__init__(f"There is no {kind} {key!r}.{mend}", kind=kind, key=key)


class Conflict(EtlmlError):
    """The change collides with what is stored."""


class NameTaken(Conflict):
    """The name or id is already stored."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(
            f"There is already a {kind} {key!r}. Choose another name, or change that one.", kind=kind, key=key
        )


class StateConflict(Conflict):
    """The document is in a state that does not allow this."""


class VersionConflict(Conflict):
    """Somebody else changed the document in between."""


class NotSignedIn(EtlmlError):
    """No or wrong credentials."""


class NotAllowed(EtlmlError):
    """The signed-in user's role does not permit this."""


class TooManyRequests(EtlmlError):
    """The same was asked for too often; ``details['retry_after_s']`` says how many seconds to wait."""


class Unavailable(EtlmlError):
    """An outside system cannot be reached."""


class StepError(EtlmlError):
    """A step could not do its work."""


class ValidationFailed(StepError):
    """Rules of severity error or critical are broken; ``details['rules']`` names them.

    Attributes:
        outcome: The whole evaluation (a documents.Validation), where there is one.
    """

    outcome: Any = None


class LoadFailed(StepError):
    """A sink refused the rows; nothing of them was written."""


class TrainingFailed(StepError):
    """A model could not be trained on these data."""


class PythonFailed(StepError):
    """User code raised; ``details['traceback']`` has the frames of that code."""


class MemoryExceeded(StepError):
    """A child process or query went over its memory cap."""


class StepTimeout(StepError):
    """A step or run went over its time limit."""


class StepCancelled(StepError):
    """The run was cancelled while the step was working."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)


def known_errors() -> Mapping[str, type[EtlmlError]]:
    """Every error class by its name."""
    found: dict[str, type[EtlmlError]] = {"EtlmlError": EtlmlError}
    queue = [EtlmlError]
    while queue:
        for child in queue.pop().__subclasses__():
            found[child.__name__] = child
            queue.append(child)
    return found
