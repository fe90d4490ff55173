"""The patient's own equations, run once with symbols: what the kernels are made from.

The equations are those of `patient.equations`; nothing of them stands here, only where their
numbers come from: which row of an array holds which constant of the patient or flow of the stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator import catalog
from simulator.boundary import Exchange, Passage
from simulator.catalog import Catabolism
from simulator.patient import equations, quiet
from simulator.patient.equations import Inflow
from simulator.patient.state import (
    BODY,
    CIRCUIT,
    IGG,
    Constants,
    Layout,
    SoluteConstants,
    Therapy,
    minerals_of,
)
from simulator.sweep.fast.assembled import Made
from simulator.sweep.fast.symbols import Value
from simulator.sweep.fast.written import rates_text, reading_text

OF_SOLUTE = (
    "intrinsic", "protected_fraction", "half_saturation", "escape", "lymph_return",
    "synthesis_at_rest", "synthesis", "synthesis_gain", "sieving", "extraction", "return_sieving",
)  # fmt: skip
OF_BODY = (
    "plasma_volume", "body_water", "plasma_oncotic_pressure", "interstitial_oncotic_pressure",
    "f_cell_ratio", "citrate_volume", "bone_release", "ionized_calcium", "citrate_clearance",
    "fcrn_blockade", "capacity",
)  # fmt: skip
RUNS_IN = ("water", "red_cells", "citrate", "calcium", "magnesium")
FLOWS = (
    "blood_to_circuit", "plasma_to_circuit", "anticoagulant_to_circuit", "anticoagulant_citrate",
    "circuit_to_waste", "circuit_to_patient", "plasma_to_patient",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """What the compiled equations depend on beside numbers."""

    solutes: int
    protected: tuple[bool, ...]
    """Which solutes FcRn spares."""
    answering: tuple[bool, ...]
    """Which are made as the oncotic pressure asks."""
    starling: bool
    treats: bool
    """Whether plasma is given back by the device."""

    @property
    def layout(self) -> Layout:
        """Where each number of the state stands."""
        return Layout(self.solutes)

    @property
    def size(self) -> int:
        """Numbers of a state with a circuit."""
        return BODY + CIRCUIT + 3 * self.solutes

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Names of the parameters, in the order of their array."""
        n = range(self.solutes)
        return (
            *((name, i) for i in n for name in OF_SOLUTE),
            *OF_BODY,
            *RUNS_IN,
            *(("mass", i) for i in n),
            *FLOWS,
        )

    @property
    def first_flow(self) -> int:
        """Where the parameters begin that belong to a stretch and not to the patient."""
        return len(OF_SOLUTE) * self.solutes + len(OF_BODY)


def shape_of(constants: Constants, device_treats: bool) -> Shape:
    """The shape of a patient's equations."""
    return Shape(
        solutes=len(constants.solutes),
        protected=tuple(bool(s.catabolism.protected_fraction) for s in constants.solutes),
        answering=tuple(bool(s.synthesis_gain) for s in constants.solutes),
        starling=constants.starling,
        treats=device_treats,
    )


def of_patient(constants: Constants, therapy: Therapy, passage: Passage) -> list[Value]:
    """The parameters that belong to a patient and his device, in the order of `Shape`."""
    values: list[Value] = []
    for solute, synthesis in zip(constants.solutes, therapy.synthesis, strict=True):
        k = solute.catabolism
        values += [
            k.intrinsic, k.protected_fraction, k.half_saturation, solute.escape,
            solute.lymph_return, solute.synthesis_at_rest, synthesis, solute.synthesis_gain,
            solute.sieving * passage.share(passage.sieving, solute.kin, 1.0),
            passage.share(passage.extraction, solute.kin, 0.0),
            passage.share(passage.return_sieving, solute.kin, 1.0),
        ]  # fmt: skip
    c = constants
    return [
        *values,
        c.plasma_volume, c.body_water, c.plasma_oncotic_pressure, c.interstitial_oncotic_pressure,
        c.f_cell_ratio, c.citrate_volume, c.bone_release, c.ionized_calcium,
        therapy.citrate_clearance, therapy.fcrn_blockade, passage.capacity,
    ]  # fmt: skip


def of_stretch(exchange: Exchange, inflow: Inflow) -> list[Value]:
    """The parameters that belong to a stretch of constant flows, in the order of `Shape`."""
    citrate = exchange.anticoagulant.citrate if exchange.anticoagulant else 0.0
    return [
        *(getattr(inflow, name) for name in RUNS_IN),
        *inflow.masses,
        exchange.blood_to_circuit, exchange.plasma_to_circuit, exchange.anticoagulant_to_circuit,
        citrate, exchange.circuit_to_waste, exchange.circuit_to_patient,
        exchange.plasma_to_patient,
    ]  # fmt: skip


