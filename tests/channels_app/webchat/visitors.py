"""A visitor as tests play one: the addresses of the widget, called over HTTP."""

import uuid
from typing import Any

from django.test import Client

from channels_app.models import Channel
from channels_app.webchat import proofs

ORIGIN = "http://shop.test"


class Visitor:
    """One browser on the host's page."""

    def __init__(self, channel: Channel, *, origin: str = ORIGIN, begin: bool = True, **session: Any) -> None:
        self.channel, self.origin, self.client = channel, origin, Client()
        self.token = ""
        if begin:
            self.begin(**session)

    def begin(self, **body: Any) -> Any:
        answer = self.post("session", body)
        assert answer.status_code == 200, answer.content
        self.token, self.thread = answer.json()["token"], int(answer.json()["thread"])
        return answer.json()

    def post(self, where: str, body: Any, **more: Any) -> Any:
        data = body if isinstance(body, (str, bytes)) else __import__("json").dumps(body)
        url = f"/widget/v1/{self.channel.pk}/{where}"
        return self.client.post(url, data, content_type="application/json", headers=self.headers(), **more)

    def get(self, where: str) -> Any:
        return self.client.get(f"/widget/v1/{self.channel.pk}/{where}", headers=self.headers())

    def upload(self, file: Any) -> Any:
        return self.client.post(f"/widget/v1/{self.channel.pk}/files", {"file": file}, headers=self.headers())

    def say(self, text: str, *, client_id: str = "", **more: Any) -> Any:
        return self.post("messages", {"client_id": client_id or str(uuid.uuid4()), "text": text} | more)

    def lines(self, after: int = 0) -> list[dict[str, Any]]:
        return self.get(f"messages?after={after}").json()["results"]

    def headers(self) -> dict[str, str]:
        return ({"Origin": self.origin} if self.origin else {}) | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )


def signed(channel: Channel, *, id: str = "u1", email: str = "", phone: str = "", name: str = "") -> dict[str, Any]:
    """The body of a session for a person the host site signs for."""
    person = proofs.Person(id=id, email=email, phone=phone, name=name)
    user = {key: value for key, value in [("id", id), ("email", email), ("phone", phone), ("name", name)] if value}
    return {"user": user, "proof": proofs.sign(person, channel.secrets["identity_secret"])}
