"""How a method of Streamlit is replaced: only while it is the one that we know.

A release that changes it fails tests/ui/test_mending.py. Until then the method stays as Streamlit has it, with a line in the log:
a page that flickers is better than none.
"""

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

_log = logging.getLogger(__name__)


def replaced(owner: type, name: str, parameters: Sequence[str], mended: Callable[..., Any]) -> bool:
    """Whether ``mended`` now stands in the place of the method, which must have exactly these parameters after ``self``."""
    method = getattr(owner, name, None)
    if method is mended:
        return True
    if not inspect.isfunction(method) or [*inspect.signature(method).parameters][1:] != [*parameters]:
        _log.warning("This Streamlit has another %s.%s; it is left as it is.", owner.__name__, name)
        return False
    setattr(owner, name, mended)
    return True
