// The room protocol's socket: JSON out, JSON in, a ping every 3 s both ways, and word when it is lost.

const PING = 3_000;
const DEAD = 12_000;

/** Emits `open`, `close` (with the error code that the server gave, or null), and one event per message type. */
export class RoomSocket extends EventTarget {
  #socket;
  #timer;
  #heard = 0;
  #closed = false;
  #waiting = [];

  constructor(room) {
    super();
    // Relative to the page, which may be mounted below a prefix.
    const url = new URL(`api/ws/${encodeURIComponent(room)}`, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => {
      this.#heard = performance.now();
      this.#timer = setInterval(() => this.#beat(), PING);
      for (const text of this.#waiting.splice(0)) this.#socket.send(text);
      this.dispatchEvent(new Event('open'));
    };
    this.#socket.onmessage = ({ data }) => this.#message(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code >= 4000 ? reason : null);
  }

  /** Sends a message; one sent before the socket is open leaves with its opening. */
  send(type, fields = {}) {
    const text = JSON.stringify({ type, ...fields });
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else if (this.#socket.readyState === WebSocket.CONNECTING) this.#waiting.push(text);
  }

  /** Closes without a `close` event. */
  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket.close(1000);
  }

  get alive() {
    return !this.#closed && this.#socket.readyState <= WebSocket.OPEN;
  }

  #beat() {
    if (performance.now() - this.#heard > DEAD) {
      this.#socket.close();
      this.#end(null);
      return;
    }
    this.send('ping', { t: Math.round(performance.now()) });
  }

  #message(data) {
    this.#heard = performance.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === 'ping') this.send('pong', { t: message.t });
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #end(code) {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.dispatchEvent(new CustomEvent('close', { detail: code }));
  }
}
