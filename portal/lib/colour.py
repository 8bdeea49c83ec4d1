"""A tenant's colour, made safe to stand behind a label (WCAG 2.2, 1.4.3: contrast of 4.5 to 1)."""

import re

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
DEFAULT_ACCENT = "#3B82F6"
READABLE = 4.5
_STEPS = 20


def solid_accent(colour: object) -> str:
    """The colour darkened, hue kept, until white text on it is readable; the default for anything but #RRGGBB."""
    given = colour if isinstance(colour, str) and _HEX.fullmatch(colour) else DEFAULT_ACCENT
    red, green, blue = (int(given[at : at + 2], 16) for at in (1, 3, 5))
    for step in range(_STEPS + 1):
        share = 1 - step / _STEPS
        shade = (round(red * share), round(green * share), round(blue * share))
        if contrast_with_white(shade) >= READABLE:
            return "#{:02X}{:02X}{:02X}".format(*shade)
    return "#000000"


def contrast_with_white(colour: tuple[int, int, int]) -> float:
    """Contrast ratio of the colour (0 to 255 a channel) against white."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
