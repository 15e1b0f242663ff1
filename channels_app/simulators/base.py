"""What every simulated provider does: answers our calls, calls our hook, keeps what was said, misbehaves on request."""

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One call of ours at a provider. `path` is without the provider's own prefix and without the query."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}


@dataclass(frozen=True, slots=True)
class Response:
    """What the provider answers: a dict becomes JSON."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next call of ours.

    status: answered with it, nothing accepted. late: seconds before the answer. lost: accepted, then the line is cut
    without an answer. cut: the line is cut, nothing accepted.
    """

    what: str
    status: int = 500
    seconds: float = 0.0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """One thing said between a person and the account, as the person's own phone would show it."""

    id: str
    person: str
    direction: str  # in: the person wrote it; out: the desk did
    text: str = ""
    files: list[dict[str, str]] = field(default_factory=list)  # [{name, type, url}]
    choices: list[str] = field(default_factory=list)
    at: float = field(default_factory=time.time)
    state: str = ""  # out: sent, read; in: unsent
    extra: dict[str, Any] = field(default_factory=dict)


class Provider:
    """One provider. A subclass answers `on` and makes the payloads of what a person does."""

    kind: ClassVar[str]
    PEOPLE: ClassVar[dict[str, str]] = {}  # id at this provider: name
    # The channel's config and secrets by INTERFACE's names, made up; the demo's channels are set up with the same.
    CONFIG: ClassVar[dict[str, str]] = {}
    SECRETS: ClassVar[dict[str, str]] = {}
    channel_id: ClassVar[uuid.UUID]  # of the demo's channel of this kind, made from its name

    def __init_subclass__(cls) -> None:
        if kind := getattr(cls, "kind", ""):
            cls.channel_id = uuid.uuid5(uuid.NAMESPACE_URL, f"helpdesk-demo:{kind}")

    def __init__(self, *, hook_url: str = "", base_url: str = "") -> None:
        self.hook_url = hook_url  # where the desk listens
        self.account = self.CONFIG | self.SECRETS  # as they are now: tokens change
        self.base_url = base_url  # where we listen: what the channel has as api_base
        self.faults: deque[Fault] = deque()
        self.lines: list[Line] = []
        self.calls: list[Request] = []  # every call of ours, for tests to look at
        self.pushed: list[tuple[bytes, int]] = []  # every call at the hook, with the answer's status
        self.files: dict[str, tuple[bytes, str]] = {}  # path: content, type
        self.transport = post  # how the hook is called; tests put a call of their own in its place
        self.lock = threading.RLock()
        self._numbers = 0

    # --- to be written by each provider -----------------------------------------------------------------------------
    def on(self, request: Request) -> Response:
        """Answer one call of ours as the provider would, refusing whatever it would refuse."""
        raise NotImplementedError

    def signed(self, body: bytes) -> dict[str, str]:
        """The headers with which the provider signs a call at the hook."""
        raise NotImplementedError

    def event(self, person: str, text: str, *, id: str = "", file: tuple[str, str, bytes] | None = None) -> Any:
        """What the provider sends of one message of a person: text, or a file (name, type, content)."""
        raise NotImplementedError

    def odd(self, person: str) -> Any:
        """An event of a kind that nobody has heard of yet."""
        raise NotImplementedError

    def envelope(self, events: list[Any]) -> Any:
        """One call at the hook with these events; a provider that never batches takes one only."""
        raise NotImplementedError

    def touched(self, person: str) -> None:
        """This person has just done something that opens the window, where there is one."""

    def revoke(self) -> None:
        """No key of ours is accepted any more: somebody took them away in the provider's own pages."""
        for key in ("access_token", "refresh_token", "token", "auth_token"):
            if key in self.account:
                self.account[key] = "revoked-meanwhile"

    def begin(self) -> None:
        """The demo starts: its people wrote just before, so that what the desk remembers of them can be answered."""

    # --- the same for all -------------------------------------------------------------------------------------------
    def says(self, person: str, text: str = "", *, file: tuple[str, str, bytes] | None = None, times: int = 1) -> str:
        """A person writes, or sends a file: kept on their phone, and the hook is called. Returns the message's id."""
        made = self.new_id()
        with self.lock:
            self.lines.append(Line(id=made, person=person, direction="in", text=text or (file[0] if file else "")))
        self.push(self.envelope([self.event(person, text, id=made, file=file)]), times=times)
        return made

    def new_id(self) -> str:
        """An id as the provider makes them for messages."""
        return f"{self.kind}-{self.number()}-{int(time.time() * 1000)}"

    def number(self) -> int:
        """1, 2, 3 …: for ids that are to be unique here."""
        with self.lock:
            self._numbers += 1
            return self._numbers

    def keep(self, name: str, content_type: str, content: bytes) -> str:
        """Offer a file for download; returns its path at this provider."""
        path = f"/files/{self.number()}/{name}"
        self.files[path] = (content, content_type)
        return path

    def push(self, payload: Any, *, times: int = 1, signed: dict[str, str] | None = None) -> int:
        """Call the desk's hook, `times` times; the status of the last answer (0 when nobody answered)."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json"} | (self.signed(body) if signed is None else signed)
        status = 0
        for _ in range(times):
            status, _said = self.transport(self.hook_url, body, headers)
            self.pushed.append((body, status))
        return status

    def later(self, act: Callable[[], object], seconds: float = 0.2) -> None:
        """Do something after our answer is out: receipts and echoes never come before it."""
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()

    def talk(self, person: str) -> list[Line]:
        """What this person's phone shows."""
        with self.lock:
            return [line for line in self.lines if line.person == person]

    def sent(self) -> list[Line]:
        """What reached people from the desk, in order."""
        with self.lock:
            return [line for line in self.lines if line.direction == "out"]

    def answer(self, request: Request) -> Response | None:
        """One call of ours with whatever fault is due; None cuts the line."""
        with self.lock:
            self.calls.append(request)
            fault = self.faults.popleft() if self.faults else None
        if request.method == "GET" and request.path in self.files:
            content, content_type = self.files[request.path]
            return Response(content, headers={"Content-Type": content_type})
        if request.path.startswith("/files/"):
            return Response({}, 404)
        if fault and fault.what == "cut":
            return None
        if fault and fault.what == "status":
            return Response(fault.body or {}, fault.status, fault.headers)
        response = self.on(request)
        if fault and fault.what == "lost":
            return None
        if fault and fault.what == "late":
            time.sleep(fault.seconds)
        return response


