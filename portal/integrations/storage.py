"""Where the bytes of files lie: a local folder, or S3 and what speaks like it; under random keys, outside the web."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from portal.config import ConfigurationError, Settings

CHUNK_BYTES = 256 * 1024
TIMEOUT_SECONDS = 20
_OPTIONS = {"region": "region", "endpoint": "endpoint", "path_style": "virtual_hosted_style_request"}


class StorageUnavailable(Exception):
    """The store does not answer now; later it may."""


class FileGone(Exception):
    """There is nothing under this key (any more)."""


class FileStorage(Protocol):
    """Keeps bytes under keys; every call may raise StorageUnavailable."""

    def put(self, key: str, content: BinaryIO) -> None:
        """Store everything from the stream's position on, whole or not at all."""
        ...

    def read(self, key: str) -> Iterator[bytes]:
        """The content in pieces; raises FileGone before the first one."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove; keys without anything under them count as removed."""
        ...


def new_key() -> str:
    """A random place that says nothing of the file; the first letters spread a folder's entries."""
    name = token_hex(24)
    return f"{name[:2]}/{name}"


def build_storage(settings: Settings) -> FileStorage:
    """S3 where PORTAL_STORAGE_URL says so, else the folder `files` of the data folder."""
    url = settings.storage_url
    if not url:
        return folder_storage(settings.data_dir / "files")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return folder_storage(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname:
        return ObjectStorage(_bucket(url))
    raise ConfigurationError(
        "PORTAL_STORAGE_URL must look like s3://key:secret@bucket/prefix?region=eu-west-3 or file:///srv/portico/files."
    )


def folder_storage(path: Path) -> "ObjectStorage":
    """A folder of this machine, made where it does not exist, for this user alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ObjectStorage(LocalStore(prefix=path))


def _bucket(url: str) -> S3Store:
    """`s3://key:secret@bucket/prefix?region=…&endpoint=https://…`; without a key the machine's own rights count."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := given.keys() - _OPTIONS.keys():
        raise ConfigurationError(f"PORTAL_STORAGE_URL has parameters that are not known: {', '.join(sorted(unknown))}.")
    config: dict[str, Any] = {_OPTIONS[name]: value for name, value in given.items() if name != "path_style"}
    if "path_style" in given:
        config["virtual_hosted_style_request"] = given["path_style"] not in ("1", "true")
    if parts.username and parts.password:
        config |= {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password)}
    plain = urlsplit(given.get("endpoint", "")).hostname in ("127.0.0.1", "localhost")
    bucket = url.split("@")[-1].split("?")[0].removeprefix("s3://")
    return S3Store.from_url(
        f"s3://{bucket}",
        client_options={"timeout": f"{TIMEOUT_SECONDS}s", "allow_http": plain},
        retry_config={"max_retries": 2},
        **config,
    )


class ObjectStorage:
    """A store of obstore's."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    def put(self, key: str, content: BinaryIO) -> None:
        """Store a stream; large ones go in parts."""
        try:
            self._store.put(key, content)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error

    def read(self, key: str) -> Iterator[bytes]:
        """The content in pieces of about 256 KB."""
        try:
            stream = self._store.get(key).stream(min_chunk_size=CHUNK_BYTES)
        except FileNotFoundError as error:
            raise FileGone(key) from error
        except (BaseError, OSError) as error:
            raise StorageUnavailable(type(error).__name__) from error
        return _pieces(stream)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove one by one."""
        for key in keys:
            try:
                self._store.delete(key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise StorageUnavailable(type(error).__name__) from error


def _pieces(stream: Iterable[Any]) -> Iterator[bytes]:
    try:
        for piece in stream:
            yield bytes(piece)
    except (BaseError, OSError) as error:
        raise StorageUnavailable(type(error).__name__) from error
