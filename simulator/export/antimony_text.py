"""A run as a model in Antimony, a language for models that people can read.

The equations are those of `simulator.patient`, written out once more in names and operators; what
the machine and the staff did are events. tests/test_export.py runs the result in another engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulator import units
from simulator.export.changes import CIRCUIT_VOLUMES, Changes
from simulator.export.names import Names, one_line
from simulator.export.schedule import Schedule
from simulator.patient import water
from simulator.patient.state import (
    ALBUMIN,
    BODY,
    IGG,
    OTHER_GLOBULINS,
    SoluteConstants,
    concentration_in,
)

INDENT = "  "

OUTSIDE = """\
Time in min, volumes in mL, flows in mL/min; masses in each solute's own unit. What happens to
proteins and volumes is complete. Citrate, calcium and magnesium are left out: they act on neither.
Every change of flows is one event, so that no solver can step over a session."""

ONCOTIC = f"""\
// Colloid oncotic pressure (mmHg) of albumin and globulin in g/dL.
function oncotic_pressure(albumin, globulin)
  {water.ALBUMIN_SCALE!r}*albumin*(2.8 + 0.18*(albumin + globulin) + 0.012*(albumin + globulin)^2) \
+ globulin*(1.6 + 0.15*(albumin + globulin) + 0.006*(albumin + globulin)^2)
end"""


@dataclass(frozen=True, slots=True)
class Model:
    """An exported model: its text, what it is called, and what is told about it."""

    identifier: str
    text: str
    notes: tuple[str, ...]
    """Lines, without markup."""


def model(schedule: Schedule, name: str, notes: Sequence[str]) -> Model:
    """The model of a patient and what was done to him; `notes` are any lines about it."""
    names = Names()
    identifier = names.of(name, "")
    notes = (*map(one_line, notes), *OUTSIDE.split("\n"))
    writer = _Writer(schedule, names)
    lines = [*(f"// {line}" for line in notes), "", ONCOTIC, "", f"model {identifier}()"]
    lines += [f"{INDENT}{line}".rstrip() for line in writer.lines()]
    lines += ["end", ""]
    return Model(identifier, "\n".join(lines), notes)


class _Writer:
    """Writes the lines of one model."""

    def __init__(self, schedule: Schedule, names: Names) -> None:
        self.of = names.of
        self.constants = schedule.constants
        self.solutes = schedule.constants.solutes
        self.changes = Changes(schedule, names)
        self.attached = self.changes.attached
        self.treated = self.attached and self.changes.uses("plasma_to_patient")
        self.oncotic = self.constants.starling or any(s.synthesis_gain for s in self.solutes)

    def lines(self) -> Iterator[str]:
        yield "// Time in the unit in which the run counts it."
        yield "unit time_unit = 60 second;"
        yield from self._title("What is done from outside, and what stays")
        yield from self._outside()
        yield from self._title("Volumes")
        yield from self._volumes()
        if self.attached:
            yield from self._title("The circuit: one mixed volume of plasma beside red cells")
            yield from self._circuit()
        for place, solute in enumerate(self.solutes):
            yield from self._title(f"{solute.name}: mass in {_mass_unit(solute)}")
            yield from self._solute(place, solute)
        yield from self._title("What was done, and when")
        yield from self._events()

    def _title(self, text: str) -> Iterator[str]:
        yield ""
        yield f"// -- {text} ".ljust(96, "-")

    # -- declarations -------------------------------------------------------------------------

    def _value(self, name: str, value: float | str, words: str) -> str:
        """A number that no equation changes."""
        return f'{name} = {value if isinstance(value, str) else repr(value)}; {name} is "{words}";'

    def _rule(self, name: str, formula: str) -> str:
        return f"{name} := {formula};"

    def _pool(self, name: str, start: float, words: str, *flows: str) -> Iterator[str]:
        """A pool: its start, its name in words, and what flows in (+) and out (-)."""
        yield self._value(name, start, words)
        yield f"{name}' = {_sum(flows)};"

    # -- parts --------------------------------------------------------------------------------

    def _outside(self) -> Iterator[str]:
        for number in self.changes.numbers():
            yield self._value(number.name, number.first, one_line(number.words))
        for word, fluid in self.changes.fluids:
            if fluid.hematocrit:
                yield self._value(
                    self.of(word, "hematocrit"), fluid.hematocrit, f"red cells in {one_line(word)}"
                )
            for solute in self.solutes:
                if content := concentration_in(fluid, solute):
                    yield self._value(
                        self.of(word, solute.name, "content"), content,
                        f"{solute.name} in {one_line(word)}, {_mass_unit(solute)}/mL",
                    )  # fmt: skip
        yield self._value(
            "f_cell_ratio", self.constants.f_cell_ratio,
            "hematocrit of the whole body over that of venous blood",
        )  # fmt: skip

    def _volumes(self) -> Iterator[str]:
        of, constants, start = self.of, self.constants, self.changes.start()
        plasma_flows, interstitial_flows, cell_flows = ["+fluids_given"], [], ["+red_cells_given"]
        flows, cells = [], []
        for word, fluid in self.changes.fluids:
            flow, hematocrit = of(word, "flow"), of(word, "hematocrit")
            flows.append(f"+{flow}*(1 - {hematocrit})" if fluid.hematocrit else f"+{flow}")
            if fluid.hematocrit:
                cells.append(f"+{flow}*{hematocrit}")
        yield self._rule("fluids_given", _sum(flows))
        yield self._rule("red_cells_given", _sum(cells))
        if self.oncotic:
            yield from self._oncotic()
        if constants.starling:
            yield from self._starling()
            plasma_flows += ["-filtered", "-excreted"]
            interstitial_flows += ["+filtered"]
        if self.attached:
            plasma_flows += ["-plasma_drawn", "+plasma_volume_returning", "+added_volume_returning"]
            cell_flows += ["-red_cells_drawn", "+red_cells_returning"]
        if self.treated:
            plasma_flows += ["+plasma_to_patient"]
        yield from self._pool("plasma_volume", start[0], "plasma volume, mL", *plasma_flows)
        yield from self._pool(
            "interstitial_volume", start[1], "interstitial volume, mL", *interstitial_flows
        )
        yield from self._pool("red_cells", start[2], "red cells, mL", *cell_flows)
        yield self._rule("blood_volume", "plasma_volume + red_cells")
        yield self._rule("hematocrit", "red_cells/(red_cells + plasma_volume)/f_cell_ratio")

    def _oncotic(self) -> Iterator[str]:
        rest = self.constants.plasma_oncotic_pressure
        yield self._value("oncotic_pressure_at_rest", rest, "oncotic pressure at rest, mmHg")
        yield self._rule("plasma_oncotic_pressure", self._pressure("plasma", "plasma_volume"))

    def _pressure(self, pool: str, volume: str) -> str:
        """The oncotic pressure of what a pool holds in a volume."""
        albumin, igg, others = (
            self.of(self.solutes[place].name, pool) for place in (ALBUMIN, IGG, OTHER_GLOBULINS)
        )
        return f"oncotic_pressure(100*{albumin}/{volume}, 100*({igg} + {others})/{volume})"

    def _starling(self) -> Iterator[str]:
        constants = self.constants
        plasma, interstitial = (
            constants.plasma_volume,
            constants.body_water - constants.plasma_volume,
        )
        for name, value, words in (
            ("plasma_volume_at_rest", plasma, "mL"),
            ("interstitial_volume_at_rest", interstitial, "mL"),
            (
                "interstitial_oncotic_pressure_at_rest",
                constants.interstitial_oncotic_pressure, "mmHg",
            ),
            ("filtration_coefficient", water.FILTRATION * plasma / 3000, "mL/min per mmHg"),
            ("reflection", water.REFLECTION, "share of the oncotic pressure that acts"),
            ("plasma_compliance", water.COMPLIANCE, "relative rise per mmHg"),
            ("interstitial_compliance", water.INTERSTITIAL_COMPLIANCE, "relative rise per mmHg"),
            ("renal_time", water.RENAL_TIME, "time constant of the body water, min"),
        ):  # fmt: skip
            yield self._value(name, value, f"{name.replace('_', ' ')}: {words}")
        yield self._rule(
            "protein_space",
            f"{water.AVAILABLE!r}*interstitial_volume_at_rest + {water.AVAILABLE_OF_RISE!r}"
            "*(interstitial_volume - interstitial_volume_at_rest)",
        )
        yield self._rule(
            "interstitial_oncotic_pressure", self._pressure("interstitium", "protein_space")
        )
        yield self._rule(
            "filtered",
            "filtration_coefficient*((plasma_volume/plasma_volume_at_rest - 1)/plasma_compliance"
            " - (interstitial_volume/interstitial_volume_at_rest - 1)/interstitial_compliance"
            " - reflection*((plasma_oncotic_pressure - oncotic_pressure_at_rest)"
            " - (interstitial_oncotic_pressure - interstitial_oncotic_pressure_at_rest)))",
        )
        yield self._rule(
            "excreted",
            "(plasma_volume + interstitial_volume - plasma_volume_at_rest"
            " - interstitial_volume_at_rest)/renal_time",
        )

    def _circuit(self) -> Iterator[str]:
        changes = self.changes
        flows = {
            flow: flow if changes.uses(flow) else ""
            for flow in (
                "blood_to_circuit", "plasma_to_circuit", "anticoagulant_to_circuit",
                "circuit_to_waste", "plasma_to_patient",
            )
        }  # fmt: skip
        yield "// Given back when the circuit is rinsed or a bowl is emptied; events set it."
        for volume in CIRCUIT_VOLUMES:
            yield self._returning(volume, f"{volume}_returning", "mL/min")
        blood, plasma = flows["blood_to_circuit"], flows["plasma_to_circuit"]
        yield self._rule("red_cells_drawn", f"{blood}*hematocrit" if blood else "0")
        yield self._rule("plasma_drawn", _sum([f"+{blood}", "-red_cells_drawn", f"+{plasma}"]))
        yield self._rule("circuit_volume", "circuit_plasma_volume + circuit_added_volume")
        yield self._rule(
            "share_per_mL",
            "piecewise(1/(circuit_volume + circuit_red_cells),"
            " circuit_volume + circuit_red_cells > 0, 0)",
        )
        leaving = _sum([f"+{flows['circuit_to_waste']}", f"+{flows['plasma_to_patient']}"])
        leaving = f"({leaving})" if " " in leaving else leaving
        yield self._rule(
            "share_leaving", f"piecewise({leaving}/circuit_volume, circuit_volume > 0, 0)"
        )
        if self.treated:
            yield self._rule(
                "share_given_back",
                f"piecewise(plasma_to_patient/{leaving}, {leaving} > 0, 0)",
            )
        if self._binds:
            igg = self.of(self.solutes[IGG].name, "bound")
            yield from self._pool("column_bound_igg", 0.0, "IgG on the column in use, g", f"+{igg}")
            yield self._rule("column_free", "1 - column_bound_igg/column_capacity")
        yield from self._pool(
            "circuit_red_cells", 0.0, "red cells outside, mL",
            "+red_cells_drawn", "-red_cells_returning",
        )  # fmt: skip
        yield from self._pool(
            "circuit_plasma_volume", 0.0, "plasma outside, mL",
            "+plasma_drawn", "-plasma_volume_returning", "-share_leaving*circuit_plasma_volume",
        )  # fmt: skip
        yield from self._pool(
            "circuit_added_volume", 0.0, "anticoagulant outside, mL",
            f"+{flows['anticoagulant_to_circuit']}", "-added_volume_returning",
            "-share_leaving*circuit_added_volume",
        )  # fmt: skip

    def _returning(self, what: str, name: str, unit: str) -> str:
        words = f"{what.replace('_', ' ')} of the circuit given back, {unit}"
        return self._value(name, 0.0, words)

    def _solute(self, place: int, solute: SoluteConstants) -> Iterator[str]:
        of, name, changes, unit = self.of, solute.name, self.changes, _mass_unit(solute)
        start = changes.start()
        plasma, interstitium = of(name, "plasma"), of(name, "interstitium")
        made, lost = of(name, "synthesis"), of(name, "catabolism")
        yield self._value(of(name, "escape_rate"), solute.escape, "from plasma, per min")
        yield self._value(of(name, "return_rate"), solute.lymph_return, "to plasma, per min")
        yield self._value(
            of(name, "synthesis_at_rest"), solute.synthesis_at_rest, f"{unit} per min"
        )
        yield from self._catabolism(solute)
        synthesis = of(name, "synthesis_at_rest")
        if changes.uses(name, "synthesis_share"):
            synthesis += f"*{of(name, 'synthesis_share')}"
        if solute.synthesis_gain:
            gain = of(name, "synthesis_gain")
            yield self._value(gain, solute.synthesis_gain, "answer to the oncotic pressure")
            synthesis += f"*(oncotic_pressure_at_rest/plasma_oncotic_pressure)^{gain}"
        yield self._rule(made, synthesis)
        yield self._rule(lost, f"{of(name, 'catabolic_rate')}*{plasma}")
        yield self._rule(of(name, "escape"), f"{of(name, 'escape_rate')}*{plasma}")
        yield self._rule(of(name, "lymph_return"), f"{of(name, 'return_rate')}*{interstitium}")
        yield self._rule(of(name, "given"), self._given(solute))
        flows = [
            f"+{made}", f"+{of(name, 'given')}", f"-{lost}",
            f"-{of(name, 'escape')}", f"+{of(name, 'lymph_return')}",
        ]  # fmt: skip
        if self.attached:
            yield from self._outside_of(solute)
            flows += [f"-{of(name, 'drawn')}", f"+{of(name, 'returning')}"]
        if self.treated:
            flows += [f"+{of(name, 'given_back')}"]
        words = f"{name} in plasma, {unit}"
        yield from self._pool(plasma, start[BODY + place], words, *flows)
        yield from self._pool(
            interstitium, start[BODY + len(self.solutes) + place],
            f"{name} in the interstitium, {unit}",
            f"+{of(name, 'escape')}", f"-{of(name, 'lymph_return')}",
        )  # fmt: skip
        factor = repr(solute.per_volume)
        for pool, mass, volume in (
            ("plasma", plasma, "plasma_volume"),
            ("interstitium", interstitium, "interstitial_volume"),
        ):
            level = of(name, pool, "concentration")
            yield self._rule(level, f"{factor}*{mass}/{volume}")
            yield f'{level} is "{name}, {pool}, {one_line(solute.unit)}";'

    def _catabolism(self, solute: SoluteConstants) -> Iterator[str]:
        of, name, catabolism = self.of, solute.name, solute.catabolism
        rate = of(name, "catabolic_rate")
        if not catabolism.protected_fraction:
            yield self._value(rate, catabolism.intrinsic, "per min")
            return
        intrinsic, protected, half = (
            of(name, part) for part in ("intrinsic_rate", "protected_share", "half_saturation")
        )
        yield self._value(intrinsic, catabolism.intrinsic, "without FcRn, per min")
        yield self._value(protected, catabolism.protected_fraction, "share that FcRn can recycle")
        yield self._value(half, catabolism.half_saturation, "total IgG that halves it, g/L")
        blocked = "*(1 - fcrn_blockade)" if self.changes.uses("fcrn_blockade") else ""
        total = of(self.solutes[IGG].name, "plasma", "concentration")
        yield self._rule(rate, f"{intrinsic}*(1 - {protected}{blocked}*{half}/({half} + {total}))")

    def _given(self, solute: SoluteConstants) -> str:
        of, name = self.of, solute.name
        flows = [
            f"+{of(word, 'flow')}*{of(word, name, 'content')}"
            for word, fluid in self.changes.fluids
            if concentration_in(fluid, solute)
        ]
        if self.changes.uses(name, "infusion"):
            flows.append(f"+{of(name, 'infusion')}")
        return _sum(flows)

    def _outside_of(self, solute: SoluteConstants) -> Iterator[str]:
        """What the circuit draws of a solute, holds, discards and gives back."""
        of, name, uses = self.of, solute.name, self.changes.uses
        sieving = f"{of(name, 'sieving')}*" if uses(name, "sieving") else ""
        circuit, drawn, leaving = of(name, "circuit"), of(name, "drawn"), of(name, "leaving")
        yield self._rule(drawn, f"{sieving}plasma_drawn/plasma_volume*{of(name, 'plasma')}")
        yield self._rule(leaving, f"share_leaving*{circuit}")
        yield self._returning(name, of(name, "returning"), f"{_mass_unit(solute)}/min")
        if self.treated:
            passing = leaving
            bound = "0"
            if uses(name, "extraction"):
                free = "*column_free" if self._binds else ""
                bound = f"{of(name, 'extraction')}{free}*{leaving}"
                passing = f"({leaving} - {of(name, 'bound')})"
            if uses(name, "extraction") or name == self.solutes[IGG].name:
                yield self._rule(of(name, "bound"), bound)
            through = f"*{of(name, 'return_sieving')}" if uses(name, "return_sieving") else ""
            yield self._rule(of(name, "given_back"), f"share_given_back{through}*{passing}")
        yield from self._pool(
            circuit, 0.0, f"{name} outside, {_mass_unit(solute)}",
            f"+{drawn}", f"-{of(name, 'returning')}", f"-{leaving}",
        )  # fmt: skip

    @property
    def _binds(self) -> bool:
        """Whether a column fills up."""
        return self.treated and self.changes.uses("column_capacity")

    def _events(self) -> Iterator[str]:
        for number, change in enumerate(self.changes.events(), start=1):
            yield f"// {one_line(change.words)}"
            assigned = ", ".join(f"{name} = {value}" for name, value in change.assigned)
            yield f"change_{number}: at (time >= {change.time!r}): {assigned};"


def _mass_unit(solute: SoluteConstants) -> str:
    return one_line(units.concentration_unit(solute.unit)[0])


def _sum(terms: Sequence[str]) -> str:
    """A sum of terms that each begin with their sign; those with nothing else are left out."""
    present = [term for term in terms if term[1:]]
    if not present:
        return "0"
    first, *others = present
    written = [first[1:] if first[0] == "+" else first]
    return " ".join([*written, *(f"{term[0]} {term[1:]}" for term in others)])
