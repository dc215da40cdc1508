"""Requests are hurried from their first line to their last; what starts and stops with the server is not."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from etlml.services.hurry import Hurried
from etlml.store import answering


@pytest.mark.parametrize(("kind", "expected"), [("http", True), ("websocket", True), ("lifespan", False)])
def test_what_somebody_waits_for_is_hurried_also_in_its_threads(kind: str, expected: bool) -> None:
    found: list[bool] = []

    async def app(*_: Any) -> None:
        found.append(await asyncio.to_thread(answering._hurried.get))

    with ThreadPoolExecutor(1) as pool:  # where no event loop of another test is running
        pool.submit(lambda: asyncio.run(Hurried(app)({"type": kind}, None, None))).result()  # type: ignore[arg-type]
    assert found == [expected]
    assert not answering._hurried.get()
