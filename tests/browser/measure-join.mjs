// How long joining takes, as a person feels it: from the click on *join* to the first picture and the first sound of somebody else. The
// page is loaded, camera and microphone are granted, one publisher is in the room.
//
//     SALON_MEET=target/release/meet node tests/browser/measure-join.mjs [times] [chromium|firefox]

import * as lib from './lib/index.mjs';

const times = Number(process.argv[2] ?? 10);
const browser = process.argv[3] ?? 'chromium';
const stage = new lib.Stage();

/** Notes in the page, as it happens, when the first frame is presented and the first sound played. */
function watch() {
  const { marks } = window.salon;
  const since = () => performance.now() - marks.click;
  const seen = {};
  for (const video of window.salon.videoElements()) video.requestVideoFrameCallback(() => (seen.video ??= since()));
  const steps = setInterval(async () => {
    const pc = window.salon.pc;
    if (!marks.click || !pc) return;
    for (const s of (await pc.getStats()).values()) {
      if (s.type === 'inbound-rtp' && s.kind === 'video' && s.packetsReceived > 0) seen.videoPacket ??= since();
      if (s.type === 'inbound-rtp' && s.kind === 'audio' && s.packetsReceived > 0) seen.audioPacket ??= since();
      // The first samples that are no filling: the sound has begun to play.
      if (s.type === 'inbound-rtp' && s.kind === 'audio' && s.totalSamplesReceived - (s.concealedSamples ?? 0) > 0) seen.audio ??= since();
    }
    if (seen.video && seen.audio) {
      clearInterval(steps);
      window.salonJoin = { ...seen, ...Object.fromEntries(Object.entries(marks).map(([k, v]) => [k, v - marks.click])) };
    }
  }, 10);
}

try {
  const meet = await lib.startMeet(stage);
  const publisher = await lib.openPerson(stage, 0);
  await lib.joinRoom(publisher, meet, 'hall');
  const tab = await lib.openPerson(stage, 1, { browser });
  const all = [];
  for (let n = 0; n < times; n++) {
    await tab.goto(meet.room('hall', { name: 'Blaise', height: 180, rate: 15 }));
    await lib.waitFor(() => tab.evaluate(() => window.salon.ready), { what: 'the preview' });
    await lib.rest(1_000);
    await tab.evaluate(watch);
    await tab.click('#join');
    const join = await lib.waitFor(() => tab.evaluate(() => window.salonJoin), { what: 'picture and sound' });
    all.push(join);
    console.log(Object.entries(join).sort((a, b) => a[1] - b[1]).map(([k, v]) => `${k} ${Math.round(v)}`).join('  '));
    await tab.click('#b-leave');
    await lib.rest(500);
  }
  for (const what of ['video', 'audio']) {
    const sorted = all.map((j) => j[what]).sort((a, b) => a - b);
    console.log(`${browser}: first ${what}: median ${(sorted[sorted.length >> 1] / 1000).toFixed(2)} s, worst ${(sorted.at(-1) / 1000).toFixed(2)} s of ${times}`);
  }
} finally {
  await stage.clear();
}
