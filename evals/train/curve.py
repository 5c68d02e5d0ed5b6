"""The curve of a training as a picture: its losses, and what the reader reached on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 640, 220, 40
"""Of one panel, in pixels."""
PANELS = {
    "loss": {"loss": "#2563eb", "span_loss": "#9ca3af"},
    "on held questions": {"first": "#2563eb", "auc": "#16a34a", "f1": "#d97706"},
}
NAMES = {
    "loss": "of the sentence",
    "span_loss": "of the short answer",
    "first": "right sentence first",
    "auc": "answerable, AUC",
    "f1": "short answer, F1",
}


def draw(curve: Path) -> str:
    """An SVG of a curve's file, which `training.Plan.note` writes."""
    lines = [json.loads(line) for line in curve.read_text(encoding="utf-8").splitlines()]
    by_step = {(line["step"], "loss" in line): line for line in lines}  # a later run's are right
    points = [by_step[key] for key in sorted(by_step)]
    panels = [
        f'<g transform="translate(0 {number * HEIGHT})">{_panel(title, colours, points)}</g>'
        for number, (title, colours) in enumerate(PANELS.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {len(PANELS) * HEIGHT}"'
        ' font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(panels)}</svg>\n"
    )


def _panel(title: str, colours: dict[str, str], points: Sequence[dict[str, float]]) -> str:
    last = max(point["step"] for point in points)
    shown = {name: [(p["step"], p[name]) for p in points if name in p] for name in colours}
    values = [value for some in shown.values() for _, value in some]
    low, high = min(values, default=0), max(values, default=1)

    def place(step: float, value: float) -> tuple[float, float]:
        across = MARGIN + (WIDTH - 2 * MARGIN) * step / last
        down = (HEIGHT - 2 * MARGIN) * (high - value) / ((high - low) or 1)
        return across, MARGIN + down

    drawn = [f'<text x="{MARGIN}" y="16" font-weight="bold">{title}</text>']
    for value in (low, high):
        x, y = place(0, value)
        drawn.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{value:.2f}</text>')
        drawn.append(f'<path d="M{x} {y}H{WIDTH - MARGIN}" stroke="#e5e7eb"/>')
    drawn.append(
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 16}" text-anchor="end">step {last:.0f}</text>'
    )
    for number, (name, colour) in enumerate(colours.items()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in shown[name])
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x = 200 + 150 * number
        drawn.append(f'<text x="{x}" y="16" fill="{colour}">{NAMES[name]}</text>')
    return "".join(drawn)
