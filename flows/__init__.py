"""Verbs: the stages of the night. The only room that writes files, asks the clock or opens the database."""
