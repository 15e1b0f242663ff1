"""A simulated Instagram account: its direct messages and the comments under its posts."""

import re
import time
from typing import Any, ClassVar

from channels_app.simulators.base import Line, Request
from channels_app.simulators.graph import DAY, MB, Comment, GraphProvider, Refusal, fetched


class Instagram(GraphProvider):
    """A professional account, by Facebook's log-in or, where the token begins with IG, by Instagram's own."""

    kind = "instagram"
    OBJECT = "instagram"
    ACCOUNT_KEY = "account_id"
    REPLY_EDGE = "replies"
    TEXT_LIMIT = 1000
    LIMITS: ClassVar[dict[str, int]] = {"image": 8 * MB, "video": 25 * MB, "audio": 25 * MB, "file": 25 * MB}
    WINDOW_CODE = (10, 2534022)
    PEOPLE: ClassVar[dict[str, str]] = {
        "1784000000000201": "Phạm Ngọc Anh",
        "1784000000000202": "Jake Wilson",
    }
    EARLIER = (
        Comment(id="17900000000000001", post="17950000000000001", person="1784000000000202", text="How much is it?"),
    )
    CONFIG: ClassVar[dict[str, str]] = {"account_id": "17841400000000001", "verify_token": "hoa-lu-instagram"}
    SECRETS: ClassVar[dict[str, str]] = {"app_secret": "demo-app-secret-ins", "access_token": "EAADemoLinkedPage"}

    token_made = 0.0  # when the present token was given out, in seconds since 1970

    def length(self, text: str) -> int:
        return len(text.encode())

    def me(self, request: Request) -> Any:
        own = {"id": self.account_id, "username": "hoaluvn"}
        if self.account["access_token"].startswith("IG"):
            known: dict[str, Any] = {"id": "998877", "user_id": self.account_id, "username": "hoaluvn"}
        else:
            known = {"id": "100200300400500", "name": "Hoa Lư Store", "instagram_business_account": own}
        return self.named(request, known)

    def person(self, person: str, request: Request) -> Any:
        name = self.PEOPLE.get(person)
        if name is None:
            raise Refusal(400, 230, "(#230) User consent is required to access user profile", 2534037)
        return self.named(request, {"id": person, "name": name, "username": _handle(name), "profile_pic": None})

    def refresh(self, request: Request) -> Any:
        given, present = request.query.get("access_token", ""), self.account["access_token"]
        if request.query.get("grant_type") != "ig_refresh_token" or not present.startswith("IG"):
            raise Refusal(400, 100, "Invalid parameter")
        if given != present:
            raise Refusal(400, 190, "Error validating access token: Session has expired", 463)
        if self.token_made > time.time() - DAY:
            raise Refusal(400, 100, "The access token must be at least 24 hours old")
        self.token_made = time.time()
        self.account["access_token"] = f"IGAADemo{self.number()}x{time.time_ns():x}"
        return {"access_token": self.account["access_token"], "token_type": "bearer", "expires_in": 5183944}

    def check_attachment(self, attachment: Any) -> None:
        url = str(attachment.get("payload", {}).get("url", ""))
        content, content_type = fetched(url)
        kind = str(attachment.get("type", ""))
        is_kind = kind in self.LIMITS and (kind == "file" or content_type.startswith(f"{kind}/"))
        if not is_kind or (kind == "file" and content_type != "application/pdf"):
            raise Refusal(400, 100, "(#100) The file type is not supported", 2534015)
        if len(content) > self.LIMITS[kind]:
            raise Refusal(400, 100, "(#100) Attachment size exceeds allowable limit", 2018109)
        name = url.rpartition("/")[2]
        self.attachments[url] = {"name": name, "type": content_type, "path": self.keep(name, content_type, content)}

    def attached(self, attachment: dict[str, Any]) -> dict[str, str]:
        return self.attachments[attachment["payload"]["url"]]

    def receipts(self, shown: Line) -> list[tuple[str, Any]]:
        return [("read", self.frame(shown.person, read={"mid": shown.id}))]

    def comment_id(self, post: str) -> str:
        return str(17900000000001000 + self.number())

    def a_post(self) -> str:
        return "17950000000000001"

    def comment_event(self, comment: Comment, verb: str = "add") -> Any:
        name = self.PEOPLE.get(comment.person, "hoaluvn")
        value: dict[str, Any] = {
            "id": comment.id,
            "from": {"id": comment.person, "username": _handle(name)},
            "text": comment.text,
            "media": {"id": comment.post, "media_product_type": "FEED"},
        }
        return {"field": "comments", "value": value | ({"parent_id": comment.parent} if comment.parent else {})}


def _handle(name: str) -> str:
    return re.sub(r"[^a-z]+", ".", name.lower().encode("ascii", "ignore").decode()).strip(".")
