"""Settings: one frozen object, read once from the environment, refused loudly when wrong."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ("en", "es", "fr", "de", "ar")
ENVIRONMENTS = ("development", "test", "production")
# Keys of the stand-in for Stripe; only they may go to another address than Stripe's own.
STANDIN_KEY = "sk_test_standin"
STRIPE_PAGES = ("https://checkout.stripe.com", "https://hooks.stripe.com")


class ConfigurationError(RuntimeError):
    """A setting is missing or cannot work; the message says which and what to do."""


def _read(name: str, default: str | None = None) -> str | None:
    """The variable `name`, or the content of the file that `<name>_FILE` points to."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(f"{name}_FILE cannot be read: {error}") from error
    return os.environ.get(name) or default


def _need(name: str) -> str:
    value = _read(name)
    if not value:
        raise ConfigurationError(f"{name} is not set. `make run` sets it; docs/configuration.md explains it.")
    return value


def _integer(name: str, default: int) -> int:
    value = _read(name)
    try:
        return int(value) if value else default
    except ValueError as error:
        raise ConfigurationError(f"{name} must be a whole number, not {value!r}.") from error


def _path(name: str) -> Path | None:
    """The file that a variable names."""
    value = _read(name)
    return Path(value) if value else None


def _server(name: str) -> str | None:
    """An address with its port, such as `127.0.0.1:53` or `[::1]:53`."""
    value = _read(name)
    if not value:
        return None
    host, _, port = value.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        if not 0 < int(port) < 65536:
            raise ValueError(port)
    except ValueError as error:
        raise ConfigurationError(f"{name} must look like 127.0.0.1:53, not {value!r}.") from error
    return value


def _stripe(*, production: bool) -> tuple[str | None, tuple[str, ...], str | None]:
    """Secret key, webhook secrets (two while they rotate) and address; without a key payments are off."""
    key, base = _read("STRIPE_SECRET_KEY"), _read("STRIPE_API_BASE")
    secrets = tuple((_read("STRIPE_WEBHOOK_SECRET") or "").replace(",", " ").split())
    simulated = (key or "").startswith(STANDIN_KEY)
    if key and not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise ConfigurationError("STRIPE_SECRET_KEY must begin with sk_ or rk_, then test_ or live_.")
    if simulated and production:
        raise ConfigurationError("STRIPE_SECRET_KEY is a key of the stand-in; production needs one of Stripe, or none.")
    if base and not simulated:
        raise ConfigurationError(f"STRIPE_API_BASE is for keys of the stand-in only ({STANDIN_KEY}…).")
    if simulated and not base:
        raise ConfigurationError("STRIPE_API_BASE must say where the stand-in listens; `make run` sets it.")
    if base and urlsplit(base).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigurationError("STRIPE_API_BASE must be an address on the loopback interface.")
    if key and not secrets:
        raise ConfigurationError("STRIPE_WEBHOOK_SECRET is not set; without it no payment could be believed.")
    return key, secrets, base.rstrip("/") if base else None


