"""What nobody shall learn from a chat, put out of sight: addresses, long numbers, passwords, keys.

A model says again what it has read, to whoever asks the right way. So what a stranger could use is
replaced, in place, by a word in brackets that says what stood there; the sentence around it still
teaches. It errs on the side of hiding: a long number is hidden whatever it counts.
"""

import re
import unicodedata
from dataclasses import replace

from likeness.messages import Message
from likeness.texts import counted

EMAIL, NUMBER, PASSWORD, KEY = "[email]", "[number]", "[password]", "[key]"
MASKS = (EMAIL, NUMBER, PASSWORD, KEY)

_FEWEST_DIGITS = 7
_FEWEST_DIGITS_IN_PAIRS = 9
"""Of a number whose digits stand in ones and twos, as times, scores and lottery numbers do."""

_SUSPECT = re.compile(r"@|\d")
_UNSEEN = r"\u00ad\u200b-\u200d\u2060"
_BETWEEN = rf"[ \u00a0\u2009\u202f.\-\u2010\u2011\u3000\u30fc/(){_UNSEEN}]"
_YEAR = r"(?:1\d|20)\d\d"
_LATELY = r"(?:19|20)\d\d"
_MONTH = r"(?:0?\d|1[0-2])"
_DAY = r"(?:[0-2]?\d|3[01])"
_AT = r"(?:(?:(?<=\d:)|[0-2]?\d\.)[0-5]\d[ \u00a0-]{1,3})?"
"""The end of a time of the day before a date, as in `18:30 24.12.2024`."""
_SAID = (
    r"\s*[:=：]\s*"
    r"|\s+(?:is|was|ist|war|lautet|es|est|é|è|это|[-\u2013\u2014]>?):?\s+"
)
_CALLED = (
    r"(?:pass(?:word|wor[dt]|ord|code|phrase)|passwd|pw|pwd|kennwort|contraseña"
    r"|senha|mdp|mot de passe|hasło(?: to)?|heslo|jelszó|wachtwoord|lösenord|adgangskode|salasana"
    r"|пароль|şifre|κωδικός|סיסמ[אה]|كلمة (?:السر|المرور)|पासवर्ड)"
)
_WHAT_FOR = (
    r" (?:for|to|of|on|at|from|here|für|fürs|zum|vom|von|hier|de|del|du|des|da|do|para|pour"
    r"|от|для|к|на|здесь|van|voor|til|till|för)(?: [^\s:=：,;.!?]{1,20}){0,4}?"
)
"""As in `the password for our wifi is`."""
_TOLD_BY = (
    rf"\b(?:{_CALLED}(?:(?:{_WHAT_FOR})?(?:{_SAID})|\s+)|(?:pin|puk|otp)(?:{_SAID}|\s+)"
    rf"|(?:pass|code|tan|clave|c[oó]digo|codice|kode?|parola|код)(?:{_SAID}))"
)
_TOLD_UNPARTED = (
    "(?:密码|密碼|口令|验证码|驗證碼|パスワード|暗証番号|비밀번호)"
    r"(?:是|为|為|は|은|는)?\s*(?:[:=：]\s*)?"
)
"""The same where a script parts no words by spaces: what is told is what is of another script."""


def _dates(parted: str, joined: str) -> str:
    """Return what a date is, or two, as in `24.-26.12.2024`, by what parts it and joins them."""
    date = rf"(?:{_DAY}{parted}{_DAY}{parted}\d{{2,4}}|[12]\d{{3}}{parted}{_DAY}{parted}{_DAY})"
    joined = rf"[ \u00a0]?{joined}[ \u00a0]?"
    begun = rf"{_DAY}(?:{parted}{_DAY})?(?:{parted})?{joined}"
    return rf"(?:{begun})?{date}(?:{joined}{date})?"


