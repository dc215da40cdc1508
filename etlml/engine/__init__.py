"""Runs pipelines: the queue and its leases, the worker, one run, the clock, the reconciler."""
