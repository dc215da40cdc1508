"""python -m bench [NAME ...]: run benchmarks, print each figure beside its baseline, its ratio and its limit.

Exit code 1 if a figure is over its limit.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from types import ModuleType

from bench import chaos, flights, orders, overhead, pages, preview, start, throughput, training
from bench.measure import Row, table

BENCHMARKS: dict[str, ModuleType] = {
    "overhead": overhead,
    "start": start,
    "flights": flights,
    "orders": orders,
    "training": training,
    "throughput": throughput,
    "preview": preview,
    "pages": pages,
    "chaos": chaos,
}


def main() -> int:
    """Run what was asked for."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    rows: list[Row] = []
    for name in arguments.name or BENCHMARKS:
        for row in _started(name, arguments):
            rows.append(row)
            print(f"{row.name}: {'  '.join(cell for cell in row.cells()[1:] if cell)}", file=sys.stderr, flush=True)
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


def _started(name: str, arguments: argparse.Namespace) -> Iterator[Row]:
    found: Iterator[Row]
    if name == "orders":
        found = orders.run(arguments.rows, arguments.memory)
    elif name == "pages":
        found = pages.run(profile=arguments.profile, only=arguments.only)
    else:
        found = BENCHMARKS[name].run()
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    described = "\n".join(
        f"  {name:10} {(module.__doc__ or '').splitlines()[0]}" for name, module in BENCHMARKS.items()
    )
    parser.epilog = f"benchmarks:\n{described}"
    parser.add_argument(
        "name", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help="which ones; all if left out"
    )
    parser.add_argument(
        "--rows", type=int, default=orders.ROWS, help="orders: how many, such as 50000000 (needs 5 GB of disk)"
    )
    parser.add_argument("--memory", help="orders: what ETLML_RUN_MEMORY says, such as 2GiB")
    parser.add_argument("--profile", action="store_true", help="pages: print the slowest queries of each page")
    parser.add_argument(
        "--only", action="append", default=[], help="pages: only this page, or browser; may be repeated"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
