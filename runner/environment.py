"""Sets the checkout up: virtual environment, hashed locks, front end, catalogues. Each step only when it must."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from runner import commands
from runner.errors import SetupError
from runner.layout import Layout, cache_home
from runner.progress import Progress
from runner.stamps import Stamps, digest

OLDEST_NODE = 20


class Environment:
    """The set-up steps of one checkout, in the order in which they build on each other."""

    def __init__(self, layout: Layout, environ: Mapping[str, str], progress: Progress) -> None:
        self._layout = layout
        self._root = layout.root
        self._progress = progress
        self._log = layout.log / "setup.log"
        # pip, uv and npm shall not take another environment, or a question, for theirs.
        dropped = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT"}
        self._environ = {name: value for name, value in environ.items() if name not in dropped}
        self._environ |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    async def prepare(self, lock: str) -> None:
        """Bring everything up to date; `lock` is `runtime` or `dev`. SetupError names the step that failed."""
        await self.install_packages(lock)
        await self.build_front_end()
        await self.compile_catalogues()

    @property
    def stamps(self) -> Stamps:
        """What each step last ran from; it lies in the environment and goes with it."""
        return Stamps(self._layout.venv / "portico-stamps.json")

    async def install_packages(self, lock: str) -> None:
        """The virtual environment with what the lock names; one that was made for tests stays one for tests."""
        await self._create_venv()
        stamps, requirements = self.stamps, self._root / "requirements"
        bootstrap = digest([requirements / "bootstrap.txt"], base=self._root)
        uv = self._layout.venv / "bin" / "uv"
        if stamps.get("bootstrap") != bootstrap or not uv.exists():
            with self._progress.step("Installing the installer (uv)"):
                pip: commands.Words = [self._layout.python, "-m", "pip", "install", "--quiet", "--require-hashes"]
                pip += ["-r", requirements / "bootstrap.txt"]
                await self._run(pip, "Installing requirements/bootstrap.txt")
            stamps.set("bootstrap", bootstrap)
        # Also one that was made by hand: `make run` must not take a developer's tools away.
        for_tests = stamps.get("packages").startswith("dev ") or (self._layout.venv / "bin" / "pytest").exists()
        chosen = "dev" if for_tests else lock
        wanted = f"{chosen} {digest([requirements / f'{chosen}.txt'], base=self._root)}"
        if stamps.get("packages") != wanted:
            with self._progress.step(f"Installing Python packages (requirements/{chosen}.txt)"):
                await self._sync(f"{chosen}.txt", self._layout.python)
            stamps.set("packages", wanted)

    async def _sync(self, lock: str, python: Path) -> None:
        """Have exactly what a file of requirements/ names, each file checked against its hash."""
        words: commands.Words = [self._layout.venv / "bin" / "uv", "pip", "sync", "--quiet", "--require-hashes"]
        words += ["--python", python, self._root / "requirements" / lock]
        await self._run(words, f"Installing requirements/{lock}")

    async def _create_venv(self) -> None:
        venv = self._layout.venv
        # Scripts in it carry its path: an environment that was moved or copied here does not work.
        if self._layout.python.exists() and self.stamps.get("location") in ("", str(venv)):
            return
        with self._progress.step("Creating the Python environment (.venv)"):
            shutil.rmtree(venv, ignore_errors=True)
            # The Python behind a virtual environment that this one may be running in, perhaps the removed one.
            python = getattr(sys, "_base_executable", None) or sys.executable
            try:
                await self._run([python, "-m", "venv", venv], "Creating .venv")
            except SetupError as error:
                shutil.rmtree(venv, ignore_errors=True)
                if "ensurepip" in str(error):
                    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
                    advice = f"on Debian and Ubuntu: apt-get install python{version}-venv"
                    raise SetupError(f"This Python lacks its venv module: install it ({advice}).") from error
                raise
        self.stamps.set("location", str(venv))

    async def build_front_end(self) -> None:
        """`node_modules` from package-lock.json, and the bundle that the pages load."""
        stamps, root = self.stamps, self._root
        described = [root / "package.json", root / "package-lock.json", root / ".npmrc"]
        modules, built = digest(described, base=root), digest([*described, root / "assets"], base=root)
        dist = root / "portal" / "static" / "dist"
        have_modules = stamps.get("modules") == modules and (root / "node_modules").is_dir()
        have_bundle = stamps.get("bundle") == built and dist.is_dir() and any(dist.iterdir())
        if have_modules and have_bundle:
            return
        environ = await self.with_node()
        if not have_modules:
            with self._progress.step("Installing front-end packages (package-lock.json)"):
                await self._run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", environ)
            stamps.set("modules", modules)
        with self._progress.step("Building styles and scripts"):
            await self._run(["npm", "run", "build"], "npm run build", environ)
        stamps.set("bundle", built)

    async def with_node(self) -> dict[str, str]:
        """The environment in which `node` and `npm` work: the machine's own, else the locked wheel's."""
        if _node_version(self._environ) >= OLDEST_NODE and shutil.which("npm", path=self._environ.get("PATH")):
            return self._environ
        lock = self._root / "requirements" / "frontend.txt"
        folder = cache_home(self._environ) / f"node-{digest([lock], base=self._root)[:12]}"
        environ = self._environ | {"PATH": f"{folder / 'bin'}{os.pathsep}{self._environ.get('PATH', os.defpath)}"}
        if _node_version(environ) >= OLDEST_NODE:
            return environ
        with self._progress.step(f"Installing Node.js, since PATH has none from {OLDEST_NODE} on"):
            shutil.rmtree(folder, ignore_errors=True)
            made: commands.Words = [self._layout.python, "-m", "venv", "--without-pip", folder]
            await self._run(made, "Creating the environment for Node.js")
            await self._sync("frontend.txt", folder / "bin" / "python")
        return environ

    async def compile_catalogues(self) -> None:
        """The .mo files beside the translations; they are not kept in git."""
        stamps, sources = self.stamps, sorted((self._root / "translations").rglob("*.po"))
        wanted = digest(sources, base=self._root)
        have_all = stamps.get("catalogues") == wanted and all(path.with_suffix(".mo").exists() for path in sources)
        if have_all or not sources:
            return
        with self._progress.step("Compiling translations"):
            words: commands.Words = [self._layout.venv / "bin" / "pybabel", "-q", "compile", "-d", "translations"]
            await self._run(words, "Compiling the translations")
        stamps.set("catalogues", wanted)

    async def _run(self, words: commands.Words, doing: str, environ: Mapping[str, str] | None = None) -> None:
        await commands.run(words, log=self._log, cwd=self._root, environ=environ or self._environ, doing=doing)


def _node_version(environ: Mapping[str, str]) -> int:
    """The major version of the `node` on PATH, 0 when there is none that runs."""
    node = shutil.which("node", path=environ.get("PATH"))
    if not node:
        return 0
    try:
        said = subprocess.run(
            [node, "--version"], env=dict(environ), check=True, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.match(r"v(\d+)", said.stdout)
    return int(number[1]) if number else 0
