// Makes the pictures of this folder, by real pages against a real server; the people are drawn.
//
//     cargo build -p meet -p load && (cd tests/browser && npm ci)
//     SALON_MEET=target/debug/meet SALON_LOAD=target/debug/load node docs/screenshots/make.mjs [room|people-and-chat|share|thirty …]

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as lib from '../../tests/browser/lib/index.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SIZES = [[1440, 900], [820, 1180], [390, 844]];
const SCHEMES = ['light', 'dark'];
const QUALITY = 62;

const PEOPLE = [
  { name: 'Ada Lovelace', skin: '#e8b996', hair: '#3b2114', shirt: '#2f7453', wall: ['#a9b9a4', '#e3efd9'], frame: 0.06 },
  { name: 'Blaise Nkemelu', skin: '#8a5836', hair: '#0f0a06', shirt: '#b83a2c', wall: ['#c8d9ee', '#7d8a99'], frame: 0.75 },
  { name: 'Chloé Fontaine', skin: '#f3cdb4', hair: '#b87a30', shirt: '#3b4781', wall: ['#f5dcb8', '#a5957a'], frame: 0.75 },
  { name: 'Denis Okoye', skin: '#6b4226', hair: '#0a0705', shirt: '#e8d58e', wall: ['#9db3a9', '#64776f'], frame: 0.75 },
  { name: 'Émilie Roux' },
  { name: 'Fatou Diallo' },
];

const VILLAGE = [
  ...['Blaise Nkemelu', 'Chloé Fontaine', 'Denis Okoye', 'Émilie Roux', 'Fatou Diallo', 'Gaspard Lenoir', 'Hana Suzuki', 'Idris Benali', 'Jeanne Mercier', 'Karim Haddad'],
  ...['Lucie Moreau', 'Marius Petit', 'Nadia Ferrand', 'Olivier Brun', 'Paula Ribeiro', 'Quentin Faure', 'Rosa Jiménez', 'Samir Aziz', 'Thérèse Colin', 'Ulysse Garnier'],
  ...['Vera Novak', 'Walid Cherif', 'Xenia Popov', 'Yann Le Goff', 'Zoé Lambert', 'Anton Weber', 'Brigitte Roy', 'Cyril Dumas', 'Dalia Rahman'],
];

const CHAT = [
  [1, 'Good evening, everybody. The plan for the square is on the screen in a moment.'],
  [2, 'Can we keep the two plane trees?'],
  [3, 'And the bench.'],
];

/** What runs in each page before its own scripts: camera, microphone and screen are drawn and sung here. */
function drawn({ person, speaks }) {
  const stream = (width, height, draw) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    draw(context, 0);
    setInterval(() => draw(context, performance.now() / 1_000), 66);
    return canvas.captureStream(15);
  };
  const face = (c, s) => {
    const ellipse = (x, y, rx, ry, colour) => {
      c.fillStyle = colour;
      c.beginPath();
      c.ellipse(x, y, rx, ry, 0, 0, 7);
      c.fill();
    };
    const wall = c.createLinearGradient(0, 0, 1280, 500);
    wall.addColorStop(0, person.wall[0]);
    wall.addColorStop(1, person.wall[1]);
    c.fillStyle = wall;
    c.fillRect(0, 0, 1280, 720);
    c.fillStyle = '#4c5a68';
    c.fillRect(1280 * person.frame, 90, 240, 290);
    c.fillStyle = '#fdfefb';
    c.fillRect(1280 * person.frame + 18, 108, 204, 254);
    const sway = 12 * Math.sin(s * 0.9 + person.name.length);
    ellipse(640, 760, 330, 240, person.shirt);
    c.fillStyle = person.skin;
    c.fillRect(590 + sway / 2, 420, 100, 130);
    ellipse(640 + sway, 250, 168, 182, person.hair);
    ellipse(640 + sway, 318, 128, 164, person.skin);
    c.fillStyle = person.hair;
    c.fillRect(515 + sway, 150, 250, 70);
    const blink = s % 4 < 0.15 ? 2 : 15;
    for (const x of [590, 690]) ellipse(x + sway, 312, 12, blink, '#17120e');
    ellipse(640 + sway, 408, 38, speaks ? 8 + 10 * Math.abs(Math.sin(s * 7)) : 9, '#9a3f41');
  };
  const slide = (c) => {
    const text = (size, x, y, what, colour = '#16251e') => {
      c.fillStyle = colour;
      c.font = `${size > 40 ? 'bold ' : ''}${size}px sans-serif`;
      c.fillText(what, x, y);
    };
    c.fillStyle = '#fff';
    c.fillRect(0, 0, 1280, 800);
    text(46, 70, 110, 'The square, after');
    for (const [i, line] of ['Two plane trees stay', 'Paving: local stone, open joints', 'Market on Saturdays, 7 to 13 h', 'Cost: 212,000; of which 60,000 from the region'].entries()) text(28, 100, 190 + 52 * i, `•  ${line}`);
    c.fillStyle = '#effbe9';
    c.fillRect(70, 430, 1140, 310);
    for (const [x, y] of [[240, 540], [430, 610]]) {
      c.fillStyle = '#86b486';
      c.beginPath();
      c.arc(x, y, 62, 0, 7);
      c.fill();
    }
    c.fillStyle = '#d3bd92';
    c.fillRect(610, 480, 540, 210);
    text(24, 840, 592, 'market', '#4b4030');
  };
  navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
    const tracks = [];
    if (video && person.skin) tracks.push(...stream(1280, 720, face).getVideoTracks());
    else if (video) throw new DOMException('no camera', 'NotFoundError');
    if (audio) {
      const context = new AudioContext();
      const [tone, gain, out] = [new OscillatorNode(context, { frequency: 180 }), new GainNode(context, { gain: speaks ? 0.3 : 0 }), context.createMediaStreamDestination()];
      tone.connect(gain).connect(out);
      tone.start();
      tracks.push(...out.stream.getAudioTracks());
    }
    return new MediaStream(tracks);
  };
  navigator.mediaDevices.getDisplayMedia = async () => stream(1280, 800, slide);
}

