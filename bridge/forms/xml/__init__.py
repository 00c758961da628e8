"""Forms in XML, held against their XSD by either of two engines."""
