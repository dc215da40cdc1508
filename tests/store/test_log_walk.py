"""Back through a time in pieces: it ends when it should, and a piece that takes too long is cut."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from etlml.errors import TookTooLong
from etlml.store.log_walk import Walk

END = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


def test_pieces_are_newest_first_without_gaps_and_grow_while_they_are_quick() -> None:
    walk = Walk(END - DAY, END, patience_s=5)
    pieces = list(walk.each(lambda since, until, _: (since, until)))
    assert (pieces[0][1], pieces[-1][0], walk.reached) == (END, END - DAY, END - DAY)
    assert all(newer[0] == older[1] for newer, older in pairwise(pieces))
    assert pieces[1][1] - pieces[1][0] > pieces[0][1] - pieces[0][0]


def test_without_patience_one_piece_is_looked_at() -> None:
    walk = Walk(END - DAY, END, patience_s=0)
    assert len(list(walk.each(lambda since, until, _: since))) == 1
    assert walk.reached == END - timedelta(hours=1)


def test_a_piece_that_takes_too_long_is_cut_and_loses_nothing() -> None:
    seen: list[tuple[datetime, datetime]] = []

    def read(since: datetime, until: datetime, _: int) -> None:
        if until - since > timedelta(minutes=10):
            raise TookTooLong("too long")
        seen.append((since, until))

    walk = Walk(END - timedelta(hours=1), END, patience_s=5)
    list(walk.each(read))
    assert (seen[0][1], seen[-1][0], walk.reached) == (END, walk.since, walk.since)


def test_a_second_that_takes_too_long_is_an_error_and_no_endless_loop() -> None:
    def read(since: datetime, until: datetime, _: int) -> None:
        raise TookTooLong("too long")

    with pytest.raises(TookTooLong):
        list(Walk(END - DAY, END, patience_s=5).each(read))


def test_it_goes_back_to_the_first_day_of_the_calendar() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    walk = Walk(first, END, patience_s=5)
    assert [since for since, _ in walk.each(lambda since, until, _: (since, until))][-1] == first
