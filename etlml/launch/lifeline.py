"""Ties the life of a process to that of the supervisor that started it, however that one ends.

The supervisor holds the other end of standard input: its end of file means that the supervisor is gone or wants
the process to stop. On Linux the kernel tells it too, which works even while the interpreter is stuck in a C call.
"""

import _thread
import os
import signal
import sys
import threading
import time

GRACE_S = 8.0
"""How long a process may take to stop by itself once the supervisor is gone."""
_PR_SET_PDEATHSIG = 1


def hold(parent: int) -> None:
    """Stop this process as Ctrl-C would when the process ``parent`` ends; kill it if it does not stop in time."""
    if sys.platform == "linux":
        _signal_on_death_of(parent)
    threading.Thread(target=_watch_stdin, name="lifeline", daemon=True).start()


def _signal_on_death_of(parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def _stop_main_thread() -> None:
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main(signal.SIGINT)
    else:
        signal.pthread_kill(main, signal.SIGTERM)  # unlike interrupt_main it ends a blocking call too


def _watch_stdin() -> None:
    try:
        while os.read(0, 1024):
            pass
    except OSError:
        pass
    _stop_main_thread()
    time.sleep(GRACE_S)
    os._exit(1)
