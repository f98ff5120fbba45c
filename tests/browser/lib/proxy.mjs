// A reverse proxy on loopback, as somebody might put one before the server: HTTP and WebSocket pass, UDP does not.

import { createServer, request } from 'node:http';

/** Serves what `meet` serves under another port, and says for whom; resolves with `room(name, query)` as `meet` has it. */
export async function startProxy(stage, meet) {
  const sockets = new Set();
  const keep = (socket) => sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
  const onward = ({ method, url, headers }) =>
    request({ host: '127.0.0.1', port: meet.port, method, path: url, headers: { ...headers, 'x-forwarded-for': '198.51.100.1' } });
  const server = createServer((req, res) => {
    const there = onward(req).on('error', () => res.destroy());
    there.on('response', (answer) => answer.pipe(res.writeHead(answer.statusCode, answer.headers)));
    req.pipe(there);
  });
  server.on('upgrade', (req, socket, head) => {
    keep(socket);
    const there = onward(req).on('error', () => socket.destroy());
    there.on('upgrade', (answer, far, first) => {
      keep(far);
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      socket.write(first);
      far.write(head);
      far.pipe(socket).pipe(far);
    });
    there.on('response', () => socket.destroy());
    there.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.onClear(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, room: (name, query = {}) => `${url}/${encodeURIComponent(name)}?${new URLSearchParams(query)}` };
}
