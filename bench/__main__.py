"""python -m bench [NAME ...]: run benchmarks, print each figure beside its baseline, its ratio and its limit.

Exit code 1 if a figure is over its limit.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from types import ModuleType

from bench import chaos, flights, orders, overhead, start, throughput, training
from bench.measure import Row, table

BENCHMARKS: dict[str, ModuleType] = {
    "overhead": overhead,
    "start": start,
    "flights": flights,
    "orders": orders,
    "training": training,
    "throughput": throughput,
    "chaos": chaos,
}


def main() -> int:
    """Run what was asked for."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    rows: list[Row] = []
    for name in arguments.name or BENCHMARKS:
        found: Iterator[Row] = (
            orders.run(arguments.rows, arguments.memory) if name == "orders" else BENCHMARKS[name].run()
        )
        for row in found:
            rows.append(row)
            print(f"{row.name}: {'  '.join(cell for cell in row.cells()[1:] if cell)}", file=sys.stderr, flush=True)
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


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
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
