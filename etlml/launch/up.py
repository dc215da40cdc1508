"""``etlml up``: one installation's processes, their ports and addresses."""

import threading
import webbrowser
from dataclasses import replace

import psutil
from pydantic import SecretStr

from etlml import __version__
from etlml.launch.listening import check_listening, url
from etlml.launch.mongo import MongodPart
from etlml.launch.part import Part, ServerProcess
from etlml.launch.ports import free_port
from etlml.launch.running import Process, Running, UpState
from etlml.launch.supervisor import Supervisor
from etlml.launch.terminal import Terminal
from etlml.settings import Settings, child_environment, has_screen

API_HEALTH, UI_HEALTH = "/api/health", "/_stcore/health"


def up(settings: Settings, *, open_browser: bool) -> None:
    """Run everything until a signal says stop.

    Raises:
        ConfigInvalid: It would serve other machines without sign-in.
        StateConflict: It is running already; the message says where.
        Unavailable: A process kept dying, or no port is free.
    """
    check_listening(settings)
    settings.make_folders()
    running = Running(settings.home)
    terminal = Terminal(settings.home / "logs", format=settings.log_format)
    try:
        Installation(settings, running, terminal, open_browser=open_browser).run()
    finally:
        terminal.close()
        running.release()


class Installation:
    """Wires the parts together: who gets which port, and where MongoDB is."""

    def __init__(self, settings: Settings, running: Running, terminal: Terminal, *, open_browser: bool) -> None:
        self._settings, self._running, self._terminal = settings, running, terminal
        self._open_browser = open_browser
        self._ports = {"api": settings.api_port, "ui": settings.port}
        self._announced = False
        self._mongod = MongodPart(settings, self._mongod_moved) if settings.mongodb_uri is None else None
        servers: list[Part] = [
            ServerProcess("worker", terminal, lambda: self._environment("worker")),
            ServerProcess("api", terminal, lambda: self._environment("api"), lambda: self._url("api", API_HEALTH)),
            ServerProcess("ui", terminal, lambda: self._environment("ui"), lambda: self._url("ui", UI_HEALTH)),
        ]
        self._parts: list[Part] = [self._mongod, *servers] if self._mongod else servers
        self._supervisor = Supervisor(self._parts, terminal, on_change=self._write_state, on_healthy=self._announce)

    def run(self) -> None:
        """Run until stopped."""
        self._terminal.say(f"etlml {__version__} is starting; its files are in {self._settings.home}")
        self._supervisor.run()
        self._terminal.say("Everything is stopped")

    def _mongodb_uri(self) -> SecretStr | None:
        return self._settings.mongodb_uri or (
            SecretStr(self._mongod.uri) if self._mongod and self._mongod.uri else None
        )

    def _environment(self, name: str) -> dict[str, str]:
        """A process's environment: the settings as they are now, and a port that is free."""
        if name in self._ports:
            self._choose_port(name)
        return child_environment(self._current_settings(), PYTHONUNBUFFERED="1")

    def _mongod_moved(self) -> None:
        """End the servers, which know only the old port; they are started again with the new one."""
        for part in self._parts:
            if part is not self._mongod:
                part.kill()

    def _current_settings(self) -> Settings:
        """The settings with the ports and the MongoDB of now."""
        ports = {"port": self._ports["ui"], "api_port": self._ports["api"]}
        return self._settings.model_copy(update={**ports, "mongodb_uri": self._mongodb_uri(), "supervised": True})

    def _choose_port(self, name: str) -> None:
        wanted = self._ports[name]
        others = {port for other, port in self._ports.items() if other != name}
        self._ports[name] = free_port(self._settings.host, wanted, taken=others)
        if self._ports[name] != wanted:
            self._terminal.say(f"Port {wanted} is taken; {name} listens on {self._ports[name]}")
            if self._announced:
                self._say_where()

    def _url(self, name: str, path: str = "") -> str:
        return url(self._settings.host, self._ports[name], path)

    def _write_state(self) -> None:
        processes = {}
        for part in self._parts:
            if part.pid is not None and psutil.pid_exists(part.pid):
                processes[part.name] = Process.of(part.pid)
        state = UpState(processes=processes)
        if self._announced:
            state = replace(state, dashboard=self._url("ui"), api=self._url("api", "/api/docs"))
        self._running.write(state)

    def _announce(self) -> None:
        if self._settings.auth_required:
            self._show_first_password()
        self._announced = True
        self._write_state()
        self._say_where()
        if self._open_browser and has_screen():
            threading.Thread(target=webbrowser.open, args=(self._url("ui"),), daemon=True).start()

    def _show_first_password(self) -> None:
        """Where nobody could sign in yet, make an admin and show the password, once and in no log."""
        from etlml.launch.session import open_services

        with open_services(self._current_settings()) as services:
            password = services.users.ensure_admin()
        if password is not None:
            self._terminal.show("up", f"First sign-in: name admin, password {password}   (shown this once; change it)")

    def _say_where(self) -> None:
        self._terminal.say(f"Dashboard  {self._url('ui')}")
        self._terminal.say(f"REST API   {self._url('api', '/api/docs')}")
        self._terminal.say("Ctrl-C stops everything")
