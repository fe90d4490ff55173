"""Ways to spoil the program, and the test that must notice each.

A row is a file, a text that stands in it exactly once, what it becomes, and the test. So a row
whose text has changed fails and cannot rot. Signs alone are not in the table: all of them are
turned round by machine, see `SIGNS`.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENT, MACHINE = "simulator/patient", "simulator/machine"
RATES = "test_rates_by_hand.py::test_all_rates_of_a_state_in_which_everything_happens"
REST = "test_patient.py::test_a_patient_left_alone_stays_as_he_is"
BALANCE = "test_patient.py::test_nothing_appears_or_vanishes"
IN_LINE = "test_extracorporeal.py::test_nothing_appears_or_vanishes_in_a_plasma_line"
READ = "test_flows_by_hand.py::test_what_is_read_from_flows_is_the_sum_that_their_names_say"
EXCHANGE = "test_flows_by_hand.py::test_the_flows_of_an_exchange"
DOUBLE = "test_flows_by_hand.py::test_the_flows_of_a_double_filtration"
COUNTED = "test_flows_by_hand.py::test_a_tally_counts_every_flow_for_its_minutes_and_adds_up"
RINSE = "test_flows_by_hand.py::test_a_rinse_gives_back_what_it_displaces_and_saline_beyond"
LINE = "test_flows_by_hand.py::test_what_recirculates_solves_the_mass_balance_of_the_return_line"
CELLS = "test_minerals.py::test_red_cells_given_reach_the_patient_and_water_is_the_rest"
LESS = "test_laws.py::test_less_synthesis_and_more_blockade_each_leave_less"


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One way to spoil one file."""

    path: str
    old: str
    new: str
    test: str


