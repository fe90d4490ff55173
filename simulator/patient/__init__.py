"""The patient: body fluids, proteins and minerals, advanced over stretches of constant exchange."""
