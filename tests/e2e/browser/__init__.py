"""A real browser, driven as a person would."""
