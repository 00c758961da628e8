"""XML to JSON and back, by an XSD."""
