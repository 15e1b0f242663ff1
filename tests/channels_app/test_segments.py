"""How many SMS a text takes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_app.segments import _BASIC, _ESCAPED, count, without_marks

VIETNAMESE = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
BARE = "a" * 17 + "e" * 11 + "i" * 5 + "o" * 17 + "u" * 11 + "y" * 5 + "d"


def test_the_alphabet_is_that_of_the_standard():
    assert len(_BASIC) == 127  # 128 places, one of them the escape
    assert len(_ESCAPED) == 10
    assert not _BASIC & _ESCAPED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("GSM-7", 0, 160)),
        ("a" * 160, ("GSM-7", 1, 0)),
        ("a" * 161, ("GSM-7", 2, 145)),
        ("a" * 306, ("GSM-7", 2, 0)),
        ("a" * 307, ("GSM-7", 3, 152)),
        ("€" * 80, ("GSM-7", 1, 0)),
        ("€" * 81, ("GSM-7", 2, 143)),
        ("a" * 152 + "€" * 76 + "b", ("GSM-7", 2, 0)),  # the escape does not stand at the end of a part
        ("ạ" * 70, ("UCS-2", 1, 0)),
        ("ạ" * 71, ("UCS-2", 2, 63)),
        ("ạ" * 134, ("UCS-2", 2, 0)),
        ("ạ" * 135, ("UCS-2", 3, 66)),
        ("👍" * 35, ("UCS-2", 1, 0)),
        ("👍" * 36, ("UCS-2", 2, 61)),
        ("ạ" * 66 + "👍" * 3, ("UCS-2", 2, 61)),  # neither is half an emoji cut off
        ("Gặp nhau 8h nhé", ("UCS-2", 1, 55)),
        ("à é ù Ø ß", ("GSM-7", 1, 151)),
    ],
)
def test_what_a_text_takes(text, found):
    assert count(text) == found


def test_every_vietnamese_letter_loses_its_marks():
    assert without_marks(VIETNAMESE) == BARE
    assert without_marks(VIETNAMESE.upper()) == BARE.upper()
    assert without_marks(unicodedata.normalize("NFD", VIETNAMESE)) == BARE


def test_what_marks_cost():
    text = "Dạ, đơn hàng của chị đã được giao cho bên vận chuyển, dự kiến ngày mai tới nơi ạ. Cảm ơn chị!"
    assert count(text) == ("UCS-2", 2, 41)
    plain = without_marks(text)
    assert plain == "Da, don hang cua chi da duoc giao cho ben van chuyen, du kien ngay mai toi noi a. Cam on chi!"
    assert count(plain) == ("GSM-7", 1, 67)


def test_what_word_processors_write_becomes_plain():
    assert without_marks("“Quý khách” – 50.000₫… ‘ok’") == "\"Quy khach\" - 50.000d... 'ok'"


@pytest.mark.parametrize("text", ["你好", "สวัสดีครับ", "👍🏽", "Привет", "ά", "한국어", "が"])
def test_other_scripts_stay_as_they_are(text):
    assert without_marks(text) == text


@given(st.text())
def test_nothing_gets_longer_by_much_and_twice_is_once(text):
    once = without_marks(text)
    assert without_marks(once) == once
    assert count(once)[1] <= count(unicodedata.normalize("NFC", text))[1] + text.count("…")


@given(st.text(alphabet=sorted(_BASIC | _ESCAPED), max_size=700))
def test_a_text_of_the_alphabet_is_counted_in_septets(text):
    encoding, segments, left = count(text)
    septets = sum(2 if character in _ESCAPED else 1 for character in text)
    room = 160 if segments <= 1 else 153 * segments
    assert encoding == "GSM-7"
    assert septets <= room - left  # at most a septet a part is lost to an escape that did not fit
    assert room - left - septets < max(segments, 1)


@given(st.text(max_size=400))
def test_any_text_is_counted(text):
    encoding, segments, left = count(text)
    assert (segments == 0) is (text == "")
    assert 0 <= left <= (160 if encoding == "GSM-7" else 70)
