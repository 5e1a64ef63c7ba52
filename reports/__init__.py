"""Paper: the rows of report.* become HTML pages; no arithmetic, no database, no clock, no files."""
