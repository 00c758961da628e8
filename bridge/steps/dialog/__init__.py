"""What a dialog is told, and what it shows."""
