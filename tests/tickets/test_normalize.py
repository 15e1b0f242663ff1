"""Telephone numbers: every way to write one meets at one value, and nothing else does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.customers import normalize

WAYS = [
    *("0912345678", "912345678", "84912345678", "+84912345678", "0084912345678", "0912 345 678", "0912.345.678"),
    *("(0912) 345-678", "+84 (0)912 345 678", "+84.912.345.678", "tel:+84912345678", "０９１２３４５６７８"),
    *(
        "0912345678 ext. 12",
        "0912345678 máy lẻ 5",
        "0912345678 (số máy lẻ: 12)",
        "0912 345 678 nhánh 3",
        " 0912345678 ",
    ),
    "0912345678 gọi buổi tối",
]


@pytest.mark.parametrize("written", WAYS)
def test_every_way_to_write_a_number_is_one_value(written: str) -> None:
    assert normalize.phone(written) == "+84912345678"


RENAMED = [
    *(("0120", "070"), ("0121", "079"), ("0122", "077"), ("0126", "076"), ("0128", "078")),
    *(("0123", "083"), ("0124", "084"), ("0125", "085"), ("0127", "081"), ("0129", "082")),
    *((f"016{n}", f"03{n}") for n in range(2, 10)),
    *(("0186", "056"), ("0188", "058"), ("0199", "059")),
]


@pytest.mark.parametrize(("before", "after"), RENAMED)
def test_the_numbers_of_before_2018_are_the_ones_of_today(before: str, after: str) -> None:
    today = f"+84{after[1:]}1234567"
    for front in ("0", "84", "+84", "0084", "+84 0"):
        assert normalize.phone(f"{front}{before[1:]}1234567") == today, front
        assert normalize.phone(f"{front}{after[1:]}1234567") == today, front


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+1 (650) 253-0000", "+16502530000"),
        ("001 650 253 0000", "+16502530000"),
        ("+44 20 7946 0018", "+442079460018"),
        ("024 3825 1234", "+842438251234"),
        ("1900 6750", "+8419006750"),
        ("113", "113"),
        ("+999123", "+999123"),
        ("012345", "012345"),
        ("không có", ""),
        ("", ""),
        ("+", ""),
        ("9" * 41, ""),
        ("9" * 100_000, ""),
    ],
)
def test_foreign_numbers_stay_foreign_and_what_is_none_keeps_its_digits(written: str, value: str) -> None:
    assert normalize.phone(written) == value


def test_a_number_without_a_country_belongs_where_the_shop_is() -> None:
    assert normalize.phone("650 253 0000", "US") == "+16502530000"
    assert normalize.phone("+84 912 345 678", "US") == "+84912345678"


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"[+0-9(). \-]{0,30}", fullmatch=True))
def test_any_text_has_one_normal_form_that_is_its_own(text: str) -> None:
    value = normalize.phone(text)
    assert normalize.phone(value) == value
    assert len(value) <= normalize.MAX_DIGITS + 1
    assert set(value) <= set("+0123456789")
    assert normalize.forms("phone", text)[:1] in ((value,), ())


@settings(deadline=None)
@given(
    prefix=st.sampled_from(["90", "91", "98", "70", "79", "83", "39", "32", "56", "59"]),
    rest=st.from_regex(r"[0-9]{7}", fullmatch=True),
    gaps=st.lists(st.sampled_from(["", " ", ".", "-", ") ", " ("]), min_size=9, max_size=9),
    front=st.sampled_from(["0", "84", "+84", "0084", "+84 0"]),
)
def test_no_way_of_spacing_makes_another_number(prefix: str, rest: str, gaps: list[str], front: str) -> None:
    written = front + "".join(digit + gap for digit, gap in zip(prefix + rest, gaps, strict=True))
    assert normalize.phone(written) == f"+84{prefix}{rest}"


@settings(deadline=None)
@given(prefix=st.sampled_from(sorted(normalize.RENAMED_2018)), rest=st.from_regex(r"[0-9]{7}", fullmatch=True))
def test_a_number_is_found_under_every_key_it_was_ever_stored_by(prefix: str, rest: str) -> None:
    old = prefix + rest
    wanted = {f"0{old}", f"84{old}", f"+84{old}"}
    new = normalize.phone(f"0{old}")
    for way in (new, f"0{old}", new.removeprefix("+84")):
        found = normalize.forms("phone", way)
        assert found[0] == new
        assert wanted <= set(found)
        assert {new, "0" + new[3:], new[1:]} <= set(found)


@settings(deadline=None)
@given(one=st.from_regex(r"0[0-9]{9,10}", fullmatch=True), two=st.from_regex(r"0[0-9]{9,10}", fullmatch=True))
def test_two_numbers_never_meet_unless_they_are_one(one: str, two: str) -> None:
    def today(number: str) -> str:
        old = number[1:4]
        return (
            f"0{normalize.RENAMED_2018[old]}{number[4:]}"
            if len(number) == 11 and old in normalize.RENAMED_2018
            else number
        )

    assert (normalize.phone(one) == normalize.phone(two)) == (today(one) == today(two))


@pytest.mark.parametrize("kind", ["email", "zalo", "messenger"])
def test_other_kinds_have_one_form(kind: str) -> None:
    assert normalize.forms(kind, " Lan@X.test ") == (("lan@x.test",) if kind == "email" else ("Lan@X.test",))
