"""Files handed out to providers: one signed address a file, for a day."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now

from channels_app import handed_out, media
from channels_app.contracts import OutboundFile
from channels_app.models import Media

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
pytestmark = pytest.mark.django_db


def kept(filename: str = "hoá đơn.png", content: bytes = PNG, content_type: str = "image/png") -> OutboundFile:
    file: Media = media.keep(content=content, filename=filename, content_type=content_type)
    return OutboundFile(filename=file.filename, content_type=file.content_type, path=file.path)


def address(file: OutboundFile) -> str:
    url = handed_out.url_for(file)
    assert url.startswith("http://") and url.isascii()
    return "/" + url.split("/", 3)[3]


def test_anybody_with_the_address_gets_the_file_as_a_download(client: Client) -> None:
    response = client.get(address(kept()))
    assert (response.status_code, response.content) == (200, PNG)
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''ho%C3%A1")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_a_head_says_the_size_without_the_bytes(client: Client) -> None:
    response = client.head(address(kept()))
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(PNG))


def test_it_opens_no_longer_than_a_day(client: Client) -> None:
    url = address(kept())
    with time_machine.travel(now() + timedelta(hours=23, minutes=59)):
        assert client.get(url).status_code == 200
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        assert client.get(url).status_code == 404


@pytest.mark.parametrize("bad", ["x", "a:b:c", "WyJhIiwiYiJd:1abc:xyz", "\x00", "%2e%2e"])
def test_a_made_up_token_opens_nothing(client: Client, bad: str) -> None:
    assert client.get(f"/media/out/{bad}/a.png").status_code == 404


def test_a_token_of_one_file_opens_no_other(client: Client) -> None:
    one, other = address(kept()), address(kept(content=b"else", content_type="text/plain"))
    body, _colon, signature = one.split("/")[3].partition(":")
    swapped = f"/media/out/{other.split('/')[3].partition(':')[0]}:{signature}/a.png"
    assert client.get(swapped).status_code == 404
    assert body


def test_a_file_whose_content_is_gone_is_not_there(client: Client) -> None:
    file = kept(content=b"to be forgotten", content_type="text/plain")
    url = address(file)
    media.path_of(file.path).unlink()
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("path", ["../secret.key", "/etc/passwd", "", "ab/../../secret.key"])
def test_nothing_but_kept_media_gets_an_address(path: str) -> None:
    with pytest.raises(ValueError):
        handed_out.url_for(OutboundFile(filename="a", content_type="text/plain", path=path))


def test_a_very_long_name_keeps_its_ending(client: Client) -> None:
    url = address(kept(filename="ảnh " * 60 + ".png"))
    assert url.endswith(".png") and len(url) < 1200
    assert client.get(url).status_code == 200
