// Firefox as Debian ships it, by puppeteer-core over WebDriver BiDi.

import puppeteer from 'puppeteer-core';

import { startPulse } from './pulse.mjs';
import { Tab, plainMicrophone } from './tab.mjs';

/** The frequency of its fake microphone where a test says nothing else. */
export const FIREFOX_TONE = 1000;

/**
 * Opens a Firefox with one empty page, and a PulseAudio for it.
 *
 * `frequency`: of its fake microphone, Hz (files are not possible). `devices: false`: permission refused. `autoplay`: as for Chromium.
 * `loopback: false` keeps 127.0.0.1 out of its candidates. `prefs`: more of them.
 */
export async function openFirefox(stage, { frequency = FIREFOX_TONE, devices = true, autoplay = 'free', loopback = true, viewport = { width: 960, height: 600 }, prefs = {} } = {}) {
  const pulse = await startPulse(stage);
  const home = await stage.directory('salon-firefox');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.SALON_FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    acceptInsecureCerts: true,
    defaultViewport: null,
    timeout: 60_000,
    protocolTimeout: 60_000,
    env: { ...process.env, HOME: home, ...pulse },
    extraPrefsFirefox: {
      'media.navigator.streams.fake': devices,
      'media.navigator.permission.disabled': devices,
      'permissions.default.camera': devices ? 1 : 2,
      'permissions.default.microphone': devices ? 1 : 2,
      'media.navigator.audio.fake_frequency': frequency,
      // Otherwise the picture shrinks when the machine is busy, and a test of sizes says nothing.
      'media.navigator.load_adapt': false,
      'media.peerconnection.ice.loopback': loopback,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': autoplay === 'free' ? 0 : 1,
      'media.autoplay.blocking_policy': 0,
      // A hidden window would tick once a second.
      'dom.min_background_timeout_value': 4,
      'media.gmp-manager.updateEnabled': false,
      'media.gmp-provider.enabled': false,
      'app.update.disabledForTesting': true,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'toolkit.telemetry.enabled': false,
      ...prefs,
    },
  });
  const process_ = browser.process();
  let open = true;
  const close = async () => {
    if (open) await browser.close();
    open = false;
  };
  stage.onClear(close);
  const [page] = await browser.pages();
  await page.setViewport(viewport);
  await page.evaluateOnNewDocument(plainMicrophone);
  const driver = {
    resize: (width, height) => page.setViewport({ width, height }),
    kill: async () => {
      open = false;
      const ended = new Promise((resolve) => process_.once('exit', resolve));
      process_.kill('SIGKILL');
      await ended;
    },
    close,
  };
  return new Tab(page, { browser: 'firefox', pid: process_.pid, driver });
}
