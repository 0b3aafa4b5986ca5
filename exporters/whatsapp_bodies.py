"""What an entry with a name holds: words, a file, a deleted message, or a notice of the app."""

import re
from collections import Counter
from collections.abc import Collection

from exporters.whatsapp_wordings import (
    ATTACHED,
    CALLS,
    DELETED,
    DELETED_BY,
    DELETION,
    EDITED,
    ENCRYPTED,
    MEDIA,
    MESSAGE,
    PLACES,
    SEEN_ONCE,
    WAITING,
)
from likeness.messages import Kind, Notice

Body = tuple[Kind, str] | Notice

_MARKS = ("\u200e", "\u200f")
_EDGE_MARKS = "\u200e\u200f\ufeff"
_FILE = (
    r"[^<>\n:：/]*\.(?:jpe?g|png|gif|webp|heic|mp4|3gp|mov|mkv|avi|opus|m4a|mp3|ogg|oga|aac|amr|wav"
    r"|pdf|vcf|docx?|xlsx?|pptx?|odt|txt|rtf|csv|zip|rar|apk|html?|json|epub)"
)
_IN_BRACKETS = re.compile(
    rf"<[^<>\n/]{{0,40}}?[:：]?\s?{_FILE}(?:\s[^<>\n]{{0,40}})?>$", re.IGNORECASE
)
_BEFORE_BRACKETS = re.compile(rf"{_FILE} <[^<>\n]{{2,40}}>$", re.IGNORECASE)
_FILE_NAME = re.compile(rf"{_FILE}$", re.IGNORECASE)
_ANY_FILE_NAME = re.compile(r"[^<>\n:：/]*\.\w{1,8}$")
_OF_WHATSAPP = re.compile(r"(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d+\.?\w*$")
_IN_PARENTHESES = re.compile(r" \(([^()\n]{3,60})\)$")
_OMITTED = re.compile(r"<(?=[^<>\n]*(?:\s|[^\x00-\x7f]))[^<>/\n]{4,60}>$")
_TAG = re.compile(r"\s?([\u200e\u200f]?)(<[^<>\n/]{5,60}>)$")
_MAP = re.compile(r"(?P<label>[^\n:：]{2,20}?) ?[:：] ?https://maps\.google\.com/\?q=\S+$")
_VENUE = re.compile(r"https://(?:www\.)?foursquare\.com/v/\S+$")
_LABEL = r"[^\s\d:：][^\n\d:：]{1,19}?\s?[:：]"
_POLL_HEAD = re.compile(rf"{_LABEL}\s?$")
_POLL_OPTION = re.compile(rf"({_LABEL}) ?\S.*[(（]\d+\s?[^\d\s()（）][^()（）]*[)）]$")
_PAGES = re.compile(rf"\u2022 ?(?:[{_EDGE_MARKS}]|$)")
_SHORT, _LONG = 60, 120
_MESSAGE, _DELETION = re.compile(MESSAGE), re.compile(DELETION)
_NOT_OF_THE_APP = re.compile(r"[\d?!:;\n]")
_EDGES = frozenset(_EDGE_MARKS)
_EVERY_MARK = re.compile(f"[{_EDGE_MARKS}]")
ENCRYPTED_BEGINS = frozenset(wording[:2] for wording in ENCRYPTED)
_BEGINNINGS = frozenset(
    wording[:3]
    for wording in (*DELETED, *DELETED_BY, *CALLS, *MEDIA, *SEEN_ONCE, *WAITING, *ENCRYPTED)
)
"""How all that begins that is known by its wording."""


def tag_of(line: str) -> str | None:
    """Return the `<…>` with which a line of words ends, None if it does not."""
    found = _TAG.search(line) if line.endswith(">") else None
    if found is None or found.start() == 0 or _FILE_NAME.search(found[2][:-1]):
        return None
    return found[2] if " " in found[2] or not found[2].isascii() else None


def app_made_at(text: str) -> int | None:
    """Return where the app's mark stands first, None if nowhere."""
    places = [place for mark in _MARKS if (place := text.find(mark)) >= 0]
    return min(places, default=None)


