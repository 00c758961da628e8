"""The mappings and schemas that ship with the bridge, as package data."""
