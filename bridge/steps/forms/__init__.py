"""The form of a press: as it was sent, as an app calculates it, and as it shall be."""
