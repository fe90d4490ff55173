"""What the program can show for itself: published cases, closed forms, and how it meets them.

A published case is one study in one YAML file (`tests/published/`, in the package when installed):
what was done, what was measured, where that is read in a run, and how much it may differ before the
row counts as missed. `format` says what stands in a file, `cases` reads it, `verdicts` runs the
cases and judges them, `closed_forms` holds the program against what can be calculated by hand, and
`verification` is all of it together.
"""
