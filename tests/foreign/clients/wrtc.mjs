// libwebrtc in Node (npm @roamhq/wrtc).

import wrtc from '@roamhq/wrtc';

import { HEIGHT, RATE, WIDTH, exchange, mean, mode, picture, say, share, state, tone } from './session.mjs';

const { RTCPeerConnection, nonstandard } = wrtc;
const pc = new RTCPeerConnection();
pc.onconnectionstatechange = () => say({ connection: pc.connectionState });

if (mode === 'publish') {
  const sound = new nonstandard.RTCAudioSource();
  const camera = new nonstandard.RTCVideoSource();
  const stream = new wrtc.MediaStream([sound.createTrack(), camera.createTrack()]);
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  const step = 480; // 10 ms
  let [at, began, frame] = [0, performance.now(), 0];
  setInterval(() => {
    // A timer is late at times; the clock is not.
    while (at < ((performance.now() - began) / 1000) * 48_000) {
      const samples = Int16Array.from({ length: step }, (_, i) => 8000 * Math.sin((2 * Math.PI * tone * (at + i)) / 48_000));
      sound.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: step });
      at += step;
    }
  }, 10);
  setInterval(() => camera.onFrame({ width: WIDTH, height: HEIGHT, data: picture(frame++) }), 1000 / RATE);
} else {
  for (const kind of ['audio', 'video']) pc.addTransceiver(kind, { direction: 'recvonly' });
  pc.ontrack = ({ track }) => (track.kind === 'audio' ? listen(track) : look(track));
  setInterval(() => say({}), 250).unref();
}

function listen(track) {
  let kept = [];
  new nonstandard.RTCAudioSink(track).ondata = ({ samples, sampleRate, channelCount }) => {
    for (let i = 0; i < samples.length; i += channelCount) kept.push(samples[i]);
    if (kept.length < sampleRate / 10) return;
    state.audio = { share: share(kept, sampleRate), heard: (state.audio?.heard ?? 0) + 1 };
    kept = [];
  };
}

function look(track) {
  let frames = 0;
  new nonstandard.RTCVideoSink(track).onframe = ({ frame }) => {
    frames += 1;
    if (frames % 5 === 1) state.video = { width: frame.width, height: frame.height, yuv: mean(frame) };
    state.video.frames = frames;
  };
}

await pc.setLocalDescription(await pc.createOffer());
await pc.setRemoteDescription({ type: 'answer', sdp: await exchange(pc.localDescription.sdp, () => pc.close()) });
