// The room protocol's connection: JSON out, JSON in, a ping every 3 s both ways, and word when it is lost. A WebSocket, or where none
// can be opened an event stream with posts.

const PING = 3_000;
/** Both sides ping every 3 s: who is silent through two of them is not reached any more. Taking over again costs little. */
const DEAD = 7_000;
/** A connection that is not open by then is given up: the next attempt may meet a network that works again. */
const OPEN_WITHIN = 2_500;

/** Which kind the next attempt takes: the one that opened last; after a failure the other one. */
let kind = 0;

/** A WebSocket. `on`: `{ open(), text(data), end(code) }`. */
class Socket {
  #socket;

  constructor(room, on) {
    // Relative to the page, which may be mounted below a prefix.
    const url = new URL(`api/ws/${encodeURIComponent(room)}`, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => on.open();
    this.#socket.onmessage = ({ data }) => on.text(data);
    this.#socket.onclose = ({ code, reason }) => on.end(code >= 4000 ? reason : null);
  }

  send(text) {
    this.#socket.send(text);
  }

  /** `gone`: the person leaves; otherwise only the connection is given up. */
  close(gone) {
    if (gone) this.#socket.close(1000);
    else this.#socket.close();
  }
}

/** An event stream and posts; the same events. */
class Events {
  #source;
  #on;
  #url;
  #posts = Promise.resolve();

  constructor(room, on) {
    this.#on = on;
    this.#url = new URL(`api/events/${encodeURIComponent(room)}`, location.href).href;
    this.#source = new EventSource(this.#url);
    this.#source.addEventListener('open', ({ data }) => {
      // The browser's own word that the stream is open has no data; the server's has the place to post to.
      if (!data) return;
      this.#url += `/${data}`;
      on.open();
    });
    this.#source.onmessage = ({ data }) => on.text(data);
    this.#source.onerror = () => this.#end();
  }

  send(text) {
    const post = () => fetch(this.#url, { method: 'POST', body: text }).then(({ ok }) => ok || this.#end(), () => this.#end());
    // One after the other: the server hears them in the order in which they arrive. The last one may outlive the page.
    if (JSON.parse(text).type === 'leave') navigator.sendBeacon(this.#url, text);
    else this.#posts = this.#posts.then(post);
  }

  close() {
    this.#source.close();
  }

  #end() {
    this.#source.close();
    this.#on.end(null);
  }
}

const KINDS = [Socket, Events];

/** Emits `open`, `close` (with the error code that the server gave, or null), and one event per message type. */
export class RoomSocket extends EventTarget {
  #wire;
  #timer;
  #heard = performance.now();
  #open = false;
  #closed = false;
  #waiting = [];

  constructor(room) {
    super();
    const late = setTimeout(() => this.#fail(), OPEN_WITHIN);
    this.#wire = new KINDS[kind](room, {
      open: () => {
        clearTimeout(late);
        if (this.#closed) return;
        this.#open = true;
        this.#heard = performance.now();
        this.#timer = setInterval(() => this.#beat(), PING);
        for (const text of this.#waiting.splice(0)) this.#wire.send(text);
        this.dispatchEvent(new Event('open'));
      },
      text: (data) => this.#message(data),
      end: (code) => {
        clearTimeout(late);
        this.#end(code);
      },
    });
  }

  /** Sends a message; one sent before the connection is open leaves with its opening. */
  send(type, fields = {}) {
    const text = JSON.stringify({ type, ...fields });
    if (this.#closed) return;
    if (this.#open) this.#wire.send(text);
    else this.#waiting.push(text);
  }

  /** Closes without a `close` event; the server takes it for a leave. */
  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#wire.close(true);
  }

  get alive() {
    return !this.#closed;
  }

  /** Gives the connection up unless something is heard within `ms`: the network may have changed under it. */
  probe(ms) {
    if (this.#closed || !this.#open) return;
    const asked = performance.now();
    this.send('ping', { t: Math.round(asked) });
    setTimeout(() => this.#heard < asked && this.#fail(), ms);
  }

  #fail() {
    if (this.#closed) return;
    this.#wire.close(false);
    this.#end(null);
  }

  #beat() {
    if (performance.now() - this.#heard > DEAD) this.#fail();
    else this.send('ping', { t: Math.round(performance.now()) });
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
    if (!this.#open) kind = (kind + 1) % KINDS.length;
    this.dispatchEvent(new CustomEvent('close', { detail: code }));
  }
}
