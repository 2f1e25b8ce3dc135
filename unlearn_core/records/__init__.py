"""What Lethe writes down: frozen, strict, with one canonical byte form and one digest."""
