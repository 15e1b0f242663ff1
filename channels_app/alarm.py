"""Supervisors hear of a channel in trouble at once, by mail and in their own language."""

from django.conf import settings
from django.core.mail import send_mail
from django.utils import translation
from django.utils.translation import gettext as _

from channels_app.models import Channel
from helpdesk.accounts import queries as accounts
from helpdesk.core.events import Recorded
from helpdesk.core.reasons import reason


def tell_supervisors(event: Recorded) -> None:
    """Subscriber of channel.troubled: one mail to each supervisor of the channel's team and each admin.

    Nobody is told of a trouble that is over by now.
    """
    channel = Channel.objects.filter(pk=event.payload["channel_id"]).first()
    if channel is None or not event.payload["kind"] or channel.problem_kind != event.payload["kind"]:
        return
    for user in accounts.supervisors_of(channel.team_id):
        with translation.override(user.language or settings.LANGUAGE_CODE):
            subject = _("Channel in trouble: %(name)s") % {"name": channel.name}
            text = _(
                "%(name)s: %(problem)s.\n\nUntil it is put right, customers on this channel may not reach us or not "
                "be answered. Look here: %(link)s"
            ) % {
                "name": channel.name,
                "problem": reason(channel.problem),
                "link": f"{settings.SITE_URL}/control/channels/{channel.pk}/",
            }
            send_mail(subject, text, None, [user.email])
