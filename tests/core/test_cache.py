"""The cache: shared while Valkey answers, in memory while it does not, and never the queues' ruin."""

import pytest
from django.conf import settings

from helpdesk.core import cache as module
from helpdesk.core.cache import ForgivingCache
from helpdesk.core.valkey import client


def make(address: str) -> ForgivingCache:
    return ForgivingCache(address, {"KEY_PREFIX": "cachetest"})


@pytest.fixture
def living():
    cache = make(settings.VALKEY_URL)
    yield cache
    cache.clear()


@pytest.fixture
def dead(tmp_path):
    cache = make(f"unix://{tmp_path}/nobody.sock")
    yield cache
    cache.clear()


@pytest.mark.parametrize("which", ["living", "dead"])
def test_it_keeps_counts_adds_and_forgets(request, which):
    cache = request.getfixturevalue(which)
    assert cache.add("a", [1.5]) is True
    assert cache.add("a", [2]) is False
    assert cache.get("a") == [1.5]
    cache.set("n", 1, 60)
    assert cache.incr("n") == 2
    assert cache.touch("n", 60) is True
    assert cache.delete("a") is True
    assert cache.get("a", "none") == "none"


def test_a_living_valkey_is_shared_between_processes(living):
    living.set("a", 1)
    assert make(settings.VALKEY_URL).get("a") == 1
    assert living._memory.get("a") is None


def test_clearing_leaves_the_queues_alone(living):
    client().lpush("inbound-of-the-test", "job")
    living.set("a", 1)
    living.clear()
    assert living.get("a") is None
    assert client().delete("inbound-of-the-test") == 1


def test_a_dead_valkey_is_asked_once_in_five_seconds(dead, monkeypatch):
    asked = []
    honest = dead._valkey.get
    monkeypatch.setattr(dead._valkey, "get", lambda *a, **k: asked.append(1) or honest(*a, **k))
    moment = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    for step in (0, 1, 3.9):
        moment[0] = 100.0 + step
        assert dead.get("a", "none") == "none"
    assert len(asked) == 1
    moment[0] = 105.1
    dead.get("a")
    assert len(asked) == 2
