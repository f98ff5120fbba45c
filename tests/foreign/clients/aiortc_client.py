"""aiortc (PyPI)."""

import array
import asyncio
import fractions
import signal
import time

import av
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from session import HEIGHT, MODE, RATE, STATE, WIDTH, Session, mean, say, share, sine, yuv


class Tone(AudioStreamTrack):
    """20 ms of the tone at a time."""

    def __init__(self):
        super().__init__()
        self.at, self.began = 0, None

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0, self.began + self.at / 48000 - time.monotonic()))
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(sine(self.at, 960).tobytes())
        frame.pts, frame.sample_rate, frame.time_base = self.at, 48000, fractions.Fraction(1, 48000)
        self.at += 960
        return frame


class Colour(VideoStreamTrack):
    """The colour, with a bright stripe that wanders."""

    def __init__(self):
        super().__init__()
        self.n, self.began = 0, None

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(max(0, self.began + self.n / RATE - time.monotonic()))
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        top = self.n * 4 % (HEIGHT - 16)
        for plane, level in zip(frame.planes, yuv()):
            data = bytearray([level]) * plane.buffer_size
            if plane is frame.planes[0] or plane.width == WIDTH:
                data[top * plane.line_size : (top + 16) * plane.line_size] = bytes([220]) * (16 * plane.line_size)
            plane.update(data)
        frame.pts, frame.time_base = self.n * 90000 // RATE, fractions.Fraction(1, 90000)
        self.n += 1
        return frame


async def listen(track):
    kept = array.array("h")
    while True:
        frame = await track.recv()
        channels = len(frame.layout.channels)
        samples = array.array("h", bytes(frame.planes[0]))
        kept.extend(samples[: frame.samples * channels : channels])
        if len(kept) >= frame.sample_rate // 10:
            heard = STATE.get("audio", {}).get("heard", 0) + 1
            STATE["audio"] = {"share": share(kept, frame.sample_rate), "heard": heard}
            kept = array.array("h")


async def look(track):
    frames = 0
    while True:
        frame = await track.recv()
        frames += 1
        planes = [mean(bytes(p), p.width, p.height, p.line_size) for p in frame.planes]
        STATE["video"] = {"frames": frames, "width": frame.width, "height": frame.height, "yuv": planes}


async def until_its_end(track):
    try:
        await (listen if track.kind == "audio" else look)(track)
    except MediaStreamError:
        pass


async def main():
    pc, session, over = RTCPeerConnection(), Session(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    pc.on("connectionstatechange", lambda: say(connection=pc.connectionState))
    tasks = []
    if MODE == "publish":
        pc.addTransceiver(Tone(), direction="sendonly")
        pc.addTransceiver(Colour(), direction="sendonly")
    else:
        for kind in ("audio", "video"):
            pc.addTransceiver(kind, direction="recvonly")
        pc.on("track", lambda track: tasks.append(asyncio.ensure_future(until_its_end(track))))
    await pc.setLocalDescription(await pc.createOffer())
    answer = await asyncio.to_thread(session.begin, pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    while not over.is_set():
        say()
        try:
            await asyncio.wait_for(over.wait(), 0.25)
        except asyncio.TimeoutError:
            pass
    await asyncio.to_thread(session.end)
    await pc.close()


asyncio.run(main())
