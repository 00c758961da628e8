"""The way of a write action: submit, deliver, sync. Each step can be run again after a crash at any instruction."""
