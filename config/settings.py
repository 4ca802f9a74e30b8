"""Every setting, read from the environment (docs/operations.md lists the variables)."""

import sys
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(BASE_DIR / ".env")

# --- Profile -----------------------------------------------------------------------------------
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
DATABASE_URL = env.text("DATABASE_URL")
IS_EMBEDDED = not DATABASE_URL or DATABASE_URL.startswith("sqlite:")
IS_TESTING = "pytest" in sys.modules
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = False
SECRET_KEY = env.generated_secret("SECRET_KEY", folder=VAR_DIR, is_embedded=IS_EMBEDDED)
ENCRYPTION_KEYS = env.fernet_keys(
    env.generated_secret("ENCRYPTION_KEYS", folder=VAR_DIR, is_embedded=IS_EMBEDDED, fernet=True)
)
SITE_URL = env.text("SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Parts -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "crm_integrations",
    "memorialization",
    "dynamic_data",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "django_include_bootstrap",
    "django_tomselect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "crm_integrations.middleware.ScriptCallMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crm_integrations.middleware.PreferredLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crm_integrations.navigation.frame",
            ],
        },
    }
]

# --- Data --------------------------------------------------------------------------------------
DATABASES = {"default": env.database(DATABASE_URL, folder=VAR_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        if IS_TESTING
        else {
            "BACKEND": "config.lasting_cache.LastingRedisCache",
            "LOCATION": REDIS_URL,
            # Whoever waits for it is a person, or an answer of the intake.
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": None},
        }
    )
}

# --- People ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "crm_integrations.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "crm_integrations.permissions.PermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
if IS_TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
AXES_ENABLED = not IS_TESTING

# --- Language and time -------------------------------------------------------------------------
LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English")), ("fr-ca", _("French (Canada)"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_I18N = USE_TZ = True

# --- CRMs --------------------------------------------------------------------------------------
CRM_PROVIDERS = ["crm_integrations.providers.zendesk.provider.ZendeskProvider"]
ZENDESK_OAUTH_CLIENT_ID = env.text("ZENDESK_OAUTH_CLIENT_ID", "agent_integrations_demo" if IS_EMBEDDED else "")
ZENDESK_OAUTH_CLIENT_SECRET = env.text("ZENDESK_OAUTH_CLIENT_SECRET", "demo-secret" if IS_EMBEDDED else "")
ZENDESK_BASE_URL = env.text("ZENDESK_BASE_URL", "https://{subdomain}.zendesk.com")
CONSENT_ORIGIN = env.origin(ZENDESK_BASE_URL.replace("{subdomain}", "*"))

# --- Browser safety ----------------------------------------------------------------------------
IS_HTTPS = SITE_URL.startswith("https://")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap's stylesheet holds its small icons as data
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # The window's Create button is a form that ends on the CRM's consent page.
        "form-action": [SELF, CONSENT_ORIGIN],
    }
}
CARD_FRAME_ANCESTORS = env.words(
    "CARD_FRAME_ANCESTORS",
    "'self',https://*.nice-incontact.com,https://*.niceincontact.com,https://*.nicecxone.com",
)  # who may show the customer card in a frame: agents' desktops
if IS_EMBEDDED:  # the demo contact centre's desk
    demo_port = env.integer("DEMO_CONTACT_CENTRE_PORT", 8901)
    CARD_FRAME_ANCESTORS += [f"http://{host}:{demo_port}" for host in ("localhost", "127.0.0.1")]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # the answer of a CRM's consent page must find its session
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes; intake has its own, smaller bound
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a mapping may have hundreds of rows

# --- Static files ------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if IS_TESTING
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Delivery engine ---------------------------------------------------------------------------
CONNECT_TIMEOUT_S = env.integer("CONNECT_TIMEOUT_S", 5)
READ_TIMEOUT_S = env.integer("READ_TIMEOUT_S", 20)
CALL_TIMEOUT_S = env.integer("CALL_TIMEOUT_S", 30)  # a call's total, slow-drip answers included
INTERACTIVE_CALLS = env.integer("INTERACTIVE_CALLS", 3)  # a process's threads that may wait for CRMs for people
LEASE_S = env.integer("LEASE_S", 120)  # how long a worker owns a record lane; longer than any call
SETTLE_S = env.integer("SETTLE_S", 60)  # how long a lane stays closed after a call whose outcome is unknown
BULK_PATIENCE_S = env.integer("BULK_PATIENCE_S", 600)  # a bulk write without progress for so long is given up
CIRCUIT_PROBE_S = env.integer("CIRCUIT_PROBE_S", 30)  # how soon a CRM that is down is tried again; doubles up to 10 x
SWEEP_EVERY_S = env.integer("SWEEP_EVERY_S", 5 if IS_EMBEDDED else 10)
WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 10)
WATCHDOG_AFTER_S = env.integer("WATCHDOG_AFTER_S", 60)  # a worker this long without messages starts anew; 0 = never

# --- Celery: the broker carries hints, never data ----------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_QUEUES = {name: {"routing_key": name} for name in ("celery", "backlog")}  # taken from in turn
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_TIMEZONE = "UTC"

# --- Operation ---------------------------------------------------------------------------------
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.log_lines.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},  # four lines for every sign-in that worked; those that failed are warnings
        "urllib3": {"level": "WARNING"},
        "oauthlib": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},  # two lines for every hint
        "celery.app.trace": {"level": "WARNING"},
        "granian.access": {"handlers": ["console"], "level": "INFO", "propagate": False},  # silent unless asked for
    },
}