TABLE = [
    Sabotage(f"{PATIENT}/{file}.py", old, new, test)
    for file, old, new, test in [
        # terms dropped, fluxes doubled
        ("equations", "made + given - broken_down", "2 * made + given - broken_down", REST),
        ("equations", "made + given - broken_down", "made - broken_down", BALANCE),
        ("equations", "- broken_down - escaping", "- escaping", REST),
        ("equations", "d_interstitium.append(escaping - returning)",
         "d_interstitium.append(escaping)", RATES),
        ("equations", "inflow.water - filtered - excreted", "inflow.water - filtered", BALANCE),
        ("equations", "            filtered,\n            inflow.red_cells",
         "            0.0,\n            inflow.red_cells", BALANCE),
        ("equations", "inflow.citrate - metabolized", "inflow.citrate", BALANCE),
        ("equations", "inflow.calcium + released", "inflow.calcium", RATES),
        ("equations", "synthesized.append(made)", "synthesized.append(at_rest)", BALANCE),
        ("equations", "catabolized.append(broken_down)", "catabolized.append(escaping)", BALANCE),
        ("equations", "s.synthesis_at_rest * fraction", "s.synthesis_at_rest", LESS),
        ("equations", "flow * (1 - fluid.hematocrit) for", "flow for", CELLS),
        ("equations", "if protected:", "if not protected:", RATES),
        ("equations", "excreted, metabolized, released,", "excreted, released, metabolized,",
         RATES),
        # the way out of the circuit and back
        ("extracorporeal", "leaving = exchange.circuit_to_waste + exchange.plasma_to_patient",
         "leaving = exchange.circuit_to_waste", RATES),
        ("extracorporeal", "d_body[0] += plasma_back + added_back - plasma_out",
         "d_body[0] += plasma_back - plasma_out", BALANCE),
        ("extracorporeal", "d_body[2] += cells_back - filling_cells",
         "d_body[2] += cells_back - 2 * filling_cells", BALANCE),
        ("extracorporeal", "out = s * drawn * p", "out = drawn * p",
         "test_extracorporeal.py::test_what_a_membrane_holds_back_leaves_more_slowly"),
        ("extracorporeal", "d_plasma[i] += back - out", "d_plasma[i] -= out", BALANCE),
        ("extracorporeal", "            d_plasma[i] += mass", "            d_plasma[i] += 2 * mass",
         IN_LINE),
        ("extracorporeal", "free = 1 - bound / capacity", "free = 1.0",
         "test_extracorporeal.py::test_a_column_that_saturates_agrees_with_an_integration_by_hand"),
        ("extracorporeal", "again = [t * (m - b) for", "again = [t * m for", IN_LINE),
        ("extracorporeal", "passage.share(passage.return_sieving, s.kin, 1.0)",
         "passage.share(passage.sieving, s.kin, 1.0)", RATES),
        ("extracorporeal", "d_outside[6] = on_column[IGG]", "d_outside[6] = again[IGG]", RATES),
        # proteins, water, minerals
        ("proteins", "return escape * plasma, lymph_return * interstitial",
         "return lymph_return * plasma, escape * interstitial", REST),
        ("proteins", "protected_fraction * (1 - fcrn_blockade) * free", "protected_fraction * free",
         LESS),
        ("proteins", "power(oncotic_ratio, -gain)", "power(oncotic_ratio, gain)", RATES),
        ("proteins", "return plasma * (1 - intravascular_fraction) / intravascular_fraction",
         "return 2 * plasma * (1 - intravascular_fraction) / intravascular_fraction", REST),
        ("water", "hydrostatic_rise - oncotic_rise)", "hydrostatic_rise)",
         "test_patient.py::test_losing_oncotic_pressure_moves_water_out_and_albumin_holds_it"),
        ("water", "return albumin * per_albumin + globulin * per_globulin",
         "return albumin * per_albumin",
         "test_patient.py::test_oncotic_pressures_are_those_measured"),
        ("water", "water_excess / RENAL_TIME", "2 * water_excess / RENAL_TIME", RATES),
        ("minerals", "release * (hormone - 1)", "release * hormone", REST),
        ("minerals", "clearance * (citrate - CITRATE_AT_REST)", "clearance * citrate", REST),
        ("minerals", "(1 - hormone + STORE_REFILL * (1 - store)) / STORE_TIME",
         "(1 - hormone) / STORE_TIME", RATES),
        # what is read from the state, what the ledger is told
        ("state", "globulin = (plasma[IGG] + plasma[OTHER_GLOBULINS]) * per_dl",
         "globulin = plasma[IGG] * per_dl", RATES),
        ("state", "synthesis_at_rest=at_rest * plasma_mass",
         "synthesis_at_rest=2 * at_rest * plasma_mass", REST),
        ("state", "state[5],\n            state[3],", "state[3],\n            state[5],", REST),
        ("books", 'made, source="synthesis", target=IN_CIRCULATION',
         'made, source=IN_CIRCULATION, target="synthesis"', BALANCE),
        ("books", 'post(solute.name, broken_down, source=IN_CIRCULATION, target="catabolism")',
         "pass", BALANCE),
        ("books", "source = PLASMA_LINE if fluxes.treated else IN_CIRCULATION",
         "source = IN_CIRCULATION", IN_LINE),
        ("books", "post(solute.name, bound, source=PLASMA_LINE, target=ADSORBER)",
         "post(solute.name, bound, source=ADSORBER, target=PLASMA_LINE)", IN_LINE),
        ("books", "flow * minutes, target=\"waste\"", "flow * minutes",
         "test_devices.py::test_books_close_where_the_return_is_drawn_again"),
        ("books", "rate * minutes, source=", "rate, source=", BALANCE),
        ("patient", "if min(self.state[self.layout.patient]) >= -NEGLIGIBLE:", "if True:",
         "test_laws.py::test_a_volume_given_away_is_refused_before_it_is_negative"),
    ]
] + [
    Sabotage(f"{MACHINE}/{file}.py", old, new, test)
    for file, old, new, test in [
        ("pumps", "plasma = settings.discarded * separated", "plasma = separated", DOUBLE),
        ("pumps", "room = settings.fluid_balance * plasma - anticoagulant - settings.calcium_flow",
         "room = settings.fluid_balance * plasma - anticoagulant", EXCHANGE),
        ("pumps", "patient_plasma=plasma * patients_share,", "patient_plasma=plasma,", EXCHANGE),
        ("pumps", "plasma_processed=blood * (1 - hematocrit)", "plasma_processed=blood", EXCHANGE),
        ("pumps", "channel_hematocrit / settings.margin", "channel_hematocrit", EXCHANGE),
        ("pumps", "own = share(flows.patient_plasma)", "own = share(flows.treated)", LINE),
        ("pumps", "recirculated=(1 - own) * flows.patient_plasma", "recirculated=0.0", LINE),
        ("pumps", "self.anticoagulant_removed + self.anticoagulant_kept + self.anticoagulant_back",
         "self.anticoagulant_removed + self.anticoagulant_kept", READ),
        ("separators", "return inlet_flow * (1 - hematocrit / self.packed_hematocrit)",
         "return inlet_flow * (1 - hematocrit)", EXCHANGE),
        ("separators", "return self.cells(hematocrit) / hematocrit",
         "return 2 * self.cells(hematocrit) / hematocrit",
         "test_flows_by_hand.py::test_a_bowl_is_packed_by_the_cells_of_what_it_draws"),
        ("separators", "return self.eased * ordered", "return ordered",
         "test_flows_by_hand.py::test_a_membrane_filters_its_fraction_until_the_blood_is_too_thick"),
        ("separators", "self._lost_per_volume(flow) * flow * minutes",
         "self._lost_per_volume(flow) * minutes",
         "test_flows_by_hand.py::test_a_membrane_fouls_by_volume_and_pressure_until_its_limit"),
        ("rinseback", "content / flow)", "2 * content / flow)", RINSE),
        ("rinseback", "    if beyond > 0:", "    if beyond < 0:", RINSE),
        ("tally", "reaches = 1 - flows.share_recirculated", "reaches = 1.0", COUNTED),
        ("tally", "flows.replacement * minutes", "2 * flows.replacement * minutes", COUNTED),
        ("tally", "flows.anticoagulant - flows.anticoagulant_kept + flows.anticoagulant_released",
         "flows.anticoagulant - flows.anticoagulant_kept", COUNTED),
    ]
]  # fmt: skip

