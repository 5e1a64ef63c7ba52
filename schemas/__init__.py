"""Nouns: what good data looks like, as data files with typed readers."""
