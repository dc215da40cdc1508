"""Column-level lineage: where each column of each step comes from, through what, and where it goes."""

from etlml.services.lineage.graph import ColumnNode, LineageGraph, Origin, StepNode, Use
from etlml.services.lineage.service import LineageService
from etlml.services.lineage.trails import Trail, trail

__all__ = ["ColumnNode", "LineageGraph", "LineageService", "Origin", "StepNode", "Trail", "Use", "trail"]
