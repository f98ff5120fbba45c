// The buttons at the bottom and the keys: microphone, camera, screen, hand, sound only, side, link, leave.

import { t } from './words.js';

const $ = (id) => document.getElementById(id);
const glyphs = { mic: '🎤', camera: '📷', screen: '🖥', hand: '✋', ear: '👂', chat: '💬', link: '🔗', leave: '📞' };

/** How long the word about a copied link stands; how long the link itself, where it could not be copied. */
const COPIED = 2_000;
const LINK = 10_000;

export class Controls {
  /** What the person wants, whatever the devices say. */
  audio;
  video;
  hand = false;
  audioOnly = false;
  #page;
  #cameraBefore = false;
  #screen = null;

  /** `page`: `{ devices, call, room, send(type, fields), negotiate(description), say(kind, text), leave(), sideOpened() }`, the second and third as they are now. */
  constructor(page, { audio, video }) {
    this.#page = page;
    this.audio = audio;
    this.video = video;
    for (const b of document.querySelectorAll('#controls button')) b.dataset.glyph = glyphs[b.dataset.icon];
    for (const id of ['b-mic', 'b-camera']) $(id).classList.add('live');
    for (const id of ['b-screen', 'b-hand', 'b-audio-only', 'b-side']) $(id).classList.add('toggle');
    $('b-screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
    const toggleCamera = () => this.setCamera(!this.video || !page.devices.camera);
    const actions = {
      'b-mic': () => this.toggleMicrophone(),
      'b-camera': toggleCamera,
      'b-screen': () => this.toggleScreen(),
      'b-hand': () => this.#toggleHand(),
      'b-audio-only': () => this.#toggleAudioOnly(),
      'b-side': () => this.#toggleSide(),
      'b-link': () => this.#copyLink(),
      'b-leave': () => page.leave(),
    };
    for (const [id, act] of Object.entries(actions)) $(id).onclick = act;
    const keys = { m: 'b-mic', c: 'b-camera', s: 'b-screen', h: 'b-hand', a: 'b-audio-only' };
    addEventListener('keydown', (event) => {
      if (!page.room || event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      actions[keys[event.key.toLowerCase()]]?.();
    });
  }

  /** Shows how everything stands. */
  draw() {
    const { devices } = this.#page;
    const press = (id, on) => $(id).setAttribute('aria-pressed', String(on));
    press('b-mic', this.audio && Boolean(devices.microphone));
    press('b-camera', this.video && Boolean(devices.camera));
    press('b-screen', Boolean(this.#screen));
    press('b-hand', this.hand);
    press('b-audio-only', this.audioOnly);
    press('b-side', !$('side').hidden);
  }

  /** The sources that are silent. */
  muted() {
    const { devices } = this.#page;
    return [!(this.audio && devices.microphone) && 'microphone', !(this.video && devices.camera) && 'camera'].filter(Boolean);
  }

  /** What is sent of a source now: its track, or nothing. */
  track(kind) {
    return (kind === 'microphone' ? this.audio : this.video) ? this.#page.devices[kind] : null;
  }

  /** Tells the others whether a source is silent. */
  tell(kind) {
    this.#page.send('mute', { source: kind, muted: !this.track(kind) });
  }

  async toggleMicrophone() {
    const { devices, call } = this.#page;
    if (!devices.microphone) {
      if (!(await devices.choose('microphone', ''))) return;
      this.audio = false;
    }
    this.audio = !this.audio;
    devices.microphone.enabled = this.audio;
    // Nothing at all leaves a muted microphone: a disabled track would still send silence.
    await call.replace('microphone', this.track('microphone'));
    this.tell('microphone');
    this.#done();
  }

  /** A moderator muted a source: as if by one's own hand. */
  async hushed(source) {
    if (source === 'microphone' && this.audio) await this.toggleMicrophone();
    else if (source === 'camera' && this.video) await this.setCamera(false);
    else if (source === 'screen' && this.#screen) await this.toggleScreen();
  }

  /** Whether one may send at all. */
  allow(sending) {
    for (const id of ['b-mic', 'b-camera', 'b-screen']) $(id).disabled = !sending;
  }

  async setCamera(on) {
    const { devices, call } = this.#page;
    if (on && !devices.camera && !(await devices.choose('camera', ''))) return;
    this.video = on;
    await call.replace('camera', this.track('camera'));
    if (!on) devices.closeCamera();
    this.tell('camera');
    this.#done();
  }

  async toggleScreen() {
    const { devices } = this.#page;
    if (this.#screen) {
      this.stopScreen();
      return this.share();
    }
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: true }).catch(() => null);
    if (!stream) return;
    if (!this.#page.room) return stream.getTracks().forEach((track) => track.stop());
    this.stopScreen();
    this.#screen = stream;
    devices.screen = stream.getVideoTracks()[0];
    devices.screen.contentHint = 'detail';
    devices.screen.onended = () => this.#screen === stream && this.toggleScreen();
    return this.share();
  }

  /** Tells the server what is shared now; after coming back too. */
  async share() {
    const { call, negotiate } = this.#page;
    await call.share(this.#screen, negotiate).catch(() => this.stopScreen());
    this.#done();
  }

  get sharing() {
    return Boolean(this.#screen);
  }

  /** Ends the capture of the screen; says nothing to anybody. */
  stopScreen() {
    for (const track of this.#screen?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#screen = this.#page.devices.screen = null;
  }

  async #toggleAudioOnly() {
    const { devices } = this.#page;
    this.audioOnly = !this.audioOnly;
    this.#page.room?.setAudioOnly(this.audioOnly);
    if (this.audioOnly) {
      this.#cameraBefore = this.video && Boolean(devices.camera);
      if (this.#screen) await this.toggleScreen();
      if (this.video) await this.setCamera(false);
    } else if (this.#cameraBefore) {
      await this.setCamera(true);
    }
    this.#done();
  }

  #toggleHand() {
    this.hand = !this.hand;
    this.#page.send('hand', { raised: this.hand });
    this.draw();
  }

  #toggleSide() {
    $('side').hidden = !$('side').hidden;
    this.#page.sideOpened();
    this.draw();
  }

  async #copyLink() {
    const { say } = this.#page;
    const link = location.origin + location.pathname;
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    say('note', copied ? t('link-copied') : link);
    setTimeout(() => say('note'), copied ? COPIED : LINK);
  }

  #done() {
    this.#page.room?.draw();
    this.draw();
  }
}
