"""Looks at an unknown export and drafts a mapping for it. Guesses are made here and nowhere at night."""
