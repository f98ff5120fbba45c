// Clients that are programs of their own.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { start } from '../../browser/lib/process.mjs';

const CLIENTS = join(dirname(fileURLToPath(import.meta.url)), '..', 'clients');

const { FOREIGN_PYTHON: python, FFMPEG: ffmpeg } = process.env;
const COMMANDS = {
  aiortc: [python, join(CLIENTS, 'aiortc_client.py')],
  GStreamer: [python, join(CLIENTS, 'gstreamer.py')],
  libdatachannel: [process.execPath, join(CLIENTS, 'datachannel.mjs')],
  'libwebrtc in Node': [process.execPath, join(CLIENTS, 'wrtc.mjs')],
};

/** The last thing that a client said. */
function report(program) {
  for (const line of program.lines.toReversed()) {
    if (line.startsWith('{')) return JSON.parse(line);
  }
  return {};
}

/** What a client that failed said last. */
const explain = (program) => `${JSON.stringify(program.exit)}\n${program.lines.slice(-20).join('\n')}`;

function run(stage, name, mode, url, { tone, colour }) {
  const [command, ...args] = COMMANDS[name];
  const env = { ...process.env, TONE: String(tone), COLOUR: colour.join(',') };
  return start(stage, command, [...args, mode, url], { env });
}

/** A publisher by WHIP. */
export class ProgramPublisher {
  constructor(name, codec = 'VP8') {
    Object.assign(this, { name, codec });
  }

  start(stage, url, content) {
    this.program = this.name === 'ffmpeg' ? startFfmpeg(stage, url, content) : run(stage, this.name, 'publish', url, content);
  }

  explain() {
    return explain(this.program);
  }

  async stop() {
    await this.program.stop();
    return this.name === 'ffmpeg' ? null : report(this.program).deleted;
  }
}

function startFfmpeg(stage, url, { tone, colour }) {
  const hex = colour.map((c) => c.toString(16).padStart(2, '0')).join('');
  return start(stage, ffmpeg, [
    ...['-loglevel', 'warning', '-nostdin'],
    ...['-re', '-f', 'lavfi', '-i', `sine=frequency=${tone}:sample_rate=48000,volume=2`],
    ...['-re', '-f', 'lavfi', '-i', `color=c=0x${hex}:size=320x180:rate=15,drawbox=y=mod(t*60\\,164):h=16:c=white:t=fill`],
    ...['-map', '0', '-map', '1', '-c:a', 'libopus', '-ac', '2', '-b:a', '32k'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p'],
    // Its WHIP hears no request for a key frame: there is one each second.
    ...['-bf', '0', '-g', '15', '-b:v', '300k', '-f', 'whip', url],
  ]);
}

/** A player by WHEP. */
export class ProgramPlayer {
  constructor(name) {
    this.name = name;
  }

  async start(stage, { url }, room, content) {
    this.content = content;
    this.program = run(stage, this.name, 'play', `${url}/whep/${room}?name=${encodeURIComponent(this.name)}`, content);
  }

  /** `{ picture, sound }`: what came, in words, once enough did; else null. */
  async received() {
    const { video, audio, failed } = report(this.program);
    if (this.program.exit) throw new Error(`${this.name} ended: ${failed ?? explain(this.program)}`);
    const enough = video?.frames >= 15;
    // What decodes nothing counts what came.
    if (video?.packets) return { picture: enough && `${video.codec}, counted`, sound: audio?.packets >= 50 && 'counted' };
    const whole = enough && video.width === 320 && video.height === 180 && this.content.isColour(rgb(video.yuv));
    return { picture: whole && 'decoded', sound: (audio?.share > 0.5 && `${this.content.tone} Hz`) || (audio?.packets >= 50 && 'counted') };
  }

  explain() {
    return explain(this.program);
  }

  async stop() {
    await this.program.stop();
    return report(this.program).deleted;
  }
}

/** BT.601, studio range. */
function rgb([y, u, v]) {
  const [l, b, r] = [1.164 * (y - 16), u - 128, v - 128];
  return [l + 1.596 * r, l - 0.392 * b - 0.813 * r, l + 2.017 * b];
}
