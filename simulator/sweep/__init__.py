"""Sweeps: one scenario with many changes."""
