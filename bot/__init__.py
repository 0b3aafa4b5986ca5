"""The model folder, and people on platforms, to answers."""
