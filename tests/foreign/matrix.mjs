// Each publisher by WHIP with each player by WHEP (or the conference's own page): does the picture arrive, and the sound?
//
//   node matrix.mjs [--gate] [--write] [--only PUBLISHER]
//
// `--gate`: without browsers and GStreamer. `--write`: puts the table into README.md. Needs SALON_MEET, FFMPEG and FOREIGN_PYTHON.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { hueDistance } from '../browser/lib/measure.mjs';
import { colourOf, voiceOf } from '../browser/lib/media.mjs';
import { startMeet } from '../browser/lib/server.mjs';
import { Stage } from '../browser/lib/stage.mjs';
import { rest, waitFor } from '../browser/lib/wait.mjs';
import { ProgramPlayer, ProgramPublisher } from './lib/programs.mjs';

const { values: options } = parseArgs({
  options: { gate: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});

/** Long enough for seven players that start at once on two cores; nothing here is about speed. */
const GUARD = 90_000;

async function clients(stage) {
  const programs = ['aiortc', 'libdatachannel', 'libwebrtc in Node'];
  if (options.gate) {
    return {
      publishers: [new ProgramPublisher('ffmpeg', 'H264'), ...programs.map((name) => new ProgramPublisher(name))],
      players: programs.map((name) => new ProgramPlayer(name)),
    };
  }
  const { ConferencePlayer, PagePlayer, PagePublisher, servePages } = await import('./lib/pages.mjs');
  const pages = await servePages(stage);
  programs.splice(1, 0, 'GStreamer');
  return {
    publishers: [new ProgramPublisher('ffmpeg', 'H264'), ...programs.map((name) => new ProgramPublisher(name)), new PagePublisher(pages)],
    players: [
      ...programs.map((name) => new ProgramPlayer(name)),
      new PagePlayer(pages),
      new ConferencePlayer('chromium'),
      new ConferencePlayer('firefox'),
    ],
  };
}

/** One publisher with all players at once: what each received, in words. */
async function row(stage, meet, publisher, players, n) {
  const room = `foreign-${n}`;
  const [tone, colour] = [voiceOf(n), colourOf(n)];
  const content = { tone, colour, isColour: (seen) => hueDistance(seen, colour) < 0.35 };
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  await publisher.start(stage, `${meet.url}/whip/${room}?name=${encodeURIComponent(publisher.name)}`, content);
  const there = async () => {
    const { participants } = await meet.api(`/api/rooms/${room}`);
    return participants[0].tracks.filter((track) => track.encodings.some((one) => one.live)).length === 2;
  };
  await waitFor(there, { what: `${publisher.name} to publish`, guard: GUARD, explain: () => publisher.explain() });
  mark();
  await Promise.all(players.map((player) => player.start(stage, meet, room, content)));
  mark();
  const cells = await Promise.all(players.map((player) => cell(meet, room, publisher, player)));
  mark();
  if (publisher.restart) await restart(publisher, players);
  await end(meet, room, publisher, players);
  mark();
  const [published, asked, played, ended] = marks.slice(1).map((at, n) => ((at - marks[n]) / 1000).toFixed(1));
  console.log(`${publisher.name}: ${published} s until it published, ${asked} until all players had begun, ${played} until all had received, ${ended} until all had left`);
  return cells;
}

/** What one player received of one publisher. */
async function cell(meet, room, publisher, player) {
  let last = {};
  const settled = async () => {
    last = await player.received();
    if (!last.sound) return null;
    return last.picture ? `${last.picture}; ${last.sound}` : await reason(meet, room, publisher, player, last);
  };
  try {
    return { text: await waitFor(settled, { what: 'picture and sound', guard: GUARD, every: 500, explain: () => player.explain() }) };
  } catch (error) {
    console.error(`${publisher.name} → ${player.name}: ${JSON.stringify(last)}\n${error.message}`);
    return { text: `**fails** (picture: ${last.picture || 'none'}; sound: ${last.sound || 'none'})`, failed: true };
  }
}

/** The sentence that says why there is no picture, if there is one: what the server says of the player's slots, and the page to the eye. */
async function reason(meet, room, publisher, player, { sound }) {
  const { participants } = await meet.api(`/api/rooms/${room}`);
  const slots = participants.find((one) => one.name === player.name)?.slots.filter((slot) => slot.kind === 'video') ?? [];
  const none = slots.length > 0 && slots.every((slot) => slot.empty) && slots.some((slot) => slot.empty === 'no-codec');
  const says = player.says ? await player.says() : 'it decodes no H264';
  return none && says && publisher.codec === 'H264' ? `no picture: ${says} (\`no-codec\`); ${sound}` : null;
}

/** A publisher's ICE restart: whoever saw it before sees it on. */
async function restart(publisher, players) {
  await publisher.restart();
  const [player] = players;
  const frames = async () => (await player.received(), JSON.parse(player.program.lines.at(-1)).video.frames);
  const before = await frames();
  await waitFor(async () => (await frames()) > before + 15, { what: `${player.name} to see on after the restart`, guard: GUARD });
  console.log(`${publisher.name}: ICE restarted by PATCH, media went on`);
}

/** Everybody leaves, by DELETE where there is a session; nobody stays behind. */
async function end(meet, room, publisher, players) {
  for (const client of [...players, publisher]) {
    const status = await client.stop();
    if (status !== null && status !== 200) throw new Error(`${client.name}: DELETE was answered ${status}`);
  }
  await waitFor(async () => !(await meet.api('/api/rooms')).some(({ name }) => name === room), {
    what: `${room} to be empty`,
    explain: async () => JSON.stringify(await meet.api('/api/rooms')),
  });
}

function table(publishers, players, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['publishes ↓ plays →', ...players.map((player) => player.name)]),
    line(['---', ...players.map(() => '---')]),
    ...publishers.map((publisher, n) => line([`${publisher.name} (${publisher.codec})`, ...rows[n].map(({ text }) => text)])),
  ].join('\n');
}

async function write(text) {
  const path = join(dirname(fileURLToPath(import.meta.url)), 'README.md');
  const [mark, over] = ['<!-- table -->', '<!-- end -->'];
  const readme = await readFile(path, 'utf8');
  const at = [readme.indexOf(mark) + mark.length, readme.indexOf(over)];
  await writeFile(path, `${readme.slice(0, at[0])}\n${text}\n${readme.slice(at[1])}`);
}

const stage = new Stage();
let failed = false;
try {
  const meet = await startMeet(stage);
  const { publishers, players } = await clients(stage);
  const chosen = publishers.filter(({ name }) => !options.only || options.only.includes(name));
  const rows = [];
  for (const [n, publisher] of chosen.entries()) {
    rows.push(await row(stage, meet, publisher, players, n));
    await rest(200);
  }
  const text = table(chosen, players, rows);
  console.log(`\n${text}\n`);
  failed = rows.flat().some((one) => one.failed);
  if (options.write && !failed && !options.only) await write(`Run on ${new Date().toISOString().slice(0, 10)}.\n\n${text}`);
} catch (error) {
  console.error(error);
  failed = true;
} finally {
  await stage.clear();
}
process.exit(failed ? 1 : 0);
