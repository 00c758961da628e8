"""What measures: each module is a command of its own, and asserts nothing about speed."""