@dataclass(frozen=True)
class Settings:
    """Everything the processes need to know about their surroundings."""

    environment: str
    secret_key: str
    database_url: str
    owner_database_url: str
    relay_database_url: str
    data_dir: Path
    base_url: str
    temporal_address: str | None = None
    temporal_namespace: str = "portico"
    temporal_api_key: str | None = None
    redis_url: str | None = None
    smtp_url: str | None = None
    storage_url: str | None = None
    antivirus_url: str | None = None
    proxy_hops: int = 0
    password_time_cost: int = 2
    password_memory_kib: int = 19 * 1024
    demo_password: str = "portico-demo"  # noqa: S105 - published on purpose; refused in production
    pool_size: int = 6
    encryption_keys: tuple[str, ...] = ()
    sms_url: str | None = None
    geoip_database: Path | None = None
    dns_server: str | None = None
    mail_listen: str | None = None
    stripe_secret_key: str | None = None
    stripe_webhook_secrets: tuple[str, ...] = ()
    stripe_api_base: str | None = None
    seal_key: Path | None = None
    seal_certificate: Path | None = None
    tsa_url: str | None = None

    @property
    def vault_secrets(self) -> tuple[str, ...]:
        """What fields are encrypted with, the newest first; the application's secret where nothing else is set."""
        return self.encryption_keys or (self.secret_key,)

    @property
    def audit_dir(self) -> Path:
        """Where the audit chains' witnesses lie (SEC-06)."""
        return self.data_dir / "audit"

    @property
    def production(self) -> bool:
        """Whether real customers are served."""
        return self.environment == "production"

    @property
    def payments_simulated(self) -> bool:
        """Whether the stand-in answers in Stripe's place: no money moves, and pages say so."""
        return (self.stripe_secret_key or "").startswith(STANDIN_KEY)

    @property
    def payment_origins(self) -> tuple[str, ...]:
        """Where a form that pays leads to by redirect; browsers follow to nowhere else (CSP form-action)."""
        if not self.stripe_secret_key:
            return ()
        return (self.stripe_api_base,) if self.stripe_api_base else STRIPE_PAGES

    @property
    def payments_live(self) -> bool:
        """Whether the key moves real money."""
        return (self.stripe_secret_key or "").startswith(("sk_live_", "rk_live_"))

    @property
    def secure_cookies(self) -> bool:
        """Cookies carry Secure wherever the site is reached by https."""
        return self.production or urlsplit(self.base_url).scheme == "https"

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment; raises ConfigurationError in one sentence when it cannot work."""
        environment = _read("PORTAL_ENV", "development") or "development"
        if environment not in ENVIRONMENTS:
            raise ConfigurationError(f"PORTAL_ENV must be one of {', '.join(ENVIRONMENTS)}, not {environment!r}.")
        secret = _need("PORTAL_SECRET_KEY")
        if environment == "production" and len(secret) < 32:
            raise ConfigurationError("PORTAL_SECRET_KEY needs at least 32 characters in production.")
        if environment == "production" and os.environ.get("PORTAL_FAULT"):
            raise ConfigurationError("PORTAL_FAULT is for tests; it must not be set in production.")
        if any(len(key) < 32 for key in (_read("PORTAL_ENCRYPTION_KEYS") or "").replace(",", " ").split()):
            raise ConfigurationError("Each key of PORTAL_ENCRYPTION_KEYS needs at least 32 characters.")
        stripe = _stripe(production=environment == "production")
        database = _need("PORTAL_DATABASE_URL")
        port = _integer("PORT", 8000)
        return cls(
            environment=environment,
            secret_key=secret,
            database_url=database,
            owner_database_url=_read("PORTAL_OWNER_DATABASE_URL", database) or database,
            relay_database_url=_read("PORTAL_RELAY_DATABASE_URL", database) or database,
            data_dir=Path(_read("PORTAL_DATA_DIR", str(ROOT / "var")) or "var").resolve(),
            base_url=(_read("PORTAL_BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            temporal_address=_read("PORTAL_TEMPORAL_ADDRESS"),
            temporal_namespace=_read("PORTAL_TEMPORAL_NAMESPACE", "portico") or "portico",
            temporal_api_key=_read("PORTAL_TEMPORAL_API_KEY"),
            redis_url=_read("PORTAL_REDIS_URL"),
            smtp_url=_read("PORTAL_SMTP_URL"),
            storage_url=_read("PORTAL_STORAGE_URL"),
            antivirus_url=_read("PORTAL_ANTIVIRUS_URL"),
            proxy_hops=_integer("PORTAL_PROXY_HOPS", 0),
            password_time_cost=_integer("PORTAL_PASSWORD_TIME_COST", 2),
            password_memory_kib=_integer("PORTAL_PASSWORD_MEMORY_KIB", 19 * 1024),
            demo_password=_read("PORTAL_DEMO_PASSWORD", "portico-demo") or "portico-demo",
            pool_size=_integer("PORTAL_POOL_SIZE", 6),
            encryption_keys=tuple((_read("PORTAL_ENCRYPTION_KEYS") or "").replace(",", " ").split()),
            sms_url=_read("PORTAL_SMS_URL"),
            dns_server=_server("PORTAL_DNS_SERVER"),
            mail_listen=_read("PORTAL_MAIL_LISTEN"),
            stripe_secret_key=stripe[0],
            stripe_webhook_secrets=stripe[1],
            stripe_api_base=stripe[2],
            geoip_database=_path("PORTAL_GEOIP_DATABASE"),
            seal_key=_path("PORTAL_SEAL_KEY"),
            seal_certificate=_path("PORTAL_SEAL_CERTIFICATE"),
            tsa_url=_read("PORTAL_TSA_URL"),
        )
