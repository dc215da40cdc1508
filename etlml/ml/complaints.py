"""What scikit-learn complains about, in our words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from etlml.errors import EtlmlError, TrainingFailed
from etlml.ml.progress import Progress

MOST_WARNINGS = 10


class Complaints:
    """Turns scikit-learn's errors into ours, and its warnings into lines of the log, each once."""

    def __init__(self, algorithm: str, progress: Progress) -> None:
        self._algorithm = algorithm
        self._progress = progress
        self.warned: list[str] = []

    @contextmanager
    def explained(self) -> Iterator[None]:
        """For a ``with`` block in which scikit-learn works.

        Raises:
            TrainingFailed: It failed there.
        """
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("default")
                for not_theirs in (FutureWarning, DeprecationWarning, PendingDeprecationWarning):
                    warnings.simplefilter("ignore", not_theirs)
                yield
        except (EtlmlError, MemoryError):
            raise
        except Exception as error:
            raise TrainingFailed(
                f"{self._algorithm} could not be trained: {_short(error)}", exception=type(error).__name__
            ) from error
        for warning in caught:
            text = f"{warning.category.__name__}: {_short(warning.message)}"
            if text not in self.warned and len(self.warned) < MOST_WARNINGS:
                self.warned.append(text)
                self._progress.log("WARNING", text)


def _short(error: object) -> str:
    """The first sentence or two of a message of scikit-learn's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:400]
