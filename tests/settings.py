"""The settings of the tests: those of the desk with servers of their own."""

from tests import servers

servers.claim()

from helpdesk.settings import *  # noqa: E402, F403
from helpdesk.settings import CHANNEL_LAYERS, DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["TEST"] = {"NAME": "test_helpdesk"}
# Publications know no database numbers: without a prefix of its own, one worker would hear another.
CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"test{servers.worker_number()}"  # type: ignore[index]
