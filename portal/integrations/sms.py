"""Sending text messages: to a gateway that takes JSON by HTTPS, or to files where none is configured."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

import requests

from portal.config import ConfigurationError, Settings
from portal.integrations.mail import MailRefused, MailUnavailable

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class OutgoingText:
    """A text message as it leaves; the id stays the same when it is tried twice."""

    id: UUID
    sender: str
    recipient: str
    text: str


class TextTransport(Protocol):
    """Takes a text message once or twice (the id tells); raises MailRefused or MailUnavailable."""

    def send(self, message: OutgoingText) -> None:
        """Hand the message over."""
        ...


def build_text_transport(settings: Settings) -> TextTransport:
    """A gateway where PORTAL_SMS_URL says so, else files under the data folder."""
    if settings.sms_url:
        return GatewayTexts(settings.sms_url)
    return FileTexts(settings.data_dir / "sms")


class FileTexts:
    """Writes `<id>.txt`: the number on the first line, then the text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: OutgoingText) -> None:
        """Write the file whole or not at all."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(f"To: {message.recipient}\n\n{message.text}\n")
            Path(name).replace(self._folder / f"{message.id}.txt")
        except OSError as error:
            raise MailUnavailable(f"the folder of text messages cannot be written: {error.strerror}") from error


class GatewayTexts:
    """POSTs `{"id", "from", "to", "text"}` to one https address; user and password of it become basic auth.

    The `Idempotency-Key` is the message's id. 4xx other than 408 and 429 is final, everything else is tried again.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "localhost")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise ConfigurationError("PORTAL_SMS_URL must look like https://user:password@gateway.example/messages.")
        self._url = url

    def send(self, message: OutgoingText) -> None:
        """One request a message."""
        body = {"id": str(message.id), "from": message.sender, "to": message.recipient, "text": message.text}
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.id)}
        try:
            answer = requests.post(
                self._url, data=json.dumps(body), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise MailUnavailable(type(error).__name__) from error
        if answer.ok and answer.status_code < 300:
            return
        final = 400 <= answer.status_code < 500 and answer.status_code not in (408, 429)
        raise (MailRefused if final else MailUnavailable)(f"gateway said {answer.status_code}")
