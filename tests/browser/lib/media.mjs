// Sound and pictures to publish: made here, so that who is heard and seen can be told by frequency and colour.

import { open, writeFile } from 'node:fs/promises';

const RATE = 48_000;

/**
 * A tone as a WAV file (48 kHz, mono, 16 bits) that a browser may loop without a click: a whole number of its periods is in it.
 *
 * `seconds`: whole. `level`: dB below full scale. `bursts`: `[on, off]` milliseconds, to talk in turns rather than all the time;
 * `delay`: milliseconds of silence before the first.
 */
export async function writeTone(path, { frequency, seconds = 2, level = -12, bursts = null, delay = 0 }) {
  const samples = seconds * RATE;
  const whole = Math.round(frequency); // whole seconds then hold whole periods
  const peak = 32_767 * 10 ** (level / 20);
  const bytes = Buffer.alloc(44 + 2 * samples);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(36 + 2 * samples, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20); // PCM
  bytes.writeUInt16LE(1, 22); // channels
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(2 * RATE, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * samples, 40);
  for (let i = 0; i < samples; i++) {
    const ms = (1000 * i) / RATE - delay;
    const on = ms >= 0 && (!bursts || ms % (bursts[0] + bursts[1]) < bursts[0]);
    bytes.writeInt16LE(on ? Math.round(peak * Math.sin((2 * Math.PI * whole * i) / RATE)) : 0, 44 + 2 * i);
  }
  await writeFile(path, bytes);
  return path;
}

/** BT.601, studio range, as Y4M means it. */
function yuv([r, g, b]) {
  const clamp = (x) => Math.max(16, Math.min(240, Math.round(x)));
  return [
    clamp(16 + 0.257 * r + 0.504 * g + 0.098 * b),
    clamp(128 - 0.148 * r - 0.291 * g + 0.439 * b),
    clamp(128 + 0.439 * r - 0.368 * g - 0.071 * b),
  ];
}

/**
 * A moving clip as an uncompressed Y4M file: a person's colour everywhere, under bright stripes that wander and, where it is to be busy,
 * noise that no encoder can predict. The file is large (1.4 MB a frame at 1280×720); one second is enough, browsers loop it.
 *
 * `busy`: 0 (stripes only, some 100 kbit/s at 320×180) to 1 (noise everywhere: takes any bitrate).
 */
export async function writeClip(path, { width = 320, height = 180, rate = 15, frames = rate, colour = [40, 90, 200], busy = 0.2 }) {
  const [y0, u, v] = yuv(colour);
  const file = await open(path, 'w');
  try {
    await file.write(`YUV4MPEG2 W${width} H${height} F${rate}:1 Ip A1:1 C420jpeg\n`);
    const [cw, ch] = [width >> 1, height >> 1];
    const frame = Buffer.alloc(6 + width * height + 2 * cw * ch);
    frame.write('FRAME\n');
    frame.fill(u, 6 + width * height, 6 + width * height + cw * ch);
    frame.fill(v, 6 + width * height + cw * ch);
    const stripe = Math.max(8, height >> 3);
    let seed = 0x9e3779b9;
    for (let n = 0; n < frames; n++) {
      const shift = Math.round((2 * stripe * n) / frames);
      for (let y = 0; y < height; y++) {
        const bright = (y + shift) % (2 * stripe) < stripe ? 24 : 0;
        for (let x = 0; x < width; x++) {
          seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
          const noise = (seed >>> 24) / 255 < busy ? (seed >>> 18) & 63 : 0;
          frame[6 + y * width + x] = Math.min(235, y0 + bright + noise);
        }
      }
      await file.write(frame);
    }
  } finally {
    await file.close();
  }
  return path;
}

/** Far from each other, from hum, and from each other's overtones. */
const FREQUENCIES = [440, 620, 830, 1130, 1510, 1990, 2570, 3310];
const COLOURS = [[200, 40, 40], [40, 160, 40], [40, 70, 210], [200, 180, 30], [170, 40, 180], [30, 170, 180], [220, 120, 40], [120, 120, 120]];

/** The frequency and the colour of the `n`th person. */
export const voiceOf = (n) => FREQUENCIES[n % FREQUENCIES.length];
export const colourOf = (n) => COLOURS[n % COLOURS.length];
