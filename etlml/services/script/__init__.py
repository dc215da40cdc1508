"""Export of a pipeline as one plain Python script.

A step is written with the same code that runs it: its ops' SELECTs, its source's query, its rules' conditions. What is
around them comes from etlml.services.script.parts.
"""

from etlml.services.script.service import ScriptService

__all__ = ["ScriptService"]
