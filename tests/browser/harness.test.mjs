// The harness itself: what it calls heard and seen is real sound and real pictures, in each browser.

import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as lib from './lib/index.mjs';

const PAGES = fileURLToPath(new URL('./pages/', import.meta.url));

/** Frames go on being decoded in some slot, and the tone is heard in another. */
async function seesAndHears(tab, frequency) {
  await lib.waitFor(async () => (await tab.evaluate(() => window.salon.state())) === 'connected', {
    what: `${tab.browser}: the connection`,
    guard: 60_000,
    explain: () => [...tab.console, ...tab.errors].join('\n'),
  });
  const first = await lib.waitFor(async () => Object.values(await lib.framesDecoded(tab)).find((n) => n > 0), {
    what: `${tab.browser}: a decoded frame`,
    guard: 60_000,
  });
  await lib.waitFor(async () => Object.values(await lib.framesDecoded(tab)).some((n) => n > first + 10), {
    what: `${tab.browser}: more frames`,
    guard: 60_000,
  });
  return lib.waitFor(() => lib.hears(tab, frequency), {
    what: `${tab.browser}: a tone of ${frequency} Hz`,
    guard: 60_000,
    explain: async () => JSON.stringify(await lib.tones(tab)),
  });
}

test('Chromium shows a clip of ours and plays a tone of ours', async (t) => {
  const stage = lib.Stage.of(t);
  const directory = await stage.directory();
  const tone = await lib.writeTone(join(directory, 'tone.wav'), { frequency: lib.voiceOf(2) });
  const clip = await lib.writeClip(join(directory, 'clip.y4m'), { colour: lib.colourOf(2) });
  const url = await lib.serveDirectory(stage, PAGES);
  const tab = await lib.openChromium(stage, { tone, clip });
  await tab.goto(`${url}/loopback.html`);
  await seesAndHears(tab, lib.voiceOf(2));
  assert.equal(await lib.hears(tab, lib.voiceOf(3)), null, 'nobody speaks at another frequency');

  const seen = await lib.waitFor(async () => Object.values(await lib.colours(tab))[0], { what: 'a colour' });
  assert.ok(lib.hueDistance(seen, lib.colourOf(2)) < 0.2, `${seen} is the clip's colour`);
  for (const other of [0, 1, 3, 4, 5]) assert.ok(lib.hueDistance(seen, lib.colourOf(other)) > 0.3, `${seen} is not the colour of ${other}`);

  const video = Object.values(await lib.incoming(tab)).find((s) => s.kind === 'video');
  assert.deepEqual([video.width, video.height], [320, 180]);
  await tab.resize(700, 500);
  assert.deepEqual(await tab.evaluate(() => [innerWidth, innerHeight]), [700, 500]);
  assert.deepEqual(tab.errors, []);
});

test('a tone that is not sent is not heard', async (t) => {
  const stage = lib.Stage.of(t);
  const directory = await stage.directory();
  const tone = await lib.writeTone(join(directory, 'tone.wav'), { frequency: 440 });
  const url = await lib.serveDirectory(stage, PAGES);
  const tab = await lib.openChromium(stage, { tone });
  await tab.goto(`${url}/loopback.html?mute=audio`);
  await lib.waitFor(async () => Object.values(await lib.framesDecoded(tab)).some((n) => n > 10), { what: 'frames' });
  for (let i = 0; i < 5; i++) {
    assert.equal(await lib.hears(tab, 440), null);
    await lib.rest(100);
  }
  const [audio] = Object.values(await lib.tones(tab));
  assert.ok(audio.level < -100, `silence, not ${audio.level} dB`);
});

test('Firefox decodes its own picture and plays its own tone', async (t) => {
  const stage = lib.Stage.of(t);
  const url = await lib.serveDirectory(stage, PAGES);
  const tab = await lib.openFirefox(stage, { frequency: 660 });
  await tab.goto(`${url}/loopback.html`);
  await seesAndHears(tab, 660);
  assert.equal(await lib.hears(tab, 1000), null, 'its default tone is replaced');
  await lib.waitFor(async () => Object.values(await lib.colours(tab))[0], { what: 'a colour' });
  assert.deepEqual(tab.errors, []);
});