def in_session(shape: Shape) -> Made:
    """The equations of a patient with a circuit."""
    return _made(shape, attached=True)


def between_sessions(shape: Shape) -> Made:
    """The equations of a patient without one."""
    return _made(shape, attached=False)


def _made(shape: Shape, *, attached: bool) -> Made:
    layout = shape.layout
    size = shape.size if attached else layout.patient.stop
    parameters = dict(zip(shape.parameters, _some_values(shape), strict=True))
    state = _some_state(shape)[:size]

    def make(given: Mapping[Any, Value], begins: list[Value]) -> Any:
        return equations.rates(
            _constants(shape, given), _therapy(shape, given), _exchange(shape, given, attached),
            begins, _inflow(shape, given),
        )  # fmt: skip

    def watched(given: Mapping[Any, Value], y: list[Value]) -> Sequence[Value]:
        now = minerals_of(y, shape.solutes, given["citrate_volume"])
        return y[0] + y[2], now.ionized_calcium

    rates = rates_text(size, parameters, state, make)
    plasma = list(range(layout.plasma.start, layout.plasma.stop))
    outside = (2, 0, 0, 3, 4, 5, -1, *plasma) if attached else ()
    return Made(
        text=rates.text + "\n" + reading_text("watched", size, parameters, state, watched),
        size=size,
        inside=layout.patient.stop,
        parameters=len(parameters),
        prepared=rates.prepared,
        solutes=shape.solutes,
        first_solute=layout.plasma.start,
        measures=(*[-1] * layout.patient.stop, *outside),
        watched=2,
        watched_places=(0, 1, 2, 3, 4, 5, layout.plasma.start, layout.interstitium.start),
        pairs=() if attached else quiet.pairs_of(size),
    )


def _constants(shape: Shape, p: Mapping[Any, Value]) -> Constants:
    solutes = tuple(
        SoluteConstants(
            name=str(i),
            escape=p["escape", i],
            lymph_return=p["lymph_return", i],
            catabolism=Catabolism(
                p["intrinsic", i],
                p["protected_fraction", i] if shape.protected[i] else 0.0,
                p["half_saturation", i],
            ),
            synthesis_at_rest=p["synthesis_at_rest", i],
            synthesis_gain=p["synthesis_gain", i] if shape.answering[i] else 0.0,
            sieving=p["sieving", i],
            per_volume=_IGG_PER_VOLUME,
            unit="",
            kin=(str(i),),
        )
        for i in range(shape.solutes)
    )
    names = (
        "plasma_volume", "body_water", "plasma_oncotic_pressure", "interstitial_oncotic_pressure",
        "f_cell_ratio", "citrate_volume", "bone_release", "ionized_calcium",
    )  # fmt: skip
    return Constants(
        solutes=solutes,
        citrate_clearance=0.0,  # what holds now is the therapy's
        starling=shape.starling,
        **{name: p[name] for name in names},
    )


_IGG_PER_VOLUME = catalog.solute("igg").per_volume


def _therapy(shape: Shape, p: Mapping[Any, Value]) -> Therapy:
    return Therapy(
        synthesis=tuple(p["synthesis", i] for i in range(shape.solutes)),
        infused=(0.0,) * shape.solutes,
        fcrn_blockade=p["fcrn_blockade"],
        citrate_clearance=p["citrate_clearance"],
    )


def _inflow(shape: Shape, p: Mapping[Any, Value]) -> Inflow:
    masses = tuple(p["mass", i] for i in range(shape.solutes))
    return Inflow(**{name: p[name] for name in RUNS_IN}, masses=masses)


def _exchange(shape: Shape, p: Mapping[Any, Value], attached: bool) -> Exchange:
    if not attached:
        return Exchange()
    n = range(shape.solutes)
    passage = Passage()
    if shape.treats:
        passage = Passage(
            return_sieving={str(i): p["return_sieving", i] for i in n},
            extraction={str(i): p["extraction", i] for i in n},
            capacity=p["capacity"],
        )
    anticoagulant = replace(catalog.fluid("acd-a"), citrate=p["anticoagulant_citrate"])
    flows = {name: p[name] for name in FLOWS if name != "anticoagulant_citrate"}
    if not shape.treats:
        flows["plasma_to_patient"] = 0.0
    return Exchange(anticoagulant=anticoagulant, passage=passage, **flows)


def _some_values(shape: Shape) -> list[float]:
    """Parameters of no one in particular, none of them zero or special."""
    return [0.5 + 0.01 * i for i in range(len(shape.parameters))]


def _some_state(shape: Shape) -> list[float]:
    return [100.0 + i for i in range(shape.size)]


assert IGG == 1
