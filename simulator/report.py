"""``report.html``: a run as one file that opens anywhere and needs no network.

It is the teaching page with the run inside: a player with a time slider, curves, log, tables and
sources, and below them the figures of the run folder.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping

from simulator.playback import offer, page, recording
from simulator.playback.recording import Recording

LARGEST = 1_000_000
"""Bytes of a report, so that it can be sent and kept."""
DIGITS = 5
ROWS = (4000, 2500, 1500, 800, 400, 200)
"""Rows of curves to try, until the report is small enough; at last without figures, too."""
TEXTS = {
    "volumes": "Volumes: blood processed, plasma removed, fluids given, over the sessions.",
    "solutes": "Solutes: levels in plasma and interstitium over the course.",
    "sessions": "Sessions: what the machine and the staff did, minute by minute.",
}


def document(run: Recording, figures: Mapping[str, bytes] | None = None) -> str:
    """The report of a run as HTML. `figures`: name and PNG of each picture.

    Curves are thinned between events where that is needed to stay below `LARGEST`; events, and
    both sides of each, are all there.
    """
    text = ""
    for rows, drawn in [*((rows, figures or {}) for rows in ROWS), (ROWS[-1], {})]:
        extra = _figures(drawn)
        data = recording.as_data(run, label="the run", most_rows=rows, digits=DIGITS)
        embedded = {"run": data, "others": [], "offer": offer.offered(run.scenario)}
        text = page.embedded_document(run.scenario.title, embedded, extra)
        if len(text.encode("utf-8")) < LARGEST:
            break
    return text


def _figures(figures: Mapping[str, bytes]) -> str:
    """The figures as images in the file, each with its text for who cannot see it."""
    if not figures:
        return ""
    parts = []
    for name, content in figures.items():
        words = html.escape(TEXTS.get(name, name))
        encoded = base64.b64encode(content).decode("ascii")
        parts.append(
            f'<figure><img alt="{words}" src="data:image/png;base64,{encoded}">'
            f"<figcaption>{words}</figcaption></figure>"
        )
    return f'<section class="figures" aria-label="Figures">{"".join(parts)}</section>'
