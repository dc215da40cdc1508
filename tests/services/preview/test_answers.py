"""Answers by key: what is computed once, what is remembered, what is tried again."""

import threading
from typing import NoReturn

import pytest

from etlml.errors import ConfigInvalid, EtlmlError, StepTimeout, Unavailable
from etlml.services.preview.answers import Answers
from etlml.services.preview.result import Preview


def a_preview() -> Preview:
    return Preview(
        step="clean", type="transform", columns=(), rows=(), row_count=0, sampled=False, basis="", profile=(), notes=()
    )


def test_what_many_ask_for_at_once_is_computed_once() -> None:
    answers, started, go_on, computed = Answers(), threading.Event(), threading.Event(), []

    def compute() -> Preview:
        computed.append(1)
        started.set()
        go_on.wait(5)
        return a_preview()

    threads = [threading.Thread(target=answers.once, args=("a", compute)) for _ in range(3)]
    for thread in threads:
        thread.start()
        started.wait(5)
    go_on.set()
    for thread in threads:
        thread.join()
    answers.once("a", compute)
    assert len(computed) == 1


@pytest.mark.parametrize(("error", "times"), [(ConfigInvalid("x"), 1), (StepTimeout("x"), 1), (Unavailable("x"), 2)])
def test_what_is_wrong_with_the_step_is_remembered_and_what_is_wrong_around_it_is_not(
    error: EtlmlError, times: int
) -> None:
    answers, computed = Answers(), []

    def compute() -> NoReturn:
        computed.append(1)
        raise error

    for _ in range(2):
        with pytest.raises(type(error)):
            answers.once("a", compute)
    assert len(computed) == times


def test_what_took_too_long_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, now = Answers(), [0.0]
    monkeypatch.setattr("etlml.services.preview.answers.time.monotonic", lambda: now[0])

    def compute() -> Preview:
        raise StepTimeout("x")

    with pytest.raises(StepTimeout):
        answers.once("a", compute)
    now[0] = 30.0
    assert answers.once("a", a_preview).step == "clean"


def test_who_asks_while_an_answer_is_put_away_does_not_have_it_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, computed, told = Answers(), [], []
    keep = answers._keep

    def compute() -> Preview:
        computed.append(1)
        return a_preview()

    def keep_slowly(key: str, answer: Preview | EtlmlError) -> None:
        other = threading.Thread(target=lambda: told.append(answers.once(key, compute)))
        other.start()
        other.join()
        keep(key, answer)

    monkeypatch.setattr(answers, "_keep", keep_slowly)
    answers.once("a", compute)
    assert (len(computed), len(told)) == (1, 1)
