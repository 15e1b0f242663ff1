"""The doors: how words come in and go out."""

from django.apps import AppConfig


class ChannelsAppConfig(AppConfig):
    name = "channels_app"