VOLUMES = [
    "test_patient.py::test_volumes_are_those_of_the_published_formulas",
    "test_patient.py::test_the_f_cell_ratio_moves_volume_from_red_cells_to_plasma",
    "test_patient.py::test_stated_volumes_are_taken_as_stated",
    "test_patient.py::test_a_stated_blood_volume_alone_leaves_the_plasma_that_the_hematocrit_says",
]
SIGNS = {
    f"{PATIENT}/equations.py": [
        "test_rates_by_hand.py",
        "test_patient.py::test_a_volume_that_falls_to_zero_is_an_error_with_time_and_cause",
        "test_patient.py::test_rates_of_an_empty_patient_are_none_and_as_many_as_ever",
    ],
    f"{PATIENT}/extracorporeal.py": ["test_rates_by_hand.py"],
    f"{PATIENT}/proteins.py": ["test_rates_by_hand.py"],
    f"{PATIENT}/water.py": ["test_rates_by_hand.py"],
    f"{PATIENT}/minerals.py": ["test_rates_by_hand.py"],
    f"{PATIENT}/books.py": [CELLS],
    f"{PATIENT}/state.py": ["test_rates_by_hand.py"],
    f"{PATIENT}/volumes.py": VOLUMES,
    f"{MACHINE}/pumps.py": ["test_flows_by_hand.py"],
    f"{MACHINE}/separators.py": ["test_flows_by_hand.py"],
    f"{MACHINE}/rinseback.py": ["test_flows_by_hand.py"],
    f"{MACHINE}/tally.py": ["test_flows_by_hand.py"],
}
"""Files in which every plus and minus is turned round, one at a time, and the tests that notice."""

START = "only where Newton's method starts"
NO_SIGN = {
    "return d_outside, wasted [+] passing": "joins two lists",
    "albumin = state[BODY [+] ALBUMIN] + state[BODY + solutes + ALBUMIN]": "ALBUMIN is place 0",
    "albumin = state[BODY + ALBUMIN] + state[BODY + solutes [+] ALBUMIN]": "ALBUMIN is place 0",
    "return 1000 * state[BODY [+] ALBUMIN] / state[0]": "ALBUMIN is place 0",
    "metal = calcium [+] magnesium": START,
    "half = metal / (calcium * k1 / calcium_liters [+] magnesium * k2 / magnesium_liters)": START,
    "room = citrate_liters * half + metal [-] citrate": START,
    "free = held / (room + square_root(room * room [+] 2 * citrate_liters * held))": START,
}
"""Signs, as marked, that say nothing or something else, and why."""

ENDLESS = {"minutes [-]= elapsed"}
"""Signs that make a loop endless: noticed by the limit of time."""
