"""The flights pipeline without its training, as a person would write it in DuckDB.

python -m bench.flights_script FOLDER_OF_EXAMPLE_DATA OUTPUT_FOLDER
"""

import sys
from pathlib import Path

import duckdb

from etlml.compute.duck import load_extensions

ENRICHED = """
CREATE TEMP TABLE flights AS
WITH clean AS (
    SELECT * EXCLUDE (year, day, minute),
        make_date(year, month, day) AS date,
        dep_delay - arr_delay AS gain,
        (arr_delay > 15)::INT AS late,
        isodow(make_date(year, month, day)) AS weekday
    FROM read_parquet('{data}/flights.parquet')
    WHERE dep_delay IS NOT NULL AND arr_delay IS NOT NULL
)
SELECT clean.*, built, manufacturer, model, seats, airlines.name AS airline
FROM clean
LEFT JOIN (
    SELECT tailnum, year AS built, manufacturer, model, seats
    FROM read_csv('{data}/planes.csv', nullstr = ['', 'NA'])
) AS planes USING (tailnum)
LEFT JOIN read_csv('{data}/airlines.csv') AS airlines USING (carrier)
"""
PLANE_RULES = """
SELECT count(tailnum) - count(DISTINCT tailnum), count(*) FILTER (tailnum IS NULL)
FROM read_csv('{data}/planes.csv', nullstr = ['', 'NA'])
"""
RULES = """
SELECT
    count(*) FILTER (flight IS NULL),
    count(*) FILTER (airline IS NULL),
    count(*) FILTER (NOT distance BETWEEN 1 AND 10000),
    count(*) FILTER (origin NOT IN ('EWR', 'JFK', 'LGA')),
    count(*) FILTER (NOT arr_delay + gain = dep_delay),
    count(*) FILTER (seats IS NULL),
    count(*) FILTER (NOT regexp_full_match(tailnum, 'N[0-9]+[A-Z]*'))
FROM flights
"""


def run(data: Path, out: Path) -> tuple[int, ...]:
    """Do the work; how many rows break each rule."""
    out.mkdir(parents=True, exist_ok=True)
    parquet, sqlite = out / "flights.parquet", out / "flights.sqlite"
    for old in (parquet, sqlite):
        old.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        load_extensions(connection, ["sqlite_scanner"])
        connection.execute(ENRICHED.format(data=data))
        broken = (
            connection.execute(PLANE_RULES.format(data=data)).fetchall()[0] + connection.execute(RULES).fetchall()[0]
        )
        connection.execute(f"COPY flights TO '{parquet}' (FORMAT parquet)")
        connection.execute(f"ATTACH '{sqlite}' AS target (TYPE sqlite)")
        connection.execute("CREATE TABLE target.flights AS SELECT * FROM flights")
        connection.execute("DETACH target")
    return tuple(broken)


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), Path(sys.argv[2])))
