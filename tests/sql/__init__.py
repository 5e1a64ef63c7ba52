"""Tests of the SQL files, one by one."""
