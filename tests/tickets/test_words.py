"""Words found as people type them: without diacritics, in any case, the same in Python and in SQL."""

import unicodedata

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core.text import fold
from tests.builders import a_mailbox
from tests.tickets.saying import heard, mail_from
from tickets.lifecycle.search import matching
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
LETTERS = VIETNAMESE + VIETNAMESE.upper() + "fjwzFJWZ 0123456789.,!?-@"
EUROPEAN = "äöüÄÖÜéèêëçñåÅîïôûùÿŠšŽžČčŘřŮů"


def in_sql(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hd_fold(%s)", [text])
        folded: str = cursor.fetchone()[0]
    return folded


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=LETTERS + EUROPEAN, max_size=60), form=st.sampled_from(["NFC", "NFD"]))
def test_python_and_sql_fold_alike(text: str, form: str) -> None:
    text = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert fold(text) == in_sql(text)


def test_every_vietnamese_letter_folds_to_ascii() -> None:
    assert fold(VIETNAMESE).isascii()
    assert in_sql(VIETNAMESE).isascii()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(typed=st.text(max_size=80))
def test_whatever_is_typed_is_an_answer_and_no_error(typed: str) -> None:
    assert Ticket.objects.filter(matching(typed)).count() == 0


@pytest.mark.parametrize("typed", ["ʼ", "ʼ ʼ", "ʼʼ ʼ ʼ", "ʼ nobody", "nobody ʼ", "nobody ʼ ʼ either", "ʼ ʼ nobody ʼ"])
def test_letters_that_fold_to_nothing_are_no_words(typed: str) -> None:
    assert Ticket.objects.filter(matching(typed)).count() == 0


@pytest.mark.parametrize(
    "typed",
    [
        "don ʼ hang",
        "ʼ ʼ đơn ʼ",
        "don hang",
        "ĐƠN",
        "đơn hàng",
        "tra lai",
        "trả",
        "lan",
        "nguyen",
        "lan@x.test",
        "hang don",
        "1024",
    ],
)
def test_words_are_found_in_subject_text_and_name(typed: str) -> None:
    sender = mail_from("lan@x.test", name="Lan Nguyễn")
    heard(a_mailbox(), sender, subject="Đơn hàng số 1024 gấp", text="Tôi muốn trả lại áo")
    if typed != "1024":  # a number is a ticket's
        assert Ticket.objects.filter(matching(typed)).count() == 1


@pytest.mark.parametrize("text", ["Straße nach Łódź", "½ giá", "№ 5", "e\u0301te\u0301"])
def test_what_stands_in_the_text_is_found_as_it_stands(text: str) -> None:
    heard(a_mailbox(), mail_from("lan@x.test"), text=text)
    for word in text.split():
        if any(character.isalpha() for character in word):
            assert Ticket.objects.filter(matching(word)).count() == 1, word
