"""How many runs a worker executes at once; the number may change while they go on."""

import threading


class Slots:
    """Places for runs. With fewer of them than runs go on, all of these end in peace, and none begins until then.

    Thread-safe.
    """

    def __init__(self, size: int) -> None:
        self._size, self._taken, self._closed = size, 0, False
        self._changed = threading.Condition()

    @property
    def size(self) -> int:
        """How many there are."""
        return self._size

    def take(self) -> bool:
        """Wait for a free one and take it; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._taken < self._size)
            if self._closed:
                return False
            self._taken += 1
            return True

    def free(self) -> None:
        """Give one back."""
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    def resize(self, size: int) -> None:
        """Have so many from now on."""
        with self._changed:
            self._size = size
            self._changed.notify_all()

    def close(self) -> None:
        """Have nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
