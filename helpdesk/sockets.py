"""Addresses of the WebSockets. Each consumer checks the origin itself: agents' and visitors' rules differ."""

websocket_urlpatterns: list[object] = []
