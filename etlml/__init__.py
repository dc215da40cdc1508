"""The ETL & ML Platform: pipelines, data quality and models on one machine."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("etlml")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.1.0"
