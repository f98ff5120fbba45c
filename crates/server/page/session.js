// Being in a room, and coming back to it by itself: the connection that carries words, the one that carries sound and picture, and what
// is done when one of them, or both, or the server, is lost.
//
// - The words are lost: another connection takes over (`resume`); sound and picture have gone on meanwhile.
// - The path of sound and picture is lost: an ICE restart looks for another one, with the same keys and streams.
// - The server knows us no more, or nothing else helped: joins anew, with another media connection, the same tracks and the same elements.

import { Call, Elements } from './call.js';
import { RoomSocket } from './socket.js';

/** After this long without a path the page says so: nobody should wait for 6 s without a word. */
const UNREACHABLE = 5_500;
/** A path that is lost for so long is looked for anew; then every so often, and after so many attempts one joins anew. */
const RESTART_AFTER = 3_000;
const RESTART_EVERY = 4_000;
const RESTARTS = 3;
/** An answer that does not come by then means that the connection is dead. */
const ANSWER_WITHIN = 2_000;
/** One attempt to come back begins so long after the one before: the shortest time, and the longest. */
const BACK_FIRST = 300;
const BACK_LONGEST = 2_000;
/** A pong that does not come by then, when the network has changed. */
const PROBE = 1_500;
/** A clock that jumps by more means that the machine slept. */
const SLEPT = 5_000;
/** Without any packet for so long, where the server sends reports each second, the path is looked after. */
const STALLED = 3_000;
/** Refusals that another attempt would only meet again. */
const FINAL = new Set([
  ...['replaced', 'room-full', 'too-many-rooms', 'server-full', 'bad-name', 'bad-sdp', 'bad-source', 'not-text', 'too-large'],
  ...['removed', 'ended', 'key-needed', 'bad-key', 'locked', 'not-admitted'],
]);

/** Emits what the server says, by its type; and `path` (`connected`, `disconnected`, `failed`, `unreachable`), `lost`, `back`, `over` (with an error), `silent`. */
export class Session extends EventTarget {
  /** What the answers to `join` said last. */
  media = [];
  joined = false;
  #room;
  #hello;
  #devices;
  #elements = new Elements();
  #socket = null;
  #call = null;
  #token = null;
  #joining = null;
  #answered = null;
  #returning = false;
  #hurry = () => {};
  #reachTimer = null;
  #restartTimer = null;
  #restarts = 0;

  /** `hello()` gives what a `join` says of the person: `{ name, muted, key }`. */
  constructor({ room, devices, hello }) {
    super();
    this.#room = room;
    this.#devices = devices;
    this.#hello = hello;
    this.#call = this.#newCall();
    this.#openSocket();
    this.#watchTheWorld();
    // A page that is reloaded without having left, after a crash, leaves no ghost.
    const [navigation] = performance.getEntriesByType('navigation');
    if (navigation?.type === 'reload') this.#token = sessionStorage.getItem(`token:${room}`);
  }

  get call() {
    return this.#call;
  }

  send(type, fields) {
    this.#socket?.send(type, fields);
  }