_KINDS = {
    # Tried where a word begins alone: a long one without an end must cost no more than its length.
    "email": r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+",
    # Taken first and left as it is, so that it is no number.
    "date": (
        rf"(?<!\d)(?<!\d[.+/-]){_AT}(?:"
        rf"{_dates(r'[.][ ]?', '[-/]')}|{_dates('/', '-')}|{_dates('-', '/')}"
        rf"|{_YEAR}(?:\s?[-\u2013/]\s?{_YEAR})+"
        rf"|{_DAY}[/.]{_DAY}(?:-{_LATELY}|[ ]{_LATELY}(?![ ]?\d))"  # in Denmark, Norway, Sweden
        rf"|{_MONTH}[/.]{_LATELY}[ ]?-[ ]?{_MONTH}[/.]{_LATELY}"
        r")(?![./-]?\d)"
    ),
    "told": rf"{_TOLD_BY}(?=\S{{0,60}}\d)",
    "unparted": rf"{_TOLD_UNPARTED}(?=[!-~]{{0,60}}\d)",
    "iban": r"\b(?-i:[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?)\b",
    "uuid": r"\b[\dA-F]{8}(?:-[\dA-F]{4}){3}-[\dA-F]{12}\b",
    "key": (
        r"(?<![A-Z\d_])(?=[A-Z_]*\d)(?=[\d_]*[A-Z])[A-Z\d_]{24,}(?![A-Z\d_])"
        r"|(?<=\d:)(?=[A-Z_-]*\d)[A-Z\d_-]{30,}"  # of a bot at Telegram, behind its number
        # Of Google, Amazon, Slack, OpenAI and GitLab, which say whose they are.
        r"|(?<![\w-])(?-i:AIza|AKIA|xox[a-z]-|sk-|glpat-)(?=[\w-]*\d)[\w-]{16,}"
    ),
    "number": rf"\+?\(?\d(?:{_BETWEEN}{{0,3}}\d)*",
}
_TOLD = {"told": r"\S{3,}[^\s,;]", "unparted": r"[!-~]{4,}"}
_FOUND = re.compile(
    r"(?:(?<![a-z])|(?=[^a-z]))(?:"  # within a word none begins: most places cost but this
    + "|".join(f"(?P<{kind}>{pattern}){_TOLD.get(kind, '')}" for kind, pattern in _KINDS.items())
    + ")",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


class _Plain(dict[int, str]):
    """What each character is looked at as: digits and signs of any script as those of ASCII."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        self[code] = made = char if digit is None else str(digit)
        return made


_PLAIN = _Plain(zip(map(ord, "\u2212－＋／．（）"), "--+/.()", strict=True))
_FOUR_PAIRS = re.compile(r"\d\d(?:[ \u00a0\u202f]\d\d){3}")
"""A telephone's number in Denmark or Norway."""
_ROUND = r"[1-9]\d?(?:[. \u00a0\u202f]?0)+"
_FROM_TO = re.compile(f"{_ROUND} ?- ?{_ROUND}")
"""Two round numbers, as in `it costs 3000-3500`."""


def masked(text: str) -> str:
    """Return a text without what a stranger could use.

    E-mail addresses; numbers of seven digits and more, however they are parted (of telephones,
    cards, accounts, orders), but for dates, years, round numbers and one digit over and over; what
    is told as a password, a PIN or a code, where it holds a digit; keys and tokens, which are long
    and of letters and digits. A name, a street or a password that nobody calls one stays.
    """
    if not _SUSPECT.search(text):
        return text
    if text.isascii():
        return _FOUND.sub(_mask, text)
    kept, end = [], 0
    for found in _FOUND.finditer(text.translate(_PLAIN)):
        if (hidden := _mask(found)) != found[0]:
            kept += [text[end : found.start()], hidden]
            end = found.end()
    return "".join(kept) + text[end:]


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
    if told := found["told"] or found["unparted"]:
        return told + PASSWORD
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
    if _FROM_TO.fullmatch(number):
        return False
    if max(map(len, groups)) > 2 or _FOUR_PAIRS.fullmatch(number):
        return True
    return number[0] in "+0(" and len(digits) >= _FEWEST_DIGITS_IN_PAIRS
