"""The process of an embedded mongod: how it is launched, found again, and why it ended."""

import json
import os
import random
import socket
import subprocess
from pathlib import Path

import psutil

from etlml.errors import Unavailable
from etlml.store.replica_set import NAME

_PORTS = range(20_000, 32_000)


def launch(program: Path, folder: Path, port: int, log_file: Path) -> subprocess.Popen[bytes]:
    """Start the program on a folder; Unavailable if it cannot be run. It may still end at once."""
    data = folder / "data"
    data.mkdir(exist_ok=True, mode=0o700)
    arguments = ["--dbpath", data, "--port", port, "--bind_ip", "127.0.0.1", "--replSet", NAME]
    arguments += ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", 256, "--noscripting", "--quiet"]
    arguments += ["--logpath", log_file, "--logappend", "--setParameter", "diagnosticDataCollectionEnabled=false"]
    if os.name == "posix":
        arguments.append("--nounixsocket")
    with (folder / "mongod.out").open("wb") as output:
        try:
            return subprocess.Popen(
                [str(program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for those who use it; they say when it may end
            )
        except OSError as error:
            raise Unavailable(f"{program} cannot be run: {error}.") from None


def guard(server: int) -> subprocess.Popen[bytes]:
    """A process that ends the server when this one is gone: it waits for the end of a pipe that only we hold."""
    script = 'cat >/dev/null; kill "$0"'
    return subprocess.Popen(["/bin/sh", "-c", script, str(server)], stdin=subprocess.PIPE, start_new_session=True)


def server_on(folder: Path) -> psutil.Process | None:
    """The living mongod whose data lie in the folder; its lock file may name a process that is long gone."""
    data = folder / "data"
    try:
        process = psutil.Process(int((data / "mongod.lock").read_text().strip()))
        return process if is_alive(process) and str(data) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def is_alive(process: psutil.Process) -> bool:
    """Whether a process lives: a dead one that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine's loopback."""
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback that nobody listens on now, from below those that outgoing connections get.

    A client that looks for a server which is just restarting would else, now and then, be given the server's own port
    as its own end, connect to itself, and keep the server from coming back.
    """
    for port in random.sample(_PORTS, 100):
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def _reason_in(line: str) -> str | None:
    """The message of a log line that tells of an error."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("s") not in ("E", "F"):
        return None
    attributes = entry.get("attr", {})
    return f"{entry.get('msg')}: {attributes.get('error', attributes.get('reason', ''))}".strip(": ")


def reason_of_end(log_file: Path, code: int | None) -> str:
    """What the server's log says of its end, in its own words; else its exit code."""
    reasons = [line for line in map(_reason_in, _last_lines(log_file)) if line]
    said = reasons[-1] if reasons else f"exit code {code}"
    return f"{said[:300]} (its log: {log_file})"
