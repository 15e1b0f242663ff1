"""What the demo's customers and agents said, as minutes before now."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said or done. who: customer, agent, supervisor, note, call; minutes: how long ago.

    what, on a social channel: text, photo, place, comment (under a post), quote and reaction (of our last answer).
    """

    minutes: float
    who: str
    text: str
    channel: str = "email"
    file: str = ""
    what: str = "text"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One ticket's story. `end` is the status it is left in; `people`: who they are at the simulated providers."""

    name: str
    email: str
    subject: str
    lines: tuple[Line, ...]
    people: dict[str, str] = field(default_factory=dict)
    team: str = "care"
    priority: str = "normal"
    tags: tuple[str, ...] = ()
    end: str = ""
    assignee: str = ""
    form_of_address: str = ""
    tier: str = ""
    notes: str = ""
    verified: bool = True
    snooze_hours: float = 0


DAY = 24 * 60

CONVERSATIONS = (
    Conversation(
        name="Trần Thu Hà",
        email="thuha.tran@thu.test",
        subject="Đơn HL-20418 sáu ngày chưa tới",
        form_of_address="chị",
        tier="vàng",
        notes="Mua đều mỗi tháng, thích được báo trước qua Zalo.",
        priority="urgent",
        tags=("giao hàng", "trễ"),
        lines=(
            Line(
                3,
                "customer",
                "Shop ơi, đơn HL-20418 mình đặt từ thứ hai tuần trước mà tới giờ vẫn chưa thấy đâu. "
                "Bên vận chuyển báo “đang giao” suốt bốn ngày nay. Chủ nhật này là sinh nhật con mình rồi, "
                "shop kiểm tra giúp mình với!",
            ),
        ),
    ),
    Conversation(
        name="James Carter",
        email="j.carter@post.test",
        subject="Wrong size delivered, order HL-20391",
        priority="high",
        tags=("exchange",),
        assignee="agent",
        lines=(
            Line(
                95,
                "customer",
                "Hello,\n\nI ordered the linen shirt in L and received an M. The parcel looked fine, "
                "so I think it was packed wrongly. I am in Da Nang until Thursday. Can you exchange it before then?",
            ),
            Line(
                92,
                "agent",
                "Hi James,\n\nI am sorry about the mix-up. I have an L here and can send it today by "
                "express, so it reaches you on Wednesday. The courier will take the M back at the door, nothing to pay."
                "\n\nIs the Hai Chau address still right?",
            ),
            Line(
                1,
                "customer",
                "Yes, the address is right, thank you for the quick answer! Could the courier come after "
                "5 pm? I am at a conference all day.",
            ),
        ),
    ),
    Conversation(
        name="Nguyễn Minh Quân",
        email="quan.nm@hop.test",
        subject="Hoàn tiền đơn HL-20377",
        form_of_address="anh",
        team="billing",
        priority="high",
        tags=("hoàn tiền",),
        lines=(
            Line(
                1.5,
                "customer",
                "Chào shop,\nTôi đã gửi trả đôi giày hôm 12, bưu cục báo shop ký nhận từ hôm 15. "
                "Đến nay vẫn chưa thấy tiền về thẻ. Shop cho tôi biết khi nào hoàn được không?",
            ),
        ),
    ),
    Conversation(
        name="Lê Ngọc Anh",
        email="ngocanh.le@thu.test",
        subject="Hỏi size áo khoác dạ",
        form_of_address="em",
        assignee="agent",
        tags=("tư vấn",),
        end="pending",
        lines=(
            Line(
                310, "customer", "Dạ shop cho em hỏi em cao 1m58 nặng 49kg thì mặc áo khoác dạ dáng dài size nào vừa ạ?"
            ),
            Line(
                307,
                "agent",
                "Chào em, với chiều cao và cân nặng của em thì size S là vừa đẹp, dài qua gối một chút. "
                "Nếu em hay mặc len dày bên trong thì lấy M sẽ thoải mái hơn. Em thích mặc kiểu nào hơn ạ?",
            ),
            Line(298, "customer", "Em hay mặc len dày lắm ạ, để em đo lại vai rồi báo shop nha"),
            Line(296, "agent", "Dạ được em. Vai size M là 40 cm nhé, em đo vai của áo đang mặc vừa nhất là chuẩn."),
        ),
    ),
    Conversation(
        name="Phạm Đức Long",
        email="long.pham@hop.test",
        subject="Máy pha cà phê không lên nguồn",
        form_of_address="anh",
        team="tech",
        priority="high",
        tags=("bảo hành",),
        assignee="supervisor",
        lines=(
            Line(
                2 * DAY + 40, "customer", "Máy pha mua hôm 3/11, hôm nay cắm điện không lên đèn. Đã thử ổ khác vẫn thế."
            ),
            Line(
                2 * DAY + 37,
                "supervisor",
                "Chào anh Long, em xin lỗi anh vì sự bất tiện này. Anh giúp em thử giữ nút "
                "nguồn 10 giây rồi bật lại, và cho em xin ảnh tem ở đáy máy với ạ.",
            ),
            Line(2 * DAY + 5, "customer", "Đã thử, vẫn không lên. Ảnh tem mình gửi kèm.", file="tem-may.png"),
            Line(
                2 * DAY,
                "note",
                "Lô 2409 đã có ba máy lỗi cầu chì giống thế này. Đổi máy mới luôn, không cần gửi về xưởng.",
            ),
            Line(
                DAY + 200,
                "supervisor",
                "Dạ máy của anh thuộc lô bị lỗi cầu chì, bên em đổi máy mới cho anh ngay. "
                "Chiều mai giao hàng sẽ mang máy mới tới và nhận lại máy cũ. Anh không phải trả phí gì ạ.",
            ),
            Line(7, "customer", "Ok em. Mai anh ở nhà sau 6 giờ chiều thôi nhé."),
        ),
    ),
    Conversation(
        name="Sophie Martin",
        email="sophie.m@post.test",
        subject="Gift wrapping for 12 boxes?",
        lines=(
            Line(
                2.5,
                "customer",
                "Hi! I'd like to order 12 of the lacquer boxes as gifts for my team. Do you offer gift "
                "wrapping, and could each one carry a different name card? We need them by 15 December.",
            ),
        ),
        tags=("sales",),
    ),
    Conversation(
        name="Vũ Hoàng Yến",
        email="yenvu@thu.test",
        subject="Đổi địa chỉ nhận hàng",
        form_of_address="chị",
        assignee="agent",
        end="solved",
        tags=("giao hàng",),
        lines=(
            Line(
                DAY + 80, "customer", "Mình nhập nhầm số nhà, đúng là 27/4 chứ không phải 274 nha shop. Đơn HL-20402."
            ),
            Line(
                DAY + 78,
                "agent",
                "Dạ em đã sửa lại thành 27/4 và báo bên giao hàng rồi ạ. Chị nhận hàng trong chiều mai nhé!",
            ),
            Line(DAY + 70, "customer", "Nhanh quá, cảm ơn em nhiều ❤️"),
            Line(DAY + 69, "agent", "Dạ không có gì ạ. Chúc chị một ngày vui!"),
        ),
    ),
    Conversation(
        name="Hoàng Gia Bảo",
        email="giabao@hop.test",
        subject="Hoá đơn VAT cho công ty",
        team="billing",
        form_of_address="anh",
        assignee="supervisor",
        snooze_hours=18,
        lines=(
            Line(
                DAY + 400,
                "customer",
                "Xuất giúp mình hoá đơn đỏ đơn HL-20355, thông tin công ty mình gửi kèm mail này. "
                "Kế toán cần trước ngày 25.",
            ),
            Line(
                DAY + 396,
                "supervisor",
                "Dạ em nhận được rồi. Bên em xuất hoá đơn vào sáng thứ hai, em gửi anh ngay khi có ạ.",
            ),
        ),
    ),
    Conversation(
        name="Emily Nguyen",
        email="emily.ng@post.test",
        subject="Where is my voucher?",
        assignee="agent",
        end="solved",
        tags=("voucher",),
        lines=(
            Line(
                2 * DAY + 600,
                "customer",
                "I signed up for the newsletter to get the 10% voucher but nothing arrived. Checked spam too.",
            ),
            Line(
                2 * DAY + 590,
                "agent",
                "Hi Emily, thanks for checking spam first! The mail bounced because of a missing "
                "letter in the address. Your code is HELLO10, valid until the end of the month.",
            ),
            Line(2 * DAY + 560, "customer", "Works, thank you!"),
        ),
    ),
    Conversation(
        name="Bùi Khánh Linh",
        email="linhbui@thu.test",
        subject="Cảm ơn shop",
        form_of_address="em",
        tier="bạc",
        end="solved",
        assignee="supervisor",
        tags=("khen",),
        lines=(
            Line(
                3 * DAY,
                "customer",
                "Em nhận được hàng rồi, đóng gói xinh xỉu luôn, lại còn có thiệp viết tay. "
                "Lần đầu mua mà ưng ghê, em giới thiệu cho mấy đứa bạn rồi á!",
            ),
            Line(
                3 * DAY - 6,
                "supervisor",
                "Đọc tin của em mà cả nhóm vui theo luôn 😊 Cảm ơn em nhiều lắm. "
                "Lần sau em ghé, bên chị tặng em một túi vải nhé!",
            ),
        ),
    ),
    Conversation(
        name="Đặng Văn Tùng",
        email="tungdv@hop.test",
        subject="Áo giặt một lần đã phai màu",
        form_of_address="anh",
        priority="high",
        tags=("chất lượng",),
        lines=(
            Line(
                47,
                "customer",
                "Áo mua 390k mà giặt một nước đã phai loang lổ. Làm ăn kiểu này thì ai dám mua nữa. Tôi muốn trả hàng.",
            ),
            Line(8, "customer", "Sao không thấy ai trả lời vậy???"),
        ),
    ),
    Conversation(
        name="Mai Phương",
        email="maiphuong@thu.test",
        subject="Còn màu be không ạ",
        form_of_address="chị",
        assignee="agent",
        end="pending",
        lines=(
            Line(190, "customer", "Túi tote da còn màu be không shop?"),
            Line(188, "agent", "Dạ màu be về lại sáng thứ tư chị ạ. Em giữ cho chị một chiếc nhé?"),
        ),
    ),
    Conversation(
        name="Oliver Stone",
        email="oliver@post.test",
        subject="Partnership opportunity – guest post",
        verified=False,
        end="spam",
        lines=(
            Line(700, "customer", "Dear Sir/Madam, we place guest posts on sites like yours for only $20 per link…"),
        ),
    ),
    Conversation(
        name="Ngô Thanh Tâm",
        email="tamngo@hop.test",
        subject="Bình giữ nhiệt bị rò nước",
        form_of_address="chị",
        team="tech",
        verified=False,
        lines=(
            Line(
                4,
                "customer",
                "Bình mình mới mua bị rò ở nắp, đổ hết vào túi laptop. Giờ làm sao đây shop? May mà máy chưa sao.",
            ),
        ),
    ),
)
