"""Files of figures: the same figure gives the same bytes, so that a changed picture means a changed
run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from simulator.figures.style import DPI, STYLE

FORMATS = ("png", "svg", "pdf")

#: What matplotlib would write into a file about itself and the time of day.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
#: Packing a PNG harder makes it 8 % smaller, and takes longer than drawing all its curves.
_OPTIONS: dict[str, Any] = {"png": {"pil_kwargs": {"compress_level": 1}}, "svg": {}, "pdf": {}}


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as the content of a PNG, SVG or PDF file."""
    if kind not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)}, got {kind!r}")
    content = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(content, format=kind, dpi=DPI, metadata=_METADATA[kind], **_OPTIONS[kind])
    return content.getvalue()


def save(figure: Figure, path: Path | str, formats: Sequence[str] = ()) -> list[Path]:
    """Write the figure to `path`; formats that are asked for replace or add its suffix."""
    path = Path(path)
    suffix = path.suffix.removeprefix(".").lower()
    stem = path.with_suffix("") if suffix in FORMATS else path
    written = []
    for kind in formats or (suffix if suffix in FORMATS else "png",):
        place = stem.with_name(f"{stem.name}.{kind}")
        place.write_bytes(rendered(figure, kind))
        written.append(place)
    return written
