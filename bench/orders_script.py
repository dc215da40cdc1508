"""The orders pipeline as a person would write it in DuckDB: one fused query to Parquet, then the rules in one aggregate.

python -m bench.orders_script ORDERS.csv PRODUCTS.csv OUT.parquet
"""

import sys
from pathlib import Path

import duckdb

ORDERS = """{
    'order_id': 'BIGINT', 'customer_id': 'BIGINT', 'product_id': 'BIGINT', 'ordered_at': 'TIMESTAMP',
    'quantity': 'BIGINT', 'price': 'DOUBLE', 'status': 'VARCHAR', 'country': 'VARCHAR'}"""
PRODUCTS = "{'product_id': 'BIGINT', 'product': 'VARCHAR', 'category': 'VARCHAR', 'cost': 'DOUBLE'}"

FUSED = """
COPY (
    SELECT o.*, p.product, p.category,
        quantity * price AS revenue,
        quantity * (price - p.cost) AS margin,
        ordered_at::DATE AS day
    FROM read_csv('{orders}', header = true, auto_detect = false, columns = {order_columns}) AS o
    JOIN read_csv('{products}', header = true, auto_detect = false, columns = {product_columns}) AS p USING (product_id)
    WHERE status <> 'cancelled' AND quantity > 0
) TO '{out}' (FORMAT parquet)
"""
RULES = """
SELECT
    count(*) FILTER (customer_id IS NULL),
    count(order_id) - count(DISTINCT order_id),
    count(*) FILTER (NOT price BETWEEN 0 AND 1000),
    count(*) FILTER (status NOT IN ('new', 'paid', 'shipped', 'delivered', 'returned')),
    count(*) FILTER (NOT regexp_full_match(country, '[A-Z]{{2}}'))
FROM read_parquet('{out}')
"""


def run(orders: Path, products: Path, out: Path, *, memory: str | None = None) -> tuple[int, ...]:
    """Do the work within DuckDB's ``memory`` limit (its default if None); how many rows break each rule."""
    out.unlink(missing_ok=True)
    names = {"orders": orders, "products": products, "out": out, "order_columns": ORDERS, "product_columns": PRODUCTS}
    with duckdb.connect(config={"memory_limit": memory} if memory else {}) as connection:
        connection.execute(FUSED.format(**names))
        return tuple(connection.execute(RULES.format(**names)).fetchall()[0])


if __name__ == "__main__":
    print(run(*(Path(argument) for argument in sys.argv[1:4])))
