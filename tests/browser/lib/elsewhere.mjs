// A browser whose driver must run in the browser's own network namespace: Firefox listens for its driver on a port of its loopback.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { openFirefox } from './firefox.mjs';
import { Stage } from './stage.mjs';

const SELF = fileURLToPath(import.meta.url);

/** Opens a Firefox on a host of a network; what it gives is used as a `Tab` is. */
export async function openFirefoxOn(stage, network, host, options) {
  const [program, ...before] = network.on(host);
  const child = fork(SELF, ['drive'], { execPath: program, execArgv: [...before, process.execPath], stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
  const calls = new Map();
  let number = 0;
  child.on('message', ({ id, value, error }) => {
    const call = calls.get(id);
    calls.delete(id);
    if (error) call?.reject(new Error(error));
    else call?.resolve(value);
  });
  child.on('exit', () => {
    for (const call of calls.values()) call.reject(new Error('the browser’s driver has ended'));
  });
  const ask = (method, ...args) =>
    new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Error('the browser’s driver has ended'));
      calls.set(++number, { resolve, reject });
      child.send({ id: number, method, args });
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  stage.onClear(async () => {
    if (child.connected) child.send({ id: 0, method: 'end', args: [] });
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10_000))]);
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All have ended by themselves.
    }
  });
  await ask('open', options);
  const tab = { browser: 'firefox', pid: child.pid, console: [], errors: [] };
  for (const method of ['click', 'resize', 'reload', 'kill', 'close']) tab[method] = (...args) => ask(method, ...args);
  tab.goto = async (url) => (await ask('goto', url), tab);
  tab.evaluate = (f, argument) => ask('evaluate', f.toString(), argument);
  return tab;
}

if (process.argv[2] === 'drive' && process.argv[1] === SELF) {
  const stage = new Stage();
  let tab = null;
  const methods = {
    open: async (options) => void (tab = await openFirefox(stage, options)),
    goto: async (url) => void (await tab.goto(url)),
    evaluate: (source, argument) => tab.evaluate((0, eval)(`(${source})`), argument),
    end: async () => {
      await stage.clear();
      process.exit(0);
    },
  };
  process.on('message', async ({ id, method, args }) => {
    try {
      const value = await (methods[method] ?? ((...all) => tab[method](...all).then(() => undefined)))(...args);
      process.send({ id, value });
    } catch (e) {
      process.send({ id, error: e.message });
    }
  });
}
