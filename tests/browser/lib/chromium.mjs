// Chromium, by playwright-core. One process for each person: the fake devices' files are flags of the process.

import { chromium } from 'playwright-core';

import { Tab, plainMicrophone } from './tab.mjs';

const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The Chromium that tests use. */
export const chromiumProgram = () => process.env.SALON_CHROMIUM ?? '/usr/bin/chromium';

/**
 * Opens a Chromium with one empty page.
 *
 * `tone`, `clip`: files for microphone and camera (default: Chromium's beeps and its green pie). `devices: false`: none, and
 * permission refused. `autoplay`: `free` (default) lets sound play at once; `gesture` as a real user's browser, which may refuse.
 * `loopback: false` keeps 127.0.0.1 out of its candidates, as a real user's browser does. `args`: more flags. `program`: what is run instead of
 * Debian's Chromium.
 */
export async function openChromium(stage, { tone, clip, devices = true, autoplay = 'free', loopback = true, viewport = { width: 960, height: 600 }, locale, args = [], program } = {}) {
  const flags = [
    ...QUIET,
    ...(devices ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []),
    ...(tone ? [`--use-file-for-fake-audio-capture=${tone}`] : []),
    ...(clip ? [`--use-file-for-fake-video-capture=${clip}`] : []),
    ...(loopback ? ['--allow-loopback-in-peer-connection'] : []),
    `--autoplay-policy=${autoplay === 'free' ? 'no-user-gesture-required' : 'document-user-activation-required'}`,
    ...args,
  ];
  const server = await chromium.launchServer({
    executablePath: program ?? chromiumProgram(),
    args: flags,
    host: '127.0.0.1',
    timeout: 60_000,
  });
  let open = true;
  const close = async () => {
    if (open) await server.close();
    open = false;
  };
  stage.onClear(close);
  const browser = await chromium.connect(server.wsEndpoint());
  const context = await browser.newContext({ viewport, locale, ignoreHTTPSErrors: true });
  await context.addInitScript(plainMicrophone);
  const page = await context.newPage();
  const driver = {
    resize: (width, height) => page.setViewportSize({ width, height }),
    kill: async () => {
      open = false;
      await server.kill();
    },
    close,
  };
  return new Tab(page, { browser: 'chromium', pid: server.process().pid, driver });
}
