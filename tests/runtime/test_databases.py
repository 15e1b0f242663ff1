"""Addresses of servers as Django and Celery want them."""

import pytest

from helpdesk.env import BadEnvironment
from helpdesk.runtime.databases import broker_url, database_settings


def test_a_socket_address_becomes_host_and_port() -> None:
    settings = database_settings("postgresql://helpdesk:p%40ss@/desk?host=%2Fsrv%2Frun&port=5432")
    assert (settings["NAME"], settings["USER"], settings["PASSWORD"]) == ("desk", "helpdesk", "p@ss")
    assert (settings["HOST"], settings["PORT"]) == ("/srv/run", "5432")


def test_a_network_address_keeps_its_other_parameters() -> None:
    settings = database_settings("postgres://u:p@db.example.com:6432/desk?sslmode=require")
    assert (settings["HOST"], settings["PORT"]) == ("db.example.com", "6432")
    assert settings["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite:///desk.db", "must look like postgresql://"),
        ("postgresql://u:p@host:5432/", "name of the database is missing"),
        ("postgresql://u:p@host:port/desk", "DATABASE_URL"),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong(url: str, problem: str) -> None:
    with pytest.raises(BadEnvironment, match=problem):
        database_settings(url)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("unix:///srv/run/valkey.sock", "redis+socket:///srv/run/valkey.sock?virtual_host=0"),
        ("unix:///srv/run/valkey.sock?db=3", "redis+socket:///srv/run/valkey.sock?virtual_host=3"),
        ("valkey://cache:6379/1", "redis://cache:6379/1"),
        ("redis://cache:6379", "redis://cache:6379"),
    ],
)
def test_celery_gets_its_own_spelling_of_the_address(given: str, wanted: str) -> None:
    assert broker_url(given) == wanted
