"""Addresses of the agents' screens."""

from django.urls import path

from tickets.web import acts, answers, calls, control, inbox, people

urlpatterns = [
    path("inbox/", inbox.index, name="inbox"),
    path("inbox/rows/", inbox.rows),
    path("inbox/counts/", inbox.counts),
    path("inbox/bulk/", acts.bulk),
    path("inbox/bulk/undo/", acts.undo_bulk),
    path("inbox/<int:ticket_id>/", inbox.thread, name="thread"),
    path("inbox/<int:ticket_id>/live/", inbox.live),
    path("inbox/<int:ticket_id>/assign/", acts.assign),
    path("inbox/<int:ticket_id>/team/", acts.set_team),
    path("inbox/<int:ticket_id>/status/", acts.set_status),
    path("inbox/<int:ticket_id>/priority/", acts.set_priority),
    path("inbox/<int:ticket_id>/subject/", acts.set_subject),
    path("inbox/<int:ticket_id>/tags/", acts.set_tags),
    path("inbox/<int:ticket_id>/snooze/", acts.snooze),
    path("inbox/<int:ticket_id>/block/", acts.block),
    path("inbox/<int:ticket_id>/merge/", acts.merge),
    path("inbox/<int:ticket_id>/split/", acts.split),
    path("inbox/<int:ticket_id>/undo/", acts.undo),
    path("inbox/<int:ticket_id>/reply/", answers.reply),
    path("inbox/<int:ticket_id>/note/", answers.note),
    path("inbox/<int:ticket_id>/draft/", answers.draft),
    path("inbox/<int:ticket_id>/ways/", answers.switch),
    path("inbox/<int:ticket_id>/measure/", answers.measure),
    path("inbox/<int:ticket_id>/upload/", answers.upload),
    path("inbox/<int:ticket_id>/customer/", people.edit),
    path("inbox/<int:ticket_id>/customer-notes/", people.notes),
    path("inbox/call/", calls.log_anew),
    path("inbox/<int:ticket_id>/call/", calls.log),
    path("inbox/<int:ticket_id>/customer/address/", people.address),
    path("inbox/<int:ticket_id>/customer/merge/", people.merge),
    path("inbox/<int:ticket_id>/customer/part/", people.part),
    path("inbox/<int:ticket_id>/customer/rejoin/", people.rejoin),
    path("inbox/<int:ticket_id>/customer/code/", people.send_code),
    path("inbox/<int:ticket_id>/customer/confirm/", people.confirm_code),
    *(
        path(f"inbox/<int:ticket_id>/suggestions/<int:suggestion_id>/{answer}/", people.decide, {"answer": answer})
        for answer in ("accept", "decline", "again")
    ),
    path("inbox/customers/<int:customer_id>/picture/", people.picture),
    path("inbox/messages/<int:message_id>/move/", acts.move),
    path("inbox/messages/<int:message_id>/take-back/", answers.take_back),
    path("inbox/messages/<int:message_id>/retry/", answers.retry),
    path("inbox/messages/<int:message_id>/page/", answers.mail_page),
    path("inbox/messages/<int:message_id>/original/", answers.original),
    path("inbox/files/<int:attachment_id>/", answers.file),
    path("control/", control.now, name="control"),
    path("control/inbound/<int:event_id>/retry/", control.retry_inbound),
    path("control/deliveries/<int:message_id>/retry/", control.retry_delivery),
    path("control/blocked/<int:blocked_id>/unblock/", control.unblock),
]
