"""How each kind of model is loaded and asked: one file per kind, chosen by `table.LOADERS`.

Loader modules import their heavy libraries at the top; nobody imports a loader module before its
model is to be loaded.
"""