  /** Joins; rejects with the server's error. */
  async join() {
    if (this.#joining) return;
    try {
      await this.#enter();
    } finally {
      this.#joining = null;
    }
  }

  /** Sends an offer; gives the answer's SDP. */
  negotiate = (description) => {
    if (!this.#socket?.alive) return Promise.reject({ code: 'offline' });
    const answer = new Promise((resolve, reject) => {
      this.#answered = { resolve, reject };
      this.send('offer', description);
    });
    const socket = this.#socket;
    const late = setTimeout(() => socket?.probe(PROBE), ANSWER_WITHIN);
    return answer.finally(() => {
      clearTimeout(late);
      this.#answered = null;
    });
  };

  /** Leaves for good. */
  leave() {
    this.joined = false;
    clearTimeout(this.#reachTimer);
    clearTimeout(this.#restartTimer);
    sessionStorage.removeItem(`token:${this.#room}`);
    this.send('leave');
    this.#socket?.close();
    this.#call.close();
    this.#elements.clear();
    this.#hurry();
  }

  /** The page goes away, and may come back out of the browser's memory. */
  goodbye() {
    sessionStorage.removeItem(`token:${this.#room}`);
    this.send('leave');
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #newCall() {
    const call = new Call(this.#elements);
    call.addEventListener('silent', () => this.#emit('silent'));
    call.addEventListener('state', ({ detail }) => call === this.#call && this.#pathIs(detail));
    return call;
  }

  // --- words -------------------------------------------------------------------------------------------------------

  #openSocket() {
    const mine = new RoomSocket(this.#room);
    this.#socket = mine;
    const on = (type, handle) => mine.addEventListener(type, ({ detail }) => mine === this.#socket && handle(detail));
    on('welcome', (message) => this.#joining?.resolve(message));
    on('answer', ({ sdp }) => this.#answered?.resolve(sdp));
    on('error', (error) => {
      if (error.re === 'offer') this.#answered?.reject(error);
      else if (error.re === 'join') this.#joining?.reject(error);
      if (error.fatal && FINAL.has(error.code) && this.joined) this.#over(error);
    });
    on('encodings', ({ encodings }) => this.#call.setEncodings(encodings));
    const passed = ['joined', 'changed', 'left', 'slots', 'floor', 'speaking', 'media', 'chat', 'drain', 'waiting', 'knock', 'knock-over', 'locked', 'hushed', 'connection', 'error', 'resumed'];
    for (const type of passed) on(type, (detail) => this.#emit(type, detail));
    on('close', (code) => {
      const error = { code: code ?? 'offline' };
      this.#answered?.reject(error);
      this.#joining?.reject(error);
      if (this.joined) this.#comeBack();
      // Not in the room yet: another kind of connection, or another moment, may open.
      else if (!this.#joining) setTimeout(() => mine === this.#socket && !this.#socket.alive && this.#openSocket(), BACK_LONGEST * Math.random());
    });
    return mine;
  }

  #over(error) {
    this.leave();
    this.#emit('over', error);
  }

  /** The connection is gone, and not by our own will: tries to take over again, until it works or makes no sense. */
  async #comeBack() {
    if (this.#returning) return;
    this.#returning = true;
    this.#emit('lost');
    for (let cycle = BACK_FIRST; this.joined; cycle = Math.min(2 * cycle, BACK_LONGEST)) {
      const began = performance.now();
      // Not all pages of a room at the same moment.
      await this.#pause(cycle * (0.5 + Math.random() / 2));
      if (!this.joined) break;
      const error = await this.#attempt();
      // It may be lost again by now, which was told while we were still busy with the first loss.
      if (!error && this.#socket.alive) break;
      if (FINAL.has(error?.code)) {
        this.#over(error);
        break;
      }
      if (this.#socket.alive) this.#socket.close();
      // An attempt that took long has waited already.
      if (performance.now() - began > cycle) cycle = BACK_FIRST;
    }
    this.#returning = false;
    if (this.joined) {
      this.#emit('back');
      // What broke the one path may have moved the other, and the browser would notice seconds later: a restart costs a few packets.
      this.#restartPath(true);
    }
  }

  /** Takes over, or joins anew; gives the error if neither works. */
  async #attempt() {
    const socket = this.#openSocket();
    const resumed = await new Promise((resolve) => {
      socket.addEventListener('resumed', ({ detail }) => resolve({ detail }));
      socket.addEventListener('error', ({ detail }) => resolve({ error: detail }));
      socket.addEventListener('close', ({ detail }) => resolve({ error: { code: detail ?? 'offline' } }));
      socket.send('resume', { token: this.#token });
    });
    if (!resumed.error) {
      this.media = resumed.detail.media;
      this.#call.setEncodings(resumed.detail.encodings);
      return null;
    }
    if (resumed.error.code !== 'not-here') return resumed.error;
    return this.#anew();
  }

  /** Joins with another media connection; gives the error if that does not work. */
  async #anew() {
    clearTimeout(this.#reachTimer);
    clearTimeout(this.#restartTimer);
    this.#call.close();
    this.#call = this.#newCall();
    try {
      await this.#enter();
      return null;
    } catch (error) {
      return error.code ? error : { code: 'internal', text: String(error) };
    } finally {
      this.#joining = null;
    }
  }

  async #enter() {
    if (!this.#socket.alive) this.#openSocket();
    const welcomed = new Promise((resolve, reject) => (this.#joining = { resolve, reject }));
    welcomed.catch(() => {});
    const description = await this.#call.prepare(this.#devices);
    const { name, muted, key } = this.#hello();
    this.send('join', { name, muted, key, ...description, replaces: this.#token ?? undefined });
    await this.#welcome(await welcomed);
  }

  async #welcome(message) {
    this.media = message.media ?? [];
    this.#token = message.token;
    sessionStorage.setItem(`token:${this.#room}`, message.token);
    this.joined = true;
    this.#restarts = 0;
    const mine = this.#call;
    clearTimeout(this.#reachTimer);
    this.#reachTimer = setTimeout(() => mine === this.#call && mine.pc.connectionState !== 'connected' && this.#emit('path', 'unreachable'), UNREACHABLE);
    const answered = mine.answer(message.sdp);
    this.#emit('welcome', message);
    await answered;
    this.#emit('answered');
  }

  // --- the path of sound and picture ---------------------------------------------------------------------------------

  #pathIs(now) {
    clearTimeout(this.#restartTimer);
    if (now === 'connected') {
      clearTimeout(this.#reachTimer);
      this.#restarts = 0;
    } else if (now === 'disconnected' || now === 'failed') {
      this.#restartTimer = setTimeout(() => this.#restartPath(), now === 'failed' ? 0 : RESTART_AFTER);
    }
    this.#emit('path', now);
  }

  /** `anyway`: also where the browser knows of no trouble. */
  async #restartPath(anyway = false) {
    clearTimeout(this.#restartTimer);
    const { pc } = this.#call;
    if (!this.joined || this.#returning || (pc.connectionState === 'connected' && !anyway)) return;
    this.#restartTimer = setTimeout(() => this.#restartPath(), RESTART_EVERY);
    // What does not connect again has no state worth keeping: leaves, and joins anew.
    if (this.#restarts++ >= RESTARTS) {
      this.#restarts = 0;
      this.#socket.close();
      return this.#comeBack();
    }
    await this.#call.restart(this.negotiate).catch(() => {});
  }

  // --- the world -------------------------------------------------------------------------------------------------------

  /** Waits, or until something happened that makes waiting senseless. */
  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #watchTheWorld() {
    const changed = () => {
      if (!this.joined) return;
      this.#hurry();
      this.#socket.probe(PROBE);
      // The address may be another one: whatever the connection thinks of its path, a new one is looked for.
      this.#restartPath(true);
    };
    addEventListener('online', changed);
    navigator.connection?.addEventListener?.('change', changed);
    let last = Date.now();
    let heard = { packets: -1, at: last, pc: null };
    setInterval(async () => {
      const now = Date.now();
      if (now - last > SLEPT) changed();
      last = now;
      const { pc } = this.#call;
      if (!this.joined || pc.connectionState !== 'connected') return;
      const packets = await this.#call.packetsReceived();
      if (packets !== heard.packets || pc !== heard.pc) heard = { packets, at: now, pc };
      else if (now - heard.at >= STALLED) {
        heard.at = now;
        changed();
      }
    }, 1_000);
  }
}
