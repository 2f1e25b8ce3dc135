"""One file per step. A step that was released never changes."""
