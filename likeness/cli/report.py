"""`likeness report`: the page of a finished run, made again."""

import click

from likeness.cli.console import results, run_folder


@click.command()
@click.argument("name")
def report(name: str) -> None:
    """Write report.html of the model NAME again, from what its run has kept.

    The page holds people's words; only you may read the file.
    """
    from training.report import report_again

    results().print(f"The report is {report_again(run_folder(name))}", markup=False)
