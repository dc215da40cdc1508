"""Forms from typed configurations: draws their fields and gives back what stands in them."""

from dataclasses import replace

from etlml.ui.forms.cards import last_opened, ops_key
from etlml.ui.forms.drawing import draw
from etlml.ui.forms.several import missing
from etlml.ui.forms.surroundings import Surroundings, Values

__all__ = ["Surroundings", "Values", "draw", "last_opened", "missing", "ops_key", "replace"]
