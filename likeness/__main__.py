"""`python -m likeness`: the same as the command."""

from likeness.cli import main

main(prog_name="likeness")
