"""What a press needs of each kind of target."""
