"""`make run`: from whatever is there to a running product, and back to nothing when it is told to stop."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from runner import commands, lock, services
from runner.environment import Environment
from runner.errors import SetupError
from runner.layout import Layout, setting
from runner.ports import remember_ports, require_free
from runner.postgres import Cluster
from runner.progress import Progress
from runner.stamps import Stamps, digest
from runner.supervisor import Service, Supervisor, end_leftovers
from runner.temporal.server import NAMESPACE, PORT_NAMES, DevServer
from runner.welcome import welcome

READY_SECONDS = 120.0


class Run:
    """One run of the product on one data folder."""

    def __init__(self, layout: Layout, environ: Mapping[str, str], progress: Progress) -> None:
        self._layout = layout
        self._progress = progress
        self._given = environ
        self._environ = layout.child_environ(environ)
        self._supervisor = Supervisor(layout, progress)
        self._ui: str | None = None
        # Of our own database; there is none where the person has a server.
        self._cluster: Cluster | None = None
        self._stamps: Stamps | None = None

    async def forever(self) -> None:
        """Bring everything up, show where it is and keep it up until a signal ends this task."""
        self._listen_to_signals()
        with lock.hold(self._layout):
            end_leftovers(self._layout)
            require_free(self._layout.port)
            try:
                await self._bring_up()
                self._progress.say(welcome(self._layout, self._environ, self._ui))
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self._progress.say("Stopping …")
            finally:
                await self._supervisor.stop()
                if self._cluster:
                    self._cluster.remove_sockets()

    def _listen_to_signals(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task

        def end() -> None:
            # Asked twice: the person is in a hurry.
            if task.cancelling():
                self._supervisor.kill()
            else:
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup make run` has asked to outlive its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, end)

    async def _bring_up(self) -> None:
        environment = Environment(self._layout, self._given, self._progress)
        await environment.install_packages("runtime")
        temporal = asyncio.create_task(self._start_temporal())
        try:
            await environment.build_front_end()
            await environment.compile_catalogues()
            await self._start_database()
            known = self._was_set_up()
            if not known:
                with self._progress.step("Preparing tables and demo data"):
                    await self._set_up()
            await asyncio.wait({temporal}, timeout=1)
            if not temporal.done():
                with self._progress.step("Waiting for the Temporal server"):
                    await asyncio.wait({temporal})
            await temporal
        finally:
            await _end(temporal)
        await self._start_product(look_at_tables=known)

    async def _start_database(self) -> None:
        """PostgreSQL with its roles, unless the person has one."""
        if not setting(self._given, "PORTAL_DATABASE_URL"):
            with self._progress.step("Starting PostgreSQL"):
                packages = tuple((self._layout.venv / "lib").glob("python*/site-packages"))
                data = self._layout.data / "postgres"
                cluster = await asyncio.to_thread(Cluster.open, data, self._layout.run, packages=packages)
                self._cluster = cluster
                await self._supervisor.start(services.postgres_service(cluster))
                await asyncio.to_thread(cluster.prepare)
            # libpq in the children would read these and go elsewhere.
            self._environ = {name: value for name, value in self._environ.items() if not name.startswith("PG")}
            self._environ |= services.database_environ(cluster)
            self._stamps = Stamps(data / "portico-stamps.json")
        services.write_database_url(self._layout, self._environ)

    def _was_set_up(self) -> bool:
        """Whether this very code has set up this very database before, so that nothing waits for it to do so again."""
        return self._stamps is not None and self._stamps.get("setup") == self._code()

    def _code(self) -> str:
        root = self._layout.root
        return digest([root / "portal", root / "migrations"], base=root)

    async def _set_up(self) -> None:
        """Bring the tables up to date and seed the demo world where there is none: one start of Python for both."""
        words: commands.Words = [self._layout.venv / "bin" / "flask", "--app", "wsgi", "portal", "setup"]
        log, root = self._layout.log / "setup.log", self._layout.root
        doing = "Preparing tables and demo data (flask --app wsgi portal setup)"
        code = self._code()
        await commands.run(words, log=log, cwd=root, environ=self._environ, doing=doing)
        if self._stamps is not None:
            self._stamps.set("setup", code)

    async def _start_temporal(self) -> None:
        """The development server unless the person has an address of one."""
        self._environ.setdefault("PORTAL_TEMPORAL_NAMESPACE", NAMESPACE)
        if setting(self._given, "PORTAL_TEMPORAL_ADDRESS"):
            return
        words: commands.Words = [sys.executable, "-m", "runner", "find-temporal", self._layout.python]
        root = self._layout.root
        program = Path(await commands.ask(words, cwd=root, environ=self._given, say=self._progress.say))
        ports = remember_ports(self._layout.run / "ports.json", PORT_NAMES)
        ui = self._given.get("PORTAL_TEMPORAL_UI") == "1"
        server = DevServer(program, ports, self._layout.data / "temporal.db", ui)
        await self._supervisor.start(services.temporal_service(server))
        await asyncio.to_thread(server.set_retention)
        self._environ |= {"PORTAL_TEMPORAL_ADDRESS": server.address, "PORTAL_TEMPORAL_NAMESPACE": NAMESPACE}
        self._ui = server.ui_address if ui else None

    def _stripe(self) -> list[Service]:
        """The stand-in unless the person has a key of Stripe's; production without one takes no payments."""
        if setting(self._given, "STRIPE_SECRET_KEY") or self._environ.get("PORTAL_ENV") == "production":
            (self._layout.run / "stripe.url").unlink(missing_ok=True)
            return []
        port = remember_ports(self._layout.run / "stripe-port.json", ("stripe",))["stripe"]
        self._environ |= services.stripe_environ(self._layout, port)
        return [services.stripe_service(self._layout, self._environ, port)]

    async def _start_product(self, *, look_at_tables: bool) -> None:
        """Web, worker, payments. `look_at_tables`: set-up ran before, is only repeated, and runs beside the start."""
        stripe = self._stripe()
        web = services.web_service(self._layout, self._environ)
        worker = services.worker_service(self._layout, self._environ)
        with self._progress.step("Starting web and worker"):
            looking = asyncio.create_task(self._set_up()) if look_at_tables else None
            try:
                await self._supervisor.start(*stripe, web, worker)
                await self._await_ready()
                if looking:
                    await looking
            finally:
                if looking:
                    await _end(looking)

    async def _await_ready(self) -> None:
        """Until /readyz says that all parts work together."""
        port = self._layout.port
        try:
            await self._supervisor.wait_until(lambda: services.is_ready(port), READY_SECONDS, "worker")
        except SetupError as error:
            failing = await asyncio.to_thread(services.failing_checks, port) or "no answer"
            raise SetupError(f"{self._layout.address}/readyz does not say ok ({failing}). {error}") from error


async def _end(task: "asyncio.Task[None]") -> None:
    """Cancel what still runs and wait until it is gone; its outcome, if it has one, was seen before."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
