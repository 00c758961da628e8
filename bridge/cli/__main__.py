"""``python -m bridge.cli``: the command line without its script, by the interpreter at hand."""

from bridge.cli import main

if __name__ == "__main__":
    main()
