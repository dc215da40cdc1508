"""How the engine reads what people set while everything runs."""

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from etlml.store.client import Store

KEY = "preferences"
P = TypeVar("P", bound=BaseModel)


def preferences(store: "Store", model: type[P]) -> P:
    """The preferences that ``model`` names: the default for what nobody set, or what another version wrote and is of no use."""
    stored = store.settings.get(KEY, {}) or {}
    known = {name: value for name, value in stored.items() if name in model.model_fields}
    try:
        return model.model_validate(known)
    except ValidationError:
        return model.model_validate({name: value for name, value in known.items() if _usable(model, name, value)})


def _usable(model: type[BaseModel], name: str, value: Any) -> bool:
    try:
        model.model_validate({name: value})
    except ValidationError:
        return False
    return True
