"""The command, however it is started: as `likeness`, or as `python -m likeness`."""

import sys


def start() -> None:
    """Run the command; Ctrl-C while it is being loaded ends it in one sentence, too."""
    try:
        from likeness.cli import main  # noqa: PLC0415  # the sentence must be there first
    except KeyboardInterrupt:
        sys.exit("Error: Stopped.")
    main(prog_name="likeness")


if __name__ == "__main__":
    start()
