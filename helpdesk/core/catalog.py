"""The catalogs of translations: texts collected from code and templates, checked and compiled, all in Python."""

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

LANGUAGES = ("vi",)  # the source texts are English
PACKAGES = ("helpdesk", "tickets", "channels_app", "knowledge_base")
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # of every catalog: two people collecting must not collide
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def path(root: Path, language: str) -> Path:
    """Where a language's texts are kept."""
    return root / "helpdesk" / "locale" / language / "LC_MESSAGES" / "django.po"


def collect(root: Path) -> Catalog:
    """Every text that the code and the templates mark, with the files it stands in, without line numbers."""
    found = Catalog(charset="utf-8", creation_date=_NO_DATE)
    for package in PACKAGES:
        for source in sorted((root / package).rglob("*")):
            if source.suffix not in {".py", ".html", ".txt"} or "migrations" in source.parts:
                continue
            text = source.read_text("utf-8")
            name = str(source.relative_to(root))
            code = text if source.suffix == ".py" else templatize(text, origin=name)
            for _line, message, _comments, context in extract(
                "python", io.BytesIO(code.encode()), keywords=_KEYWORDS, comment_tags=()
            ):
                if message and message != "":
                    flags = {"python-format"} if "%(" in str(message) else set()
                    found.add(message, locations=[(name, 0)], context=context, flags=flags)
    return found


def load(root: Path, language: str) -> Catalog:
    """A language's catalog as it is kept."""
    with path(root, language).open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


def update(root: Path, language: str) -> Catalog:
    """Bring a language's catalog up to date with the texts in use and write it; unused ones are dropped."""
    file = path(root, language)
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = load(root, language) if file.exists() else Catalog()
    kept = _with_plain_header(kept, language)
    kept.update(collect(root), no_fuzzy_matching=True)
    kept.obsolete.clear()
    with file.open("wb") as target:
        write_po(target, kept, width=110, omit_header=False, sort_output=True, ignore_obsolete=True, no_location=True)
    return kept


def _with_plain_header(kept: Catalog, language: str) -> Catalog:
    """The same texts under a header without dates."""
    plain = Catalog(
        locale=language,
        project="Helpdesk",
        version="1",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# Texts of the desk: {language}.",
        creation_date=_NO_DATE,
        revision_date=_NO_DATE,
    )
    for message in kept:
        if message.id:
            plain.add(message.id, message.string, context=message.context, flags=message.flags)
    return plain


def untranslated(root: Path, language: str) -> list[str]:
    """Texts in use that a reader of this language would see in English, or with holes where values belong."""
    kept, missing = load(root, language), []
    for message in collect(root):
        if not message.id:
            continue
        found = kept.get(message.id, context=message.context)
        string = found.string if found else None
        strings = [string] if isinstance(string, str) else list(string or ())
        if not strings or not all(strings) or (found and found.fuzzy):
            missing.append(str(message.id))
        elif found and list(found.check()):
            missing.append(f"{message.id} (placeholders differ)")
    return missing


def compile_stale(root: Path) -> None:
    """Compile what has changed since it was last compiled; raises OSError where the program's folder is read-only."""
    kept = [path(root, language) for language in LANGUAGES if path(root, language).exists()]
    compiled = [file.with_suffix(".mo") for file in kept]
    if any(not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime for po, mo in zip(kept, compiled, strict=True)):
        compile_all(root)


def compile_all(root: Path) -> None:
    """Write the compiled catalogs that Django reads."""
    for language in LANGUAGES:
        if path(root, language).exists():
            with path(root, language).with_suffix(".mo").open("wb") as target:
                write_mo(target, load(root, language))