test('a killed browser is gone at once, and the rest of the test goes on', async (t) => {
  const stage = lib.Stage.of(t);
  const url = await lib.serveDirectory(stage, PAGES);
  for (const open of [lib.openChromium, lib.openFirefox]) {
    const tab = await open(stage);
    await tab.goto(`${url}/loopback.html`);
    await tab.kill();
    await lib.waitFor(() => {
      try {
        process.kill(tab.pid, 0);
        return false;
      } catch {
        return true;
      }
    }, { what: `the end of ${tab.browser}` });
  }
});

test('refused devices are refused', async (t) => {
  const stage = lib.Stage.of(t);
  const url = await lib.serveDirectory(stage, PAGES);
  const tab = await lib.openChromium(stage, { devices: false });
  await tab.goto(`${url}/loopback.html`);
  const error = await lib.waitFor(() => tab.evaluate(() => window.salon.error), { what: 'the refusal' });
  assert.match(error, /NotAllowedError|NotFoundError/);
});

test('tones and clips are what they say', async (t) => {
  const stage = lib.Stage.of(t);
  const directory = await stage.directory();
  const wav = await readFile(await lib.writeTone(join(directory, 't.wav'), { frequency: 440, seconds: 1, bursts: [100, 400], delay: 50 }));
  assert.equal(wav.length, 44 + 2 * 48_000);
  const sample = (ms) => Array.from({ length: 48 }, (_, i) => Math.abs(wav.readInt16LE(44 + 2 * (48 * ms + i))));
  assert.ok(Math.max(...sample(20)) === 0 && Math.max(...sample(100)) > 4_000 && Math.max(...sample(300)) === 0 && Math.max(...sample(600)) > 4_000);
  const clip = await lib.writeClip(join(directory, 'c.y4m'), { width: 64, height: 32, frames: 3 });
  const text = `YUV4MPEG2 W64 H32 F15:1 Ip A1:1 C420jpeg\n`;
  assert.equal((await stat(clip)).size, text.length + 3 * (6 + 64 * 32 * 1.5));
});

test('waitFor gives what it waited for, or says what it waited for', async () => {
  let n = 0;
  assert.equal(await lib.waitFor(() => ++n > 2 && 'there', { every: 1 }), 'there');
  await assert.rejects(lib.waitFor(() => 0, { what: 'Godot', guard: 20, every: 5 }), /Godot; last: 0/);
  const thrower = () => {
    throw new Error('not yet');
  };
  await assert.rejects(lib.waitFor(thrower, { guard: 20, every: 5 }), /not yet/);
});

test('a server that starts is waited for, one that does not is told with its last words', async (t) => {
  const stage = lib.Stage.of(t);
  const directory = await stage.directory();
  const script = join(directory, 'meet');
  const body = `#!${process.execPath}
    const [, port] = process.argv[process.argv.indexOf('--listen') + 1].split(':');
    if (process.argv.includes('--fail')) { console.error('port taken'); process.exit(3); }
    setTimeout(() => require('node:http').createServer((q, r) => r.end(JSON.stringify([q.headers.authorization ?? '', process.argv]))).listen(port), 300);
  `;
  await writeFile(script, body, { mode: 0o755 });
  const meet = await lib.startMeet(stage, { binary: script });
  const [authorization, args] = await meet.api('/api/rooms');
  assert.equal(authorization, `Bearer ${meet.token}`);
  assert.equal(args[args.indexOf('--udp') + 1], String(meet.port));
  assert.ok(args.includes('127.0.0.1'));
  assert.deepEqual(await meet.stop(), { code: null, signal: 'SIGTERM' });
  await assert.rejects(lib.startMeet(stage, { binary: script, args: ['--fail'] }), /"code":3.*port taken/s);
  await assert.rejects(lib.startMeet(stage, { binary: join(directory, 'nothing') }), /ENOENT/);
});
