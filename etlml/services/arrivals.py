"""The files that a trigger waits for, as they are now."""

import glob
from itertools import islice
from pathlib import Path

MOST = 1000


def matching_files(data_dir: Path, pattern: str, *, limit: int = MOST) -> list[str]:
    """Names of the files that match a glob, relative ones looked for in the data folder; at most ``limit``."""
    if not pattern.strip():
        return []
    found = glob.iglob(str(data_dir / Path(pattern).expanduser()), recursive=True)  # noqa: PTH207
    files = (Path(name) for name in found)
    return sorted(str(_short(file, data_dir)) for file in islice((file for file in files if file.is_file()), limit))


def _short(file: Path, data_dir: Path) -> Path:
    return file.relative_to(data_dir) if file.is_relative_to(data_dir) else file
