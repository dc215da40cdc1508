"""A mend for Streamlit: a fragment that reruns right after its page no longer empties itself on the way.

When a fragment starts while messages of the page's own run are still unsent, Streamlit 1.67 drops those of them that draw the
fragment, but still sends that the page's run has finished. The browser then takes what the fragment showed for left over and
removes it, until the fragment's own messages bring it back: the canvas forgets its undo steps, a field its focus.
"""

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from etlml.ui.mending import replaced

_clear = ForwardMsgQueue.clear
_PARAMETERS = ("retain_lifecycle_msgs", "fragment_ids_this_run")


def keep_for_fragments() -> bool:
    """From now on keep all unsent messages when a fragment starts; its own follow them, and the browser ends with those.

    False if this Streamlit is another one than we know: then nothing is changed.
    """
    return replaced(ForwardMsgQueue, "clear", _PARAMETERS, _keep_or_clear)


def _keep_or_clear(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    if fragment_ids_this_run is None or not retain_lifecycle_msgs:
        _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
    else:
        queue._delta_index_map = {}  # so that new messages are not put into the places of old ones
