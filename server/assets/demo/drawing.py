"""Draws the pictures of the demo clip as packed RGB bytes. Everything that moves repeats after one loop."""

import functools
import math

import strokes

WIDTH, HEIGHT = 640, 360
PICTURES_PER_BEAT = 18
BEATS = 16

BACKGROUND = (13, 18, 31)
LINE = (38, 48, 70)
TEXT = (234, 238, 246)
MUTED = (139, 150, 174)
PUSH = (255, 138, 76)
PULL = (47, 214, 195)
BETWEEN = (238, 220, 168)

TRACK_Y = 196
PUSH_X, PULL_X = 84, 556
BALL = 15
TRAVEL = (PUSH_X + 5 + BALL, PULL_X - 5 - BALL)
DOTS = 21
DIAL = (568, 70, 36)


def picture(number, pictures):
    """Picture `number` of `pictures`, WIDTH x HEIGHT, RGB."""
    canvas = Canvas(still())
    beat, into = divmod(number, PICTURES_PER_BEAT)
    part = into / PICTURES_PER_BEAT
    away = beat % 2 == 0
    x = TRAVEL[0] + (TRAVEL[1] - TRAVEL[0]) * (part if away else 1 - part)

    for index in range(DOTS):
        canvas.dot(dot_x(index), TRACK_Y, 3.2, mix(LINE, mixed(dot_x(index)), glow(dot_x(index), number)))
    for at, colour, struck in ((PUSH_X, PUSH, away), (PULL_X, PULL, not away)):
        strike(canvas, at, colour, into if struck else into + PICTURES_PER_BEAT)
    canvas.dot(x, TRACK_Y, BALL, mixed(x))
    canvas.dot(x - 4, TRACK_Y - 5, 4, mix(mixed(x), TEXT, 0.6))

    dial(canvas, number / pictures, beat, into)
    seconds = number * 100 // 30
    canvas.text(f"{seconds // 100}.{seconds % 100:02}", 518, 72, 19, 3.4, TEXT, right=True)
    canvas.text(f"frame {number:03}/{pictures}", 518, 98, 8, 1.7, MUTED, right=True)
    canvas.text(f"{beat + 1:02}/{BEATS}", 320, 140, 12, 2.4, mix(MUTED, TEXT, max(0, 1 - into / 9)), centre=True)
    return canvas.pixels


def glow(x, number):
    """How bright the dot at `x` still is: 1 when the ball is on it, fading to 0 within 14 pictures."""
    part = (x - TRAVEL[0]) / (TRAVEL[1] - TRAVEL[0])
    cycle = 2 * PICTURES_PER_BEAT
    passed = (part * PICTURES_PER_BEAT, (2 - part) * PICTURES_PER_BEAT)
    age = min((number - p) % cycle for p in passed)
    return max(0.0, 1 - age / 14) ** 1.6


def strike(canvas, x, colour, age):
    """A post, bright when struck, and the ring that leaves it; `age` counts pictures since the strike."""
    bright = max(0.0, 1 - age / 10)
    canvas.strokes([[(x, TRACK_Y - 34), (x, TRACK_Y + 34)]], 0, 0, 8, mix(mix(BACKGROUND, colour, 0.55), TEXT, bright))
    if age < 10:
        ring = arc_of(x, TRACK_Y, 38 + 2.4 * age, x < WIDTH / 2)
        canvas.strokes(ring, 0, 0, 3, colour, (1 - age / 10) * 0.9)


def arc_of(x, y, radius, left):
    middle = 180 if left else 0
    return [strokes.arc(x, y, radius, middle - 38, middle + 38)]


def dial(canvas, turn, beat, into):
    cx, cy, radius = DIAL
    for index in range(BEATS):
        angle = 2 * math.pi * index / BEATS
        colour = PUSH if index % 2 == 0 else PULL
        share = 1 - into / 24 if index == beat else 0.28
        canvas.dot(cx + radius * math.sin(angle), cy - radius * math.cos(angle), 3.4 if index == beat else 2.4,
                   mix(BACKGROUND, colour, share))  # fmt: skip
    angle = 2 * math.pi * turn
    tip = (cx + (radius - 9) * math.sin(angle), cy - (radius - 9) * math.cos(angle))
    canvas.strokes([[(cx, cy), tip]], 0, 0, 3, TEXT)
    canvas.dot(cx, cy, 4, TEXT)


