"""Files written as a whole or not at all: beside their place first, then moved there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from simulator.errors import CommandError

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")
ANIMATION_MARK = b"apheresis-simulator"
"""Stands in the comment of every animation that we write."""
LEFT_BY_DESKTOPS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
"""Looking at a folder may put these there; they are nobody's work."""


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


@contextlib.contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `folder` when all went well.

    Raises `CommandError` if there can be none.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise CommandError(
            f"cannot write to {folder.parent}: {error.strerror}; choose another folder with --out"
        ) from None
    new.chmod(0o777 & ~umask())
    old = new.with_name(new.name + "-old")
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)  # as it was
            raise
    finally:
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)


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


def left_half(entry: Path, name: str) -> bool:
    """Whether a file is what `write_whole` left of a file of that name when it was killed."""
    return entry.name.startswith(f".{name}-")


def umask() -> int:
    """The rights that new files do not have."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
