"""Addresses of the API of the work."""

from django.urls import path

from tickets.api.attachments import AttachmentView
from tickets.api.calls import CallView
from tickets.api.conversation import ConversationView
from tickets.api.customers import BlockedView, CustomerTimelineView, CustomerView
from tickets.api.people import ProofView, SuggestionView
from tickets.api.search import SearchView
from tickets.api.tickets import TicketView

ticket_urls = [
    path("tickets/", TicketView.as_view({"get": "list"})),
    path("tickets/<id:pk>/", TicketView.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("tickets/<id:pk>/clocks/", TicketView.as_view({"get": "clocks"})),
    path("tickets/<id:pk>/read/", TicketView.as_view({"post": "read"})),
    path("tickets/<id:pk>/merge/", TicketView.as_view({"post": "merge"})),
    path("tickets/<id:pk>/split/", TicketView.as_view({"post": "split"})),
    path("tickets/<id:pk>/move/", TicketView.as_view({"post": "move"})),
    path("tickets/<id:pk>/undo/", TicketView.as_view({"post": "undo"})),
    path("tickets/<id:pk>/messages/", ConversationView.as_view({"get": "list"})),
    path("tickets/<id:pk>/messages/<id:message_id>/", ConversationView.as_view({"get": "retrieve"})),
    path("tickets/<id:pk>/messages/<id:message_id>/retry/", ConversationView.as_view({"post": "retry"})),
    path("tickets/<id:pk>/messages/<id:message_id>/take-back/", ConversationView.as_view({"post": "take_back"})),
    path("tickets/<id:pk>/channels/", ConversationView.as_view({"get": "ways"})),
    path("tickets/<id:pk>/replies/", ConversationView.as_view({"post": "reply"})),
    path("tickets/<id:pk>/notes/", ConversationView.as_view({"post": "note"})),
    path("tickets/<id:pk>/calls/", CallView.as_view({"post": "log"})),
    path("calls/", CallView.as_view({"post": "log_anew"})),
]
customer_urls = [
    path("customers/", CustomerView.as_view({"get": "list"})),
    path("customers/<id:pk>/", CustomerView.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("customers/<id:pk>/identities/", CustomerView.as_view({"get": "identities", "post": "add_identity"})),
    path("customers/<id:pk>/identities/<id:identity_id>/code/", ProofView.as_view({"post": "send_to_identity"})),
    path("customers/<id:pk>/identities/<id:identity_id>/confirm/", ProofView.as_view({"post": "confirm_identity"})),
    path("customers/<id:pk>/claims/", ProofView.as_view({"get": "claims"})),
    path("customers/<id:pk>/claims/<id:claim_id>/code/", ProofView.as_view({"post": "send_to_claim"})),
    path("customers/<id:pk>/claims/<id:claim_id>/confirm/", ProofView.as_view({"post": "confirm_claim"})),
    path("customers/<id:pk>/suggestions/", SuggestionView.as_view({"get": "list"})),
    path("customers/<id:pk>/suggestions/<id:suggestion_id>/accept/", SuggestionView.as_view({"post": "accept"})),
    path("customers/<id:pk>/suggestions/<id:suggestion_id>/decline/", SuggestionView.as_view({"post": "decline"})),
    path("customers/<id:pk>/suggestions/<id:suggestion_id>/reopen/", SuggestionView.as_view({"post": "reopen"})),
    path("customers/<id:pk>/rejoin/", CustomerView.as_view({"post": "rejoin"})),
    path("customers/<id:pk>/merge/", CustomerView.as_view({"post": "merge"})),
    path("customers/<id:pk>/unmerge/", CustomerView.as_view({"post": "unmerge"})),
    path("customers/<id:pk>/timeline/", CustomerTimelineView.as_view({"get": "list"})),
    path("blocked/", BlockedView.as_view({"get": "list", "post": "create"})),
    path("blocked/<id:pk>/", BlockedView.as_view({"delete": "destroy"})),
]
urlpatterns = [
    *ticket_urls,
    *customer_urls,
    path("attachments/", AttachmentView.as_view({"post": "create"})),
    path("attachments/<id:pk>/", AttachmentView.as_view({"get": "retrieve"})),
    path("attachments/<uuid:upload_id>/", AttachmentView.as_view({"get": "retrieve_upload"})),
    path("search/", SearchView.as_view({"get": "list"})),
]
