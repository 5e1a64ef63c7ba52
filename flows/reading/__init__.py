"""From the bytes of one export to canonical forms, sessions and episodes, set-based throughout."""
