"""How the desk runs: embedded servers, the supervisor behind `manage.py up`, the clock loop, health."""