/** One more person's page, in a context of its own. */
async function come(browser, meet, room, n, { speaks = false } = {}) {
  const context = await browser.newContext({ viewport: { width: 640, height: 400 } });
  await context.addInitScript(drawn, { person: PEOPLE[n], speaks });
  const page = await context.newPage();
  await page.goto(meet.room(room, { name: PEOPLE[n].name, join: 1, ...(PEOPLE[n].skin ? {} : { video: 0 }) }), { waitUntil: 'load' });
  await page.waitForFunction(() => window.salon?.joined);
  if (!speaks) await page.keyboard.press('m');
  return page;
}

/** Ada's page: the one that is taken. She is a moderator. */
async function ada(tab, meet, room) {
  const context = await tab.page.context().browser().newContext({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1, locale: 'en' });
  await context.addInitScript(drawn, { person: PEOPLE[0], speaks: false });
  const page = await context.newPage();
  await page.goto(await lib.moderatorsLink(meet, room, { name: PEOPLE[0].name, join: 1 }), { waitUntil: 'load' });
  await page.waitForFunction(() => window.salon?.joined);
  await page.keyboard.press('m');
  return page;
}

/** Takes a page in all sizes and schemes, each when its pictures are as large as their tiles want them. */
async function take(page, name) {
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await lib.rest(3_000);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await lib.rest(400);
      const file = `${name}-${width}-${colorScheme}.jpg`;
      await page.screenshot({ path: join(HERE, file), type: 'jpeg', quality: QUALITY });
      console.log(file);
    }
  }
}

const asked = process.argv.slice(2);
const wanted = (name) => asked.length === 0 || asked.includes(name);
const stage = new lib.Stage();
try {
  const meet = await lib.startMeet(stage);
  const tab = await lib.openChromium(stage, {});
  const browser = tab.page.context().browser();
  if (['room', 'people-and-chat', 'share'].some(wanted)) {
    const own = await ada(tab, meet, 'town-hall');
    const others = [];
    for (let n = 1; n < PEOPLE.length; n++) others.push(await come(browser, meet, 'town-hall', n, { speaks: n === 1 }));
    await others[4].keyboard.press('h');
    await own.waitForFunction(() => Object.values(window.salon.slots).filter((s) => s.source === 'camera' && !s.empty).length >= 3);
    if (wanted('room')) await take(own, 'room');
    for (const [n, text] of CHAT) {
      await others[n - 1].evaluate((text) => {
        document.getElementById('chat-text').value = text;
        document.getElementById('chat-form').requestSubmit();
      }, text);
      await lib.rest(300);
    }
    if (wanted('people-and-chat')) {
      await own.setViewportSize({ width: 1440, height: 900 });
      await own.click('#b-side');
      await own.click('#b-lock');
      await own.locator('#people .tools > button').nth(1).click();
      await take(own, 'people-and-chat');
      await own.setViewportSize({ width: 1440, height: 900 });
      await own.click('#b-side-close').catch(() => own.keyboard.press('Escape'));
    }
    if (wanted('share')) {
      await others[1].keyboard.press('s');
      await own.waitForSelector('.tile[data-key$=":screen"]');
      await take(own, 'share');
    }
    for (const page of [own, ...others]) await page.context().close();
  }
  if (wanted('thirty')) {
    const load = await lib.startLoad(stage, meet, { room: 'evening', people: VILLAGE.length, args: ['--names', VILLAGE.join()] });
    const own = await ada(tab, meet, load.room);
    await own.waitForFunction(() => Object.values(window.salon.slots).filter((s) => s.source === 'camera' && !s.empty).length >= 9);
    await take(own, 'thirty');
  }
} finally {
  await stage.clear();
}
