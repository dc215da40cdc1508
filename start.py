"""Set up and start etlml: needs Python 3.11 or newer, and nothing else.

python start.py                       set up .venv (once), start everything, open the browser
python start.py --no-browser --port 9000      options go to `etlml up`
python start.py run flights --wait    any other etlml command, once set up
python start.py test [--fast] [...]   the test suite; further options go to pytest
python start.py setup                 only set up
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python gets to read
    sys.exit(
        f"etlml needs Python 3.11 or newer; {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}.\n"
        "Install a newer one from python.org or your package manager, then: python3.11 start.py"
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
UV = "uv>=0.9,<1"
STAMP, UNFINISHED, LOCK = ".etlml-stamp", ".etlml-unfinished", ".etlml-lock"
COMPILED = ".etlml-compiled"
WINDOWS = os.name == "nt"
# A process a core (-n 0 for one alone), files in their order: else those of few but long tests come last, side by none.
SIDE_BY_SIDE = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


class SetupFailed(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def wanted_stamp(requirements: bytes, python: str, root: str) -> str:
    """What the environment depends on, as one hash: locked packages, Python, and the folder its scripts point to."""
    return hashlib.sha256(b"\0".join([requirements, python.encode(), root.encode()])).hexdigest()


def current_stamp(root: Path = ROOT) -> str:
    """The stamp that an environment made now would get."""
    python = "{}-{}.{}-{}".format(platform.python_implementation(), *sys.version_info[:2], platform.machine())
    return wanted_stamp((root / "requirements.txt").read_bytes(), python, str(root))


def venv_python(venv: Path) -> Path:
    """The interpreter within an environment."""
    return venv / "Scripts" / "python.exe" if WINDOWS else venv / "bin" / "python"


def is_ready(venv: Path, stamp: str) -> bool:
    """Whether a finished set-up for this stamp stands."""
    if (venv / UNFINISHED).exists() or not venv_python(venv).exists():
        return False
    with contextlib.suppress(OSError):
        return (venv / STAMP).read_text() == stamp
    return False


@contextlib.contextmanager
def only_one_at_a_time(venv: Path):  # type: ignore[no-untyped-def]
    """Hold the set-up lock; the operating system drops it when the process dies, however it dies."""
    venv.mkdir(parents=True, exist_ok=True)
    with (venv / LOCK).open("a+") as file:
        wait_for_lock(file.fileno())
        yield


def wait_for_lock(descriptor: int) -> None:
    """Take the lock on an open file, saying so when another process holds it."""
    if WINDOWS:
        import msvcrt

        take = lambda: msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # noqa: E731
    else:
        import fcntl

        take = lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # noqa: E731
    said = False
    while True:
        try:
            take()
            return
        except OSError:
            if not said:
                say("Another start.py is setting up .venv; waiting for it")
                said = True
            time.sleep(0.5)


def say(line: str) -> None:
    """One line of progress."""
    print(f"[start] {line}", flush=True)


def command(what: str, arguments: list[str], *, quiet: bool = False) -> None:
    """Run a program to its end.

    Raises:
        SetupFailed: It could not be started or ended with an error; carries its last lines when it was quiet.
    """
    try:
        done = subprocess.run(arguments, cwd=ROOT, capture_output=quiet, text=True, errors="replace", check=False)
    except OSError as error:
        raise SetupFailed(f"{what} failed: {error}") from None
    if done.returncode:
        lines = ((done.stderr or "") + (done.stdout or "")).strip().splitlines()[-5:]
        reason = "".join(f"\n    {line}" for line in lines)
        raise SetupFailed(f"{what} failed with exit code {done.returncode}{reason}")


def set_up(venv: Path = VENV) -> None:
    """Make the environment stand, whatever state an earlier set-up left it in; does nothing when it stands already."""
    stamp = current_stamp()
    if is_ready(venv, stamp):
        return
    with only_one_at_a_time(venv):
        if is_ready(venv, stamp):
            return
        began = time.monotonic()
        if (venv / UNFINISHED).exists():
            say("The last set-up was interrupted; starting it over")
            clear(venv)
        elif venv_python(venv).is_symlink() and not venv_python(venv).exists():
            say("The Python that .venv was made with is gone; making .venv again")
            clear(venv)
        elif made_with_another_python(venv):
            say(f"Making .venv again, for Python {platform.python_version()}")
            clear(venv)
        (venv / STAMP).unlink(missing_ok=True)
        (venv / UNFINISHED).touch()
        make_environment(venv)
        install_packages(venv)
        install_project(venv)
        write_stamp(venv, stamp)
        say(f"Set up in {time.monotonic() - began:.0f} s; the next start skips this")


def write_stamp(venv: Path, stamp: str) -> None:
    """Record that the set-up is whole: the last thing that it does."""
    partial = venv / f"{STAMP}.partial"
    partial.write_text(stamp)
    partial.replace(venv / STAMP)
    (venv / UNFINISHED).unlink()


def clear(venv: Path) -> None:
    """Empty the environment, but for the lock that this process holds in it."""
    for entry in venv.iterdir():
        if entry.name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def made_with_another_python(venv: Path) -> bool:
    """Whether the environment's Python is of another minor version than this one."""
    try:
        lines = (venv / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return False
    versions = [line.partition("=")[2].strip() for line in lines if line.startswith("version")]
    return bool(versions) and versions[0].split(".")[:2] != [str(part) for part in sys.version_info[:2]]


def make_environment(venv: Path) -> None:
    """An empty virtual environment with pip, unless one stands."""
    if venv_python(venv).exists():
        return
    say(f"Making .venv with Python {platform.python_version()}")
    uv = shutil.which("uv")
    if importlib.util.find_spec("ensurepip") is not None:
        command("Making .venv", [sys.executable, "-m", "venv", str(venv)], quiet=True)
    elif uv:
        options = ["--quiet", "--seed", "--allow-existing", "--python", sys.executable]
        command("Making .venv", [uv, "venv", *options, str(venv)], quiet=True)
    else:
        raise SetupFailed(
            "This Python has no ensurepip, so it cannot make a virtual environment.\n"
            "    On Debian and Ubuntu: sudo apt install python3-venv     then run start.py again."
        )


def uv_of(venv: Path) -> list[str]:
    """The command for uv within the environment; fetched if it is not there.

    Raises:
        SetupFailed: uv cannot be had.
    """
    python = str(venv_python(venv))
    uv = [python, "-m", "uv"]
    try:
        command("uv", [*uv, "--version"], quiet=True)
    except SetupFailed:
        say("Fetching uv, the package installer, into .venv")
        options = ["--quiet", "--disable-pip-version-check"]
        command("Fetching uv", [python, "-m", "pip", "install", *options, UV], quiet=True)
    return uv


def install_packages(venv: Path) -> None:
    """Install exactly what requirements.txt locks: with uv, or where that cannot be, with pip."""
    python, requirements = str(venv_python(venv)), str(ROOT / "requirements.txt")
    locked = sum("==" in line for line in (ROOT / "requirements.txt").read_text().splitlines())
    try:
        uv = uv_of(venv)
        say(f"Installing {locked} packages with uv (1.4 GB on disk; under a minute on a fast line)")
        command("uv", [*uv, "pip", "install", "--python", python, "-r", requirements])
    except SetupFailed as failure:
        say(f"{failure}")
        say(f"Installing {locked} packages with pip in its place; this takes some minutes")
        command("pip", [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", requirements])


def install_project(venv: Path) -> None:
    """Make etlml itself importable from the environment, and its command there."""
    say("Installing etlml")
    python = str(venv_python(venv))
    for installer in (
        [python, "-m", "uv", "pip", "install", "--quiet", "--python", python],
        [python, "-m", "pip", "install", "--quiet"],
    ):
        with contextlib.suppress(SetupFailed):
            command("Installing etlml", [*installer, "--no-deps", "-e", str(ROOT)], quiet=True)
            return
    # Building the link needs setuptools, which cannot be fetched without a network: a path file does as well.
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    (Path(site_packages) / "etlml.pth").write_text(f"{ROOT}\n", encoding="utf-8")


def keep_compiled(venv: Path) -> None:
    """Where Python is told to write no compiled modules beside the sources, keep them within the environment.

    Without any, each process that starts compiles all that it imports: the web server takes twice as long.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(venv / COMPILED))


def hand_over(arguments: list[str]) -> int:
    """Become the given program (on Windows: run it), so that its signals and its exit code are ours."""
    if not WINDOWS:
        os.execv(arguments[0], arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the program too, and it is the one to answer it
    return subprocess.call(arguments)


def program(arguments: list[str]) -> list[str]:
    """The command line within the environment that these arguments of start.py stand for."""
    python = str(venv_python(VENV))
    if arguments[:1] == ["test"]:
        return [python, "-m", "pytest", *SIDE_BY_SIDE, *arguments[1:]]
    if not arguments or arguments[0].startswith("-"):
        arguments = ["up", *arguments]
    return [python, "-m", "etlml.cli", *arguments]


def main(arguments: list[str]) -> int:
    """Set up, then do what the arguments say; returns the exit code."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    try:
        set_up()
    except (SetupFailed, OSError) as failure:
        print(f"[start] {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[start] Interrupted; the next start sets up again", file=sys.stderr)
        return 130
    if arguments == ["setup"]:
        say(f"Ready: {VENV}")
        return 0
    if arguments[:1] == ["test"]:
        os.chdir(ROOT)
    keep_compiled(VENV)
    return hand_over(program(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
