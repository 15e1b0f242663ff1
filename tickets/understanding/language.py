"""Which language a text is in, pure: Vietnamese or English, or nothing when it does not say."""

import re

_LETTER = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
_WORD = re.compile(r"[a-zà-ỹđ]+")
_VI_WORDS = frozenset(
    [
        "anh",
        "chi",
        "chị",
        "em",
        "minh",
        "mình",
        "ban",
        "bạn",
        "shop",
        "khong",
        "không",
        "ko",
        "hang",
        "hàng",
        "don",
        "đơn",
        "giao",
        "doi",
        "đổi",
        "tra",
        "trả",
        "cho",
        "oi",
        "ơi",
        "nhe",
        "nhé",
        "a",
        "ạ",
        "da",
        "dạ",
        "roi",
        "rồi",
        "duoc",
        "được",
        "dc",
        "vay",
        "vậy",
        "nhu",
        "như",
        "the",
        "thế",
        "nao",
        "nào",
        "bao",
        "gio",
        "giờ",
        "cua",
        "của",
        "toi",
        "tôi",
        "xin",
        "cam",
        "cảm",
        "on",
        "ơn",
    ]
)
_EN_WORDS = frozenset(
    [
        "the",
        "and",
        "is",
        "are",
        "you",
        "my",
        "your",
        "i",
        "it",
        "to",
        "of",
        "for",
        "in",
        "on",
        "with",
        "this",
        "that",
        "have",
        "has",
        "not",
        "please",
        "hello",
        "hi",
        "thanks",
        "order",
        "when",
        "where",
        "what",
        "how",
        "can",
        "could",
        "would",
        "was",
        "were",
        "been",
        "from",
        "but",
    ]
)


def guess(text: str) -> str:
    """`vi`, `en` or an empty string. Reads the first 600 characters."""
    sample = text[:600].lower()
    if len(_LETTER.findall(sample)) >= 2:
        return "vi"
    words = _WORD.findall(sample)
    vietnamese = sum(word in _VI_WORDS for word in words)
    english = sum(word in _EN_WORDS for word in words)
    if vietnamese == english:
        return ""
    return "vi" if vietnamese > english else "en"
