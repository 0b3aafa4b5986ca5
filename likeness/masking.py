"""What nobody shall learn from a chat, put out of sight: addresses, long numbers, passwords, keys.

A model says again what it has read, to whoever asks the right way. So what a stranger could use is
replaced, in place, by a word in brackets that says what stood there; the sentence around it still
teaches. It errs on the side of hiding: a long number is hidden whatever it counts.
"""

import re
from dataclasses import replace

from likeness.messages import Message
from likeness.texts import counted

EMAIL, NUMBER, PASSWORD, KEY = "[email]", "[number]", "[password]", "[key]"
MASKS = (EMAIL, NUMBER, PASSWORD, KEY)

_FEWEST_DIGITS = 7
_FEWEST_DIGITS_IN_PAIRS = 9
"""Of a number whose digits stand in ones and twos, as times, scores and lottery numbers do."""

_SUSPECT = re.compile(r"@|\d")
_BETWEEN = r"[ \u00a0\u2009\u202f.\-\u2010\u2011/()]"
_YEAR = r"(?:1\d|20)\d\d"
_SAID = r"\s*[:=]\s*|\s+(?:is|was|ist|war|es|est):?\s+"
_TOLD_BY = (
    r"\b(?:(?:pass(?:word|wor[dt]|code|phrase)|passwd|pw|pwd|pin|puk|otp|kennwort|contraseña|senha"
    rf"|mdp|hasło|wachtwoord|lösenord|пароль|şifre|密码)(?:{_SAID}|\s+)"
    rf"|(?:pass|code|tan|clave|parola|код)(?:{_SAID}))"
)
_KINDS = {
    # Tried where a word begins alone: a long one without an end must cost no more than its length.
    "email": r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    # Taken first and left as it is, so that it is no number.
    "date": (
        r"(?<!\d)(?<!\d[.+/-])(?:"
        r"\d{1,2}(?P<small>[./-])\d{1,2}(?P=small)\d{2,4}"
        r"|\d{4}(?P<great>[./-])\d{1,2}(?P=great)\d{1,2}"
        rf"|{_YEAR}(?:\s?[-\u2013/]\s?{_YEAR})+"
        r")(?![./-]?\d)"
    ),
    "told": rf"{_TOLD_BY}(?=\S{{0,60}}\d)",
    "iban": r"\b(?-i:[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?)\b",
    "uuid": r"\b[\dA-F]{8}(?:-[\dA-F]{4}){3}-[\dA-F]{12}\b",
    "key": r"\b(?=[A-Z_]*\d)(?=[\d_]*[A-Z])[A-Z\d_]{24,}\b",
    "number": rf"\+?\(?\d(?:{_BETWEEN}{{0,3}}\d)*",
}
_TOLD = r"[^\s,;]{4,}"
_FOUND = re.compile(
    "|".join(
        f"(?P<{kind}>{pattern}){_TOLD if kind == 'told' else ''}"
        for kind, pattern in _KINDS.items()
    ),
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


def masked(text: str) -> str:
    """Return a text without what a stranger could use.

    E-mail addresses; numbers of seven digits and more, however they are parted (of telephones,
    cards, accounts, orders), but for dates, years, round numbers and one digit over and over; what
    is told as a password, a PIN or a code, where it holds a digit; keys and tokens, which are long
    and of letters and digits. A name, a street or a password that nobody calls one stays.
    """
    return _FOUND.sub(_mask, text) if _SUSPECT.search(text) else text


def mask(message: Message) -> Message:
    """Return a message without what a stranger could use."""
    text = masked(message.text)
    return message if text == message.text else replace(message, text=text)


def account(count: int) -> str:
    """Return the sentence that tells in how many messages, of everybody, something was hidden."""
    return (
        f"In {counted(count, 'message')}, counting everybody's, a mail address, a long number, a "
        f"password or a key is hidden: {', '.join(MASKS)}."
    )


def _mask(found: re.Match[str]) -> str:
    if found["email"]:
        return EMAIL
    if found["told"]:
        return found["told"] + PASSWORD
    if found["key"] or found["uuid"]:
        return KEY
    if found["iban"] or (found["number"] and _identifies(found["number"])):
        return NUMBER
    return found[0]


def _identifies(number: str) -> bool:
    """Tell whether digits name somebody or something, and do not count or tell the time."""
    groups = _DIGITS.findall(number)
    digits = "".join(groups)
    if len(digits) < _FEWEST_DIGITS or not digits[3:].strip("0") or len(set(digits)) == 1:
        return False
    if max(map(len, groups)) > 2:
        return True
    return number[0] in "+0(" and len(digits) >= _FEWEST_DIGITS_IN_PAIRS