def announces_file(text: str) -> bool:
    """Tell whether a text holds `<attached: FILE>`, in whatever language."""
    return text.endswith(">") and bool(_IN_BRACKETS.search(text))


def says_encrypted(text: str) -> bool:
    """Tell whether a text is the notice that nobody can read along."""
    beginning = text[:_SHORT].lstrip(_EDGE_MARKS)
    return beginning[:2].casefold() in ENCRYPTED_BEGINS and beginning.casefold().startswith(
        ENCRYPTED
    )


def speaks_of_deletion(text: str) -> bool:
    """Tell whether a short text says, in whatever words, that a message was deleted."""
    plain = _plain(text)
    return bool(
        _MESSAGE.search(plain) and _DELETION.search(plain) and not _NOT_OF_THE_APP.search(plain)
    )


def speaks_of_message(text: str) -> bool:
    """Tell whether a text has, in whatever language, the word for a message in it."""
    return _MESSAGE.search(text.casefold()) is not None


def _plain(text: str) -> str:
    """Return a text as wordings are compared."""
    return text.strip(_EDGE_MARKS).strip().casefold().removesuffix(".")


def _plain_tag(tag: str) -> str:
    """Return a `<…>` as such are compared: some versions put a full stop into it."""
    return tag.casefold().replace(".>", ">")


class Bodies:
    """Tells what the body of an entry is, for one export.

    Attributes:
        by_rule: How many were taken for files by their shape rather than by a known wording.
        learned: How many were taken for deleted ones, since their sentence recurs.
    """

    def __init__(
        self, *, marked: bool, edited: Collection[str], deleted: Collection[str] = ()
    ) -> None:
        """Take in what the file as a whole says.

        Args:
            marked: Whether U+200E or U+200F at the start of a text means that the app made it.
            edited: The tags with which edited messages end here.
            deleted: The sentences that stand here for deleted messages.
        """
        self._deleted = frozenset(map(_plain, deleted)) - DELETED
        self.learned = 0
        self._marked = marked
        self._edited = frozenset(map(_plain_tag, (*edited, *EDITED)))
        self.by_rule = 0

    def read(self, body: str, *, announced: bool) -> Body:
        """Return kind and words, or the notice that it is.

        Args:
            body: All lines, as they stand.
            announced: Whether the app's mark stands before the head, as it does for files on iOS.
        """
        if _is_plain(body):
            return _placeholder(body, "") or self._gone(body) or ("text", body)
        app_made = self._marked and body.startswith(_MARKS)
        text = body.rstrip("\n")
        if text.endswith(">"):
            text = self._without_tag(text)
        first, _, more = text.partition("\n")
        first = first.strip(_EDGE_MARKS)
        if not first.strip() and not more.strip(" \n"):
            return "media", ""
        if found := _poll(first, more):
            return found
        if announced and app_made_at(text) is not None:
            return self._announced(text)
        if found := self._file(first, more, marked=text.startswith(_MARKS)):
            return found
        if found := _placeholder(first, more) or (None if more else self._gone(first)):
            return found
        if _is_place(first, more, app_made=app_made):
            return "media", ""
        if app_made:
            is_deletion = not more and len(first) <= _SHORT and speaks_of_deletion(first)
            return ("deleted", "") if is_deletion else Notice("made by the app")
        return "text", text.strip(_EDGE_MARKS) if text[0] in _EDGES or text[-1] in _EDGES else text

    def is_words(self, text: str) -> bool:
        """Tell of one line at the first glance that it is nothing but words; never wrongly yes."""
        return (
            text != ""
            and text[-1] not in ">)"
            and not text[0].isspace()
            and "https://" not in text
            and (text.isascii() or _EDGES.isdisjoint(text))
            and (text[:3].casefold()[:3] not in _BEGINNINGS or _placeholder(text, "") is None)
            and not (self._deleted and self._is_gone(text))
        )

    def _is_gone(self, text: str) -> bool:
        return len(text) <= _SHORT + 1 and _plain(text) in self._deleted

    def _gone(self, text: str) -> Body | None:
        """Return what a deleted message is, None for any other text."""
        if not self._deleted or not self._is_gone(text):
            return None
        self.learned += 1
        return "deleted", ""

    def _without_tag(self, text: str) -> str:
        found = _TAG.search(text)
        if found is None or found.start() == 0 or announces_file(text):
            return text
        marked = found[1] and self._marked
        return text[: found.start()] if marked or _plain_tag(found[2]) in self._edited else text

    def _announced(self, text: str) -> Body:
        """Return the caption around what the app wrote of a file, from its mark to line's end."""
        start = app_made_at(text) or 0
        _, _, more = text[start:].partition("\n")
        return self._caption(text[:start], more)

    def _file(self, first: str, more: str, *, marked: bool) -> Body | None:
        """Return what a file with its caption comes to, None if there is no file."""
        if first.endswith(">"):
            if _OMITTED.match(first):
                return self._caption("", more)
            if found := _IN_BRACKETS.search(first):
                return self._caption(first[: found.start()], more)
            if _BEFORE_BRACKETS.match(first):
                return self._caption("", more)
        elif first.endswith(")") and (found := _IN_PARENTHESES.search(first)):
            name = first[: found.start()]
            worded = found[1].casefold() in ATTACHED and _ANY_FILE_NAME.match(name)
            told = marked or more.startswith(name) or " " not in name
            if worded or (told and _FILE_NAME.match(name)) or _OF_WHATSAPP.match(name):
                return self._caption("", more.removeprefix(name).removeprefix("\n"))
        return None

    def _caption(self, before: str, more: str) -> Body:
        self.by_rule += 1
        before = before.strip(_EDGE_MARKS + " \n")
        if _FILE_NAME.match(before) or _PAGES.search(before):
            before = ""
        if "\n" not in more and _FILE_NAME.match(more):
            more = ""
        return "media", "\n".join(part for part in (before, more) if part).strip(_EDGE_MARKS)


