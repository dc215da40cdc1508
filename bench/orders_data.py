"""Orders and products, made up the same way every time."""

import tempfile
from pathlib import Path

from etlml.compute.duck import open_database
from etlml.compute.names import literal

PRODUCTS = 5_000

_ORDERS = """
SELECT
    i + 1 AS order_id,
    hash(i, 1) % 200_000 + 1 AS customer_id,
    hash(i, 2) % {products} + 1 AS product_id,
    TIMESTAMP '2024-01-01' + to_seconds((hash(i, 3) % 31_536_000)::BIGINT) AS ordered_at,
    hash(i, 4) % 9 + 1 AS quantity,
    (hash(i, 5) % 50_000 / 100 + 0.01)::DECIMAL(8, 2) AS price,
    ['new', 'paid', 'shipped', 'delivered', 'returned', 'cancelled'][(hash(i, 6) % 6 + 1)::BIGINT] AS status,
    ['DE', 'FR', 'IT', 'ES', 'PL', 'NL', 'US', 'JP'][(hash(i, 7) % 8 + 1)::BIGINT] AS country
FROM range({rows}) AS t(i)
"""
_PRODUCTS = """
SELECT
    i + 1 AS product_id,
    'Product ' || (i + 1) AS product,
    ['books', 'music', 'garden', 'kitchen', 'toys'][(hash(i, 8) % 5 + 1)::BIGINT] AS category,
    (hash(i, 9) % 10_000 / 100)::DECIMAL(8, 2) AS cost
FROM range({products}) AS t(i)
"""


def cache_folder() -> Path:
    """Where generated data are kept from one benchmark to the next."""
    return Path(tempfile.gettempdir()) / "etlml-bench"


def orders_csv(rows: int) -> Path:
    """A CSV of so many orders, about 55 bytes each; made if it is not there yet."""
    return _made(cache_folder() / f"orders-{rows}.csv", _ORDERS.format(rows=rows, products=PRODUCTS))


def products_csv() -> Path:
    """A CSV of the products that were ordered."""
    return _made(cache_folder() / f"products-{PRODUCTS}.csv", _PRODUCTS.format(products=PRODUCTS))


def _made(path: Path, query: str) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with open_database() as connection:
            connection.execute(f"COPY ({query}) TO {literal(str(partial))} (FORMAT csv, HEADER)")
        partial.replace(path)
    return path
