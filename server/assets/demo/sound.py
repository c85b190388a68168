"""The sound of the demo clip: a click on every beat over a soft chord, exactly periodic in one loop."""

import array
import functools
import math
import sys

RATE = 48_000
BEAT = RATE * 6 // 10
BEATS = 16
SAMPLES = BEAT * BEATS

# One chord per four beats, in Hz: A minor 7, F major 7, C major, G.
CHORDS = ((110.0, 220.0, 261.6, 329.6, 392.0), (87.3, 174.6, 261.6, 329.6, 440.0),
          (130.8, 196.0, 261.6, 329.6, 392.0), (98.0, 196.0, 246.9, 293.7, 392.0))  # fmt: skip


@functools.lru_cache(maxsize=1)
def samples():
    """One loop, 16-bit stereo, little-endian."""
    left, right = [0.0] * SAMPLES, [0.0] * SAMPLES
    for beat in range(BEATS):
        start = beat * BEAT
        push = beat % 2 == 0
        add(left, right, start, tone(880.0 if push else 1318.5, 0.11, 0.018), *((0.85, 0.3) if push else (0.3, 0.85)))
        add(left, right, start, thump(), 0.5, 0.5)
        root = CHORDS[beat // 4][0]
        add(left, right, start + (0 if push else BEAT // 2), tone(root, 0.5, 0.16), 0.26, 0.26)
    for index, chord in enumerate(CHORDS):
        for place, hertz in enumerate(chord[1:]):
            pan = 0.35 + 0.1 * place
            add(left, right, index * 4 * BEAT - BEAT // 2, swell(hertz), 0.055 * (1 - pan) * 2, 0.055 * pan * 2)
    both = array.array("h", (round(max(-1.0, min(1.0, v)) * 17_000) for pair in zip(left, right) for v in pair))
    if sys.byteorder == "big":
        both.byteswap()
    return both.tobytes()


def add(left, right, start, sound, gain_left, gain_right):
    """Mixes `sound` in at `start`; what passes the end of the loop comes back at its start."""
    for index, value in enumerate(sound):
        at = (start + index) % SAMPLES
        left[at] += value * gain_left
        right[at] += value * gain_right


@functools.lru_cache(maxsize=None)
def tone(hertz, seconds, decay):
    """A struck tone: at full strength after 0.5 ms, then falling by 1/e every `decay` seconds."""
    return [
        min(1.0, n / 24) * math.exp(-n / (RATE * decay)) * math.sin(2 * math.pi * hertz * n / RATE)
        for n in range(int(seconds * RATE))
    ]


@functools.lru_cache(maxsize=None)
def thump():
    """A soft drum: a sine falling from 120 to 50 Hz."""
    out, phase = [], 0.0
    for n in range(RATE // 5):
        phase += 2 * math.pi * (50 + 70 * math.exp(-n / 1200)) / RATE
        out.append(math.sin(phase) * math.exp(-n / 2600) * min(1.0, n / 48))
    return out


@functools.lru_cache(maxsize=None)
def swell(hertz):
    """Five beats of a chord's note that comes and goes, so that chords overlap by one beat."""
    length = 5 * BEAT
    return [
        math.sin(math.pi * n / length) ** 0.8
        * (math.sin(2 * math.pi * hertz * n / RATE) + 0.25 * math.sin(4 * math.pi * hertz * n / RATE))
        for n in range(length)
    ]
