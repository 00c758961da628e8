"""What is written into a dialog, and what it shows."""
