"""Addresses of the WebSockets. Each consumer checks the origin itself: agents' and visitors' rules differ."""

from django.urls import path

from channels_app.webchat.consumers import VisitorConsumer
from tickets.consumers import AgentConsumer

websocket_urlpatterns = [
    path("ws/agent/", AgentConsumer.as_asgi()),
    path("ws/widget/<uuid:channel_id>/", VisitorConsumer.as_asgi()),
]
