"""Tests of the SQL against the second computations."""
