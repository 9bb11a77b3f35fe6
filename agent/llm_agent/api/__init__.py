"""The HTTP face of a model server: one file per family of routes."""
