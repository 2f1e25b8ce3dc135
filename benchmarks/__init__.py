"""What is measured, and its committed results."""
