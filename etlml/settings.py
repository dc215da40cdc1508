"""Settings from the environment and .env: this module is their only reader."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from etlml.errors import ConfigInvalid, NotFound
from etlml.redaction import register_secrets
from etlml.sizes import parse_bytes

_OPEN = frozenset({"worker_slots", "run_memory"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECRET_PREFIX = "ETLML_SECRET_"
MOST_SLOTS = 64
LEAST_RUN_MEMORY = 64 * 10**6
SECRET_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
SECRET_REFERENCE = re.compile(r"\$\{secret\.([A-Za-z_]\w*)\}")


def _default_run_memory() -> int:
    return max(512 * 10**6, min(psutil.virtual_memory().total // 4, 16 * 10**9))


def _default_slots() -> int:
    return max(2, min(8, os.cpu_count() or 2))


class Settings(BaseSettings):
    """What can be set from outside; every field is an environment variable ``ETLML_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="ETLML_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path("~/.etlml"), description="Folder of data, runs, models and the embedded database.")
    mongodb_uri: SecretStr | None = Field(None, description="MongoDB to use in place of the embedded one.")
    database: str = Field("etlml", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Name of the MongoDB database.")
    host: str = Field("127.0.0.1", description="Address on which the UI and the API listen.")
    port: int = Field(8501, ge=1, le=65535, description="Port of the UI; the next free one is taken if it is in use.")
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the REST API; the next free one if it is in use.")
    auth: Literal["off", "required"] | None = Field(
        None, description="off or required; off by default on loopback only."
    )
    secret_key: SecretStr | None = Field(None, description="Key that signs sessions.")
    worker_slots: int = Field(
        default_factory=_default_slots, ge=1, le=MOST_SLOTS, description="Runs that one worker executes at once."
    )
    run_memory: Annotated[int, BeforeValidator(parse_bytes)] = Field(
        default_factory=_default_run_memory,
        ge=LEAST_RUN_MEMORY,
        description="Memory cap of one run, in bytes or like 2GB.",
    )
    log_format: Literal["text", "json"] = Field("text", description="Format of the log lines on the terminal.")
    supervised: bool = Field(False, description="Set by etlml up for the processes it starts; nothing to set by hand.")

    def model_post_init(self, context: Any, /) -> None:
        object.__setattr__(self, "home", self.home.expanduser().resolve())

    def is_given(self, name: str) -> bool:
        """Whether somebody set this field: in the environment, in .env or on the command line."""
        return name in self.model_fields_set

    @property
    def data_dir(self) -> Path:
        """Where relative paths of sources and sinks start."""
        return self.home / "data"

    @property
    def runs_dir(self) -> Path:
        """One folder a run, with the checkpoints of its steps."""
        return self.home / "runs"

    @property
    def models_dir(self) -> Path:
        """One folder a model, with a file for each version."""
        return self.home / "models"

    @property
    def secrets_dir(self) -> Path:
        """One file a secret that was stored here, readable by its owner only."""
        return self.home / "secrets"

    @property
    def mongod_dir(self) -> Path:
        """Data and log of the embedded MongoDB."""
        return self.home / "mongod"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the servers."""
        return self.host in LOOPBACK

    @property
    def auth_required(self) -> bool:
        """Whether a visitor must sign in."""
        return self.auth == "required" or (self.auth is None and not self.is_loopback)

    def make_folders(self) -> None:
        """Create the home folder and the folders in it that every process expects."""
        for folder in (self.data_dir, self.runs_dir, self.models_dir):
            folder.mkdir(parents=True, exist_ok=True)


def child_environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment for a child process that is to have these settings; ``more`` goes on top.

    What a worker takes on is left out unless it was given here: the preferences decide on it where nobody else did.
    """
    environment = dict(os.environ)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None and (name not in _OPEN or settings.is_given(name)):
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            environment[f"ETLML_{name.upper()}"] = text
    return environment | more


def has_screen() -> bool:
    """Whether a browser window can be opened here; on Linux it takes a display server."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def environment_secret(name: str) -> str:
    """The value of ``${secret.NAME}``: ETLML_SECRET_<NAME>, else what was stored under that name; registered for redaction.

    Raises:
        NotFound: Neither is there.
    """
    value = os.environ.get(f"{SECRET_PREFIX}{name.upper()}")
    if value is None:
        value = stored_secret(get_settings(), name)
    if value is None:
        known = [*environment_secret_names(), *stored_secret_names(get_settings())]
        raise NotFound("secret", name, known)
    register_secrets([value])
    return value


def with_secrets(text: str) -> str:
    """``text`` with the values of its ``${secret.NAME}`` references; NotFound if one is not there."""
    return SECRET_REFERENCE.sub(lambda match: environment_secret(match[1]), text)


def environment_secret_names() -> list[str]:
    """The names of the secrets in the environment."""
    return sorted(key.removeprefix(SECRET_PREFIX) for key in os.environ if key.startswith(SECRET_PREFIX))


def stored_secret_names(settings: Settings) -> list[str]:
    """The names of the secrets in ETLML_HOME."""
    folder = settings.secrets_dir
    return sorted(path.name for path in folder.iterdir() if SECRET_NAME.fullmatch(path.name)) if folder.is_dir() else []


def stored_secret(settings: Settings, name: str) -> str | None:
    """The value of a secret in ETLML_HOME; None if it is not there."""
    if not SECRET_NAME.fullmatch(name.upper()):
        return None
    try:
        return (settings.secrets_dir / name.upper()).read_text(encoding="utf-8")
    except OSError:
        return None


def user_code_environment(import_paths: Sequence[str]) -> dict[str, str]:
    """The environment of a child that runs user code: ours without the secrets, importing from ``import_paths``.

    OpenMP's threads sleep while they wait: where cores are shared, spinning made a training 15 times as slow (measured).
    """
    hidden = {"ETLML_MONGODB_URI", "ETLML_SECRET_KEY"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(SECRET_PREFIX) and key not in hidden}
    kept.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return kept | {"PYTHONPATH": os.pathsep.join(import_paths), "PYTHONIOENCODING": "utf-8"}


@contextmanager
def kept_environment() -> Iterator[None]:
    """Put the environment variables back as they were, whatever the code within does to them."""
    before = dict(os.environ)
    try:
        yield
    finally:
        if dict(os.environ) != before:
            os.environ.clear()
            os.environ.update(before)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once.

    Raises:
        ConfigInvalid: A variable has a value that cannot be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigInvalid(f"Setting ETLML_{field.upper()} cannot be used: {first['msg']}.", field=field) from None
    register_secrets(value for key, value in os.environ.items() if key.startswith(SECRET_PREFIX))
    register_secrets(filter(None, (stored_secret(settings, name) for name in stored_secret_names(settings))))
    register_secrets(secret.get_secret_value() for secret in (settings.mongodb_uri, settings.secret_key) if secret)
    register_secrets(_passwords_in(settings.mongodb_uri.get_secret_value()) if settings.mongodb_uri else ())
    return settings


def _passwords_in(uri: str) -> list[str]:
    return re.findall(r"://[^:/@]*:([^@/]+)@", uri)
