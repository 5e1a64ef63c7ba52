"""Tests of the languages the pages are written in."""
