"""Plots as SVG inside a page: curves over steps, and two shares side by side."""

import math
from collections.abc import Sequence
from html import escape

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 560, 246
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 40


def curves(lines: Sequence[tuple[str, str, Points]], x_label: str) -> str:
    """Draw curves over a common axis.

    Args:
        lines: Each a name, a CSS class for its colour, and its points.
        x_label: What the horizontal axis counts.
    """
    points = [point for _, _, line in lines for point in line]
    most_x = max((x for x, _ in points), default=1) or 1
    ticks = _ticks(min(y for _, y in points), max(y for _, y in points))

    def place(x: float, y: float) -> str:
        return f"{_x(x / most_x):.1f},{_y((y - ticks[0]) / (ticks[-1] - ticks[0])):.1f}"

    parts = [_grid(ticks), _x_axis([_short(share * most_x) for share in (0, 0.5, 1)], x_label)]
    for name, kind, line in lines:
        path = " ".join(place(*point) for point in line)
        parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        if len(line) < 40:
            parts += [
                f'<circle class="dot {kind}" cx="{spot.split(",")[0]}" cy="{spot.split(",")[1]}" '
                f'r="3"><title>{escape(name)}, {x:,.0f}: {y:,.3g}</title></circle>'
                for (x, y), spot in zip(line, path.split(" "), strict=True)
            ]
    told = [f"{name}: {line[0][1]:,.3g} to {line[-1][1]:,.3g}" for name, _, line in lines if line]
    return _svg(parts, f"{'; '.join(told)}; over 0 to {_short(most_x)} {x_label}")


def shares(labels: Sequence[str], me: Sequence[float], model: Sequence[float]) -> str:
    """Draw, for each label, how often it is the case with me and with the model, as bars.

    Args:
        labels: What each pair of bars stands for.
        me: My shares, from 0 to 1.
        model: The model's.
    """
    ticks = _ticks(0, max([*me, *model, 0.01]))
    slot = (_WIDTH - _LEFT - _RIGHT) / len(labels)
    bar = slot * 0.38
    parts = [_grid(ticks, percent=True)]
    for number, label in enumerate(labels):
        middle = _LEFT + slot * (number + 0.5)
        for kind, share, left in (
            ("me", me[number], middle - bar - 1),
            ("model", model[number], middle + 1),
        ):
            top = _y(share / ticks[-1])
            parts.append(
                f'<rect class="bar {kind}" x="{left:.1f}" y="{top:.1f}" width="{bar:.1f}" '
                f'height="{_y(0) - top:.1f}" rx="2"><title>{escape(label)}: {share:.0%}</title></rect>'  # noqa: E501
            )
        parts.append(_text(middle, _y(0) + 21, label, "middle"))
    told = zip(labels, me, model, strict=True)
    return _svg(parts, "; ".join(f"{what}: me {a:.0%}, the model {b:.0%}" for what, a, b in told))


def _svg(parts: Sequence[str], told: str) -> str:
    """Return a drawing, and what it says to whoever hears the page instead of seeing it."""
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg {box} role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'


def _short(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _grid(ticks: Sequence[float], *, percent: bool = False) -> str:
    parts = []
    for tick in ticks:
        height = _y((tick - ticks[0]) / (ticks[-1] - ticks[0]))
        line = f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{height:.1f}" y2="{height:.1f}"'
        parts.append(f'<line class="grid" {line}/>')
        label = f"{tick:.0%}" if percent else f"{tick:,.6g}"
        parts.append(_text(_LEFT - 8, height + 4, label, "end"))
    return "".join(parts)


def _x_axis(labels: Sequence[str], x_label: str) -> str:
    anchors = ("start", "middle", "end")
    parts = [
        _text(_x(number / 2), _y(0) + 15, label, anchors[number])
        for number, label in enumerate(labels)
    ]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 3, x_label, "middle"))
    return "".join(parts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _ticks(least: float, most: float) -> list[float]:
    """Return round numbers from at most `least` to at least `most`."""
    # No closer than labels of six digits can tell.
    span = max(most - least, 1e-3 * abs(most), 1e-3 * abs(least), 1e-3)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if span / (power * factor) <= 5)
    first, last = math.floor(least / step), math.ceil(most / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]
