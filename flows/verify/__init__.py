"""Holds the figures of a published night against second computations and published cases."""
