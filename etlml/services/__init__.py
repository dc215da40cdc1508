"""The use cases: what the UI, REST and the command line call, and nothing else."""

from etlml.services.facade import Services

__all__ = ["Services"]