def post(url: str, body: bytes, headers: dict[str, str], timeout: float = 10) -> tuple[int, bytes]:
    """POST without following anything; the status and the answer's body, 0 when nobody answered."""
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return int(response.status), response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # of connections that wait: the usual five are too few for a burst of a desk's workers


def serve(providers: dict[str, Provider], *, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """Listen for calls at /{kind}/… in threads of their own; the caller shuts it down.

    /_people/{kind}/ is the demo page's side: GET ?person= what that phone shows, POST {person, text, …} says something.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            _, first, *rest = parts.path.split("/", 2)
            path = "/" + (rest[0] if rest else "")
            if first == "_people":
                response: Response | None = people(providers, Request(self.command, path, query, headers, body))
            elif first in providers:
                response = providers[first].answer(Request(self.command, path, query, headers, body))
            else:
                response = Response({"error": "no such provider"}, 404)
            if response is None:
                self.close_connection = True
                self.connection.close()
                return
            self._say(response)

        do_GET = do_POST = do_DELETE = do_PUT = _any

        def _say(self, response: Response) -> None:
            body = response.body
            content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
            headers = {"Content-Type": "application/json"} | response.headers
            self.send_response(response.status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the desk's own log says what matters."""

    server = _Server((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="simulators").start()
    for kind, provider in providers.items():
        provider.base_url = provider.base_url or f"http://{host}:{server.server_address[1]}/{kind}"
    return server


def people(providers: dict[str, Provider], request: Request) -> Response:
    """The demo page's side of a provider: look at a person's phone, or type on it."""
    provider = providers.get(request.path.strip("/").split("/")[0])
    if provider is None:
        return Response({"people": {kind: one.PEOPLE for kind, one in providers.items()}})
    if request.method == "GET":
        lines = provider.talk(request.query.get("person", ""))
        shown = [
            {"id": one.id, "direction": one.direction, "text": one.text, "files": one.files, "choices": one.choices,
             "at": one.at, "state": one.state, **one.extra}
            for one in lines
        ]  # fmt: skip
        return Response({"lines": shown, "people": provider.PEOPLE})
    said = request.json
    person, text = str(said.get("person", "")), str(said.get("text", ""))[:4000]
    if person not in provider.PEOPLE or not text.strip():
        return Response({"error": "nobody says nothing"}, 422)
    return Response({"id": provider.says(person, text)})
