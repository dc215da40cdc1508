"""What is unsent of a page's run when one of its fragments reruns."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from etlml.ui import unsent


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)
    assert unsent.keep_for_fragments()


def drawn(text: str, fragment: str = "") -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend([0, 0])
    message.delta.fragment_id = fragment
    message.delta.new_element.text.body = text
    return message


def finished() -> ForwardMsg:
    message = ForwardMsg()
    message.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return message


def test_what_draws_the_fragment_is_sent_before_the_end_of_the_pages_run() -> None:
    queue = ForwardMsgQueue()
    for message in (drawn("page's", "f"), finished()):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["f"])
    queue.enqueue(drawn("fragment's", "f"))
    sent = [message.delta.new_element.text.body or "finished" for message in queue.flush()]
    assert sent == ["page's", "finished", "fragment's"]


def test_a_new_run_of_the_page_still_drops_what_the_one_before_drew() -> None:
    queue = ForwardMsgQueue()
    queue.enqueue(drawn("old"))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.flush() == []
