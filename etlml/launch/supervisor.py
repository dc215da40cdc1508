"""Starts the parts in order, starts one again that died, gives up on one that keeps dying, stops them in reverse."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from etlml.errors import EtlmlError, Unavailable
from etlml.launch.backoff import WINDOW_S, restart_delay
from etlml.launch.part import Part
from etlml.launch.terminal import Terminal

TICK_S = 0.05
STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@dataclass
class Watch:
    """A part and what happened to it; the times are monotonic."""

    part: Part
    deaths: list[float] = field(default_factory=list)
    start_at: float | None = None
    is_up: bool = False
    is_healthy: bool = False


class Supervisor:
    """Runs parts until it is told to stop.

    Args:
        parts: In the order in which they are started; each start waits for nothing but the part's own ``start``.
        on_change: Called after each start of a part, and again once it is healthy.
        on_healthy: Called once, when every part is healthy for the first time.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        terminal: Terminal,
        *,
        on_change: Callable[[], None] = lambda: None,
        on_healthy: Callable[[], None] = lambda: None,
    ) -> None:
        self._watches = [Watch(part) for part in parts]
        self._terminal = terminal
        self._on_change, self._on_healthy = on_change, on_healthy
        self._stop, self._force = threading.Event(), threading.Event()

    def run(self) -> None:
        """Start, watch and stop the parts.

        Raises:
            Unavailable: A part kept dying; every other part is stopped by then.
        """
        with self._signals():
            try:
                self._watch()
            finally:
                self._stop_all()

    def stop(self) -> None:
        """Have ``run`` stop the parts and come back; the second time, kill them."""
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    def _watch(self) -> None:
        for watch in self._watches:
            if not self._stop.is_set():
                self._start(watch)
        announced = False
        while not self._stop.wait(TICK_S if not announced else TICK_S * 4):
            for watch in self._watches:
                self._look_after(watch)
            if not announced and all(watch.is_healthy for watch in self._watches):
                announced = True
                self._on_healthy()

    def _start(self, watch: Watch) -> None:
        watch.start_at = None
        try:
            watch.part.start()
        except (EtlmlError, OSError) as error:
            self._terminal.say(f"{watch.part.name} could not be started: {error}")
            self._died(watch, "it could not be started")
            return
        watch.is_up = True
        self._on_change()

    def _look_after(self, watch: Watch) -> None:
        if watch.start_at is not None:
            if time.monotonic() >= watch.start_at and not self._stop.is_set():
                self._start(watch)
        elif (how := watch.part.ended()) is not None:
            self._died(watch, how)
        elif not watch.is_healthy and watch.part.is_healthy():
            watch.is_healthy = True
            self._on_change()

    def _died(self, watch: Watch, how: str) -> None:
        watch.is_up = watch.is_healthy = False
        watch.deaths.append(time.monotonic())
        delay = restart_delay(watch.deaths)
        if delay is None:
            raise Unavailable(self._given_up(watch, how))
        self._terminal.say(f"{watch.part.name} ended ({how}); starting it again in {delay:g} s")
        watch.start_at = time.monotonic() + delay

    def _given_up(self, watch: Watch, how: str) -> str:
        name = watch.part.name
        recent = sum(watch.deaths[-1] - death <= WINDOW_S for death in watch.deaths)
        lines = "".join(f"\n    {line}" for line in self._terminal.tail(name)) or "\n    (it printed nothing)"
        return (
            f"{name} ended {recent} times within {WINDOW_S / 60:g} minutes, the last time with {how}, so etlml stops. "
            f"All that it said is in {self._terminal.path(name)}; its last lines:{lines}"
        )

    def _stop_all(self) -> None:
        self._stop.set()
        for watch in reversed(self._watches):
            if watch.is_up:
                self._stop_one(watch.part)

    def _stop_one(self, part: Part) -> None:
        if not self._force.is_set():
            part.ask_to_stop()
            if self._wait_for_end(part, part.grace_s):
                self._terminal.say(f"{part.name} stopped")
                return
            self._terminal.say(f"{part.name} is {'killed' if self._force.is_set() else 'slow to stop; killing it'}")
        part.kill()
        self._wait_for_end(part, part.grace_s, heed_force=False)

    def _wait_for_end(self, part: Part, timeout_s: float, *, heed_force: bool = True) -> bool:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and not (heed_force and self._force.is_set()):
            if part.ended() is not None:
                return True
            time.sleep(TICK_S / 2)
        return part.ended() is not None

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Stop on the signals that ask for it; in a thread, where there are none, leave them alone."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
