"""Django's settings, in labelled blocks. Values come from the typed environment."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from helpdesk.core import openapi_words as openapi
from helpdesk.env import BadEnvironment, Env
from helpdesk.runtime import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

# --- environment -----------------------------------------------------------------------------------------------------
try:
    ENV = Env.read()
except BadEnvironment as error:
    sys.exit(f"The environment is not right:\n{error}")

VAR_DIR = ENV.helpdesk_var_dir if ENV.helpdesk_var_dir.is_absolute() else BASE_DIR / ENV.helpdesk_var_dir
SECRET_KEY = ENV.secret_key or embedded.kept_secret(VAR_DIR / "secret.key")
# The demo's providers: beside the desk, on loopback, and the only private address it may call by itself.
SIMULATORS = "channels_app.simulators"
SIMULATORS_PORT = embedded.kept_port(VAR_DIR / "simulators.port") if ENV.demo else 0
if ENV.demo:
    ENV = replace(ENV, helpdesk_allow_hosts=(*ENV.helpdesk_allow_hosts, f"127.0.0.1:{SIMULATORS_PORT}"))
SITE_URL = (ENV.site_url or f"http://{ENV.host}:{ENV.port}").rstrip("/")
DEBUG = False
# The proxy in front checks the host; links are made from SITE_URL, never from the request.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- what it is made of ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_htmx",
    "helpdesk.core",
    "helpdesk.accounts",
    "helpdesk.runtime",
    "channels_app",
    "knowledge_base",
    "tickets",
]
MIDDLEWARE = [
    "helpdesk.runtime.health.CountRequests",
    "helpdesk.core.http.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "helpdesk.accounts.middleware.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "helpdesk.accounts.middleware.SessionsMiddleware",
    "helpdesk.accounts.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "helpdesk.core.http.DomainErrorMiddleware",
]
ROOT_URLCONF = "helpdesk.urls"
ASGI_APPLICATION = "helpdesk.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "helpdesk" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

# --- data ------------------------------------------------------------------------------------------------------------
DATABASES = {"default": embedded.database_settings(ENV.database_url or embedded.database_url(VAR_DIR))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
VALKEY_URL = ENV.broker or embedded.valkey_url(VAR_DIR)
MEDIA_ROOT = VAR_DIR / "media"
# Holds rate limits only: without Valkey each process counts for itself, and signing in goes on.
CACHES = {
    "default": {
        "BACKEND": "helpdesk.core.cache.ForgivingCache",
        "LOCATION": VALKEY_URL,
        "KEY_PREFIX": "cache",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [VALKEY_URL], "prefix": "layer"},
    }
}

# --- work in the background ------------------------------------------------------------------------------------------
CELERY = {
    "broker_url": embedded.broker_url(VALKEY_URL),
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {"visibility_timeout": 600, "socket_timeout": 5, "socket_connect_timeout": 5},
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_publish_retry": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_send_task_events": False,
    "worker_max_tasks_per_child": 5000,
    # Below the lease of a job (two minutes), so that a job's lease never ends under a living task.
    "task_time_limit": 100,
    "task_soft_time_limit": 90,
    "timezone": "UTC",
}
# How long a worker may hold a job before another may take it: longer than the hard limit of a task.
LEASE_SECONDS = 120
# One queue for each kind of work, so that sends do not wait behind a backlog of intake.
CELERY_QUEUES = ["inbound", "deliver", "errands", "relay", "leftovers", "clock", "house"]
# Beat only asks whether anything is due that nobody was woken for.
SWEEP_SECONDS = 15
# Each finder fires what is due and says when to look again: helpdesk/runtime/clock.py.
CLOCK_FINDERS = [
    "tickets.sla.actions.due",
    "tickets.lifecycle.actions.wake_snoozed",
    "channels_app.outbound.due",
    "channels_app.errands.due",
    "channels_app.tokens.due",
    "channels_app.webchat.fallback.due",
]
# Further figures of /metrics: each callable returns {name: value}.
METRIC_SOURCES = ["tickets.sla.queries.figures"]
# Who reacts to what: the one table.
SUBSCRIPTIONS = "helpdesk.subscriptions.SUBSCRIPTIONS"
# Which queue a drain works: name -> callable.
DRAINS = {
    "inbound": "channels_app.inbound.drain",
    "deliver": "channels_app.outbound.drain",
    "errands": "channels_app.errands.drain",
    "relay": "helpdesk.core.relay.drain",
    "leftovers": "helpdesk.core.relay.drain_leftovers",
}

# --- mail ------------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "channels_app.mailbackend.OutboxBackend"
MAIL_OUT = ENV.mail_out or f"dir:{VAR_DIR / 'mail-out'}"
DEFAULT_FROM_EMAIL = "desk@localhost"
MAIL_MAX_BYTES = 25 * 1024 * 1024
MAIL_IDLE_POLL_SECONDS = 60

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["helpdesk.accounts.backends.DeskBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "helpdesk.accounts.adapter.InvitationOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation proves the address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "helpdesk.accounts.sign_in_forms.LoginForm",
    "reset_password": "helpdesk.accounts.sign_in_forms.ResetPasswordForm",
    "reset_password_from_key": "helpdesk.accounts.sign_in_forms.ResetPasswordKeyForm",
    "change_password": "helpdesk.accounts.sign_in_forms.ChangePasswordForm",
    "reauthenticate": "helpdesk.accounts.sign_in_forms.ReauthenticateForm",
}
MFA_FORMS = {
    "authenticate": "helpdesk.accounts.sign_in_forms.CodeForm",
    "reauthenticate": "helpdesk.accounts.sign_in_forms.CodeAgainForm",
    "activate_totp": "helpdesk.accounts.sign_in_forms.ActivateTOTPForm",
}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a stranger's address gets no mail from us
MFA_ADAPTER = "helpdesk.accounts.adapter.EncryptingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an invitation proves the address
MFA_TOTP_TOLERANCE = 1  # phones' clocks are up to half a minute wrong
USERSESSIONS_TRACK_ACTIVITY = True
INVITATION_DAYS = 7

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "helpdesk.accounts.authentication.TokenAuthentication",
        "helpdesk.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["helpdesk.core.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": None,  # what there is stands in the document at /api/schema/
    "DEFAULT_SCHEMA_CLASS": "helpdesk.core.openapi.DeskSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "6000/min", "anon": "120/min"},
    "EXCEPTION_HANDLER": "helpdesk.core.http.api_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
API_JSON_MAX_BYTES = 1024 * 1024
SPECTACULAR_SETTINGS = {
    "TITLE": "Help desk",
    "VERSION": "1",
    "DESCRIPTION": openapi.DESCRIPTION.strip(),
    "TAGS": [{"name": name, "description": said} for name, said in openapi.TAGS.items()],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "PATH_CONVERTER_OVERRIDES": {"id": openapi.ID, "int": openapi.ID},
    "ENUM_NAME_OVERRIDES": openapi.ENUMS,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "persistAuthorization": False},
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_SUFFIX": "",
}

# --- words -----------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "helpdesk" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_USER_TIME_ZONE = "Asia/Ho_Chi_Minh"

# --- files of the screens --------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "helpdesk" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# An image collects its files when it is built: their names then carry a hash. Elsewhere they are served where they lie.
COLLECTED = STATIC_ROOT.is_dir()
if COLLECTED:
    STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
else:
    warnings.filterwarnings("ignore", message="No directory at: ")
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_AUTOREFRESH = False

# --- limits and locks ------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 27 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "helpdesk.core.http.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# --- logs ------------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "helpdesk.core.logs.configure"
LOGGING = {"level": "INFO"}

# --- the shop's own words --------------------------------------------------------------------------------------------
FIRST_REPLY_SECONDS = 300  # "zero response": a message that waits five minutes is a lost customer
FIRST_REPLY_WARN_SECONDS = 120  # the warning comes when this much is left
PHONE_REGION = "VN"  # where a telephone number without a country code belongs
REOPEN_DAYS = 7  # a solved ticket reopens when the customer writes within this time
WIDGET_TOKEN_DAYS = 90  # a visitor who comes back within this time goes on with the same conversation
WIDGET_MAIL_AFTER_SECONDS = 120  # an answer nobody came back to read goes by mail, where an address was proved
UNDO_SECONDS = {"email": 5}  # a mail can be taken back for this long; chat leaves at once
DEMO_ACCOUNTS = [
    ("admin@demo.test", "admin", _("Admin")),
    ("supervisor@demo.test", "supervisor", _("Supervisor")),
    ("agent@demo.test", "agent", _("Agent")),
]
