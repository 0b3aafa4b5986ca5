"""`likeness train`: messages.jsonl in, a model folder out, with the progress drawn."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from likeness import masking
from likeness.card import RunCard
from likeness.cli.console import count_progress, remarks, results, run_folder, table
from likeness.cli.signals import HANG_UP, Handler, handled, heeded
from likeness.cli.tune import choose_sampling
from likeness.errors import Interrupted, LikenessError
from likeness.texts import counted

if TYPE_CHECKING:
    from likeness.card import RunCard
    from training.config import TrainConfig
    from training.run import Balance, Evaluation, Step


def _explain_settings(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from training.config import explain

    results().print(table("What --set takes", ["setting", "meaning"], explain()))
    ctx.exit()


@click.command()
@click.argument("messages", type=click.Path(path_type=Path))
@click.option("--run", "name", required=True, metavar="NAME", help="Becomes runs/NAME.")
@click.option(
    "--base",
    default="gpt2",
    show_default=True,
    help="A model that transformers loads from the hub, a local folder, or, without a download, "
    "`starter`: the small model that comes with Likeness, or `scratch`: one from nothing.",
)
@click.option("--as", "speaker", metavar="SPEAKER", help="Play this speaker instead of the owner.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="See --settings.")
@click.option(
    "--tune/--no-tune",
    default=True,
    show_default=True,
    help="At the end, choose how the model replies: see `likeness tune`.",
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the run.")
@click.option(
    "--settings",
    "_explain",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_explain_settings,
    help="List what --set takes, and exit.",
)
def train(
    messages: Path, name: str, base: str, speaker: str | None, settings: tuple[str, ...], *,
    tune: bool, resume: bool,
) -> None:  # fmt: skip
    """Fine-tune a language model on MESSAGES to write as you do."""
    from training.config import TrainConfig
    from training.run import train as train_run
    from training.team import joined

    if not name:
        raise click.BadParameter("a run needs a name.", param_hint="--run")
    config = TrainConfig.from_settings(settings, base=base)
    run = run_folder(name)
    click.get_current_context().with_resource(_ended_as_by_ctrl_c())
    command = _going_on(messages, name, base, speaker, config, tune=tune)
    with joined() as team, _one_voice(leads=team.leads) as console, Drawing(console) as drawing:
        card = train_run(
            messages, run, base=base, config=config, speaker=speaker, resume=resume,
            watch=drawing, team=team, command=f"{team.launcher}{command}",
        )  # fmt: skip
    if not team.leads:
        return
    _print_gain(results(), card)
    lesson = team.size == 1 and bool(config.last_lesson and card.data["held_out"])
    if tune:
        with _whole_when_stopped(run, "while choosing how it replies", lesson=lesson):
            choose_sampling(run, device=config.device)
    if lesson:
        _teach_held_out(messages, run, config, speaker)
    results().print(f"{card.me} is in {run}. Talk to it: likeness chat {name}", markup=False)


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, and a terminal that closes, do what Ctrl-C does, whatever is at work."""
    handlers: dict[int, Handler] = {signal.SIGTERM: signal.default_int_handler}
    if HANG_UP and heeded(HANG_UP):
        handlers[HANG_UP] = lambda *_: signal.raise_signal(signal.SIGTERM)
    with handled(handlers):
        yield


def _going_on(
    messages: Path, name: str, base: str, speaker: str | None, config: "TrainConfig", *, tune: bool
) -> str:
    """Return the command that goes on with a run."""
    words = ["likeness", "train", str(messages), "--run", name, "--base", base]
    if speaker is not None:
        words += ["--as", speaker]
    for setting in config.changed(base=base):
        words += ["--set", setting]
    if not tune:
        words.append("--no-tune")
    return shlex.join([*words, "--resume"])


def _teach_held_out(messages: Path, run: Path, config: "TrainConfig", speaker: str | None) -> None:
    from training.last_lesson import teach_held_out

    bar = count_progress("The last lesson")
    task = bar.add_task("", total=None)
    with _whole_when_stopped(run, "in the last lesson", lesson=True), bar:
        steps = teach_held_out(
            messages, run, config, speaker,
            lambda step, of: bar.update(task, completed=step, total=of),
        )  # fmt: skip
    if steps:
        results().print("Now that all is measured, the held-out messages have taught it, too.")


@contextmanager
def _whole_when_stopped(run: Path, where: str, *, lesson: bool) -> Iterator[None]:
    """Say at Ctrl-C where that was, and what there is.

    Args:
        run: The finished run's folder.
        where: What was going on.
        lesson: Whether what is held out was to teach.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        lacks = lesson and not RunCard.read(run).metrics.get("last_lesson_steps")
        but = "but the held-out messages have not taught it, and" if lacks else "and"
        raise Interrupted(
            f"Stopped {where}: the model in {run} is whole, {but} how it replies is chosen anew "
            "by `likeness tune`."
        ) from stop


@contextmanager
def _one_voice(*, leads: bool) -> Iterator[Console]:
    """Give the console that remarks go to; of several processes only the first one says things."""
    if leads:
        yield remarks()
        return
    try:
        yield Console(quiet=True)
    except LikenessError as error:
        raise SystemExit(1) from error


class Drawing:
    """Draws a run as it goes, to standard error: remarks, held-out figures, a progress bar."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held_out: Evaluation | None = None
        self._progress = Progress(
            BarColumn(bar_width=12),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[figures]}"),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def corpus(self, balance: "Balance") -> None:
        """Print where my messages went."""
        reasons = "".join(f" + {count:,} {why}" for why, count in balance.left_out.items())
        self._console.print(
            f"{counted(balance.mine, 'message')} of mine = {balance.train:,} that teach + "
            f"{balance.held_out:,} held out{reasons}",
            markup=False,
        )
        if balance.masked:
            self._console.print(masking.account(balance.masked), markup=False)
        if not balance.held_out:
            self._console.print("None is held out: nothing will tell how good it gets.")

    def base(self, description: str) -> None:
        """Print what is trained."""
        self._console.print(description, markup=False)

    def evaluated(self, step: int, evaluation: "Evaluation") -> None:
        """Print how well the held-out messages are predicted at first; then show it at the bar."""
        if self._held_out is None:
            self._console.print(
                f"Held-out perplexity of my words at step {step:,}: {evaluation.perplexity:,.1f} "
                f"({evaluation.nats_per_character:.3f} nats a character)"
            )
        self._held_out = evaluation

    def stepped(self, step: "Step") -> None:
        """Move the bar."""
        held_out = f", held out {self._held_out.perplexity:,.1f}" if self._held_out else ""
        memory = f", {step.peak_bytes / 1e9:.1f} GB" if step.peak_bytes else ""
        # Two lines, so that a terminal of 80 columns holds them.
        figures = (
            f"loss {step.loss:.3f}{held_out}, {timedelta(seconds=round(step.seconds_left))} left\n"
            f"{step.tokens_per_second:,.0f} tokens/s, {step.targets_per_second:,.0f} of mine, "
            f"{step.share_of_peak:.0%} of peak{memory}"
        )
        if self._task is None:
            self._task = self._progress.add_task("Training", total=step.of, figures="")
        self._progress.update(self._task, completed=step.step, figures=figures)

    def saved(self, path: Path) -> None:
        """Say nothing: a checkpoint is no news until it is needed."""


def _print_gain(console: Console, card: "RunCard") -> None:
    before, after = card.metrics["before"], card.metrics["after"]
    if before and after:
        console.print(
            f"Held-out perplexity of my words: {before['perplexity']:,.1f} before, "
            f"{after['perplexity']:,.1f} after training"
        )
