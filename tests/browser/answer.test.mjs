// Real browsers take the answers of `crates/signal` to the offers of the real page: nothing is sent, but all is negotiated.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as lib from './lib/index.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? here('../../target');
const program = process.env.SALON_ANSWER ?? join(target, 'debug/examples/answer');
// `cargo test` builds it; the gate runs that first.
const skip = existsSync(program) ? false : `${program} is not there: cargo build -p salon-signal --example answer`;

/** What the server would answer. */
const answerTo = (sdp) => execFileSync(program, { input: sdp, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });

/** Loads the page's own negotiation, with its fake devices, and makes its offer. */
async function offer(tab, height) {
  return tab.evaluate(async (height) => {
    const { Call, Elements } = await import('/call.js');
    const video = { height: { exact: height }, width: { exact: (height * 16) / 9 } };
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    const call = new Call(new Elements());
    window.salon = { call, pc: call.pc, streams: [], media };
    call.pc.addEventListener('track', ({ transceiver, streams }) => window.salon.streams.push([transceiver.mid, streams[0]?.id]));
    return call.prepare({ microphone: media.getAudioTracks()[0], camera: media.getVideoTracks()[0] });
  }, height);
}

/** Gives the page an answer and reads back what its browser made of it. */
async function accept(tab, sdp) {
  return tab.evaluate(async (sdp) => {
    const { call } = window.salon;
    await call.answer(sdp);
    const codecs = (p) => [...new Set(p.codecs.map((c) => c.mimeType.toLowerCase()))].sort();
    return call.pc.getTransceivers().map((t) => ({
      ...{ mid: t.mid, kind: t.receiver.track.kind, direction: t.currentDirection },
      sends: codecs(t.sender.getParameters()),
      rids: t.sender.getParameters().encodings.map((e) => e.rid ?? ''),
      extensions: t.sender.getParameters().headerExtensions.map((e) => e.uri),
    }));
  }, sdp);
}

const open = {
  chromium: (stage) => lib.openChromium(stage),
  firefox: (stage) => lib.openFirefox(stage),
};
for (const browser of ['chromium', 'firefox']) {
  test(`${browser} takes the answer to the page's offer, and again after a share and an ICE restart`, { skip }, async (t) => {
    const stage = lib.Stage.of(t);
    const url = await lib.serveDirectory(stage, here('pages/'), here('../../crates/server/page/'));
    const tab = await open[browser](stage);
    await tab.goto(`${url}/blank.html`);
    const { sdp, sources } = await offer(tab, 720);
    assert.deepEqual(Object.values(sources).sort(), ['camera', 'microphone']);
    const all = await accept(tab, answerTo(sdp));

    const sending = all.filter((t) => t.direction === 'sendonly');
    const receiving = all.filter((t) => t.direction === 'recvonly');
    assert.equal(sending.length, 2);
    assert.equal(receiving.length, all.length - 2);
    const camera = sending.find((t) => t.kind === 'video');
    assert.deepEqual(camera.rids, ['l', 'm', 'h'], 'all simulcast encodings are accepted');
    assert.deepEqual(camera.sends, ['video/rtx', 'video/vp8']);
    assert.ok(camera.extensions.every((uri) => !uri.includes('orientation')));
    const streams = await tab.evaluate(() => window.salon.streams);
    assert.equal(streams.length, receiving.length, 'each slot has its track at once');
    assert.equal(new Set(streams.map(([, id]) => id)).size, receiving.length, 'each slot is a stream of its own');

    // A screen share adds a section; all that stands goes on as it was.
    const shared = await tab.evaluate(async () => {
      const screen = window.salon.media.getVideoTracks()[0].clone();
      const { pc } = window.salon;
      pc.addTransceiver(screen, { direction: 'sendonly', sendEncodings: [{}] });
      await pc.setLocalDescription();
      return pc.localDescription.sdp;
    });
    const more = await accept(tab, answerTo(shared));
    assert.equal(more.length, all.length + 1);
    assert.equal(more.at(-1).direction, 'sendonly');
    assert.deepEqual(more.slice(0, -1).map((t) => t.direction), all.map((t) => t.direction));

    // The share ends; a new path is looked for.
    const restarted = await tab.evaluate(async () => {
      const { pc } = window.salon;
      pc.getTransceivers().at(-1).stop();
      pc.restartIce();
      await pc.setLocalDescription();
      return pc.localDescription.sdp;
    });
    assert.notEqual(/ice-ufrag:(.*)/.exec(restarted)[1], /ice-ufrag:(.*)/.exec(shared)[1]);
    const last = await accept(tab, answerTo(restarted));
    assert.deepEqual(last.slice(0, all.length).map((t) => t.direction), all.map((t) => t.direction));
    assert.deepEqual(tab.errors, []);
  });
}
