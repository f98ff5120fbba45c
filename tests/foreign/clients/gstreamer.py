"""GStreamer's webrtcbin, from python3-gi."""

import array
import datetime
import re
import signal
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402
from session import COLOUR, HEIGHT, MODE, RATE, STATE, TONE, WIDTH, Session, mean, say, share  # noqa: E402

Gst.init(None)

BIN = "webrtcbin name=peer bundle-policy=max-bundle"
BACKGROUND = 0xFF000000 | COLOUR[0] << 16 | COLOUR[1] << 8 | COLOUR[2]
PUBLISH = f"""
    {BIN}
    videotestsrc is-live=true pattern=ball background-color={BACKGROUND}
      ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1 ! videoconvert
      ! vp8enc deadline=1 cpu-used=8 target-bitrate=300000 keyframe-max-dist=300 ! rtpvp8pay picture-id-mode=2
      ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
    audiotestsrc is-live=true wave=sine freq={TONE} volume=0.3 ! audio/x-raw,rate=48000,channels=2
      ! opusenc ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
"""
EARS = "audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000 ! appsink name=sink emit-signals=true sync=false max-buffers=50 drop=true"
EYES = "videoconvert ! video/x-raw,format=I420 ! appsink name=sink emit-signals=true sync=false max-buffers=5 drop=true"

session = Session()
loop = GLib.MainLoop()


def certificate():
    """An ECDSA certificate with its key, as PEM, and its fingerprint. GStreamer before 1.28 makes RSA ones by itself, which the server's DTLS
    library does not know."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = built.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signed = built.sign(key, hashes.SHA256())
    return (signed.public_bytes(pem) + private).decode(), signed.fingerprint(hashes.SHA256()).hex(":").upper()


def element_added(_bin, _child, element):
    if element.get_factory() and element.get_factory().get_name() == "dtlssrtpdec":
        element.set_property("pem", PEM)


PEM, FINGERPRINT = certificate()
pipeline = Gst.Pipeline.new("client")
pipeline.add(Gst.parse_bin_from_description(PUBLISH if MODE == "publish" else BIN, False))
peer = pipeline.get_by_name("peer")
peer.connect("deep-element-added", element_added)


def offer(_=None):
    peer.emit("create-offer", None, Gst.Promise.new_with_change_func(offered))


def offered(promise):
    reply = promise.get_reply()
    local = description(GstWebRTC.WebRTCSDPType.OFFER, reply.get_value("offer").sdp.as_text())
    peer.emit("set-local-description", local, Gst.Promise.new())
    if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
        gathered()


once = threading.Lock()


def gathered(*_):
    """All candidates are known: now the offer is whole."""
    if peer.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE or not once.acquire(blocking=False):
        return
    # webrtcbin's own reckoning takes the key for a part of the certificate.
    local = re.sub(r"(a=fingerprint:sha-256) \S+", rf"\1 {FINGERPRINT}", peer.get_property("local-description").sdp.as_text())
    threading.Thread(target=lambda: answered(session.begin(local)), daemon=True).start()


def answered(text):
    answer = description(GstWebRTC.WebRTCSDPType.ANSWER, text)
    peer.emit("set-remote-description", answer, Gst.Promise.new())


def description(kind, text):
    """A description of its own: what comes out of a promise does not outlive it."""
    _, message = GstSdp.SDPMessage.new_from_text(text)
    return GstWebRTC.WebRTCSessionDescription.new(kind, message)


def sound(sink):
    buffer = sink.emit("pull-sample").get_buffer()
    kept.frombytes(buffer.extract_dup(0, buffer.get_size()))
    if len(kept) >= 4800:
        heard = STATE.get("audio", {}).get("heard", 0) + 1
        STATE["audio"] = {"share": share(kept, 48000), "heard": heard}
        del kept[:]
    return Gst.FlowReturn.OK


kept = array.array("h")


def sight(sink):
    sample = sink.emit("pull-sample")
    caps = sample.get_caps().get_structure(0)
    width, height = caps.get_int("width")[1], caps.get_int("height")[1]
    data = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
    half, stride = (height + 1) // 2, (width + 7) // 8 * 4
    luma = (width + 3) // 4 * 4 * height
    planes = [
        mean(data, width, height, (width + 3) // 4 * 4),
        mean(data[luma:], width // 2, half, stride),
        mean(data[luma + stride * half :], width // 2, half, stride),
    ]
    frames = STATE.get("video", {}).get("frames", 0) + 1
    STATE["video"] = {"frames": frames, "width": width, "height": height, "yuv": planes}
    return Gst.FlowReturn.OK


def pad_added(_, pad):
    if pad.direction != Gst.PadDirection.SRC:
        return
    decoder = Gst.ElementFactory.make("decodebin", None)
    decoder.connect("pad-added", decoded)
    peer.get_parent().add(decoder)
    decoder.sync_state_with_parent()
    pad.link(decoder.get_static_pad("sink"))


def decoded(_, pad):
    audio = pad.get_current_caps().to_string().startswith("audio")
    rest = Gst.parse_bin_from_description(EARS if audio else EYES, True)
    rest.get_by_name("sink").connect("new-sample", sound if audio else sight)
    peer.get_parent().add(rest)
    rest.sync_state_with_parent()
    pad.link(rest.get_static_pad("sink"))


def over():
    try:
        session.end()
    finally:
        pipeline.set_state(Gst.State.NULL)
        loop.quit()
    return False


def heard(_, message):
    if message.type == Gst.MessageType.ERROR:
        say(failed=str(message.parse_error()))
        loop.quit()
    return True


def report():
    say(connection=peer.get_property("connection-state").value_nick)
    return True


peer.connect("notify::ice-gathering-state", gathered)
peer.connect("pad-added", pad_added)
pipeline.get_bus().add_signal_watch()
pipeline.get_bus().connect("message", heard)
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, over)
GLib.timeout_add(250, report)
if MODE == "play":
    for caps in (
        "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97",
        "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96;"
        "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=98,"
        "packetization-mode=(string)1,profile-level-id=(string)42e01f",
    ):
        peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.caps_from_string(caps))
# The offer can be made once it is known what comes through the pads.
peer.connect("on-negotiation-needed", offer)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
