"""Addresses of the doors."""

from django.urls import include, path

from channels_app import connect, demo, handed_out, web, webhooks
from channels_app.api import ChannelView, InboundFailureView
from channels_app.inbound_api import InboundView

api_urls = [
    path("channels/", ChannelView.as_view({"get": "list", "post": "create"})),
    path(
        "channels/<uuid:pk>/",
        ChannelView.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("channels/<uuid:pk>/inbound/", InboundView.as_view({"post": "create"})),
    path("channels/<uuid:pk>/test/", ChannelView.as_view({"post": "test"})),
    path("inbound-failures/", InboundFailureView.as_view({"get": "list"})),
    path("inbound-failures/<id:pk>/retry/", InboundFailureView.as_view({"post": "retry"})),
]
control_urls = [
    path("", web.index, name="channels"),
    path("new/<slug:kind>/", web.create),
    path("<uuid:channel_id>/", web.edit),
    path("<uuid:channel_id>/retire/", web.retire),
    path("<uuid:channel_id>/test/", web.test),
    path("<uuid:channel_id>/call-us/", web.call_us),
    path("<uuid:channel_id>/connect/", connect.begin),
    path("<uuid:channel_id>/connect/callback/", connect.callback),
]
demo_urls = [
    path("", demo.phones, name="demo_phones"),
    path("<slug:kind>/", demo.talk),
]
urlpatterns = [
    path("demo/phones/", include(demo_urls)),
    path("api/v1/", include(api_urls)),
    path("control/channels/", include(control_urls)),
    path("hooks/<uuid:channel_id>/", webhooks.hook, name="hook"),
    path("media/out/<str:token>/<str:name>", handed_out.give, name="handed_out"),
]
