"""Every setting, read once from the environment; see docs/operations.md for what an operator sets."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.utils.csp import CSP

from project import env, home, logging
from project.openapi import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

BASE_DIR = Path(__file__).resolve().parent.parent
PARLEY_HOME = home.prepare(Path(env.text("PARLEY_HOME") or BASE_DIR / ".parley").resolve())

# An installation that names any of its own secrets or hosts is a real one; with none of them it is somebody's laptop.
_named = any(env.text(name) for name in ("SECRET_KEY", "FIELD_KEYRING", "ALLOWED_HOSTS"))
PARLEY_MODE = env.choice("PARLEY_MODE", "production" if _named else "development", ("development", "production"))
DEVELOPMENT = PARLEY_MODE == "development"
DEBUG = False

# ---------------------------------------------------------------- secrets
_secrets = home.secrets_of_development(PARLEY_HOME) if DEVELOPMENT else home.secrets_of_production()
SECRET_KEY, FIELD_KEYRING, FINGERPRINT_PEPPER = _secrets

# ---------------------------------------------------------------- hosts
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or (LOOPBACK_HOSTS if DEVELOPMENT else [])
if "*" in ALLOWED_HOSTS:
    raise env.SettingError("ALLOWED_HOSTS must name hosts; * lets anyone choose the host in links and passkeys.")
if not ALLOWED_HOSTS:
    raise env.SettingError("ALLOWED_HOSTS is missing: name the host that members open, for example parley.example.com.")
PUBLIC_URL = env.url("PUBLIC_URL") or ("" if DEVELOPMENT else f"https://{ALLOWED_HOSTS[0].lstrip('.')}")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, low=0, high=5)

# ---------------------------------------------------------------- storage
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{PARLEY_HOME / 'parley.sqlite3'}")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=300, conn_health_checks=True)}
ON_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if ON_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 15,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
    }
    # Threads of one process share a file, never an in-memory database: tests meet the locks that users meet.
    DATABASES["default"]["TEST"] = {"NAME": str(PARLEY_HOME / "test.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    raise env.SettingError("REDIS_URL must start with redis://, rediss:// or unix://.")
# A socket timeout would drop every idle reader after five seconds (docs/decisions/0003).
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "parley"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# ---------------------------------------------------------------- providers
# The installation's own keys and base URLs, by provider. After this block no SDK can find them by itself.
_providers = ("openai", "anthropic", "gemini", "mistral", "openai_compatible")
PROVIDER_KEYS = {name: env.text(f"{name.upper()}_API_KEY") for name in _providers}
PROVIDER_KEYS["gemini"] = PROVIDER_KEYS["gemini"] or env.text("GOOGLE_API_KEY")
PROVIDER_BASE_URLS = {name: env.url(f"{name.upper()}_BASE_URL") for name in _providers}
# The installation's own signed token, for workspaces that exchange it; off until the operator names the file.
WORKLOAD_IDENTITY_TOKEN_FILE = env.text("PARLEY_WORKLOAD_IDENTITY_TOKEN_FILE")
# Whether workspaces may exchange signed tokens for the vendors' own at all; who names a file means it.
WORKLOAD_IDENTITY = env.flag("PARLEY_WORKLOAD_IDENTITY", default=bool(WORKLOAD_IDENTITY_TOKEN_FILE))
# The Console profile of Anthropic's command line on this machine, read only when the operator names it.
ANTHROPIC_PROFILE = env.text("PARLEY_ANTHROPIC_PROFILE")
ANTHROPIC_PROFILE_DIR = env.text("PARLEY_ANTHROPIC_PROFILE_DIR", str(Path.home() / ".config" / "anthropic"))
# Whether the installation's API key may stand in for its session.
SESSION_FALLBACK = env.flag("PARLEY_SESSION_FALLBACK", default=False)
AT_HOME = DEVELOPMENT and not PUBLIC_URL and ALLOWED_HOSTS == LOOPBACK_HOSTS
# Whether people may sign in with their own ChatGPT plans: the vendor allows that on their own machine only.
CHATGPT_PLAN = env.at_home("PARLEY_CHATGPT_PLAN", AT_HOME)
# Whether administrators at this machine may look at its Codex login and take over the API key in it.
CODEX_LOGIN = env.at_home("PARLEY_CODEX_LOGIN", AT_HOME)
CODEX_HOME = env.text("PARLEY_CODEX_HOME", str(Path.home() / ".codex"))
GEMINI_API_VERSION = env.text("GEMINI_API_VERSION", "v1beta")
env.forget_vendor_variables()

# The sandbox answers for providers that have no key; `manage.py up` starts it. Never outside development.
SANDBOX_URL = env.url("PARLEY_SANDBOX_URL")
if SANDBOX_URL and not DEVELOPMENT:
    raise env.SettingError("PARLEY_SANDBOX_URL is for development only: the sandbox invents its answers.")

# ---------------------------------------------------------------- applications
INSTALLED_APPS = [
    "daphne",
    "project.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "project",
    "accounts",
    "providers",
    "catalog",
    "chat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "project.middleware.HouseRules",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "project.context.workspace",
            ]
        },
    }
]

# ---------------------------------------------------------------- identity
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
# Who may make an account: anybody in development, and elsewhere only where the operator says so.
SIGNUP_OPEN = env.flag("SIGNUP_OPEN", default=DEVELOPMENT)
ACCOUNT_ADAPTER = "accounts.hooks.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_EMAIL_NOTIFICATIONS = ACCOUNT_PREVENT_ENUMERATION = ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Beside allauth's own: how often one e-mailed code may be compared.
ACCOUNT_RATE_LIMITS = {"enter_code": "30/m/ip,3/900s/key"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Parley] "
MFA_ADAPTER = "accounts.hooks.MFAAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "recovery_codes"]
MFA_FORMS = {
    "signup_webauthn": "accounts.forms.NewPasskeyForm",
    "add_webauthn": "accounts.forms.NewPasskeyForm",
    "edit_webauthn": "accounts.forms.RenamePasskeyForm",
}
MFA_PASSKEY_SIGNUP_ENABLED = MFA_PASSKEY_LOGIN_ENABLED = MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Identity providers are rows of the console; every one of them goes through our stricter class (accounts/oidc).
SOCIALACCOUNT_ADAPTER = "accounts.identity_hooks.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": "accounts.oidc.provider.OIDCProvider"}}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
# The id that passkeys are bound to; changing it later orphans all of them.
PASSKEY_RP_ID = env.text("PASSKEY_RP_ID") or ("localhost" if DEVELOPMENT else urlsplit(PUBLIC_URL).hostname or "")

EMAIL_URL = env.text("EMAIL_URL")
_mail = urlsplit(EMAIL_URL)
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": _mail.hostname,
            "port": _mail.port or 587,
            "username": _mail.username,
            "password": _mail.password,
            "use_tls": _mail.scheme == "smtp+tls",
            "timeout": 10,
        },
    }
    if EMAIL_URL
    else {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Parley <parley@localhost>")

# ---------------------------------------------------------------- browser
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_ENGINE = "accounts.session_store"
SESSION_LONGEST = 30 * 24 * 3600  # seconds since the sign-in, however much it is used
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "project.problems.csrf_failure"
if not DEVELOPMENT:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 63072000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "object-src": [CSP.NONE],
}

STATIC_URL = "static/"
STATIC_ROOT = PARLEY_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "project.statics.HashedStaticFiles"
    },
}
SERVESTATIC_USE_FINDERS = DEVELOPMENT
SERVESTATIC_AUTOREFRESH = False
MEDIA_ROOT = PARLEY_HOME / "media"
# One file, all files of one request, and all files of one person in a workspace.
ATTACHMENT_BYTES = 20 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
MEMBER_STORAGE_BYTES = env.integer("MEMBER_STORAGE_MB", 1000, low=1, high=1_000_000) * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# Messages are bounded before they are parsed; a front proxy bounds the wire (docs/operations.md).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 64 * 1024
# Whether serving processes execute runs as well, or only `manage.py runner` processes do.
RUNNER = env.choice("RUNNER", "inside", ("inside", "separate"))
# Whether a small model names new conversations.
AUTO_TITLES = env.flag("AUTO_TITLES", default=True)
# How long running answers may go on after the process was asked to end.
DRAIN_SECONDS = env.integer("DRAIN_SECONDS", 3 if DEVELOPMENT else 25, low=0, high=300)

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "project.formats"
USE_TZ = True

# ---------------------------------------------------------------- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.HasWorkspaceAndScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "project.api.Pages",
    "EXCEPTION_HANDLER": "project.api.problem_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

LOGGING = logging.configuration(env.text("LOG_LEVEL", "INFO"))
DEFAULT_EXCEPTION_REPORTER = "project.logging.RedactedReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "project.logging.ClosedExceptionFilter"
TESTING = "pytest" in sys.modules
