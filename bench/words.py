"""What people write to a shop: texts, names and whole mails, the same for the same number."""

import random
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import uuid4

from django.utils.timezone import now

SHOP = "support@shop.test"
FAMILY = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Lý",
]
MIDDLE = ["Thị", "Văn", "Minh", "Ngọc", "Thanh", "Hữu", "Quốc", "Thu", "Kim", "Xuân", "Đức", "Gia", "Bảo", "Khánh"]
GIVEN = [
    "Lan",
    "Hương",
    "Hùng",
    "Dũng",
    "Mai",
    "Linh",
    "Trang",
    "Tuấn",
    "Nam",
    "Hà",
    "Phương",
    "Thảo",
    "Quân",
    "Sơn",
    "Vy",
    "An",
    "Bình",
    "Châu",
    "Đạt",
    "Giang",
]
SENTENCES = (
    "Shop ơi, đơn hàng {n} của mình đến đâu rồi ạ?",
    "Mình đặt từ hôm thứ hai mà đến giờ vẫn chưa thấy giao.",
    "Áo màu xanh size M còn hàng không shop?",
    "Mình nhận được hàng rồi nhưng bị thiếu một món trong đơn {n}.",
    "Hàng bị lỗi đường may, mình muốn đổi cái khác được không?",
    "Cho mình hỏi phí ship về Đà Nẵng là bao nhiêu vậy?",
    "Mình đã chuyển khoản {n} nghìn đồng, shop kiểm tra giúp mình nhé.",
    "Cảm ơn shop đã hỗ trợ nhanh, mình rất hài lòng.",
    "Nhân viên giao hàng gọi lúc mình đang họp nên không nghe máy được.",
    "Mình muốn hủy đơn {n} và hoàn tiền về thẻ cũ.",
    "Đôi giày này đi có bị chật không, mình hay đi size 38?",
    "Mã giảm giá {n} không dùng được, nó báo đã hết hạn.",
    "Hello, I ordered on Monday and the tracking page for {n} still says pending.",
    "Could you please change the delivery address of my order {n}?",
    "The parcel arrived today but the box was open and one item is missing.",
    "Thank you for the quick answer, everything is fine now.",
    "Is the blue jacket available in size L, and when could you ship it?",
    "I would like a refund for order {n}, the zip broke after two days.",
)
ANSWERS = (
    "Dạ em chào anh chị, em kiểm tra đơn {n} ngay và báo lại trong ít phút ạ.",
    "Dạ shop xin lỗi vì sự bất tiện này, em đã tạo yêu cầu đổi hàng cho mình rồi ạ.",
    "Dạ đơn của mình đang trên đường giao, dự kiến chiều mai tới nơi ạ.",
    "Thank you for writing. I have asked the warehouse about order {n} and will be back within the hour.",
)
SUBJECTS = (
    "Đơn hàng {n} chưa tới", "Hỏi về size áo", "Đổi hàng bị lỗi", "Hoàn tiền đơn {n}", "Phí giao hàng",
    "Mã giảm giá {n} không dùng được", "Thiếu hàng trong đơn {n}", "Where is my order {n}?", "Refund for {n}",
    "Change of address",
)  # fmt: skip


def name(chance: random.Random) -> str:
    return f"{chance.choice(FAMILY)} {chance.choice(MIDDLE)} {chance.choice(GIVEN)}"


def subject(chance: random.Random) -> str:
    return chance.choice(SUBJECTS).format(n=chance.randrange(1000, 99999))


def question(chance: random.Random) -> str:
    """One to five sentences of a customer."""
    said = chance.choices(SENTENCES, k=chance.randint(1, 5))
    return " ".join(said).format(n=chance.randrange(1000, 99999))


def answer(chance: random.Random) -> str:
    """One to three sentences of an agent."""
    said = chance.choices(ANSWERS, k=chance.randint(1, 3))
    return " ".join(said).format(n=chance.randrange(1000, 99999))


def mail(
    chance: random.Random, *, sender: str = "", size: int = 4096, enclosed: int = 0, in_reply_to: str = ""
) -> bytes:
    """A multipart/alternative mail of about `size` bytes; with a file of `enclosed` random bytes when asked for."""
    made = EmailMessage()
    who = sender or f"c{uuid4().hex[:12]}@khach.test"
    made["From"] = f"{name(chance)} <{who}>"
    made["To"] = SHOP
    made["Subject"] = ("Re: " if in_reply_to else "") + subject(chance)
    made["Date"] = format_datetime(now())
    made["Message-ID"] = f"<{uuid4().hex}@khach.test>"
    made["X-Mailer"] = "Thu 16.0"
    made["Received"] = "from mx.khach.test (mx.khach.test [198.51.100.7]) by mx.shop.test; " + format_datetime(now())
    if in_reply_to:
        made["In-Reply-To"] = made["References"] = in_reply_to
    text = question(chance)
    while len(text.encode()) * 2.9 < size - 900:  # the text travels twice, encoded
        text += "\n\n" + question(chance)
    made.set_content(text, charset="utf-8")
    paragraphs = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    made.add_alternative(f"<html><body>{paragraphs}</body></html>", subtype="html", charset="utf-8")
    if enclosed:
        made.add_attachment(chance.randbytes(enclosed), maintype="application", subtype="pdf", filename="hoa-don.pdf")
    return made.as_bytes()
