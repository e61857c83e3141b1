# SPDX-License-Identifier: Apache-2.0
"""Tones: what phones send here, and whether a recording holds it."""

import array
import math
import wave

RATE = 8000


def write_tone(path, hz, seconds=2.0, level=0.5):
    """A mono 16-bit wave file whose whole seconds join without a click when it is repeated."""
    count = int(RATE * seconds)
    samples = array.array("h", (int(32767 * level * math.sin(2 * math.pi * hz * i / RATE)) for i in range(count)))
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(samples.tobytes())


def power_at(samples, rate, hz):
    """Goertzel: the share of the block's energy that is at hz, 0 to about 1."""
    total = sum(s * s for s in samples)
    if not total:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hz / rate)
    s1 = s2 = 0.0
    for s in samples:
        s1, s2 = s + coefficient * s1 - s2, s1
    return 2 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / (len(samples) * total)


def tone_seconds(path, hz, block=0.1, share=0.8):
    """For how many seconds, counted in blocks, the recording holds a clear tone at hz; and its whole length."""
    with wave.open(path, "rb") as w:
        rate, channels = w.getframerate(), w.getnchannels()
        samples = array.array("h", w.readframes(w.getnframes()))[::channels]
    size = int(rate * block)
    blocks = [samples[i:i + size] for i in range(0, len(samples) - size + 1, size)]
    heard = sum(1 for b in blocks if max(b) > 1000 and power_at(b, rate, hz) >= share)
    return heard * block, len(samples) / rate


_ULAW = None


def ulaw_decode(octets):
    """G.711 mu-law to linear samples."""
    global _ULAW
    if _ULAW is None:
        _ULAW = []
        for code in range(256):
            u = ~code & 0xFF
            magnitude = (((u & 0x0F) << 3) + 0x84 << ((u & 0x70) >> 4)) - 0x84
            _ULAW.append(-magnitude if u & 0x80 else magnitude)
    return [_ULAW[o] for o in octets]


def payload_holds_tone(octets, tones, share=0.8):
    """Is this payload clear G.711 (mu-law) of one of our tones? Ciphertext spreads over the whole spectrum."""
    samples = ulaw_decode(octets)
    return any(power_at(samples, RATE, hz) >= share for hz in tones)
