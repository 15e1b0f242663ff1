"""A simulated Facebook page: its conversations and the comments under its posts."""

import time
from typing import Any, ClassVar

from channels_app.simulators._faces import portrait
from channels_app.simulators.base import Line, Request
from channels_app.simulators.graph import MB, Comment, GraphProvider, Refusal


class Messenger(GraphProvider):
    """A page that belongs to one application: ours."""

    kind = "messenger"
    OBJECT = "page"
    ACCOUNT_KEY = "page_id"
    REPLY_EDGE = "comments"
    TEXT_LIMIT = 2000
    LIMITS: ClassVar[dict[str, int]] = {"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB, "file": 25 * MB}
    WINDOW_CODE = (10, 2018278)
    PEOPLE: ClassVar[dict[str, str]] = {
        "7300000000000101": "Trần Thu Hà",
        "7300000000000102": "Lê Quang Minh",
        "7300000000000103": "Emily Carter",
    }
    CONFIG: ClassVar[dict[str, str]] = {"page_id": "100200300400500", "verify_token": "hoa-lu-messenger"}
    SECRETS: ClassVar[dict[str, str]] = {"app_secret": "demo-app-secret-mes", "access_token": "EAADemoPageToken"}

    def me(self, request: Request) -> Any:
        return self.named(request, {"id": self.account_id, "name": "Hoa Lư Store"})

    def person(self, person: str, request: Request) -> Any:
        name = self.PEOPLE.get(person)
        if name is None:
            raise Refusal(400, 100, "(#100) Unsupported get request. Object does not exist", 33)
        first, _space, last = name.rpartition(" ")
        picture = f"/files/{person}.png"
        self.files.setdefault(picture, (portrait(person), "image/png"))
        known = {
            "id": person,
            "name": name,
            "first_name": first,
            "last_name": last,
            "locale": "en_US" if name.isascii() else "vi_VN",
            "profile_pic": f"{self.base_url}{picture}",
        }
        return self.named(request, known)

    def check_attachment(self, attachment: Any) -> None:
        kept = self.attachments.get(str(attachment.get("payload", {}).get("attachment_id", "")))
        if kept is None or kept["kind"] != attachment.get("type"):
            raise Refusal(400, 100, "(#100) Attachment id is invalid", 2018074)

    def attached(self, attachment: dict[str, Any]) -> dict[str, str]:
        return self.attachments[attachment["payload"]["attachment_id"]]

    def receipts(self, shown: Line) -> list[tuple[str, Any]]:
        now = int(time.time() * 1000)
        delivery = self.frame(shown.person, delivery={"mids": [shown.id], "watermark": now})
        return [("delivered", delivery), ("read", self.frame(shown.person, read={"watermark": now}))]

    def comment_event(self, comment: Comment, verb: str = "add") -> Any:
        name = self.PEOPLE.get(comment.person, "Hoa Lư Store")
        value = {
            "from": {"id": comment.person, "name": name},
            "post": {
                "id": comment.post,
                "status_type": "mobile_status_update",
                "is_published": True,
                "permalink_url": f"https://www.facebook.com/{comment.post}",
            },
            "post_id": comment.post,
            "comment_id": comment.id,
            "parent_id": comment.parent or comment.post,
            "created_time": int(comment.at),
            "item": "comment",
            "verb": verb,
        }
        return {"field": "feed", "value": value if verb == "remove" else value | {"message": comment.text}}
