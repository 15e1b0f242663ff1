"""One file that holds everything of a desk: database, media, secret key. How it is written and read back."""

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.utils.timezone import now

from helpdesk.runtime.embedded import postgres_package
from helpdesk.runtime.errors import CannotStart

FORMAT = 1
MANIFEST, DUMP, KEY, MEDIA = "manifest.json", "database.dump", "secret.key", "media"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a backup is taken from and what it is read back into. `database`: an entry of DATABASES."""

    database: Mapping[str, Any]
    media: Path
    secret_key: str


class BadArchive(CannotStart):
    """The file is no backup of a desk, or one of another time; its text says which."""


def write(desk: Desk, target: Path, server_version: int) -> int:
    """Write the archive (mode 0600), complete or not at all; its size in bytes.

    The dump comes first and sees one moment; files are only ever added, so every one it names is in the archive.
    """
    program = program_for("pg_dump", server_version)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".dump-") as dump:
            run([program, "--format=custom", "--no-owner", "--no-privileges", "--file", dump.name], desk.database)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                with tarfile.open(fileobj=file, mode="w") as archive:
                    _add(archive, MANIFEST, json.dumps({"format": FORMAT, "made_at": now().isoformat()}).encode())
                    archive.add(dump.name, DUMP)
                    _add(archive, KEY, desk.secret_key.encode())
                    if desk.media.is_dir():
                        archive.add(desk.media, MEDIA)
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target.stat().st_size


@contextmanager
def opened(source: Path, beside: Path) -> Iterator[Path]:
    """A temporary folder in `beside` with what the archive holds. BadArchive when it is none."""
    with tempfile.TemporaryDirectory(prefix="restore-", dir=beside) as folder:
        try:
            with tarfile.open(source) as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)  # absent before Python 3.11.4
                archive.extractall(folder, _harmless(archive, source))  # noqa: S202 - looked at one by one
            manifest = json.loads((Path(folder) / MANIFEST).read_text())
            if manifest["format"] != FORMAT:
                raise BadArchive(f"{source} has format {manifest['format']}; this version reads {FORMAT}.")
            if not (Path(folder) / DUMP).is_file():
                raise KeyError(DUMP)
        except (tarfile.TarError, OSError, KeyError, ValueError) as error:
            raise BadArchive(f"{source} is no backup of a desk: {error}") from None
        yield Path(folder)


def read_back(desk: Desk, folder: Path, server_version: int) -> None:
    """Put the database and the media in place of what is there; the database in one transaction."""
    script = folder / "database.sql"
    run([program_for("pg_restore", server_version), "--no-owner", "--no-privileges", "-f", script, folder / DUMP])
    start = folder / "start.sql"
    # Waits for those who are reading, but not for ever: a long transaction of a running desk is told apart.
    start.write_text("SET lock_timeout = '60s'; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public;")
    psql = program_for("psql", server_version)
    run([psql, "-X", "-q", "-1", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-f", start, "-f", script], desk.database)
    media = folder / MEDIA
    if media.is_dir():
        shutil.copytree(media, desk.media, dirs_exist_ok=True)


def program_for(name: str, server_version: int) -> Path:
    """The client program, of the server's major version or newer: the system's, else the embedded one's."""
    candidates = [Path(found)] if (found := shutil.which(name)) else []
    with_wheel = postgres_package() / "pginstall" / "bin" / name
    major = server_version // 10000
    for program in [*candidates, with_wheel]:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if (version := re.search(r"\) (\d+)", done.stdout)) and int(version[1]) >= major:
            return program
    raise CannotStart(f"{name} of PostgreSQL {major} or newer is needed on the PATH.")


def run(command: list[Any], database: Mapping[str, Any] | None = None) -> None:
    """Run a client program; the password goes by the environment, which other accounts cannot read."""
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    if database is not None:
        names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
        environment |= {name: str(database[key]) for name, key in names.items() if database.get(key)}
        options = database.get("OPTIONS", {})
        environment |= {f"PG{key.upper()}": str(options[key]) for key in ("sslmode", "sslrootcert") if key in options}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise CannotStart(f"{Path(command[0]).name}: {last}")


def _harmless(archive: tarfile.TarFile, source: Path) -> Iterator[tarfile.TarInfo]:
    """Its members; BadArchive at one that is no plain file or folder or leads out of the folder it is put in."""
    for member in archive:
        path = PurePosixPath(member.name)
        if not (member.isfile() or member.isdir()) or path.is_absolute() or ".." in path.parts:
            raise BadArchive(f"{source} is no backup of a desk: it holds {member.name}")
        yield member


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(now().timestamp())
    archive.addfile(entry, io.BytesIO(content))
