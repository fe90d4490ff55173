"""A simulator of plasmapheresis: an apheresis machine, event by event, joined to a patient.

For teaching and research. Not for treating patients.
"""

__version__ = "0.1.0"
