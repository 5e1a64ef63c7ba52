"""Invented clinics with known truth: input of demo and benchmark, yardstick of recovery tests."""
