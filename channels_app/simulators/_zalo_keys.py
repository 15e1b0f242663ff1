"""The simulated Zalo's keys: signed in for with PKCE, exchanged with a refresh key that works once."""

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode

from channels_app.simulators.base import Request, Response

KEY_SECONDS = 90_000  # an access key lives 25 hours
REFRESH_SECONDS = 90 * 86400
CODE_SECONDS = 600
_SIGNED_WITH = b"the simulated zalo"


def error(code: int, message: str) -> Response:
    """Zalo answers 200 to everything."""
    return Response({"error": code, "message": message, "error_name": message})


class Keys:
    """What was given out to one app: strings signed by us, so that a restart of the simulator forgets no key."""

    def __init__(self, *, account: dict[str, str], clock: Callable[[], float]) -> None:
        self.account, self.clock = account, clock
        self.first = dict(account)  # what the channel is set up with: good from the start
        self.started = time.time()
        self.lock = threading.RLock()
        self.refused: set[str] = set()
        self.spent: list[str] = []  # refresh keys, in the order they were exchanged
        self.codes: dict[str, tuple[str, float]] = {}  # code: challenge, given at

    def accepts(self, key: str) -> bool:
        """Whether calls with this access key are answered."""
        return key not in self.refused and self.clock() < self._until(key, "access", KEY_SECONDS)

    def refuse(self, key: str) -> None:
        """From now on this access key is refused, as when somebody withdraws it."""
        self.refused.add(key)

    def given(self, request: Request) -> Response:
        """POST /v4/oa/access_token."""
        form = request.form
        if request.method != "POST" or request.headers.get("secret_key") != self.account["app_secret"]:
            return error(-14004, "Invalid secret key")
        if form.get("app_id") != self.account["app_id"]:
            return error(-14002, "Invalid app id")
        with self.lock:
            if form.get("grant_type") == "refresh_token":
                return self._exchange_refresh(form.get("refresh_token", ""))
            if form.get("grant_type") == "authorization_code":
                return self._exchange_code(form.get("code", ""), form.get("code_verifier", ""))
        return error(-14003, "Invalid grant type")

    def agreed(self, request: Request) -> Response:
        """GET /v4/oa/permission: the page on which an admin agrees; this one agrees at once."""
        query = request.query
        redirect, challenge = query.get("redirect_uri", ""), query.get("code_challenge", "")
        if query.get("app_id") != self.account["app_id"] or not redirect.startswith("http") or not challenge:
            return error(-14003, "Invalid request")
        code = secrets.token_urlsafe(24)
        self.codes[code] = (challenge, self.clock())
        back = urlencode({"oa_id": self.account["oa_id"], "code": code, "state": query.get("state", "")})
        return Response(b"", 302, {"Location": f"{redirect}?{back}"})

    def _exchange_refresh(self, key: str) -> Response:
        if key in self.spent or self.clock() >= self._until(key, "refresh", REFRESH_SECONDS):
            return error(-14014, "Invalid refresh token")
        self.spent.append(key)
        return self._fresh()

    def _exchange_code(self, code: str, verifier: str) -> Response:
        challenge, given_at = self.codes.pop(code, ("", 0.0))
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if not challenge or self.clock() > given_at + CODE_SECONDS:
            return error(-14019, "Invalid authorization code")
        if made != challenge:
            return error(-14010, "Invalid code verifier")
        return self._fresh()

    def _fresh(self) -> Response:
        access = self._make("access", KEY_SECONDS)
        refresh = self._make("refresh", REFRESH_SECONDS)
        self.account |= {"access_token": access, "refresh_token": refresh}
        return Response({"access_token": access, "refresh_token": refresh, "expires_in": str(KEY_SECONDS)})

    def _make(self, kind: str, seconds: float) -> str:
        body = f"{kind}.{int(self.clock() + seconds)}.{secrets.token_urlsafe(24)}"
        return f"{body}.{self._mac(body)}"

    def _until(self, key: str, kind: str, seconds: float) -> float:
        """When a key ends; 0 for one that we never gave."""
        if key and key == self.first.get(f"{kind}_token"):
            return self.started + seconds
        body, _, mac = key.rpartition(".")
        fits = body.startswith(f"{kind}.") and hmac.compare_digest(mac, self._mac(body))
        return float(body.split(".")[1]) if fits else 0.0

    def _mac(self, body: str) -> str:
        return hmac.new(_SIGNED_WITH, body.encode(), hashlib.sha256).hexdigest()[:20]
