// Clients that are pages in a browser.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as lib from '../../browser/lib/index.mjs';

const HERE = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Where our own page for npm whip-whep is served: another origin than the server's, so that CORS is proved. */
export const servePages = (stage) => lib.serveDirectory(stage, join(HERE, 'pages'), join(HERE, 'node_modules'));

/** What a page received: pictures by their frames and colour, sound by its tone. */
async function received(tab, { tone, isColour }) {
  if (!(await tab.evaluate(() => Boolean(window.salon?.pc)))) return {};
  const streams = Object.entries(await lib.incoming(tab)).filter(([, s]) => s.kind === 'video' && s.framesDecoded >= 15 && s.width === 320);
  const colours = streams.length ? await lib.colours(tab) : {};
  const picture = streams.some(([mid]) => colours[mid] && isColour(colours[mid]));
  const sound = (await lib.hears(tab, tone)) !== null;
  return { picture: picture && 'decoded', sound: sound && `${tone} Hz` };
}

/** Ends the session. It ends the media first: where that is quicker than its DELETE, the session is gone already. */
async function stopped(tab) {
  const status = await tab.evaluate(() => window.salon.stop());
  return status === 404 ? null : status;
}

const explain = async (tab) => [...tab.console, ...tab.errors, JSON.stringify(await lib.incoming(tab).catch(String))].join('\n');

/** npm whip-whep in Chromium, publishing its fake devices. */
export class PagePublisher {
  name = 'whip-whep in Chromium';
  codec = 'VP8';

  constructor(pages) {
    this.pages = pages;
  }

  async start(stage, url, { tone, colour }) {
    const directory = await stage.directory();
    this.tab = await lib.openChromium(stage, {
      tone: await lib.writeTone(join(directory, 'tone.wav'), { frequency: tone }),
      clip: await lib.writeClip(join(directory, 'clip.y4m'), { colour }),
    });
    await this.tab.goto(`${this.pages}/client.html?${new URLSearchParams({ mode: 'publish', url })}`);
  }

  /** Restarts ICE by PATCH; resolves when packets flow on the new path. */
  async restart() {
    const before = await this.tab.evaluate(() => window.salon.restart());
    await lib.waitFor(() => this.tab.evaluate(() => window.salon.path()).then((path) => path && path !== before), {
      what: 'a path after the ICE restart',
      explain: () => explain(this.tab),
    });
  }

  explain() {
    return explain(this.tab);
  }

  async stop() {
    const status = await stopped(this.tab);
    await this.tab.close();
    return status;
  }
}

/** npm whip-whep in Chromium, playing. */
export class PagePlayer {
  name = 'whip-whep in Chromium';

  constructor(pages) {
    this.pages = pages;
  }

  async start(stage, { url }, room, content) {
    this.content = content;
    this.tab ??= await lib.openChromium(stage, { devices: false });
    const from = `${url}/whep/${room}?name=${encodeURIComponent(this.name)}`;
    await this.tab.goto(`${this.pages}/client.html?${new URLSearchParams({ mode: 'play', url: from })}`);
  }

  received() {
    return received(this.tab, this.content);
  }

  explain() {
    return explain(this.tab);
  }

  stop() {
    return stopped(this.tab);
  }
}

/** The conference's own page, which sends nothing itself. */
export class ConferencePlayer {
  constructor(browser) {
    Object.assign(this, { browser, name: `the page in ${browser === 'firefox' ? 'Firefox' : 'Chromium'}` });
  }

  async start(stage, meet, room, content) {
    this.content = content;
    this.tab ??= await lib.openPerson(stage, 0, { browser: this.browser, tone: null, clip: null });
    await lib.joinRoom(this.tab, meet, room, { name: this.name, audio: 0, video: 0 });
  }

  received() {
    return received(this.tab, this.content);
  }

  /** What the page says to the eye where there is no picture. */
  async says() {
    const sentence = 'this browser cannot show this picture';
    return (await lib.said(this.tab)).includes(sentence) && `“${sentence}”`;
  }

  explain() {
    return explain(this.tab);
  }

  async stop() {
    await this.tab.goto('about:blank');
    return null;
  }
}
