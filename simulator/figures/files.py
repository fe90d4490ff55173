"""Files of figures: the same figure gives the same bytes, so that a changed picture means a changed
run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from simulator.figures.style import DPI, STYLE

FORMATS = ("png", "svg", "pdf")

#: What matplotlib would write into a file about itself and the time of day.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
PACKED = 1  # packing a PNG harder makes it 8 % smaller, and takes longer than drawing its curves


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as the content of a PNG, SVG or PDF file."""
    if kind not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)}, got {kind!r}")
    content = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        if kind == "png":
            # savefig would draw everything twice, to lay out a page that is laid out already
            FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
                content, metadata=_METADATA["png"], pil_kwargs={"compress_level": PACKED}
            )
        else:
            figure.savefig(content, format=kind, dpi=DPI, metadata=_METADATA[kind])
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
