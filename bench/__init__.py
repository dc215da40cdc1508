"""Benchmarks: the platform against what a person would write by hand, in the same run on the same machine."""
