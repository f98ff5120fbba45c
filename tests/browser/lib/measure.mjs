// What a page really receives: frames decoded, tones heard, colours seen.
//
// All of it is read through `window.salon.pc`, the page's RTCPeerConnection. Streams are named by mid.

/** Every statistic of the connection, as plain objects. */
export function stats(tab) {
  return tab.evaluate(async () => [...(await window.salon.pc.getStats()).values()].map((s) => ({ ...s })));
}

/**
 * What comes in, by mid: `{ kind, framesDecoded, width, height, packets, lost, bytes, nacks, plis, jitterBufferDelay }`. A slot that never
 * received anything is missing.
 */
export function incoming(tab) {
  return tab.evaluate(async () => {
    const result = {};
    for (const { mid, receiver } of window.salon.pc.getTransceivers()) {
      for (const s of (await receiver.getStats()).values()) {
        if (s.type !== 'inbound-rtp' || mid === null) continue;
        result[mid] = {
          kind: s.kind,
          framesDecoded: s.framesDecoded ?? 0,
          keyFrames: s.keyFramesDecoded ?? 0,
          width: s.frameWidth ?? 0,
          height: s.frameHeight ?? 0,
          packets: s.packetsReceived ?? 0,
          lost: s.packetsLost ?? 0,
          bytes: s.bytesReceived ?? 0,
          nacks: s.nackCount ?? 0,
          plis: s.pliCount ?? 0,
          freezes: s.freezeCount ?? 0,
          concealed: s.concealedSamples ?? 0,
        };
      }
    }
    return result;
  });
}

/** What goes out: one entry for each stream, `{ mid, kind, rid, active, packets, bytes, frames, width, height, nacks, plis }`. */
export function outgoing(tab) {
  return tab.evaluate(async () => {
    const result = [];
    for (const { mid, sender } of window.salon.pc.getTransceivers()) {
      for (const s of (await sender.getStats()).values()) {
        if (s.type !== 'outbound-rtp' || mid === null) continue;
        result.push({
          ...{ mid, kind: s.kind, rid: s.rid ?? '', active: s.active ?? true },
          ...{ packets: s.packetsSent ?? 0, bytes: s.bytesSent ?? 0, resent: s.retransmittedPacketsSent ?? 0 },
          ...{ frames: s.framesEncoded ?? 0, width: s.frameWidth ?? 0, height: s.frameHeight ?? 0 },
          ...{ nacks: s.nackCount ?? 0, plis: s.pliCount ?? 0 },
        });
      }
    }
    return result;
  });
}

/** Frames decoded so far in each video slot, by mid. */
export async function framesDecoded(tab) {
  const all = Object.entries(await incoming(tab)).filter(([, s]) => s.kind === 'video');
  return Object.fromEntries(all.map(([mid, s]) => [mid, s.framesDecoded]));
}

/**
 * The loudest frequency of each audio slot at this moment, by mid: `{ frequency (Hz, ± 3), level (dB of the FFT's peak) }`. Silence is
 * some −100 dB and below. Works for tracks that play in muted elements too, where the statistics count no energy.
 */
export function tones(tab) {
  return tab.evaluate(async () => {
    const ears = (window.salonEars ??= { context: new AudioContext(), ears: new Map() });
    if (ears.context.state !== 'running') await Promise.race([ears.context.resume(), new Promise((r) => setTimeout(r, 1000))]);
    let fresh = false;
    const result = {};
    const slots = window.salon.pc.getTransceivers().filter((t) => t.mid !== null && t.receiver.track?.kind === 'audio' && /recv/.test(t.currentDirection));
    for (const { mid, receiver } of slots) {
      if (ears.ears.get(mid)?.track === receiver.track) continue;
      const stream = new MediaStream([receiver.track]);
      // Chromium feeds Web Audio from a remote track only while some element plays it.
      const element = new Audio();
      Object.assign(element, { srcObject: stream, muted: true });
      element.play().catch(() => {});
      const analyser = new AnalyserNode(ears.context, { fftSize: 16384, smoothingTimeConstant: 0, minDecibels: -140 });
      ears.context.createMediaStreamSource(stream).connect(analyser);
      ears.ears.set(mid, { track: receiver.track, analyser, element });
      fresh = true;
    }
    // The window of a new analyser is still empty: 16,384 samples last 0.34 s.
    if (fresh) await new Promise((r) => setTimeout(r, 400));
    for (const { mid } of slots) {
      const { analyser } = ears.ears.get(mid);
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      // Not the lowest bins: there is only direct current and hum.
      let best = 12;
      for (let i = best; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
      const level = Number.isFinite(bins[best]) ? bins[best] : -200;
      result[mid] = { frequency: (best * ears.context.sampleRate) / analyser.fftSize, level };
    }
    return result;
  });
}

/** The mid of the slot in which a tone of this frequency is heard now, or null. */
export async function hears(tab, frequency, { within = 8, above = -70 } = {}) {
  const all = Object.entries(await tones(tab));
  return all.find(([, t]) => Math.abs(t.frequency - frequency) <= within && t.level >= above)?.[0] ?? null;
}

/** The mean colour `[r, g, b]` of what each video slot shows now, by mid; slots without a picture are missing. */
export function colours(tab) {
  return tab.evaluate(async () => {
    const eyes = (window.salonEyes ??= new Map());
    const result = {};
    for (const { mid, receiver, currentDirection } of window.salon.pc.getTransceivers()) {
      if (mid === null || receiver.track?.kind !== 'video' || !/recv/.test(currentDirection)) continue;
      if (eyes.get(mid)?.track !== receiver.track) {
        const element = document.createElement('video');
        Object.assign(element, { srcObject: new MediaStream([receiver.track]), muted: true, playsInline: true });
        element.play().catch(() => {});
        eyes.set(mid, { track: receiver.track, element });
      }
      const { element } = eyes.get(mid);
      if (!element.videoWidth) continue;
      const canvas = new OffscreenCanvas(32, 18);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(element, 0, 0, 32, 18);
      const { data } = context.getImageData(0, 0, 32, 18);
      const sum = [0, 0, 0];
      for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum[i % 4] += data[i];
      result[mid] = sum.map((s) => Math.round(s / (data.length / 4)));
    }
    return result;
  });
}

/** How much two colours differ in hue, brightness aside: 0 (same) to 2. The stripes and the noise of a clip brighten it. */
export function hueDistance(a, b) {
  const chroma = ([r, g, b]) => {
    const mean = (r + g + b) / 3;
    const c = [r - mean, g - mean, b - mean];
    const length = Math.hypot(...c) || 1;
    return c.map((x) => x / length);
  };
  const [x, y] = [chroma(a), chroma(b)];
  return 1 - (x[0] * y[0] + x[1] * y[1] + x[2] * y[2]);
}
