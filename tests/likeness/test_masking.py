"""What nobody shall learn from a chat is hidden, and the words around it stay."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.masking import MASKS, masked


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("write to ann.lee+x@mail.example.org, ok?", "write to [email], ok?"),
        ("call me: +49 170 1234567", "call me: [number]"),
        ("(0170) 123 45 67 is mine", "[number] is mine"),
        ("06 12 34 56 78, or 06.12.34.56.78", "[number], or [number]"),
        ("5551234 and 555-0123 4", "[number] and [number]"),
        ("card 4111 1111 1111 1112 until march", "card [number] until march"),
        ("to DE89 3704 0044 0532 0130 00 please", "to [number] please"),
        ("the password is hunter22, all small", "the password is [password], all small"),
        ("wifi pw: x7!kelp", "wifi pw: [password]"),
        ("PIN 4711", "PIN [password]"),
        ("your code is 482913", "your code is [password]"),
        ("das Passwort ist Igel!3", "das Passwort ist [password]"),
        ("token 8f14e45fceea167a5a36dedd4bea2543", "token [key]"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id [key]"),
        ("bot 123456789:AAHk0000000000000000000000000000abc", "bot [number]:[key]"),
        ("رقمي ٠٥٠١٢٣٤٥٦٧", "رقمي [number]"),
        ("my ip is 192.168.178.24", "my ip is [number]"),
        ("ring 22 33 44 55 or 0621-33-44", "ring [number] or [number]"),
        ("mot de passe : igel33", "mot de passe : [password]"),
        ("Das Kennwort lautet igel33!", "Das Kennwort lautet [password]"),
        ("a senha é ourico33", "a senha é [password]"),
        ("пароль — yozhik33", "пароль — [password]"),
        ("hasło to jez333, le code est 4711", "hasło to [password], le code est [password]"),
        ("我的密码：haitun88，别告诉他", "我的密码：[password]，别告诉他"),
        ("密码是haitun88吗", "密码是[password]吗"),
        ("パスワードは iruka88 です", "パスワードは [password] です"),
        ("비밀번호 dolgorae88", "비밀번호 [password]"),
        ("密钥是8f14e45fceea167a5a36dedd4bea2543", "密钥是[key]"),
        ("bot 123456789:AAHk000000-000000000000000_0000000abc", "bot [number]:[key]"),
        ("24/12 2024 555", "[number]"),
        ("pw: sea;urchin33!", "pw: [password]"),
        ("the password is a,lot33.", "the password is [password]"),
        ("the password for our wifi is kelp33", "the password for our wifi is [password]"),
        ("password here: kelp33, ok?", "password here: [password], ok?"),
        ("das Passwort für das WLAN ist igel33", "das Passwort für das WLAN ist [password]"),
        ("mot de passe du wifi : igel33", "mot de passe du wifi : [password]"),
        ("пароль от вайфая: yozhik33", "пароль от вайфая: [password]"),
        ("電話は０９０－１２３４－５６７８です", "電話は[number]です"),
        ("０９０ー１２３４ー５６７８　まで", "[number]　まで"),
        ("+44\u200b7700\u200b900123, or 0170\u00ad123456", "[number], or [number]"),
        ("الرمز： ٠٥ ١٢ ٣٤ ٥٦ ٧٨", "الرمز： [number]"),
        ("google AIzaSy0-0000000000000-0000000000_0abc", "google [key]"),
        ("slack xoxb-000000000012-AbCdEfGhIjKlMnOp", "slack [key]"),
        ("sk-proj-Ab1_2cdEfgHij-KlmNo3pQrs_Tuv is its key", "[key] is its key"),
        ("AKIA0000000000000ABC", "[key]"),
    ],
)
def test_what_a_stranger_could_use_is_hidden(text: str, hidden: str) -> None:
    assert masked(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "of the years 1400-1600, 1988- 1992-1995",
        "Screenshot-2024-08-12-at-6, in /2013/01/07/sheep",
        "a piece of code 4sheep and promo code SHEEP25",
        "see you on 15.05.2024 at 21:08",
        "2024-05-15 21:08, or 5/15/2024",
        "15/05/2024 21.30",
        "from 2019-2024, or 1914–1918",
        "12.05.-14.05.2024, 24./25.12.2024, 12.-14.05.2024",
        "12.05.2024-13.05.2024, 05.05.24-12.05.24",
        "31.12.2023/01.01.2024, 5/12/2024-5/14/2024, 12/05 - 14/05/2024",
        "2024-05-12/2024-05-14",
        "18:30 24.12.2024, 18.30 - 24.12.2024, at 9:05:00 2024-05-15 or 21:00 15/05/2024",
        "٢٠٢٤/١٢/٢٤, ۱۴۰۳/۰۲/۱۵, १५/०५/२०२४, ２０２４/１２/２４, ٢٠١٩-٢٠٢١",
        "24/12-2024, 24/12 2024, 24.12 2024, or from 9/2023 - 12/2024",
        "مليون هو ١٠٠٠٠٠٠",
        "12. 5. 2024, 12. 05. 2024 8:30, 2024. 05. 12.",
        "我们2023年换过密码，2024年又换了",
        "12.30-14.45 or 6-4 7-5 6-3",
        "a million is 1.000.000, 1 000 000 or 1000000",
        "555555555 555",
        "3 12 24 33 41 45",
        "1,234,567 sheep",
        "3000-3500 sheep, or 10.000 - 15.000, or 100 000-200 000",
        "i forgot my password again",
        "the code is broken since 2 days",
        "the password for that thing is on page 33, of 2024",
        "i lost the password to it, my flight is at 12.30 and the sheep of 2024 is mine",
        "@milo look at this",
        "我在2023年去了北京然后又回来了我在2024年又去了一次真的很好玩",
        "how-to-bake-a-cake-in-2-steps-with-a-lot-of-love",
        "nothing at all",
        "",
    ],
)
def test_dates_and_counts_and_words_stay(text: str) -> None:
    assert masked(text) == text


@given(st.text())
def test_what_is_hidden_once_stays_as_it_is(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@given(st.text(), st.integers(10**9 + 1, 10**15), st.text())
def test_a_long_number_is_nowhere_to_be_read(before: str, number: int, after: str) -> None:
    digits = str(number)
    if len(set(digits)) > 1 and digits[3:].strip("0"):
        assert digits not in masked(f"{before} {digits} {after}")


@given(st.text(st.characters(exclude_categories=["Nd", "Cs"], exclude_characters="@")))
def test_words_without_digits_and_addresses_stay_as_they_are(text: str) -> None:
    assert masked(text) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["_", "a.", "a@", "1 ", "a@b.", "password:", "12.12.", "AB12 ", "密码 ", "1:A-", "sk-"]
)
def test_a_long_message_costs_no_more_than_its_length(part: str) -> None:
    # Squared, a minute would not do: what is held is that this ends.
    assert masked("1 " + part * 30_000)


def test_each_mask_is_a_word_that_is_not_hidden_itself() -> None:
    assert all(re.fullmatch(r"\[[a-z]+\]", mask) and masked(mask) == mask for mask in MASKS)
