"""The bodies of ``etlml worker``, ``etlml api`` and ``etlml ui``: each serves until it is told to stop."""

import runpy
import signal
import sys
import threading

from etlml.errors import Unavailable
from etlml.launch.listening import check_listening
from etlml.launch.logs import log_to_store, log_to_terminal
from etlml.launch.part import main_script
from etlml.launch.ports import is_free
from etlml.launch.session import open_services
from etlml.settings import Settings


def run_worker(settings: Settings) -> None:
    """Claim and execute runs until SIGTERM or Ctrl-C."""
    from etlml.engine.engine import Engine

    log_to_terminal("worker", format=settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with open_services(settings) as services, log_to_store(services.store, "worker"):
        engine = Engine(settings, services.store)
        engine.start()
        try:
            while not stop.wait(1):
                pass  # in short waits, since on Windows a signal does not end a long one
        finally:
            engine.stop()


def run_api(settings: Settings) -> None:
    """Serve REST until SIGTERM or Ctrl-C.

    Raises:
        ConfigInvalid: Others could reach it without sign-in.
        Unavailable: The port is taken.
    """
    check_listening(settings)
    check_port(settings.host, settings.api_port)
    log_to_terminal("api", format=settings.log_format)
    from api.main import server

    with open_services(settings) as services, log_to_store(services.store, "api"):
        server(settings, source=services).run()


def run_ui(settings: Settings) -> None:
    """Serve the dashboard until SIGTERM or Ctrl-C.

    Raises:
        ConfigInvalid: Others could reach it without sign-in.
        Unavailable: The port is taken.
    """
    check_listening(settings)
    check_port(settings.host, settings.port)
    sys.argv = ["streamlit", "run", str(main_script()), *streamlit_options(settings)]
    runpy.run_module("streamlit", run_name="__main__")


def streamlit_options(settings: Settings) -> list[str]:
    """What the command line sets over .streamlit/config.toml: only what differs from one start to the next."""
    options = {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.headless": "true",
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",
    }
    if not settings.is_loopback:  # the names by which others reach this machine are theirs to choose; they sign in
        options["server.allowedHosts"] = "*"
    return [f"--{name}={value}" for name, value in options.items()]


def check_port(host: str, port: int) -> None:
    """Say in plain words that a port is taken.

    Raises:
        Unavailable: It is.
    """
    if not is_free(host, port):
        raise Unavailable(f"Port {port} on {host} is taken. Name another one with --port, or stop what listens there.")
