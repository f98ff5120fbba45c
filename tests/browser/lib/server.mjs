// The conference server under test, and a small one for pages of our own.

import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import { extname, join, normalize } from 'node:path';

import { start } from './process.mjs';
import { waitFor } from './wait.mjs';

/** This machine's own address, beside loopback: a Firefox page without microphone gathers nothing else. */
export function ownAddress() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((a) => a.family === 'IPv4' && !a.internal)?.address ?? null;
}

/** A port that is free for TCP and for UDP at this moment. */
export async function freePort() {
  for (let tries = 0; tries < 20; tries++) {
    const tcp = createTcp();
    await new Promise((resolve, reject) => tcp.once('error', reject).listen(0, '0.0.0.0', resolve));
    const { port } = tcp.address();
    const udp = createSocket('udp4');
    const free = await new Promise((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '0.0.0.0', () => resolve(true));
    });
    await new Promise((resolve) => udp.close(resolve));
    await new Promise((resolve) => tcp.close(resolve));
    if (free) return port;
  }
  throw new Error('no port is free for both TCP and UDP');
}

/**
 * Starts `meet` and waits until it answers. `url` is where pages load it (loopback: browsers give a microphone there without TLS).
 *
 * `binary`: default `$SALON_MEET`. `port`: default a free one. `udp`: another port for media than the free one that is taken for both. `args`: more flags.
 * `environment`: more variables. `addresses`: what `--public-ip` says; default loopback and this machine's own. `at: [network, host, address]`:
 * where it runs, and by which of its addresses it is reached; pages come by HTTPS then.
 */
export async function startMeet(stage, { binary, port, udp, args = [], environment = {}, addresses, at } = {}) {
  const program = binary ?? process.env.SALON_MEET;
  if (!program) throw new Error('set SALON_MEET to the path of the meet program');
  port ??= at ? 8080 : await freePort();
  const ips = addresses ?? (at ? [] : ['127.0.0.1', ownAddress()].filter(Boolean));
  const [network, host, address] = at ?? [];
  const [first, ...before] = [...(network?.on(host) ?? []), program];
  const token = 'test-admin-token-0123456789';
  const directory = await stage.directory('salon-meet');
  const meet = start(
    stage,
    first,
    [
      ...before,
      ...(at ? ['--plain-http'] : []),
      ...['--listen', `${address?.includes(':') ? '[::]' : '0.0.0.0'}:${port}`, '--udp', String(udp ?? port), '--admin-token', token],
      ...ips.flatMap((ip) => ['--public-ip', ip]),
      ...args,
    ],
    { env: { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory, ...environment } },
  );
  const authority = `${address?.includes(':') ? `[${address}]` : (address ?? '127.0.0.1')}:${port}`;
  const url = `http://${authority}`;
  const page = at ? `https://${authority}` : url;
  const log = () => (meet.exit ? `it ended: ${JSON.stringify(meet.exit)}\n` : '') + meet.lines.join('\n');
  await waitFor(async () => meet.exit || (await fetch(`${url}/healthz`)).ok, { what: 'the server', guard: 20_000, explain: log });
  if (meet.exit) throw new Error(`the server did not start: ${log()}`);
  const api = async (path) => {
    // A connection of its own: one that was kept may have been closed by the server at this very moment.
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });
    if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
    return path.startsWith('/api') ? answer.json() : answer.text();
  };
  return {
    ...{ url, port, udp: udp ?? port, token, pid: meet.pid, log, api },
    stop: (signal) => meet.stop(signal),
    /** How it ended, once it has. */
    exit: () => meet.exit,
    /** The address of a room, with the page's own query, `{ name: 'Ada', join: 1 }`. */
    room: (name, query = {}) => `${page}/${encodeURIComponent(name)}?${new URLSearchParams(query)}`,
  };
}

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' };

/** Serves the files of some directories on loopback, the first that has one. */
export async function serveDirectory(stage, ...roots) {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    for (const root of roots) {
      const body = await readFile(join(root, path)).catch(() => null);
      if (!body) continue;
      return response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    }
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.onClear(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${server.address().port}`;
}
