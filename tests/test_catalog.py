"""The catalog: every number has a unit, an existing source and a grade, and is physically sane."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator import catalog, units
from simulator.catalog import Access, Device, Fact, Fluid, Operator, Reaction, Solute
from simulator.errors import CatalogError
from simulator.machine.alarms import BY_FAULT
from simulator.patient.patient import INTERNAL

Entry = Device | Fluid | Solute | Access | Operator | Reaction
LOADERS: dict[str, Callable[[str], Entry]] = {
    "devices": catalog.device,
    "fluids": catalog.fluid,
    "solutes": catalog.solute,
    "access": catalog.access,
    "operators": catalog.operator,
    "reactions": catalog.reaction,
}
ENTRIES = [(kind, name) for kind in catalog.KINDS for name in catalog.names(kind)]
DAY = 1440.0
SCENARIOS = Path(__file__).parents[1] / "scenarios"


def facts(kind: str, name: str) -> Mapping[str, Fact]:
    return LOADERS[kind](name).facts


FACTS = [fact for entry in ENTRIES for fact in facts(*entry).values()]


def test_the_promised_entries_are_there() -> None:
    promised = {
        "devices": "spectra-optia cobe-spectra amicus",
        "fluids": "albumin-5 albumin-4 saline fresh-frozen-plasma acd-a calcium-gluconate-10",
        "solutes": "igg igg1 igg2 igg3 igg4 iga igm ige albumin fibrinogen c3 c4 adamts13 ldl"
        " other-globulins",
        "access": "central-venous-catheter peripheral-veins dialysis-catheter"
        " dialysis-catheter-reversed av-fistula",
        "operators": "nurse",
        "reactions": "paresthesia hypotension vasovagal urticaria",
    }
    assert set(promised) == set(catalog.KINDS)
    for kind, entries in promised.items():
        assert set(entries.split()) <= set(catalog.names(kind))


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_entry_loads_and_every_quantity_in_it_is_known(kind: str, name: str) -> None:
    entry = LOADERS[kind](name)
    assert entry.name == name
    assert entry.title
    assert entry.facts, "an entry without a single number"
    known = set(type(entry).__dataclass_fields__) - {"name", "facts"}
    assert set(catalog.tree(kind, name)) <= known


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.path)
def test_number_has_unit_source_and_reason(fact: Fact) -> None:
    assert math.isfinite(units.parse(fact.value).canonical)
    assert fact.source == "assumed" or fact.source in catalog.references()
    assert (fact.source == "assumed") == (fact.seen == "assumed")
    assert fact.source != "general-knowledge" or fact.seen == "unverified"
    if fact.seen in ("assumed", "unverified"):
        assert len(fact.note) >= 8
    else:
        assert fact.at, "a source needs a place to look at"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.path)
def test_every_work_named_in_a_note_is_in_the_bibliography(fact: Fact) -> None:
    named = re.findall(r"\b[a-z]+(?:-[a-z]+)*-\d{4}\b", f"{fact.at} {fact.note}")
    assert set(named) <= set(catalog.references())


def test_no_fact_is_lost_on_loading() -> None:
    def count(content: Mapping[str, Any]) -> int:
        nested = [value for value in content.values() if isinstance(value, Mapping)]
        return sum(1 if "value" in value else count(value) for value in nested)

    for kind, name in ENTRIES:
        assert len(facts(kind, name)) == count(catalog.tree(kind, name))


# ---- physical sanity


@pytest.mark.parametrize("name", catalog.names("solutes"))
def test_solute_is_physical(name: str) -> None:
    solute = catalog.solute(name)
    assert solute.initial > 0
    assert 0 < solute.intravascular_fraction <= 1
    assert 0 <= solute.sieving <= 1
    assert 0 <= solute.catabolism.protected_fraction < 1
    assert solute.catabolism.half_saturation > 0
    assert 0.01 < DAY * solute.catabolism.intrinsic < 1, "per day"
    assert 0 <= DAY * solute.transcapillary_escape < 2, "per day"
    assert solute.synthesis_gain >= 0
    assert solute.per_volume > 0
    assert (solute.intravascular_fraction == 1) == (solute.transcapillary_escape == 0)


@pytest.mark.parametrize("name", catalog.names("devices"))
def test_device_is_physical(name: str) -> None:
    device = catalog.device(name)
    assert device.anticoagulant in catalog.names("fluids")
    low, usual, high = (
        device.anticoagulant_ratio_min,
        device.anticoagulant_ratio,
        device.anticoagulant_ratio_max,
    )
    assert 1 < low <= usual <= high
    assert 0 < device.inlet_flow_min < device.inlet_flow < device.inlet_flow_max
    assert 100 < device.extracorporeal_volume < 300
    assert 0 < device.rinseback_volume < 500
    assert 1 < device.rinseback_volume / device.rinseback_flow < 10, "min"
    assert 0 < device.change_over_time < device.pump_stop_limit
    assert device.waste_bag > 0
    assert device.access_pressure_limit < 0 < device.return_pressure_limit
    assert (device.single_needle_volume > 0) == (device.return_flow > 0)
    physical_separator(device)
    physical_treatment(device)
    heparin = catalog.fluid(device.anticoagulant).activity > 0
    assert (device.heparin_rate > 0) == (device.heparin_bolus > 0) == heparin
    kind = kind_of(device.separator)
    for fault, probability in device.disturbances.items():
        assert not BY_FAULT[fault].only or kind in BY_FAULT[fault].only, fault
        assert 0 < probability < 0.2, fault


def kind_of(facts: catalog.SeparatorFacts) -> str:
    return next(kind for kind, made_of in catalog.SEPARATORS.items() if type(facts) is made_of)


def physical_separator(device: catalog.Device) -> None:
    """Of each kind, what a number of it can be."""
    facts = device.separator
    if isinstance(facts, catalog.CentrifugeFacts):
        assert 0.5 < facts.packed_hematocrit < 1
    elif isinstance(facts, catalog.BowlFacts):
        assert 0.5 < facts.packed_hematocrit < 1
        assert 50 < facts.bowl_volume < 400
        assert 0 < facts.harness_volume < 100
        assert device.extracorporeal_volume == facts.bowl_volume + facts.harness_volume
        assert 20 < facts.return_flow < 200
        assert 0 < facts.turnaround < 2, "min"
        assert device.change_over_time < facts.standing_limit < device.pump_stop_limit
        assert device.single_needle_volume == 0, "it has one needle anyway"
        assert device.treatment is None, "its plasma is collected"
    else:
        assert 0 < facts.filtration_fraction <= facts.filtration_fraction_max < 0.5
        assert facts.outlet_hematocrit_max < 1
        thickest = 0.45 / (1 - facts.filtration_fraction_max * (1 - 0.45))
        assert thickest < facts.outlet_hematocrit_max, "what the blood of most patients leaves"
        usual = facts.filtration_fraction * device.inlet_flow * (1 - 0.40)
        clean = usual / facts.permeability
        assert 0 < clean < facts.transmembrane_pressure_max, "mmHg"
        assert 0 < facts.fouling < 1, "per liter"
        are_shares_of_solutes(facts.sieving)


def physical_treatment(device: catalog.Device) -> None:
    facts = device.treatment
    if isinstance(facts, catalog.FractionatorFacts):
        assert 0 < facts.discarded_share < 0.5
        assert facts.sieving
        are_shares_of_solutes(facts.sieving)
        assert facts.sieving["igm"] <= facts.sieving["igg"] <= facts.sieving["albumin"]
    elif isinstance(facts, catalog.AdsorberFacts):
        assert facts.columns in (1, 2)
        assert 100 < facts.plasma_per_column <= 5000
        assert facts.capacity > 0
        assert facts.extraction["igg"] > facts.extraction["albumin"]
        are_shares_of_solutes(facts.extraction)
    else:
        assert facts is None


def are_shares_of_solutes(table: Mapping[str, float]) -> None:
    """By a solute of the catalog, of the simulation itself, or one that the scenarios define."""
    known = {*catalog.names("solutes"), INTERNAL}
    for name, share in table.items():
        assert 0 <= share <= 1, name
        assert name in known or any(
            re.search(rf"^  {name}:", file.read_text(encoding="utf-8"), re.MULTILINE)
            for file in SCENARIOS.glob("*.yaml")
        ), name


@pytest.mark.parametrize(
    ("name", "hematocrit", "efficiency"),
    # plasma removal efficiency as published (Tormey 2010; Transfusion 2013, twice)
    [("spectra-optia", 0.39, 0.87), ("cobe-spectra", 0.38, 0.752), ("amicus", 0.38, 0.819)],
)
def test_packed_hematocrit_gives_the_published_efficiency(
    name: str, hematocrit: float, efficiency: float
) -> None:
    device = catalog.device(name)
    assert isinstance(device.separator, catalog.CentrifugeFacts)
    in_channel = hematocrit * (1 - 1 / device.anticoagulant_ratio)
    plasma = 1 - in_channel / device.separator.packed_hematocrit
    assert plasma / (1 - in_channel) == pytest.approx(efficiency, abs=0.01)


@pytest.mark.parametrize("name", catalog.names("fluids"))
def test_fluid_is_physical(name: str) -> None:
    fluid = catalog.fluid(name)
    assert fluid.container > 0
    for solute, concentration in fluid.solutes.items():
        unit = catalog.solute(solute).unit  # raises if the catalog does not know the solute
        assert units.parse(concentration).to(unit) > 0


def test_fluids_hold_what_their_names_say() -> None:
    assert catalog.fluid("albumin-5").solutes == {"albumin": "50 g/L"}
    assert catalog.fluid("albumin-4").solutes == {"albumin": "40 g/L"}
    assert catalog.fluid("saline").solutes == {}
    # 7.3 g anhydrous citric acid and 22.0 g trisodium citrate dihydrate per liter
    citrate = 7.3 / 192.124 + 22.0 / 294.10
    assert catalog.fluid("acd-a").citrate == pytest.approx(1000 * citrate, rel=1e-3)
    calcium = catalog.fluid("calcium-gluconate-10")
    # calcium gluconate, 430.4 g/mol, holds one calcium
    assert calcium.calcium == pytest.approx(1000 * calcium.strength / 430.4, rel=0.01)


def test_plasma_is_a_donor_diluted_by_its_anticoagulant() -> None:
    plasma = catalog.fluid("fresh-frozen-plasma")
    level = {
        solute: units.parse(text).to(catalog.solute(solute).unit)
        for solute, text in plasma.solutes.items()
    }
    assert set(level) == set(catalog.names("solutes")), "every solute in it, so that it is replaced"
    for solute in set(level) - {"igg"}:
        usual = catalog.solute(solute).initial
        assert level[solute] == pytest.approx(0.8 * usual, rel=0.02), solute
    subclasses = sum(level[f"igg{n}"] for n in (1, 2, 3, 4))
    assert level["igg"] == pytest.approx(subclasses, rel=0.02)


@pytest.mark.parametrize("name", catalog.names("access"))
def test_access_is_physical(name: str) -> None:
    assert 40 < catalog.access(name).inlet_flow_max < 500


# ---- kinetics against what the catalog says they give


def catabolic_rate(name: str, total_igg: float) -> float:
    """Fraction of the plasma pool broken down per day: k [1 - φ K / (K + IgG)]."""
    law = catalog.solute(name).catabolism
    occupied = law.half_saturation / (law.half_saturation + total_igg)
    return DAY * law.intrinsic * (1 - law.protected_fraction * occupied)


def half_life(name: str, total_igg: float) -> float:
    """Biological half-life, days, of the whole-body pool broken down from plasma."""
    return math.log(2) / (
        catabolic_rate(name, total_igg) * catalog.solute(name).intravascular_fraction
    )


@pytest.mark.parametrize(
    ("total_igg", "percent_per_day", "last_digit"),
    [(0, 3.0, 0.1), (3, 4.0, 0.1), (10, 6.2, 0.1), (12, 6.7, 0.1), (30, 11, 1), (60, 16, 1)],
)
@pytest.mark.parametrize("name", ["igg", "igg1", "igg2", "igg4"])
def test_igg_catabolism_follows_total_igg(
    name: str, total_igg: float, percent_per_day: float, last_digit: float
) -> None:
    rate = 100 * catabolic_rate(name, total_igg)
    assert rate == pytest.approx(percent_per_day, abs=last_digit / 2)


def test_igg3_has_a_half_life_of_seven_days() -> None:
    assert half_life("igg3", 12) == pytest.approx(7.0, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "shortest", "longest"),
    [
        ("igg", 21, 24),
        ("iga", 4.5, 5.9),
        ("igm", 5.0, 5.4),
        ("ige", 2, 3),
        ("albumin", 17, 20),
        ("fibrinogen", 3.58, 4.70),
        ("c3", 1.5, 2.5),
        ("c4", 1.5, 2.1),
        ("adamts13", 2, 3),
    ],
)
def test_half_life_is_the_published_one(name: str, shortest: float, longest: float) -> None:
    assert shortest <= half_life(name, 12) <= longest


def test_globulins_add_up_to_those_of_plasma() -> None:
    total = catalog.solute("igg").initial + catalog.solute("other-globulins").initial
    assert total == pytest.approx(28)
    assert {f.seen for f in facts("solutes", "other-globulins").values()} == {"assumed"}


# ---- the loader


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("10 g/L", "needs a source"),
        (10, "needs a source"),
        ({"value": "10 g/L", "seen": "abstract"}, "source"),
        ({"value": "10 g/L", "source": "", "seen": "abstract"}, "source"),
        ({"value": "10 g/L", "source": "ein-1969"}, "seen"),
        ({"value": "10 g/L", "source": "ein-1969", "seen": "heard"}, "seen must be one of"),
        ({"value": "10 g/L", "source": "assumed", "seen": "assumed"}, "note"),
        ({"value": "10 g/L", "source": "general-knowledge", "seen": "unverified"}, "note"),
        ({"value": "10 g/L", "source": "ein-1969", "seen": "abstract", "page": 3}, "page"),
    ],
)
def test_number_without_its_provenance_is_refused(written: Any, complaint: str) -> None:
    content = {"title": "A", "unit": "g/L", "catabolism": {"intrinsic": written}}
    with pytest.raises(CatalogError, match=complaint) as refusal:
        catalog.check_sources(content, "solutes.a")
    assert "solutes.a.catabolism.intrinsic" in str(refusal.value)


def test_catalog_file_is_checked_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "written", lambda *_: {"title": "A", "container": "500 mL"})
    with pytest.raises(CatalogError, match=r"fluids\.saline\.container: a number needs a source"):
        catalog.tree.__wrapped__("fluids", "saline")


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("devices", "spectra-optic", "spectra-optia"),
        ("fluids", "albumin5", "albumin-5"),
        ("solutes", "iggg", "igg"),
        ("access", "peripheral-vein", "peripheral-veins"),
    ],
)
def test_unknown_name_suggests_the_nearest(kind: str, wrong: str, right: str) -> None:
    with pytest.raises(CatalogError, match=f"{wrong!r}.*did you mean {right!r}"):
        LOADERS[kind](wrong)


def test_unknown_name_far_from_all_lists_them() -> None:
    with pytest.raises(CatalogError, match=r"known: .*spectra-optia"):
        catalog.device("zzz")


def test_like_inherits_what_is_not_said() -> None:
    igg, igg1, igg3 = (catalog.solute(name) for name in ("igg", "igg1", "igg3"))
    assert igg1.initial == 6.98
    assert igg1.catabolism == igg.catabolism
    assert igg1.transcapillary_escape == igg.transcapillary_escape
    assert igg1.facts["solutes.igg1.intravascular_fraction"].source == "ein-1969"
    assert igg3.catabolism.intrinsic == igg.catabolism.intrinsic
    assert igg3.catabolism.protected_fraction != igg.catabolism.protected_fraction


def test_changes_lie_over_the_catalog() -> None:
    changed = catalog.solute("igm", {"intravascular_fraction": "100 %"})
    assert changed.intravascular_fraction == 1.0
    assert changed.catabolism == catalog.solute("igm").catabolism
    assert "solutes.igm.intravascular_fraction" not in changed.facts
    device = catalog.device("amicus", {"separator": {"packed_hematocrit": "70 %"}})
    usual = catalog.device("amicus")
    for separator, packed in ((device.separator, 0.7), (usual.separator, 0.74)):
        assert isinstance(separator, catalog.CentrifugeFacts)
        assert separator.packed_hematocrit == pytest.approx(packed)


def test_merge_replaces_numbers_whole_and_leaves_its_input_alone() -> None:
    base = {"a": {"x": {"value": "1 g", "note": "old"}, "y": "2"}, "b": "3"}
    merged = catalog.merge(base, {"a": {"x": {"value": "4 g"}}})
    assert merged == {"a": {"x": {"value": "4 g"}, "y": "2"}, "b": "3"}
    assert base == {"a": {"x": {"value": "1 g", "note": "old"}, "y": "2"}, "b": "3"}


# ---- one number altered


def other_value(fact: Fact) -> str:
    """A value a hundredth away that a number can have as well."""
    quantity = units.parse(fact.value)
    factor = 0.99 if quantity.value else 1.0
    value = factor * quantity.value if factor < 1 else 0.01
    return f"{value!r} {quantity.unit.text}"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.path)
def test_every_number_can_be_altered_and_is_itself_again(fact: Fact) -> None:
    kind, name, *keys = fact.path.split(".")
    usual = LOADERS[kind](name)
    if keys[-1] == "columns":
        return  # a count has no value nearby
    with catalog.altered(fact.path, other_value(fact)):
        altered = LOADERS[kind](name)
        assert altered != usual, "no other number hides it"
        assert altered.facts[fact.path].value == other_value(fact)
        assert altered.facts[fact.path].source == fact.source
        others = {path: one for path, one in altered.facts.items() if path != fact.path}
        assert others == {path: one for path, one in usual.facts.items() if path != fact.path}
    assert LOADERS[kind](name) == usual


def test_what_is_like_an_altered_entry_follows_unless_it_says_otherwise() -> None:
    igg1, igg3, igm = (catalog.solute(name) for name in ("igg1", "igg3", "igm"))
    with catalog.altered("solutes.igg.catabolism.protected_fraction", "90 %"):
        assert catalog.solute("igg1").catabolism.protected_fraction == pytest.approx(0.9)
        assert catalog.solute("igg3") == igg3, "it has its own"
        assert catalog.solute("igm") == igm
    with catalog.altered("solutes.igg1.catabolism.protected_fraction", "90 %"):
        assert catalog.solute("igg1").catabolism.protected_fraction == pytest.approx(0.9)
        assert catalog.solute("igg2").catabolism == igg1.catabolism
    assert catalog.solute("igg1") == igg1


def test_an_altered_number_reaches_the_devices_that_inherit_it() -> None:
    path = "devices.plasmaflo-op-08w.inlet_flow"
    assert catalog.written_at("devices.evacure-ec-4a.inlet_flow") == path
    with catalog.altered(path, "140 mL/min"):
        assert catalog.device("evacure-ec-4a").inlet_flow == pytest.approx(140)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("solutes.igg.half_life", "21 d", r"solutes\.igg\.half_life is no number of the catalog"),
        ("solutes.igg.catabolism", "21 d", "is no number"),
        ("solutes.bogus.initial", "1 g/L", "is no number"),
        ("igg", "1 g/L", "is no number"),
        ("solutes.igg.initial", "10", "expected a mass concentration"),
        ("solutes.igg.initial", "-1 g/L", "at least 0"),
        ("solutes.igg.intravascular_fraction", "101 %", "between 0 % and 100 %"),
        ("devices.tr-350.treatment.columns", "1.1", "1 or 2"),
    ],
)
def test_a_number_is_only_altered_to_what_it_can_be(path: str, value: str, complaint: str) -> None:
    with pytest.raises(CatalogError, match=complaint), catalog.altered(path, value):
        pass
    assert catalog.solute("igg").initial == 10.0


# ---- the bibliography


def test_bibliography_is_well_formed() -> None:
    references = catalog.references()
    assert len(references) > 50
    assert "assumed" not in references
    for key, reference in references.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key)
        assert len(reference.citation) > 15
        assert isinstance(reference.doi, str)
        assert not reference.doi or re.fullmatch(r"10\.\d{4,}/\S+", reference.doi)
        assert isinstance(reference.pmid, str)
        assert not reference.pmid or re.fullmatch(r"\d{5,8}", reference.pmid)


def test_bibliography_holds_what_scenarios_and_equations_cite() -> None:
    cited = """mercure-corriveau-2023 albahra-2016 linnik-2018 khatri-2009 morelli-2013 guptill-2016
        orlin-1980 ohkubo-2016 reverberi-2007 kramer-2003 nadler-1962 lemmens-2006 icsh-1995
        kaplan-1992 chaplin-1953 landis-pappenheimer kim-2007 valenzuela-2025 cheng-2025"""
    assert set(cited.split()) <= set(catalog.references())


def test_the_keys_of_the_bibliography_are_known_without_reading_it() -> None:
    assert list(catalog.reference_keys()) == list(catalog.references())
    assert len(catalog.reference_keys()) > 100
