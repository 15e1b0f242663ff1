"""Normal forms of addresses: the same value is the same person."""

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from helpdesk.core.text import fold

REGION = "VN"  # where a number without a country code belongs
MAX_DIGITS = 40  # more of them are no telephone number in any form
_VIETNAM = 84
# In 2018 Vietnam shortened its mobile numbers from eleven digits to ten: the old prefix and what it became.
RENAMED_2018 = {
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    **{f"16{digit}": f"3{digit}" for digit in "23456789"},
    "186": "56",
    "188": "58",
    "199": "59",
}
_FORMER = {new: old for old, new in RENAMED_2018.items()}
_EXTENSION = re.compile(r"\W*\b((so )?may le|so le|nhanh|may nhanh|ext|extension)\b[\W_]*\d{1,7}\W*$")


def email(value: str) -> str:
    """A mail address in its normal form: trimmed, NFC, lower case. Aliases with a plus stay apart."""
    return unicodedata.normalize("NFC", value.strip().strip("<>")).lower()


def phone(value: str, region: str = REGION) -> str:
    """A telephone number as E.164: every way to write one number has one value, its extension left away.

    Vietnamese mobile numbers of before 2018 become what they are now. What is no number we know keeps its digits,
    with the plus where it has one; empty for what has none.
    """
    if len(value) > 250:
        return ""
    typed = _EXTENSION.sub("", fold(unicodedata.normalize("NFKC", value.strip())))
    digits = _digits(typed)
    for form in (typed, digits):
        number = _parsed(form, region)
        if number is not None and _is_one(number, form):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return digits if len(digits) <= MAX_DIGITS else ""


def identity(kind: str, value: str, region: str = REGION) -> str:
    """The normal form of an address of this kind."""
    if kind == "email":
        return email(value)
    return phone(value, region) if kind == "phone" else value.strip()


def forms(kind: str, value: str, region: str = REGION) -> tuple[str, ...]:
    """Every value this address may be known by, its normal form first: keys that were stored are never rewritten.

    For a telephone number also its digits as given, and without the plus, with the zero, and with the old prefix.
    """
    normal = identity(kind, value, region)
    if kind != "phone":
        return (normal,)
    others = [_digits(value), normal.removeprefix("+")]
    if normal.startswith(f"+{_VIETNAM}"):
        national = normal.removeprefix(f"+{_VIETNAM}")
        ways = [national]
        if len(national) == 9 and national[:2] in _FORMER:
            ways.append(_FORMER[national[:2]] + national[2:])
        others += [front + way for way in ways for front in (f"+{_VIETNAM}", str(_VIETNAM), "0")]
    return tuple(dict.fromkeys(one for one in (normal, *others) if one))


def _parsed(value: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    national = str(number.national_number)
    if number.country_code == _VIETNAM and len(national) == 10 and national[:3] in RENAMED_2018:
        number.national_number = int(RENAMED_2018[national[:3]] + national[3:])
    return number


def _is_one(number: PhoneNumber, form: str) -> bool:
    """Whether it is a number of its country; where somebody wrote the country, whether it may be one."""
    if phonenumbers.is_valid_number(number):
        return True
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return form.startswith("+") and possible


def _digits(value: str) -> str:
    """The digits of a text, with a plus where it begins with one."""
    digits = "".join(character for character in value if character in "0123456789")
    plus = "+" if digits and value.strip().startswith("+") else ""
    return plus + digits
