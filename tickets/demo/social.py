"""What the demo's customers said on social channels; people as the simulated providers know them."""

from tickets.demo.content import DAY, Conversation, Line

SOCIAL = (
    Conversation(
        name="Nguyễn Thị Lan",
        email="lan.nguyen@thu.test",
        people={"zalo": "8142639005581123456"},
        subject="Đổi ca phối màu bộ bát đĩa, đơn HL-20431",
        form_of_address="chị",
        tier="vàng",
        notes="Trả lời qua Zalo là nhanh nhất, mail chỉ để gửi hoá đơn.",
        assignee="agent",
        tags=("đổi hàng",),
        lines=(
            Line(
                DAY + 130,
                "customer",
                "Chào shop,\nMình đặt bộ bát đĩa men lam 16 món, đơn HL-20431, giờ muốn đổi sang men ngọc có được "
                "không? Mình gửi kèm ảnh mẫu mình thích.",
                file="men-ngoc.png",
            ),
            Line(
                DAY + 126,
                "agent",
                "Dạ chào chị Lan,\n\nĐơn của chị chưa đóng gói nên em đổi sang men ngọc được ạ, giá không thay đổi. "
                "Chị xác nhận giúp em địa chỉ nhận vẫn là 12 Lý Nam Đế nhé.",
            ),
            Line(
                165,
                "customer",
                "Em ơi chị Lan đổi bộ men ngọc trong mail hôm qua đây. Địa chỉ vẫn vậy nha, nhắn qua đây cho nhanh.",
                "zalo",
            ),
            Line(162, "agent", "Dạ em thấy mail rồi ạ. Em đã đổi sang men ngọc, thứ sáu giao tới chị nhé!", "zalo"),
            Line(157, "customer", "❤️", "zalo", what="reaction"),
            Line(3, "customer", "Thứ sáu chị đi làm, giao sau 6 giờ chiều được không em?", "zalo", what="quote"),
        ),
    ),
    Conversation(
        name="Trần Quốc Bảo",
        email="",
        people={"zalo": "7719305528846201187"},
        subject="",
        form_of_address="anh",
        priority="urgent",
        tags=("giao hàng",),
        lines=(
            Line(
                2,
                "customer",
                "Shop ơi shipper báo giao thành công mà mình chưa nhận được gì hết, đơn HL-20440",
                "zalo",
            ),
            Line(1, "customer", "Mã vận đơn đây, kiểm tra gấp giúp mình với", "zalo", "van-don.png", what="photo"),
        ),
    ),
    Conversation(
        name="Lê Quang Minh",
        email="",
        people={"messenger": "7300000000000102"},
        subject="",
        form_of_address="anh",
        assignee="agent",
        end="pending",
        tags=("tư vấn", "giao hàng"),
        lines=(
            Line(210, "customer", "Shop có giao hoả tốc trong nội thành Huế không ạ?", "messenger"),
            Line(206, "agent", "Dạ có anh ạ, trong vòng 2 giờ. Anh gửi em vị trí nhận hàng nhé!", "messenger"),
            Line(204, "customer", "", "messenger", what="place"),
            Line(
                201,
                "agent",
                "Em tính rồi ạ: phí 35.000 ₫, khoảng 40 phút là tới. Anh chốt thì em cho đóng gói luôn nhé.",
                "messenger",
            ),
            Line(199, "customer", "👍", "messenger", what="reaction"),
        ),
    ),
    Conversation(
        name="Oliver Hughes",
        email="",
        people={"whatsapp": "447700900123"},
        subject="",
        priority="high",
        assignee="agent",
        tags=("damaged",),
        lines=(
            Line(64, "customer", "Hi, my parcel arrived like this. Two of the six cups are broken.", "whatsapp"),
            Line(63, "customer", "The box was already crushed", "whatsapp", "parcel.png", what="photo"),
            Line(
                60,
                "agent",
                "I am so sorry, Oliver. I have two new cups ready, all free. Where are you staying until Saturday?",
                "whatsapp",
            ),
            Line(4, "customer", "", "whatsapp", what="place"),
            Line(3.5, "customer", "Here, ask for me at the front desk. Could it come tomorrow morning?", "whatsapp"),
        ),
    ),
    Conversation(
        name="Jake Wilson",
        email="",
        people={"instagram": "1784000000000202"},
        subject="",
        tags=("sales",),
        lines=(
            Line(
                4,
                "customer",
                "Love these! How much is the big one? Do you ship to the UK? 😍",
                "instagram",
                what="comment",
            ),
        ),
    ),
    Conversation(
        name="Phạm Văn Đức",
        email="",
        people={"whatsapp": "84987654321"},
        subject="",
        form_of_address="anh",
        team="tech",
        assignee="supervisor",
        end="solved",
        tags=("bảo hành",),
        lines=(
            Line(
                DAY + 260,
                "customer",
                "Nồi cơm mới mua cứ báo lỗi E2 rồi tắt. Nhắn tin hơi khó tả, shop gọi lại cho tôi được không?",
                "whatsapp",
            ),
            Line(
                DAY + 256,
                "call",
                "Hướng dẫn anh Đức lau khô đế nồi và mâm nhiệt; nồi chạy lại bình thường, không cần đổi máy.",
            ),
            Line(DAY + 244, "customer", "Nồi chạy ngon rồi, cảm ơn em gái đã gọi nhé!", "whatsapp"),
        ),
    ),
)
