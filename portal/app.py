"""The web application: extensions, guards, blueprints, back office, and the check that nothing is undeclared."""

import json
import time
from inspect import iscoroutinefunction

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.admin import init_admin
from portal.blueprints import register_blueprints
from portal.blueprints.chrome import init_chrome
from portal.blueprints.drain import DrainUnread
from portal.blueprints.drawing import init_drawing
from portal.blueprints.errors import init_errors
from portal.blueprints.files.receiving import init_receiving
from portal.blueprints.guard import init_guard
from portal.blueprints.kept_parts import init_kept_parts
from portal.blueprints.localisation import current_locale, init_localisation, select_timezone
from portal.blueprints.policies import public, require_policies
from portal.blueprints.realtime import init_realtime
from portal.blueprints.telemetry import init_telemetry
from portal.blueprints.templating import init_templating
from portal.blueprints.uploads import init_large_bodies, init_small_bodies, init_uploads
from portal.cli import init_cli
from portal.config import ROOT, Settings
from portal.extensions import babel, csrf, db, limiter, login_manager, migrate
from portal.integrations.gateway_probe import GatewayProbe
from portal.integrations.oidc import OidcProviders
from portal.integrations.places import Places
from portal.integrations.storage import build_storage
from portal.integrations.stripe_gateway import build_payment_gateway
from portal.lib.vault import Vault
from portal.models import Base
from portal.models.session import engine_options, keep_plans, normalise_url, ping_idle_connections
from portal.services.accounts.api_tokens import TokenSigner
from portal.services.accounts.passwords import Passwords
from portal.services.files.uploading import FilePlace
from portal.services.tenants.directory import TenantDirectory

MAX_BODY_BYTES = 2 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """Build the application; raises RuntimeError when an endpoint declares no access policy."""
    app = Flask(
        "portal",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "portal" / "static" / "dist"),
        static_url_path="/static",
    )
    _configure(app, settings)
    _init_extensions(app, settings)
    init_telemetry(app, app.extensions["portal_engine"])
    init_uploads(app)
    init_small_bodies(app)
    init_guard(app)
    init_large_bodies(app)
    init_receiving(app)
    # After the guard: who may not come in at all is not asked for a form's token.
    csrf.init_app(app)
    init_localisation(app)
    init_drawing(app)
    init_kept_parts(app)
    init_errors(app)
    init_chrome(app)
    register_blueprints(app)
    init_admin(app)
    init_realtime(app, settings)
    init_cli(app)
    public(app.view_functions["static"])
    require_policies(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    prefix = "__Host-" if settings.secure_cookies else ""
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=f"{prefix}portico",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_HEADERS=["X-CSRF-Token", "X-CSRFToken"],
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
        SQLALCHEMY_ENGINES={
            "default": {"url": normalise_url(settings.database_url), **engine_options(settings.pool_size, spare=0)}
        },
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS={"wrap_exceptions": True},
        RATELIMIT_HEADERS_ENABLED=False,
        TEMPLATES_AUTO_RELOAD=settings.environment == "development",
        # Hashed names never change their content.
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
    )
    app.wsgi_app = DrainUnread(app.wsgi_app)  # type: ignore[method-assign]
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _init_extensions(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    # There are no async sessions to close, and closing none starts a thread for every request.
    app.teardown_appcontext_funcs[:] = [step for step in app.teardown_appcontext_funcs if not iscoroutinefunction(step)]
    with app.app_context():
        engine = db.engine
    ping_idle_connections(engine)
    keep_plans(engine)
    app.extensions["portal_engine"] = engine
    app.extensions["portal_tenants"] = TenantDirectory(engine)
    app.extensions["portal_passwords"] = Passwords(settings.password_time_cost, settings.password_memory_kib)
    app.extensions["portal_oidc"] = OidcProviders(allow_loopback=not settings.production)
    app.extensions["portal_vault"] = Vault(settings.vault_secrets)
    app.extensions["portal_places"] = Places(settings.geoip_database)
    app.extensions["portal_token_signer"] = TokenSigner(settings.secret_key)
    app.extensions["portal_gateway_probe"] = GatewayProbe(settings)
    app.extensions["portal_files"] = FilePlace(build_storage(settings), scanned=settings.antivirus_url is not None)
    app.extensions["portal_gateway"] = build_payment_gateway(settings)
    db.metadata = Base.metadata  # type: ignore[attr-defined]
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))  # type: ignore[arg-type]
    babel.init_app(app, locale_selector=current_locale, timezone_selector=select_timezone)
    login_manager.init_app(app, add_context_processor=False)
    limiter.init_app(app)
    app.jinja_env.globals["asset"] = _Assets(app)
    init_templating(app)


class _Assets:
    """Addresses of built files by their plain names, from the bundle's manifest.

    Icons ask for theirs a hundred times a page, so addresses are kept; a new build is noticed within a second.
    """

    def __init__(self, app: Flask) -> None:
        self._manifest = ROOT / "portal" / "static" / "dist" / "manifest.json"
        self._path = app.static_url_path
        self._addresses: dict[str, str] = {}
        self._checked = 0.0
        self._reload = bool(app.config["TEMPLATES_AUTO_RELOAD"])

    def __call__(self, name: str) -> str:
        if not self._addresses or (self._reload and time.monotonic() - self._checked > 1):
            self._checked = time.monotonic()
            names: dict[str, str] = json.loads(self._manifest.read_text(encoding="utf-8"))
            self._addresses = {plain: f"{self._path}/{hashed}" for plain, hashed in names.items()}
        return self._addresses[name]
