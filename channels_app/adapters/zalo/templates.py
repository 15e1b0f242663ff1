"""The approved templates (ZNS) of an account. Zalo tells their blanks, not their words: those it shows as a picture."""

from typing import Any

from channels_app.adapters.zalo.calls import TEMPLATES, call, rows
from channels_app.adapters.zalo.parse import said
from channels_app.adapters.zalo.reading import ident
from channels_app.contracts import ChannelRef, Template

PAGE, MOST = 100, 300
ENABLED = "1"  # of the list's `status` filter


def templates(channel: ChannelRef) -> list[Template]:
    """Those that may be sent now, by id. Raises Retry, KeyRefused or GiveUp."""
    found: list[Template] = []
    for offset in range(0, MOST, PAGE):
        query = {"offset": str(offset), "limit": str(PAGE), "status": ENABLED}
        page = rows(channel, "/template/all", base=TEMPLATES, params=query)
        ids = [ident(one.get("templateId")) for one in page if one.get("status") in ("ENABLE", None)]
        found += [one for template_id in ids if template_id and (one := _template(channel, template_id))]
        if len(page) < PAGE:
            break
    return sorted(found, key=lambda one: one.name)


def _template(channel: ChannelRef, template_id: str) -> Template | None:
    query = {"template_id": template_id}
    data = call(channel, "GET", "/template/info", base=TEMPLATES, params=query, repeatable=True)
    given: Any = data.get("listParams")
    names = [ident(one.get("name")) for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not all(names):
        return None
    blanks = " · ".join(f"{{{{{name}}}}}" for name in names)
    return Template(
        name=template_id,
        language="vi",
        category=ident(data.get("templateTag")).lower(),
        body=f"{said(data.get('templateName'))[:200]}: {blanks}" if blanks else said(data.get("templateName"))[:200],
        parameters=len(names),
        names=tuple(names),
    )
