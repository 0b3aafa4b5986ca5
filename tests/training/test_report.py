"""What a run leaves for people: a page, a README, and replies beside mine."""

import json
import re
import stat
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.card import RunCard
from likeness.cli.console import run_folder
from likeness.errors import ModelNotFound
from likeness.messages import Message
from likeness.quotes import OthersWords, runs
from tests.training.conftest import Memory, learn
from training.config import TrainConfig
from training.measures import measures
from training.moments import Moment, draw_moments, read_moments
from training.page import _shares, page
from training.portions import Portion, portions
from training.readme import readme
from training.report import compare, quoting, report_again
from training.run import train
from training.style import STYLE
from training.survey import survey

pytestmark = pytest.mark.slow

Write = Callable[[Iterable[Message]], Path]


@pytest.fixture
def run(
    chat: list[Message], write: Write, tiny: Callable[..., TrainConfig], memory: Any, tmp_path: Path
) -> Path:
    config = tiny("epochs=2", "held_out_share=0.3")
    path, folder = write(chat), tmp_path / "runs" / "me"
    train(path, folder, base="scratch", config=config, speaker=None, resume=False, watch=memory)
    path.unlink()
    return folder


class _Page(HTMLParser):
    """Collects what a page would fetch, and holds its elements against each other."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_by_itself_and_only_its_owner_may_read_it(run: Path) -> None:
    for name in ("report.html", "report.json"):
        assert stat.S_IMODE((run / name).stat().st_mode) == 0o600
    text = (run / "report.html").read_text(encoding="utf-8")
    found = _Page(text)
    assert found.fetched == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert "script" not in found.seen
    assert found.seen.count("svg") == 7
    assert "Only you may read the file" in text
    assert RunCard.read(run).metrics["after"]["perplexity"] > 1
    assert f"{RunCard.read(run).metrics['after']['perplexity']:,.1f}" in text


def test_replies_that_hold_others_words_are_counted(run: Path) -> None:
    secret = "the key to the cabin is under the third stone"
    written = [[secret], ["hm", f"well, {secret}!"], [], ["the key", "to the cabin is under"]]
    assert quoting(written, OthersWords(sorted(runs(secret)))) == 2
    kept = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert kept["quoting"] == 0
    card = json.loads((run / "likeness.json").read_text(encoding="utf-8"))
    assert f"<b>0</b> of the {len(kept['me'])} replies" in page(card, [], kept)
    # To choose a setting it replies at fewer moments, and those replies stand in the report.
    chosen = compare(read_moments(run)[:1], [["hm"]])
    assert f"<b>0</b> of the {len(kept['me'])} replies" in page(card, [], kept | chosen)
    del kept["replied"]
    assert "<b>0</b> of the replies that" in page(card, [], kept | chosen)


def test_a_run_keeps_what_others_wrote_held_out_or_not(
    say: Callable[..., Message], write: Write, tiny: Callable[..., TrainConfig], tmp_path: Path
) -> None:
    texts = [f"number {n} of the many things that ann has to tell" for n in range(20)]
    chat = [said for text in texts for said in (say("ann", text), say("me", f"{text} to me"))]
    told = [say("ann", "and this is a thing that i never said to anybody at all"), say("me", "oh")]
    path, config = write([*told, *chat, *told]), tiny("epochs=1", "report_replies=0")
    learn(path, tmp_path / "run", Memory(), config)
    others = OthersWords.load(tmp_path / "run")
    assert others.quoted_in(told[0].text)
    assert not others.quoted_in(texts[3])


def test_a_page_without_what_the_run_told_has_no_curves(run: Path) -> None:
    (run / "metrics.jsonl").unlink()
    text = report_again(run).read_text(encoding="utf-8")
    assert _Page(text).seen.count("svg") == 5
    assert "Loss, in nats a token" not in text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.jsonl", '{"step": 1, "loss": NaN}'),
        ("metrics.jsonl", '{"step": 1, "loss": 2}\n{"step": 2, "loss": Infinity}'),
        ("likeness.json", {"metrics": {}, "data": {}}),
        ("report.json", {"pairs": 3}),
    ],
)
def test_a_report_of_what_is_damaged_is_refused_in_a_sentence(
    run: Path, name: str, content: str | dict[str, Any]
) -> None:
    if isinstance(content, dict):
        content = json.dumps(json.loads((run / name).read_text(encoding="utf-8")) | content)
    (run / name).write_text(content, encoding="utf-8")
    before = (run / "report.html").read_bytes()
    with pytest.raises(ModelNotFound, match="lacks what a report is made of, or is damaged"):
        report_again(run)
    assert (run / "report.html").read_bytes() == before


def test_a_report_is_made_again_without_the_messages(run: Path) -> None:
    before = (run / "report.html").read_text(encoding="utf-8")
    (run / "report.html").unlink()
    assert report_again(run) == run / "report.html"
    assert (run / "report.html").read_text(encoding="utf-8") == before
    for content in ("[]", "{}", "{", None):
        (run / "report.json").write_text(content) if content else (run / "report.json").unlink()
        with pytest.raises(ModelNotFound, match=r"report\.json is missing or damaged"):
            report_again(run)


def test_the_readme_tells_figures_and_no_words(run: Path, chat: list[Message]) -> None:
    text, card = (run / "README.md").read_text(encoding="utf-8"), RunCard.read(run)
    assert f"| nats per character | {card.metrics['before']['nats_per_character']:.3f} |" in text
    assert "word for word" in text
    assert "`held_out.json` some more\nas token ids" in text
    assert not any(message.text in text for message in chat)


def test_the_replies_are_the_models_beside_mine(run: Path, chat: list[Message]) -> None:
    compared = json.loads((run / "report.json").read_text(encoding="utf-8"))
    said = {message.text for message in chat if message.outgoing}
    assert len(compared["me"]) == len(compared["model"]) == len(compared["pairs"]) == 3
    for pair in compared["pairs"]:
        assert set(pair["me"]) <= said
        assert not pair["context"][-1]["mine"]


def test_moments_are_held_out_and_begin_with_my_first_word(
    say: Callable[..., Message], write: Write
) -> None:
    path = write(
        say("me" if number % 3 else "ann", f"{number}", after=10 if number % 30 else 10**6)
        for number in range(120)
    )
    config = TrainConfig(held_out_share=0.25)
    found = survey(path)
    for most in (5, 1000):
        moments = draw_moments(portions(path, found, config), most, seed=1)
        assert len(moments) == min(most, 10)
        for moment in moments:
            assert int(moment.mine[0].text) >= 90
            assert not moment.context[-1].outgoing
            assert [int(message.text) % 3 for message in moment.mine] == [1, 2]
    assert draw_moments([Portion([say("me", "first")], 0)], 5, seed=0) == []


def test_what_i_passed_on_is_no_reply_of_mine(say: Callable[..., Message]) -> None:
    burst = [say("me", "look"), say("me", "Breaking", kind="forwarded"), say("me", "wow")]
    (moment,) = draw_moments([Portion([say("ann", "hi"), *burst], 0)], 5, seed=0)
    assert [message.text for message in moment.mine] == ["look", "wow"]
    assert compare([moment], [["x"]])["pairs"][0]["me"] == ["look", "wow"]


def test_measures_count_letters_messages_and_emoji(say: Callable[..., Message]) -> None:
    moment = Moment([say("ann", "hi")], [say("me", "abc 🙂🎉"), say("me", "de")])
    compared = compare([moment], [["x"]])
    assert compared["me"] == [{"characters": 8, "messages": 2, "emoji": 2}]
    assert compared["model"] == [{"characters": 1, "messages": 1, "emoji": 0}]


def test_an_emoji_of_several_characters_is_one(say: Callable[..., Message]) -> None:
    for emoji in (
        "👍🏽",
        "🇩🇪",
        "👩\u200d👩\u200d👧",
        "❤️",
        "🐈\u200d⬛",
        "⭐",
        "🏴\U000e0067\U000e007f",
    ):
        assert measures([f"{emoji} yes {emoji}{emoji}"])["emoji"] == 3
    assert measures(["¼ © 7 → no"])["emoji"] == 0


def test_of_settings_that_are_as_good_one_is_the_best_and_named(run: Path) -> None:
    kept = json.loads((run / "report.json").read_text(encoding="utf-8"))
    card = json.loads((run / "likeness.json").read_text(encoding="utf-8"))
    trials = [{"temperature": t, "top_p": 1.0, "misfit": {"emoji": 0.0}} for t in (0.7, 0.9)]
    text = page(card, [], kept | {"trials": trials})
    assert text.count("class=best") == text.count("<tr class=best><td>0.7</td>") == 1
    assert "temperature: temperature 0.7, top-p 1, min-p 0." in text
    trials[1]["chosen"] = True
    assert "<tr class=best><td>0.9</td>" in page(card, [], kept | {"trials": trials})


def test_one_moment_is_told_as_one(run: Path, say: Callable[..., Message]) -> None:
    card = json.loads((run / "likeness.json").read_text(encoding="utf-8"))
    one = compare([Moment([say("ann", "hi")], [say("me", "yo")])], [["hey"]])
    assert "the same 1 held-out moment<" in page(card, [], one)


def test_whatever_is_written_from_right_to_left_or_without_a_space_stays_in_its_place() -> None:
    assert re.search(r"article p,[^{]*\.choices p,[^{]*cite\{[^}]*unicode-bidi:plaintext", STYLE)
    assert re.search(r"body\{[^}]*overflow-wrap:break-word", STYLE)
    assert re.search(r"cite\{[^}]*overflow-wrap:anywhere", STYLE)


def test_a_plot_can_be_read_on_a_phone() -> None:
    assert re.search(r"@media\(max-width:520px\)\{[^@]*svg text\{font-size:18px\}", STYLE)


def test_colours_are_printed_too_as_they_tell_me_from_the_model() -> None:
    assert "@media print{*{print-color-adjust:exact" in STYLE


def test_whatever_people_wrote_is_text_on_the_page(run: Path, say: Callable[..., Message]) -> None:
    evil = "<script>alert('&')</script>"
    compared = compare([Moment([say(evil, evil)], [say("me", evil)])], [[evil]])
    card = json.loads((run / "likeness.json").read_text()) | {"me": evil, "name": evil}
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    text = page(card, lines, compared)
    assert "<script" not in text
    assert "&lt;script&gt;alert" in text


def test_a_run_without_evaluation_has_a_page_too(
    say: Callable[..., Message], write: Write, tiny: Callable[..., TrainConfig], memory: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    path = write([say("ann", "hi"), say("me", "yo")])
    train(
        path, tmp_path / "run", base="scratch", config=tiny(), speaker=None, resume=False,
        watch=memory,
    )  # fmt: skip
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert _Page(text).seen.count("svg") == 1
    assert "too few to hold any out" in (tmp_path / "run" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_model_of_which_nothing_is_held_out_says_why(share: float) -> None:
    data = {"messages": 60, "train": 30, "held_out": 0, "left_out": {}}
    metrics = {"before": None, "after": None}
    told = readme(
        RunCard(
            "juno", "Juno", "x", 64, 60.0, settings={"held_out_share": share}, data=data,
            metrics=metrics,
        )
    )  # fmt: skip
    assert ("too few" in told) == bool(share)
    assert "held_out.json" not in told
    assert "`words.txt` holds all their words.\n" in told
    assert "never learnt from" not in told


def test_a_name_is_no_markup_in_the_readme() -> None:
    data = {"messages": 60, "train": 30, "held_out": 1, "left_out": {}}
    figures = {"perplexity": 2.0, "nats_per_character": 1.0}
    card = RunCard("juno", "<b>*J_u*\n# no", "x", 64, 60.0, data=data,
                   metrics={"before": figures, "after": figures})  # fmt: skip
    told = readme(card)
    name = r"\<b\>\*J\_u\* \# no"
    assert f"writes as **{name}** does" in told
    assert f"On 1 message of {name} that it" in told
    assert f"`<speaker1>` is {name}." in told


def test_how_to_talk_to_a_model_is_told_wherever_its_folder_is(run: Path) -> None:
    (command,) = re.findall("`likeness chat (.+?)`", (run / "README.md").read_text("utf-8"))
    assert run_folder(command.replace("path/to/this/folder", str(run))) == run


@given(st.lists(st.integers(0, 9), min_size=1))
def test_shares_are_of_all(values: list[int]) -> None:
    found = _shares(values, [("0", 1), ("1", 2), ("2-4", 5)])
    assert sum(found) == pytest.approx(1)
    assert found[0] == values.count(0) / len(values)
    assert found[3] == sum(value >= 5 for value in values) / len(values)
