// libdatachannel (npm node-datachannel). It codes and decodes nothing: ffmpeg gives it packets to send, and those that it receives are counted.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';

import { Audio, PeerConnection, RtcpReceivingSession, Video } from 'node-datachannel';

import { RATE, colour, exchange, mode, say, state, tone } from './session.mjs';

const [OPUS, VP8, H264] = [111, 96, 106];
const pc = new PeerConnection('client', { iceServers: [] });
pc.onStateChange((connection) => say({ connection }));
const direction = mode === 'publish' ? 'SendOnly' : 'RecvOnly';
const [audio, video] = [new Audio('0', direction), new Video('1', direction)];
audio.addOpusCodec(OPUS);
video.addVP8Codec(VP8);
if (mode === 'play') video.addH264Codec(H264, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
if (mode === 'publish') {
  audio.addSSRC(1001, 'salon', 'stream', 'audio');
  video.addSSRC(1002, 'salon', 'stream', 'video');
}
const tracks = [
  { track: pc.addTrack(audio), types: [OPUS], ssrc: 1001 },
  { track: pc.addTrack(video), types: [VP8, H264], ssrc: 1002 },
];

if (mode === 'publish') await feed();
else tracks.forEach(count);

pc.setLocalDescription('Offer');
while (pc.gatheringState() !== 'complete') await new Promise((resolve) => setTimeout(resolve, 20));
pc.setRemoteDescription(await exchange(pc.localDescription().sdp, () => pc.close()), 'Answer');

/** Sends what ffmpeg makes. */
async function feed() {
  const ports = [];
  for (const { track, types, ssrc } of tracks) {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
    ports.push(socket.address().port);
    socket.on('message', (packet) => {
      // ffmpeg sends its reports to the same port; a PT of 72 to 76 is one of them (RFC 5761 §4).
      const type = packet[1] & 0x7f;
      if (!track.isOpen() || (type >= 64 && type < 96)) return;
      packet[1] = (packet[1] & 0x80) | types[0];
      packet.writeUInt32BE(ssrc, 8);
      track.sendMessageBinary(packet);
    });
  }
  const [r, g, b] = colour.map((c) => c.toString(16).padStart(2, '0'));
  const lavfi = (source) => ['-re', '-f', 'lavfi', '-i', source];
  const to = (port) => `rtp://127.0.0.1:${port}?rtcpport=${port}&pkt_size=1200`;
  const ffmpeg = spawn(
    process.env.FFMPEG,
    [
      ...['-loglevel', 'error', '-nostdin'],
      ...lavfi(`sine=frequency=${tone}:sample_rate=48000`),
      ...lavfi(`color=c=0x${r}${g}${b}:size=320x180:rate=${RATE},drawbox=y=mod(t*60\\,164):h=16:c=white:t=fill,noise=alls=8:allf=t`),
      ...['-map', '0', '-c:a', 'libopus', '-ac', '2', '-b:a', '32k', '-payload_type', OPUS, '-f', 'rtp', to(ports[0])],
      // Nobody can ask it for a key frame: there is one a second.
      ...['-map', '1', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '300k', '-g', RATE, '-payload_type', VP8],
      ...['-f', 'rtp', to(ports[1])],
    ].map(String),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  ffmpeg.stderr.setEncoding('utf8').on('data', (text) => say({ ffmpeg: text.trim() }));
  ffmpeg.once('exit', (code) => say({ failed: `ffmpeg ended with ${code}` }));
  process.once('exit', () => ffmpeg.kill());
}

/** Counts packets, and frames by their last packets. */
function count({ track, types }) {
  track.setMediaHandler(new RtcpReceivingSession());
  const counts = { packets: 0, frames: 0 };
  track.onMessage((packet) => {
    const type = packet[1] & 0x7f;
    if (!types.includes(type)) return;
    counts.packets += 1;
    counts.frames += packet[1] >> 7;
    if (types[0] === OPUS) state.audio = { packets: counts.packets };
    else state.video = { frames: counts.frames, packets: counts.packets, codec: type === VP8 ? 'VP8' : 'H264' };
  });
}

setInterval(() => say({}), 250);