@functools.lru_cache(maxsize=1)
def still():
    """What does not move."""
    canvas = Canvas(bytes(BACKGROUND) * (WIDTH * HEIGHT))
    mark(canvas, 43, 54, 17)
    width, push = strokes.layout("Push", 24)
    canvas.strokes(push, 112, 72, 5, TEXT)
    canvas.strokes(strokes.layout("pull", 24)[1], 112 + width + 0.34 * 24, 72, 5, TEXT)
    canvas.strokes(strokes.hanzi("推拉流", 17)[1], 42, 112, 1.7, MUTED)
    canvas.text("push", PUSH_X, TRACK_Y + 62, 11, 2.3, PUSH, centre=True)
    canvas.text("pull", PULL_X, TRACK_Y + 62, 11, 2.3, PULL, centre=True)
    patches(canvas, 40, 288)
    return bytes(canvas.pixels)


def mark(canvas, x, y, size):
    """The logo: a chevron in, a dot, a chevron out."""
    for left, colour in ((0, PUSH), (2.1, PULL)):
        points = [(left * size, -size), ((left + 0.86) * size, 0), (left * size, size)]
        canvas.strokes([points], x, y, size * 0.42, colour)
    canvas.dot(x + 1.6 * size, y, size * 0.32, TEXT)


def patches(canvas, x, y):
    """Colour bars at 75 %, grey steps, a smooth ramp and line gratings, to judge the picture by."""
    bars = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]
    for index, colour in enumerate(bars):
        canvas.box(x + index * 40, y, 40, 26, lambda *_, c=colour: c)
    for index in range(14):
        grey = round(index * 255 / 13)
        canvas.box(x + index * 20, y + 26, 20, 18, lambda *_, g=grey: (g, g, g))
    for index, period in enumerate((8, 6, 4, 2)):
        lines = lambda px, _, p=period: TEXT if px < 60 and px % p < p / 2 else BACKGROUND  # noqa: E731
        canvas.box(x + 292 + index * 67, y, 67, 26, lines)
    canvas.box(x + 292, y + 26, 268, 18, lambda px, _: blend(px / 267))


class Canvas:
    def __init__(self, pixels):
        self.pixels = bytearray(pixels)

    def box(self, x, y, width, height, colour):
        """Fills a box; `colour` is asked per pixel, with its place in the box."""
        for row in range(height):
            at = ((y + row) * WIDTH + x) * 3
            self.pixels[at : at + width * 3] = bytes(v for px in range(width) for v in colour(px, row))

    def text(self, text, x, y, size, weight, colour, right=False, centre=False):
        width, parts = strokes.layout(text, size)
        self.strokes(parts, x - (width if right else width / 2 if centre else 0), y, weight, colour)

    def dot(self, x, y, radius, colour):
        self.strokes([[(x, y), (x, y)]], 0, 0, radius * 2, colour)

    def strokes(self, parts, x, y, weight, colour, opacity=1.0):
        """Draws strokes moved by (x, y), `weight` pixels wide, round at ends and joints, with soft edges."""
        cover = {}
        for part in parts:
            for (ax, ay), (bx, by) in zip(part, part[1:]):
                segment(cover, x + ax, y + ay, x + bx, y + by, weight / 2)
        pixels = self.pixels
        for at, share in cover.items():
            share *= opacity
            for channel in range(3):
                under = pixels[at + channel]
                pixels[at + channel] = round(under + (colour[channel] - under) * share)


def segment(cover, ax, ay, bx, by, radius):
    """Notes in `cover` how much of each pixel lies within `radius` of the segment a-b."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    reach = radius + 1
    for row in range(max(0, int(min(ay, by) - reach)), min(HEIGHT, int(max(ay, by) + reach) + 1)):
        py = row + 0.5 - ay
        for column in range(max(0, int(min(ax, bx) - reach)), min(WIDTH, int(max(ax, bx) + reach) + 1)):
            px = column + 0.5 - ax
            along = min(1.0, max(0.0, (px * dx + py * dy) / square)) if square else 0.0
            share = radius + 0.5 - math.hypot(px - along * dx, py - along * dy)
            if share > 0:
                at = (row * WIDTH + column) * 3
                cover[at] = max(cover.get(at, 0.0), min(1.0, share))


def dot_x(index):
    return TRAVEL[0] + (TRAVEL[1] - TRAVEL[0]) * index / (DOTS - 1)


def mixed(x):
    """The colour at `x` between the push end and the pull end."""
    return blend(min(1.0, max(0.0, (x - TRAVEL[0]) / (TRAVEL[1] - TRAVEL[0]))))


def blend(share):
    """From PUSH through BETWEEN, as the straight way is a dull green, to PULL."""
    return mix(PUSH, BETWEEN, share * 2) if share < 0.5 else mix(BETWEEN, PULL, share * 2 - 1)


def mix(a, b, share):
    return tuple(round(p + (q - p) * share) for p, q in zip(a, b))
