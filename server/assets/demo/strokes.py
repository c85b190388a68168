"""A small monoline font: glyphs are strokes, drawn with round ends at any size.

Units: the height of a lower-case x is 1, y grows upward from the baseline. A glyph is (advance, strokes); a
stroke is a list of points.
"""

import math


def line(*points):
    return list(points)


def arc(cx, cy, radius, start, end, ry=None):
    """Points of an arc from `start` to `end` degrees (counter-clockwise when end > start)."""
    ry = radius if ry is None else ry
    steps = max(4, int(abs(end - start) / 7.5))
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(cx + radius * math.cos(a), cy + ry * math.sin(a)) for a in angles]


CAP = 1.46
DIGIT = 0.86

GLYPHS = {
    " ": (0.45, []),
    "P": (1.02, [line((0, 0), (0, CAP), (0.5, CAP)) + arc(0.5, CAP - 0.42, 0.42, 90, -90) + [(0, CAP - 0.84)]]),
    "a": (0.98, [arc(0.5, 0.5, 0.5, 0, 360), line((1, 1), (1, 0))]),
    "b": (0.98, [arc(0.5, 0.5, 0.5, 0, 360), line((0, 1.5), (0, 0))]),
    "e": (0.94, [line((0.03, 0.5), (0.97, 0.5)) + arc(0.5, 0.5, 0.48, 0, 315)]),
    "f": (0.5, [arc(0.42, 1.2, 0.3, 75, 180) + [(0.12, 0)], line((-0.08, 1), (0.42, 1))]),
    "h": (0.9, [line((0, 0), (0, 1.5)), arc(0.45, 0.55, 0.45, 180, 0) + [(0.9, 0)]]),
    "l": (0.0, [line((0, 0), (0, 1.5))]),
    "m": (1.42, [line((0, 0), (0, 1)), arc(0.36, 0.64, 0.36, 180, 0) + [(0.72, 0)], arc(1.08, 0.64, 0.36, 180, 0) + [(1.44, 0)]]),
    "p": (0.98, [arc(0.5, 0.5, 0.5, 0, 360), line((0, 1), (0, -0.5))]),
    "r": (0.46, [line((0, 0), (0, 1)), arc(0.42, 0.56, 0.42, 180, 80)]),
    "s": (0.66, [[(0.6, 1)] + arc(0.25, 0.75, 0.25, 90, 270) + arc(0.41, 0.25, 0.25, 90, -90) + [(0.04, 0)]]),
    "t": (0.5, [line((0.15, 1.38), (0.15, 0.3)) + arc(0.45, 0.3, 0.3, 180, 270), line((-0.08, 1), (0.45, 1))]),
    "u": (0.9, [line((0, 1), (0, 0.45)) + arc(0.45, 0.45, 0.45, 180, 360) , line((0.9, 1), (0.9, 0))]),
    "/": (0.55, [line((0, -0.15), (0.5, CAP + 0.1))]),
    ".": (0.0, [line((0, 0), (0, 0.001))]),
    "0": (DIGIT, [arc(0.43, 1.03, 0.43, 0, 180) + arc(0.43, 0.43, 0.43, 180, 360) + [(0.86, 1.03)]]),
    "1": (DIGIT, [line((0.16, 1.12), (0.5, CAP), (0.5, 0))]),
    "2": (DIGIT, [arc(0.43, 1.03, 0.41, 165, -28) + [(0.02, 0), (0.86, 0)]]),
    "3": (DIGIT, [arc(0.42, 1.09, 0.37, 150, -90) + arc(0.42, 0.38, 0.42, 80, -155, 0.38)]),
    "4": (DIGIT, [line((0.66, 0), (0.66, CAP), (0, 0.42), (0.9, 0.42))]),
    "5": (DIGIT, [line((0.78, CAP), (0.14, CAP), (0.08, 0.8)) + arc(0.42, 0.46, 0.44, 132, -150, 0.46)]),
    "6": (DIGIT, [arc(0.43, 0.45, 0.42, 130, 490, 0.45), line((0.16, 0.79), (0.6, CAP))]),
    "7": (DIGIT, [line((0.02, CAP), (0.84, CAP), (0.3, 0))]),
    "8": (DIGIT, [arc(0.43, 1.1, 0.36, 0, 360), arc(0.43, 0.38, 0.43, 0, 360, 0.38)]),
    "9": (DIGIT, [arc(0.43, CAP - 0.45, 0.42, -50, 310, 0.45), line((0.7, CAP - 0.79), (0.26, 0))]),
}  # fmt: skip

# The three characters of the Chinese name, in a square of 1 x 1 (y up).
HANZI = {
    "推": [
        line((0.02, 0.74), (0.36, 0.74)), line((0.2, 0.98), (0.2, 0.06), (0.1, 0.1)), line((0.02, 0.36), (0.36, 0.48)),
        line((0.56, 0.98), (0.42, 0.62)), line((0.5, 0.76), (0.5, 0.0)), line((0.74, 0.98), (0.79, 0.8)),
        line((0.5, 0.78), (0.98, 0.78)), line((0.5, 0.54), (0.94, 0.54)), line((0.5, 0.3), (0.94, 0.3)),
        line((0.5, 0.05), (1.0, 0.05)), line((0.73, 0.78), (0.73, 0.05)),
    ],
    "拉": [
        line((0.02, 0.74), (0.36, 0.74)), line((0.2, 0.98), (0.2, 0.06), (0.1, 0.1)), line((0.02, 0.36), (0.36, 0.48)),
        line((0.68, 0.98), (0.73, 0.82)), line((0.46, 0.74), (0.96, 0.74)), line((0.54, 0.6), (0.6, 0.24)),
        line((0.88, 0.6), (0.78, 0.06)), line((0.42, 0.05), (1.0, 0.05)),
    ],
    "流": [
        line((0.08, 0.96), (0.22, 0.84)), line((0.02, 0.68), (0.16, 0.57)), line((0.04, 0.06), (0.22, 0.4)),
        line((0.62, 0.99), (0.67, 0.87)), line((0.36, 0.82), (0.98, 0.82)),
        line((0.6, 0.8), (0.44, 0.58), (0.88, 0.6)), line((0.78, 0.72), (0.94, 0.52)),
        line((0.46, 0.44), (0.46, 0.26), (0.32, 0.02)), line((0.64, 0.44), (0.64, 0.06)),
        line((0.82, 0.44), (0.82, 0.08), (0.98, 0.06), (1.0, 0.18)),
    ],
}  # fmt: skip


def layout(text, size, gap=0.34):
    """(width in pixels, strokes with y down and the baseline at 0) of a line of text."""
    strokes, x = [], 0.0
    for character in text:
        advance, glyph = GLYPHS[character]
        strokes += [[((x + px) * size, -py * size) for px, py in stroke] for stroke in glyph]
        x += advance + gap
    return (x - gap) * size, strokes


def hanzi(text, size, gap=0.22):
    """The same for characters of HANZI; the baseline is the bottom of the square."""
    strokes = []
    for index, character in enumerate(text):
        left = index * (1 + gap)
        strokes += [[((left + px) * size, -py * size) for px, py in stroke] for stroke in HANZI[character]]
    return (len(text) * (1 + gap) - gap) * size, strokes
