"""Loads into a sink again and again, each load until it is through; somebody else kills this process meanwhile.

Arguments: home folder, kind of sink, mode, number of loads. The loads that were confirmed are lines of <home>/confirmed.
"""

import sys
from pathlib import Path

from etlml.connectors.base import Mode
from tests.connectors.kinds import SINKS
from tests.connectors.world import World

ROWS = 2000


def main(home: Path, kind: str, mode: Mode, loads: int) -> None:
    confirmed = home / "confirmed"
    done = len(confirmed.read_text().splitlines()) if confirmed.exists() else 0
    world = World(home)
    print("ready", flush=True)
    for number in range(done, loads):
        first = number * ROWS // 2
        rows = f"SELECT range AS id, 'n{number}' AS v, range % 3 AS part FROM range({first}, {first + ROWS})"
        world.load(SINKS[kind], rows, mode, ["id"] if mode == "merge" else [], load_id=f"load {number}")
        with confirmed.open("a") as file:
            file.write(f"{number}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))  # type: ignore[arg-type]
