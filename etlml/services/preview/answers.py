"""Answers by key: those that are known, those that somebody computes now, and those that took too long a moment ago."""

import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from etlml.errors import EtlmlError, StepCancelled, StepTimeout, Unavailable
from etlml.services.preview.result import Preview

_MOST, _MOST_CELLS = 64, 30_000
_TRIED_AGAIN_S, _CODE_TRIED_AGAIN_S = 20.0, 300.0
"""How long what took too long is not tried again; longer if that was the code's own doing, and not the machine's load."""

Answer = Preview | EtlmlError


class Answers:
    """Previews, and what is wrong where there is none. Thread-safe; one that many ask for at once is computed once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Answer, float]] = OrderedDict()  # with the moment until which it holds
        self._going: dict[str, Future[Preview]] = {}

    def once(self, key: str, compute: Callable[[], Preview]) -> Preview:
        """The answer of that key: known, being computed by somebody, or computed now.

        Raises:
            EtlmlError: That is the answer.
        """
        with self._lock:
            known, going = self._known(key), self._going.get(key)
            if known is None and going is None:
                mine = self._going[key] = Future()
        if known is not None:
            return _told(known)
        if going is not None:
            return _told(_outcome(going))
        try:
            _settle(mine, compute)
            answer = _outcome(mine)
            self._keep(key, answer)
        finally:
            with self._lock:
                del self._going[key]  # not before it is kept: who asks in between would compute it again
        return _told(answer)

    def forget(self) -> None:
        """Nothing is known any more."""
        with self._lock:
            self._kept.clear()

    def _known(self, key: str) -> Answer | None:
        answer, until = self._kept.get(key, (None, 0.0))
        if answer is None or time.monotonic() >= until:
            return None
        self._kept.move_to_end(key)
        return answer

    def _keep(self, key: str, answer: Answer) -> None:
        if isinstance(answer, Unavailable | StepCancelled):
            return
        if isinstance(answer, Preview) and len(answer.rows) * len(answer.columns) > _MOST_CELLS:
            return
        with self._lock:
            self._kept[key] = (answer, time.monotonic() + _holds_s(answer))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


def _holds_s(answer: Answer) -> float:
    if not isinstance(answer, StepTimeout):
        return float("inf")
    return _CODE_TRIED_AGAIN_S if "code_s" in answer.details else _TRIED_AGAIN_S


def _settle(future: Future[Preview], compute: Callable[[], Preview]) -> None:
    try:
        started = time.perf_counter()
        found = compute()
        future.set_result(found.model_copy(update={"duration_s": round(time.perf_counter() - started, 4)}))
    except BaseException as error:  # noqa: BLE001  whoever waits for it gets it too
        future.set_exception(error)


def _outcome(future: Future[Preview]) -> Answer:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, EtlmlError):
        return error
    raise error


def _told(answer: Answer) -> Preview:
    """The preview, or the error raised afresh: one exception raised again and again would grow its traceback."""
    if isinstance(answer, EtlmlError):
        raise copy.copy(answer) from None
    return answer
