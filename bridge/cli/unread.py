"""Standard output whose reader may leave before the end, as ``head`` does."""

import os
import sys

import click


def echo_while_read(text: str) -> None:
    """
    Print *text*, or nothing any more once nobody reads: what is done beside the printing is done all the same.

    What only prints should end instead, as click has it by itself.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        # By its number: what waits in the buffer is written when the process ends, and would fail there again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
