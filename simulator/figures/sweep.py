"""The figures of a sweep: whichever of map, response, tornado and bands have something to show."""

from __future__ import annotations

from matplotlib.figure import Figure

from simulator.figures.bands import bands
from simulator.figures.heatmap import heatmap
from simulator.figures.response import response
from simulator.figures.tornado import tornado
from simulator.sweep.ensemble import Ensemble
from simulator.sweep.reading import Reading, map_of, swings

PICTURES = ("map", "response", "tornado", "bands")
"""Names that `sweep_pictures` may give."""


def sweep_pictures(reading: Reading, ensemble: Ensemble | None = None) -> dict[str, Figure]:
    """Figures by name: a map over two inputs, or an outcome over one; else what moves it; curves.

    Nothing is drawn of a sweep in which no outcome varies.
    """
    found: dict[str, Figure] = {}
    title = f"{reading.title}: {reading.counted}"
    shown = reading.shown
    if shown and reading.pair is not None:
        found["map"] = heatmap([map_of(outcome, *reading.pair) for outcome in shown], title)
    elif shown and len(reading.inputs) == 1:
        found["response"] = response(reading.inputs[0], shown, title)
    if shown and (len(reading.inputs) > 2 or (len(reading.inputs) == 2 and "map" not in found)):
        found["tornado"] = tornado(swings(reading, shown[0]), shown[0], title)
    if ensemble is not None:
        found["bands"] = bands(ensemble, reading.title)
    return found
