"""A MaxMind database made by hand, as small as the format allows (MaxMind DB specification 2.0)."""

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MAP, _TEXT, _UINT16, _UINT32, _UINT64, _ARRAY = 7, 2, 5, 6, 9, 11
_WIDTHS = {"build_epoch": _UINT64, "node_count": _UINT32}
_MARK = b"\xab\xcd\xefMaxMind.com"


def write_places(path: Path, places: Mapping[str, Any]) -> Path:
    """A database that knows these IPv4 networks (`203.0.113.0/24` -> its record)."""
    nodes: list[list[int | bytes | None]] = [[None, None]]
    for network, record in places.items():
        net = ipaddress.ip_network(network)
        at = 0
        bits = [(int(net.network_address) >> (31 - n)) & 1 for n in range(net.prefixlen)]
        for bit in bits[:-1]:
            if nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]  # type: ignore[assignment]
        nodes[at][bits[-1]] = _value(record)
    data, tree = b"", b""
    for node in nodes:
        for side in node:
            number = len(nodes)
            if isinstance(side, int):
                number = side
            elif isinstance(side, bytes):
                number = len(nodes) + 16 + len(data)
                data += side
            tree += struct.pack(">I", number)
    about = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1,
        "database_type": "Test-City",
        "description": {"en": "tests"},
        "ip_version": 4,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": 32,
    }
    path.write_bytes(tree + bytes(16) + data + _MARK + _value(about))
    return path


def _value(value: Any, width: int = _UINT16) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _head(_TEXT, len(raw)) + raw
    if isinstance(value, dict):
        return _head(_MAP, len(value)) + b"".join(
            _value(key) + _value(item, _WIDTHS.get(key, _UINT16)) for key, item in value.items()
        )
    if isinstance(value, list):
        return _head(_ARRAY, len(value)) + b"".join(_value(item) for item in value)
    raw = value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")
    return _head(width, len(raw)) + raw


def _head(kind: int, size: int) -> bytes:
    assert size < 285
    extended = bytes([kind - 7]) if kind > 7 else b""
    first = 0 if kind > 7 else kind << 5
    return bytes([first | min(size, 29)]) + extended + (bytes([size - 29]) if size >= 29 else b"")
