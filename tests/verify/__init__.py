"""Tests of the comparison of figures with their second computations."""
