"""What is said in public: comments under posts of a page, posts of visitors on it, comments on Instagram."""

from typing import Any

from django.utils.translation import gettext_noop

from channels_app.adapters.meta.content import Content, ident, link, moment, obj, words
from channels_app.adapters.meta.known import author_of
from channels_app.adapters.meta.split import POSTS
from channels_app.contracts import Address, Arrival, Echo, Edit, InboundItem, NewMessage, Unsend
from helpdesk.core.errors import GiveUp


def line_key(post: str, person: str) -> str:
    """The line of one person under one post."""
    return f"comment:{post}:{person}"


def parse(arrival: Arrival, kind: str, value: dict[str, Any], sent: Any) -> tuple[InboundItem, ...]:
    """A comment, its edit or its end; nothing for likes, for what the page itself posts, and where the channel takes
    no comments. Raises GiveUp when it does not say whose or under what."""
    if arrival.config.get("comments") is False:
        return ()
    said = _Said(arrival, kind, value, sent)
    if said.item != "comment" and (said.item not in POSTS or said.is_ours):
        return ()
    if not said.id or not said.post:
        raise GiveUp(gettext_noop("a comment that does not say under which post it stands"))
    if said.verb in ("hide", "unhide"):
        return ()  # the words stay as they are
    if said.is_ours:
        return _echo(arrival, said)
    if said.verb == "remove" and not said.person:
        said.person = author_of(arrival, said.id)
    if not said.person or len(said.person) > 100 or len(said.post) > 100:
        raise GiveUp(gettext_noop("a comment of nobody who could be answered"))
    key = line_key(said.post, said.person)
    if said.verb == "remove":
        return (Unsend(external_id=said.id, thread_key=key, occurred_at=said.at),)
    if said.verb in ("edited", "edit", "update"):
        return (Edit(external_id=said.id, thread_key=key, occurred_at=said.at, text=said.content.text),)
    return (
        NewMessage(
            external_id=said.id,
            thread_key=key,
            sender=Address(kind=kind, value=said.person, name=said.name, scope=arrival.channel_address),
            occurred_at=said.at,
            text=said.content.text,
            text_full=said.content.text,
            remote=tuple(said.content.remote),
            details=said.content.details,
            quotes=said.parent,
            is_comment=True,
        ),
    )


class _Said:
    """One comment as a page's feed or Instagram tells it."""

    def __init__(self, arrival: Arrival, kind: str, value: dict[str, Any], sent: Any) -> None:
        person, post, media = obj(value.get("from")), obj(value.get("post")), obj(value.get("media"))
        self.kind, self.account = kind, arrival.channel_address
        self.item = value.get("item", "comment")
        self.verb = value.get("verb", "add")
        self.post = ident(value.get("post_id")) or ident(post.get("id")) or ident(media.get("id"))
        # A visitor's post is answered like a comment and has no other id.
        self.id = ident(value.get("comment_id")) or ident(value.get("id")) or (self.post if self.item in POSTS else "")
        self.person = ident(person.get("id")) or ident(value.get("sender_id"))
        self.name = (words(person.get("name")) or words(person.get("username")))[:200]
        self.is_ours = self.person == self.account
        parent = ident(value.get("parent_id"))
        self.parent = "" if parent == self.post else parent
        # An edit happens when it is told; only of the first telling is the time of writing the time.
        told = value.get("created_time") if self.verb == "add" else None
        self.at = moment(told if told is not None else sent, arrival.received_at)
        self.content = _content(value)
        url = link(post.get("permalink_url")) or link(media.get("permalink")) or link(value.get("permalink_url"))
        known = {"id": self.post, "url": url, "text": words(media.get("ad_title"))[:300], "parent": self.parent}
        self.content.details["post"] = {name: text for name, text in known.items() if text}


def _content(value: dict[str, Any]) -> Content:
    found = Content(text=words(value.get("message")) or words(value.get("text")))
    for name, kind in (("photo", "image"), ("video", "video")):
        found.add_file(link(value.get(name)), kind)
    photos = value.get("photos")
    for url in photos if isinstance(photos, list) else []:
        found.add_file(link(url), "image")
    if not found.remote and value.get("item") != "comment":
        found.add_words(link(value.get("link")))
    if found.is_empty and value.get("verb", "add") == "add":
        found.details["unsupported"] = True  # a sticker or an animation, which the feed does not give out
    return found


def _echo(arrival: Arrival, said: _Said) -> tuple[InboundItem, ...]:
    """The page's own comment: the provider says what it stands under, and who wrote that we know from before. Under
    the page's own post it answers nobody."""
    above = said.parent or said.post
    person = author_of(arrival, above)
    if said.verb != "add" or person in ("", said.account):
        return ()
    return (
        Echo(
            external_id=said.id,
            thread_key=line_key(said.post, person),
            to=Address(kind=said.kind, value=person, scope=said.account),
            occurred_at=said.at,
            text=said.content.text,
            remote=tuple(said.content.remote),
            details=said.content.details,
            quotes=above,
            is_comment=True,
        ),
    )