def _is_plain(body: str) -> bool:
    """Tell whether a body is one line that nothing but its wording can tell from words."""
    return (
        bool(body)
        and not body.isspace()
        and body[-1] not in ">)"
        and "\n" not in body
        and "https://" not in body
        and (body.isascii() or _EDGES.isdisjoint(body))
    )


def _placeholder(first: str, more: str) -> Body | None:
    if len(first) > _SHORT and says_encrypted(first):
        return Notice("encryption")
    if more or len(first) > _LONG:
        return None
    plain = first.strip().casefold().removesuffix(".")
    if plain in DELETED or plain.startswith(DELETED_BY):
        return "deleted", ""
    if plain in CALLS:
        return Notice("call")
    if plain in MEDIA or plain.startswith(SEEN_ONCE):
        return "media", ""
    if plain in WAITING:
        return Notice("made by the app")
    return Notice("encryption") if plain.startswith(ENCRYPTED) else None


def _is_place(first: str, more: str, *, app_made: bool) -> bool:
    """Tell a place that was sent from words with a link in them.

    Source: whats_json's exports of both apps: a map's link stands behind a word for "location", a
    venue's behind its name and address, on lines of their own (Android) or as `NAME (ADDRESS): `.
    """
    if more:
        return more.count("\n") in (0, 1, 2) and bool(_VENUE.match(more.rpartition("\n")[2]))
    if found := _MAP.match(first):
        return app_made or found["label"].casefold() in PLACES
    before, _, last = first.rpartition(": ")
    return before != "" and bool(_VENUE.match(last))


def _poll(first: str, more: str) -> Body | None:
    """Return the notice that a poll is: its options bear one label, and each its votes."""
    if not more or not _POLL_HEAD.match(first):
        return None
    lines = (_EVERY_MARK.sub("", line) for line in more.split("\n"))
    labels = Counter(found[1] for line in lines if (found := _POLL_OPTION.match(line)))
    return Notice("poll") if max(labels.values(), default=0) >= 2 else None
