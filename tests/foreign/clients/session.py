"""What the clients in Python have in common: one HTTP exchange, reports, and an end; as session.mjs has it."""

import array
import json
import math
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

MODE, URL = sys.argv[1:3]
TONE = float(os.environ.get("TONE", "440"))
COLOUR = [int(c) for c in os.environ.get("COLOUR", "40,90,200").split(",")]
WIDTH, HEIGHT, RATE = 320, 180, 15

STATE = {}


LOCK = threading.Lock()


def say(**more):
    """Says something, and all that was said before."""
    with LOCK:
        STATE.update(more)
        print(json.dumps(STATE), flush=True)


class Session:
    """The session on the server."""

    def __init__(self):
        self.url = None

    def begin(self, offer):
        """Gives the offer to the server; gives the answer."""
        request = urllib.request.Request(URL, offer.encode(), {"Content-Type": "application/sdp"}, method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                self.url = urllib.parse.urljoin(URL, answer.headers["Location"])
                say(status=answer.status)
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            say(status=error.code, failed=f"HTTP {error.code}: {error.read().decode().strip()}")
            sys.exit(1)

    def end(self):
        if self.url:
            with urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE")) as answer:
                say(deleted=answer.status)
            self.url = None


def share(samples, rate):
    """How much of the sound's power is at the tone's frequency, 0 to 1; 0 where it is nearly silent (Goertzel)."""
    a = b = power = 0.0
    turn = 2 * math.cos(2 * math.pi * TONE / rate)
    for sample in samples:
        a, b = sample + turn * a - b, a
        power += sample * sample
    if power / len(samples) < 1000:
        return 0.0
    return (a * a + b * b - turn * a * b) * 2 / (len(samples) * power)


def sine(at, count, rate=48000):
    """Samples of the tone, 16 bits, mono."""
    return array.array("h", (int(8000 * math.sin(2 * math.pi * TONE * (at + i) / rate)) for i in range(count)))


def yuv():
    """The colour, BT.601."""
    r, g, b = COLOUR
    return (
        round(16 + 0.257 * r + 0.504 * g + 0.098 * b),
        round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
        round(128 + 0.439 * r - 0.368 * g - 0.071 * b),
    )


def mean(plane, width, height, stride):
    """The mean of some samples of a plane."""
    rows = range(0, height, 9)
    return round(sum(plane[y * stride + width // 3] + plane[y * stride + width // 2] for y in rows) / (2 * len(rows)))
