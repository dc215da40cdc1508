"""Live previews: what a step of a document, saved or not, would give; nothing is written to sinks, store or runs."""

from etlml.services.preview.result import Preview
from etlml.services.preview.service import MOST_ROWS, PreviewService

__all__ = ["MOST_ROWS", "Preview", "PreviewService"]
