"""Files written as a whole or not at all: beside their place first, then moved there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from simulator.errors import CommandError


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file so that its name never stands for half of it.

    A link stays one, and the file that it leads to is replaced; what is no file (a pipe, a device)
    is written into. Raises `CommandError` if it cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        place = file.resolve()
        if place.exists() and not place.is_file():
            place.write_bytes(data)
        else:
            _replace(place, data)
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None


def _replace(file: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as place:
            place.write(data)
        Path(beside).chmod(0o666 & ~umask())
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def umask() -> int:
    """The rights that new files do not have."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
