"""Two chats of one name, which nothing but their messages tells from one chat exported twice.

Where an app has no ids for chats, their names serve. Of two exports of one chat that reach over the
same days, one has messages of the other; of two chats none has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

from exporters.account import Place, SourceAccount
from exporters.blocks import Block
from likeness.messages import Message

_NAMED_ONLY = frozenset({"whatsapp"})
_Span = tuple[float, float]


class Namesakes:
    """When the messages of each source were sent, for chats that have but a name."""

    def __init__(self) -> None:
        self._spans: defaultdict[Place, dict[int, _Span]] = defaultdict(dict)

    def note(self, found: Message | Block, source: int) -> None:
        """Take in a message, or many, of the source with this number."""
        if found.platform not in _NAMED_ONLY:
            return
        moments = [found.sent_at.timestamp()] if isinstance(found, Message) else found.moments
        spans = self._spans[found.platform, found.chat_id]
        first, last = spans.get(source, (moments[0], moments[0]))
        spans[source] = min(first, *moments), max(last, *moments)

    def tell(self, sources: list[SourceAccount], doubles: Counter[int]) -> None:
        """Say in the account of sources that they may be of two chats."""
        for one, other in self._apart(doubles):
            sources[other].remarks.append(
                f"It bears the name of {sources[one].name}, reaches over the same days and shares "
                "no message with it: if they are two chats, rename one of the files."
            )

    def _apart(self, doubles: Counter[int]) -> Iterator[tuple[int, int]]:
        for spans in self._spans.values():
            alone = [source for source in sorted(spans) if not doubles[source]]
            for one, other in combinations(alone, 2):
                (first, last), (begun, ended) = spans[one], spans[other]
                if first < ended and begun < last:
                    yield one, other
