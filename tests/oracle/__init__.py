"""Tests of the SQL against a slow oracle in plain Python."""
