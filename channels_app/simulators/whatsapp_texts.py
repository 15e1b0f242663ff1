"""The templates of the played account: approved ones in Vietnamese and English, and some that cannot be used."""

from typing import Any

TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "id": "700000000000001", "name": "order_update", "language": "vi", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [
            {"type": "BODY", "text": "Chào {{1}}, đơn hàng {{2}} của bạn đang được giao. Bạn cần gì thêm không?"},
            {"type": "FOOTER", "text": "Hoa Lư Store"},
        ],
    },
    {
        "id": "700000000000002", "name": "order_update", "language": "en", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [{"type": "BODY", "text": "Hello {{1}}, your order {{2}} is on its way. Can we help further?"}],
    },
    {
        "id": "700000000000003", "name": "follow_up", "language": "vi", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {"type": "BODY", "text": "Chào {{customer_name}}, shop đã có câu trả lời cho bạn. Nhắn lại để xem nhé!"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Xem trả lời"}]},
        ],
    },
    {
        "id": "700000000000004", "name": "autumn_sale", "language": "en", "status": "REJECTED", "category": "MARKETING",
        "parameter_format": "POSITIONAL", "components": [{"type": "BODY", "text": "Everything must go!"}],
    },
    {
        "id": "700000000000005", "name": "receipt_picture", "language": "en", "status": "APPROVED",
        "category": "UTILITY", "parameter_format": "POSITIONAL",
        "components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Your receipt."}],
    },
)  # fmt: skip
