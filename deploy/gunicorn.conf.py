"""Gunicorn's settings, for `make run` and for production alike; docs/configuration.md explains the variables."""

import gc
import os

bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# One process holds the rate limits in memory and every live socket; more than one needs Redis (PORTAL_REDIS_URL).
workers = int(os.environ.get("WEB_WORKERS", "1"))
# An open live socket owns a thread for as long as the page is open.
threads = int(os.environ.get("WEB_THREADS", "100"))
timeout = 60
# Open sockets would hold a stop for the whole of this time; pages connect again by themselves.
graceful_timeout = 5
# A waiting connection costs no thread: long enough for a person to read a page, longer than most proxies idle.
keepalive = 75
# The heartbeat file must not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = os.environ.get("WEB_LOG_LEVEL", "info")


def on_starting(server):
    """Give gunicorn's own lines the product's form, without secrets in them."""
    from portal.lib.logs import build_formatter  # noqa: PLC0415 - the path is set by now

    for handler in server.log.error_log.handlers:
        handler.setFormatter(build_formatter())


def post_worker_init(worker):
    """What was loaded at the start stays: the collector need not look through it again with every tenth collection."""
    gc.collect()
    gc.freeze()
