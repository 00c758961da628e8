"""What people are told, in nb, nn and en: problems, findings, and what a dialog says of a press."""
