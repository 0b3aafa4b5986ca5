"""Two chats of one name, and one chat under two, which nothing but their messages tells.

Where an app has no ids for chats, their names serve. Of two exports of one chat that reach over the
same days, one has the messages of the other; of two chats but those that happen to be equal.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
_HARDLY = 10
"""Of so many messages one may be in both of two chats: `ok`, sent to both in the same minute."""


class Namesakes:
    """When the messages of each source were sent, and some of them, for chats with but a name."""

    def __init__(self) -> None:
        self._samples: defaultdict[Place, dict[int, _Sample]] = defaultdict(dict)

    def note(self, found: Message | Block, source: int) -> None:
        """Take in a message, or many, of the source with this number."""
        if found.platform not in _NAMED_ONLY:
            return
        if isinstance(found, Message):
            moments, ids = [found.sent_at.timestamp()], [found.id.encode(errors="surrogatepass")]
        else:
            moments, ids = found.moments, found.ids
        samples = self._samples[found.platform, found.chat_id]
        samples.setdefault(source, _Sample()).add(ids, moments)

    def tell(self, sources: list[SourceAccount]) -> None:
        """Say in the account of sources that they may be of two chats, or of one."""
        for one, other in self._apart():
            sources[other].remarks.append(
                f"It bears the name of {sources[one].name}, reaches over the same days and shares "
                "hardly a message with it: if they are two chats, rename one of the files."
            )
        for one, other in self._alike():
            sources[other].remarks.append(
                f"It shares most messages with {sources[one].name} under another name, and they "
                "count twice: if they are one chat, leave one out, or name both files alike."
            )

    def _apart(self) -> Iterator[tuple[int, int]]:
        """Yield each source that is apart from one before it, and the first of those."""
        for samples in self._samples.values():
            for other, sample in samples.items():
                before = (one for one in samples if one < other and sample.is_apart(samples[one]))
                if (one := next(before, None)) is not None:
                    yield one, other

    def _alike(self) -> Iterator[tuple[int, int]]:
        """Yield a source of each of two chats that share most of their messages."""
        whole = {place: _joined(samples.values()) for place, samples in self._samples.items()}
        chats = defaultdict[bytes, list[Place]](list)
        for place, sample in whole.items():
            for id_ in sample.sent:
                chats[id_].append(place)
        shared = Counter[tuple[Place, Place]]()
        for places in chats.values():
            if len(places) <= _MOST_CHATS:
                shared.update(combinations(places, 2))
        for (one, other), count in shared.items():
            if count >= _FEWEST_SHARED and whole[one].is_like(whole[other]):
                pairs = product(self._samples[one], self._samples[other])
                yield from [pair for pair in pairs if pair[0] != pair[1]][:1]


class _Sample:
    """Some hundred messages of a chat: those whose ids, made of what they say, are the smallest.

    So two exports of the same messages have the same sample, wherever each begins.

    Attributes:
        sent: When each of them was sent, by its id.
        below: All ids under this one are among them.
        first: When the first message of all was sent.
        last: When the last was.
    """

    def __init__(self) -> None:
        self.sent: dict[bytes, float] = {}
        self.below = b"\xff"
        self.first, self.last = math.inf, -math.inf

    def add(self, ids: Sequence[bytes], moments: Sequence[float]) -> None:
        """Take in what messages there are, and when they were sent."""
        self.first, self.last = min(self.first, *moments), max(self.last, *moments)
        if min(ids) >= self.below:
            return
        self.sent.update(
            (id_, moment) for id_, moment in zip(ids, moments, strict=True) if id_ < self.below
        )
        if len(self.sent) >= 2 * _SAMPLE:
            self._leave_out(sorted(self.sent)[_SAMPLE])

    def join(self, other: "_Sample") -> None:
        """Take in what another one of the same chat holds."""
        self.sent |= other.sent
        self._leave_out(min(self.below, other.below))

    def _leave_out(self, below: bytes) -> None:
        self.below = below
        self.sent = {id_: moment for id_, moment in self.sent.items() if id_ < below}

    def is_like(self, other: "_Sample") -> bool:
        """Tell whether most messages of the one or the other are of both."""
        shared, fewer = self._shared(other, -math.inf, math.inf)
        return shared >= _FEWEST_SHARED and 2 * shared > fewer

    def is_apart(self, other: "_Sample") -> bool:
        """Tell whether hardly a message is of both, in the time over which both reach."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        shared, fewer = self._shared(other, first, last)
        return first < last and _HARDLY * shared < fewer

    def _shared(self, other: "_Sample", first: float, last: float) -> tuple[int, int]:
        """Return how many are of both between two moments, and how many the one with fewer has."""
        below = min(self.below, other.below)
        mine, theirs = (
            {id_ for id_, moment in one.sent.items() if id_ < below and first <= moment <= last}
            for one in (self, other)
        )
        return len(mine & theirs), min(len(mine), len(theirs))


def _joined(samples: Iterable[_Sample]) -> _Sample:
    """Return the sample of a chat of which these are samples."""
    whole = _Sample()
    for sample in samples:
        whole.join(sample)
    return whole
