"""Tests of the questionnaire files."""
