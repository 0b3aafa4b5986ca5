"""The command: parse, wire, print.

Each command imports its stage when it runs, so that `likeness --help` loads neither torch nor a
bot library.
"""

import errno
import io
import os
import sys
from typing import Any, NoReturn

import click

from likeness import __version__
from likeness.cli.chat import chat
from likeness.cli.check import check
from likeness.cli.db import db
from likeness.cli.doctor import doctor
from likeness.cli.export import export
from likeness.cli.logs import configure_logging
from likeness.cli.quiz import quiz
from likeness.cli.report import report
from likeness.cli.serve import serve
from likeness.cli.train import train
from likeness.cli.tune import tune
from likeness.errors import Interrupted, LikenessError
from likeness.texts import harmless

_STRICT = ("strict", "surrogateescape")  # the latter, just as strict with letters, in the C locale
_NOT_TAKEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _OneLine(click.Group):
    """A group that prints our errors as one line; any other is a bug and keeps its traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; what the terminal or file cannot take of its words is left out."""
        if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in _STRICT:
            sys.stdout.reconfigure(errors="replace")
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _NOT_TAKEN:
                raise
            # What waits to be printed would be tried once more at the very end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _end(LikenessError(f"Nothing more can be written: {error.strerror}."), error)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LikenessError as error:
            _end(error, error)
        except KeyboardInterrupt as stop:
            _end(Interrupted("Stopped."), stop)


def _end(error: LikenessError, cause: BaseException) -> NoReturn:
    click.ClickException(harmless(str(error))).show()
    raise SystemExit(error.exit_code) from cause


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Log what happens in detail, to standard error.")
def main(*, debug: bool) -> None:
    """Turn your own chat history into a bot that talks like you."""
    configure_logging(debug=debug)


for command in (export, check, train, tune, report, quiz, chat, serve, doctor, db):
    main.add_command(command)
