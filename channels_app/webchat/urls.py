"""The visitor's addresses."""

from django.urls import path

from channels_app.webchat import demo, script, views

_V1 = "widget/v1/<uuid:channel_id>"
urlpatterns = [
    path("widget.js", script.widget),
    path("demo/", demo.shop, name="demo"),
    path(f"{_V1}/session", views.visitor_door(POST=views.open_session)),
    path(f"{_V1}/messages", views.visitor_door(GET=views.lines, POST=views.say)),
    path(f"{_V1}/seen", views.visitor_door(POST=views.mark_read)),
    path(f"{_V1}/files", views.visitor_door(POST=views.upload)),
    path(f"{_V1}/files/<uuid:media_id>", views.visitor_door(GET=views.download)),
    path(f"{_V1}/email", views.visitor_door(POST=views.leave_email)),
    path(f"{_V1}/email/confirm", views.visitor_door(POST=views.confirm_email)),
]
