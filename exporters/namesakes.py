"""Two chats of one name, and one chat under two, which nothing but their messages tells.

Where an app has no ids for chats, their names serve. Of two exports of one chat that reach over the
same days, one has messages of the other; of two chats none has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product

from exporters.account import Place, SourceAccount
from exporters.blocks import Block
from likeness.messages import Message

_NAMED_ONLY = frozenset({"whatsapp"})
_SAMPLE = 300
_FEWEST_SHARED = 5
"""As many messages two chats must share: what was sent to all at once is in each of them."""
_MOST_CHATS = 10
"""In how many chats a message may be and still tell that they are one."""
_Span = tuple[float, float]


class Namesakes:
    """When the messages of each source were sent, and some of them, for chats with but a name."""

    def __init__(self) -> None:
        self._spans: defaultdict[Place, dict[int, _Span]] = defaultdict(dict)
        self._samples: defaultdict[Place, _Sample] = defaultdict(_Sample)

    def note(self, found: Message | Block, source: int) -> None:
        """Take in a message, or many, of the source with this number."""
        if found.platform not in _NAMED_ONLY:
            return
        if isinstance(found, Message):
            moments, ids = [found.sent_at.timestamp()], [found.id.encode(errors="surrogatepass")]
        else:
            moments, ids = found.moments, found.ids
        place = found.platform, found.chat_id
        spans = self._spans[place]
        first, last = spans.get(source, (moments[0], moments[0]))
        spans[source] = min(first, *moments), max(last, *moments)
        self._samples[place].add(ids)

    def tell(self, sources: list[SourceAccount], doubles: Counter[int]) -> None:
        """Say in the account of sources that they may be of two chats, or of one."""
        for one, other in self._apart(doubles):
            sources[other].remarks.append(
                f"It bears the name of {sources[one].name}, reaches over the same days and shares "
                "no message with it: if they are two chats, rename one of the files."
            )
        for one, other in self._alike():
            sources[other].remarks.append(
                f"It shares most messages with {sources[one].name} under another name, and they "
                "count twice: if they are one chat, leave one out, or name both files alike."
            )

    def _apart(self, doubles: Counter[int]) -> Iterator[tuple[int, int]]:
        for spans in self._spans.values():
            alone = [source for source in sorted(spans) if not doubles[source]]
            for one, other in combinations(alone, 2):
                (first, last), (begun, ended) = spans[one], spans[other]
                if first < ended and begun < last:
                    yield one, other

    def _alike(self) -> Iterator[tuple[int, int]]:
        """Yield a source of each of two chats that share most of their messages."""
        chats = defaultdict[bytes, list[Place]](list)
        for place, sample in self._samples.items():
            for id_ in sample.ids:
                chats[id_].append(place)
        shared = Counter[tuple[Place, Place]]()
        for places in chats.values():
            if len(places) <= _MOST_CHATS:
                shared.update(combinations(places, 2))
        for (one, other), count in shared.items():
            if count >= _FEWEST_SHARED and self._samples[one].is_like(self._samples[other]):
                pairs = product(self._spans[one], self._spans[other])
                yield from [pair for pair in pairs if pair[0] != pair[1]][:1]


class _Sample:
    """Some hundred messages of a chat: those whose ids, made of what they say, are the smallest.

    So two exports of the same messages have the same sample, wherever each begins.

    Attributes:
        ids: Theirs.
        below: All ids under this one are among them.
    """

    def __init__(self) -> None:
        self.ids: set[bytes] = set()
        self.below = b"\xff"

    def add(self, ids: Sequence[bytes]) -> None:
        """Take in what messages there are."""
        if min(ids) >= self.below:
            return
        self.ids.update(id_ for id_ in ids if id_ < self.below)
        if len(self.ids) >= 2 * _SAMPLE:
            self.below = sorted(self.ids)[_SAMPLE]
            self.ids = {id_ for id_ in self.ids if id_ < self.below}

    def is_like(self, other: "_Sample") -> bool:
        """Tell whether most messages of the one or the other are of both."""
        below = min(self.below, other.below)
        mine, theirs = ({id_ for id_ in one.ids if id_ < below} for one in (self, other))
        shared = len(mine & theirs)
        return shared >= _FEWEST_SHARED and 2 * shared > min(len(mine), len(theirs))
