"""The sample shop at /demo/: a page as a customer of the desk would have, with the widget on it. Only when DEMO=1."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from channels_app.webchat import proofs, queries
from helpdesk.core.errors import NotFound

# Whom the shop's own sign-in could know; both have written to the demo desk by mail.
PEOPLE = {
    "thuha": proofs.Person(id="KH-1042", email="thuha.tran@thu.test", phone="+84901234567", name="Trần Thu Hà"),
    "james": proofs.Person(id="KH-1187", email="j.carter@post.test", name="James Carter"),
}
PRODUCTS = (
    ("shirt", "sand", "Áo sơ mi linen Tràng An", "Tràng An linen shirt", 590_000, 0),
    ("dress", "rose", "Đầm suông lụa Nhật Lệ", "Nhật Lệ silk dress", 890_000, 1_090_000),
    ("tee", "leaf", "Áo thun cotton hữu cơ", "Organic cotton tee", 290_000, 0),
    ("bag", "clay", "Túi cói đan tay Kim Sơn", "Kim Sơn hand-woven bag", 420_000, 0),
    ("scarf", "indigo", "Khăn chàm nhuộm tay Sa Pa", "Sa Pa indigo scarf", 350_000, 0),
    ("hat", "sun", "Nón lá thêu hoa sen", "Lotus-embroidered hat", 180_000, 220_000),
)
WORDS: dict[str, dict[str, str]] = {
    "vi": {
        "title": "Hoa Lư — vải lành, may kỹ",
        "tagline": "Vải lành, may kỹ, mặc bền",
        "lead": "Linen, lụa và cotton dệt ở Ninh Bình, may từng chiếc trong xưởng nhỏ của chúng mình.",
        "shop": "Xem hàng mới",
        "new": "Hàng mới về",
        "was": "Giá cũ",
        "promise1": "Giao toàn quốc 2–4 ngày",
        "promise2": "Đổi size miễn phí trong 7 ngày",
        "promise3": "Trả lời trong 5 phút",
        "guest": "Khách",
        "signed": "Đăng nhập là",
        "proved": "Cửa hàng đã ký tên {name} bằng khóa bí mật của kênh chat: tin nhắn và email là một cuộc trò chuyện.",
        "unproved": "Bạn đang xem như khách. Chọn một tài khoản để thử đăng nhập có chữ ký của cửa hàng.",
        "foot": "Trang mẫu của hệ thống hỗ trợ. Không bán hàng thật.",
        "other": "English",
        "no_chat": "Chưa có kênh chat nào đang mở.",
    },
    "en": {
        "title": "Hoa Lư — honest cloth, well made",
        "tagline": "Honest cloth, well made, long worn",
        "lead": "Linen, silk and cotton woven in Ninh Bình, sewn piece by piece in our small workshop.",
        "shop": "See what is new",
        "new": "Just in",
        "was": "Before",
        "promise1": "Delivered anywhere in Vietnam in 2–4 days",
        "promise2": "Free size exchange within 7 days",
        "promise3": "An answer within 5 minutes",
        "guest": "Guest",
        "signed": "Signed in as",
        "proved": "The shop signed {name} with the chat channel's secret: chat and e-mail are one conversation.",
        "unproved": "You are a guest. Choose an account to try a sign-in that the shop vouches for.",
        "foot": "A sample page of the help desk. Nothing is really sold here.",
        "other": "Tiếng Việt",
        "no_chat": "No chat channel is open yet.",
    },
}


@require_safe
def shop(request: HttpRequest) -> HttpResponse:
    """GET /demo/?as=NAME&lang=vi|en."""
    if not settings.ENV.demo:
        raise NotFound
    asked = request.GET.get("lang", "") or getattr(request, "LANGUAGE_CODE", "")
    language = asked if asked in WORDS else "vi"
    who = request.GET.get("as", "")
    person, channel = PEOPLE.get(who), queries.first_chat()
    secret = str(channel.secrets.get("identity_secret", "")) if channel else ""
    context: dict[str, Any] = {
        "words": WORDS[language],
        "language": language,
        "other_language": "en" if language == "vi" else "vi",
        "who": who if person else "",
        "people": [(name, one.name) for name, one in PEOPLE.items()],
        "person": person,
        "said": WORDS[language]["proved" if person else "unproved"].format(name=person.name if person else ""),
        "proof": proofs.sign(person, secret) if person and secret else "",
        "channel": channel,
        "products": [_product(product, language) for product in PRODUCTS],
    }
    return render(request, "demo/shop.html", context)


def _product(product: tuple[str, str, str, str, int, int], language: str) -> dict[str, str]:
    kind, tint, vietnamese, english, price, before = product
    name = vietnamese if language == "vi" else english
    return {"kind": kind, "tint": tint, "name": name, "price": _dong(price), "before": _dong(before) if before else ""}


def _dong(amount: int) -> str:
    return f"{amount:,}".replace(",", ".") + " ₫"
