// The buttons at the bottom and their keys.

import { Dialogs } from './dialogs.js';
import { Unheard } from './unheard.js';
import { t } from './words.js';

const $ = (id) => document.getElementById(id);

/** How long the word about a copied link stands; how long the link itself, where it could not be copied. */
const COPIED = 2_000;
const LINK = 10_000;
/** How long the sign stands that one speaks unheard. */
const UNHEARD = 6_000;

export class Controls {
  /** What the person wants, whatever the devices say. */
  audio;
  video;
  hand = false;
  audioOnly = false;
  /** How this page is looked at; remembered. */
  speakerView = localStorage.getItem('speaker-view') === '1';
  tucked = localStorage.getItem('tucked') === '1';
  #page;
  #unheard = new Unheard(() => this.#sayUnheard());
  #unheardTimer = null;
  #cameraBefore = false;
  #screen = null;

  /**
   * `page`: `{ devices, call, room, send(type, fields), negotiate(description), say(kind, text), leave(), sideOpened(), open(dialog) }`, the second
   * and third as they are now.
   */
  constructor(page, { audio, video }) {
    this.#page = page;
    this.audio = audio;
    this.video = video;
    $('b-screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
    const actions = {
      'b-mic': () => this.toggleMicrophone(),
      'b-camera': () => this.setCamera(!this.video || !page.devices.camera),
      'b-screen': () => this.toggleScreen(),
      'b-hand': () => this.#toggleHand(),
      'b-layout': () => this.#toggleLayout(),
      'b-audio-only': () => this.#toggleAudioOnly(),
      'b-side': () => this.#toggleSide(),
      'b-side-close': () => this.#toggleSide(),
      'b-link': () => this.#copyLink(),
      'b-invite': () => this.#copyLink(),
      'b-settings': () => page.open('settings'),
      'b-help': () => page.open('help'),
      'b-more': () => this.#toggleMenu($('b-more').getAttribute('aria-expanded') === 'false'),
      'b-leave': () => page.leave(),
      unheard: () => this.toggleMicrophone(),
    };
    for (const [id, act] of Object.entries(actions)) $(id).onclick = act;
    // On a phone the menu closes when something of it was chosen, or anything else was touched: before that is done, so that a dialog gives the
    // focus back to what is still there.
    addEventListener('click', (event) => event.target.closest('#b-more') || this.#toggleMenu(false), true);
    $('show-self').onchange = () => this.tuck(!$('show-self').checked);
    this.#listen(actions);
  }

  #listen(actions) {
    const page = this.#page;
    const keys = Object.fromEntries([...document.querySelectorAll('[data-key]')].filter((e) => e.id).map((e) => [e.dataset.key, e.id]));
    addEventListener('keydown', (event) => {
      if (!page.room || Dialogs.any()) return;
      if (event.key === 'Escape') return this.#escape();
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      const id = keys[event.key.toLowerCase()];
      if (!id || $(id).disabled || $(id).hidden) return;
      event.preventDefault();
      // A finger that slips must end no conversation.
      if (id === 'b-leave') page.open('leaving');
      else actions[id]();
    });
  }

  /** Closes what lies over the stage, and gives the focus back to what opened it. */
  #escape() {
    if ($('b-more').getAttribute('aria-expanded') === 'true') {
      this.#toggleMenu(false);
      $('b-more').focus();
    } else if (!$('side').hidden) this.#toggleSide();
  }

  /** Shows how everything stands. */
  draw() {
    const { devices, room } = this.#page;
    const press = (id, on) => $(id).setAttribute('aria-pressed', String(on));
    press('b-mic', this.audio && Boolean(devices.microphone));
    press('b-camera', this.video && Boolean(devices.camera));
    press('b-screen', Boolean(this.#screen));
    press('b-hand', this.hand);
    press('b-audio-only', this.audioOnly);
    press('b-side', !$('side').hidden);
    press('b-layout', this.speakerView);
    $('show-self').checked = !this.tucked;
    this.#unheard.watch(room && !this.audio ? devices.microphone : null);
    if (this.audio) $('unheard').hidden = true;
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

  /** Puts one's own picture out of sight, or back. */
  tuck(on) {
    this.tucked = on;
    localStorage.setItem('tucked', on ? '1' : '0');
    this.#page.room?.setTucked(on);
    this.draw();
  }

  #toggleLayout() {
    this.speakerView = !this.speakerView;
    localStorage.setItem('speaker-view', this.speakerView ? '1' : '0');
    this.#page.room?.setSpeakerView(this.speakerView);
    this.draw();
  }

  #toggleSide() {
    const within = $('side').contains(document.activeElement);
    $('side').hidden = !$('side').hidden;
    if ($('side').hidden && within) $('b-side').focus();
    this.#page.sideOpened();
    this.draw();
  }

  #toggleMenu(open) {
    const menu = $('menu');
    const leaves = !open && menu.classList.contains('open') && menu.contains(document.activeElement);
    menu.classList.toggle('open', open);
    $('b-more').setAttribute('aria-expanded', String(open));
    if (open) menu.querySelector('button').focus();
    else if (leaves) $('b-more').focus();
  }

  #sayUnheard() {
    $('unheard').hidden = false;
    this.#page.announce(t('unheard'));
    clearTimeout(this.#unheardTimer);
    this.#unheardTimer = setTimeout(() => ($('unheard').hidden = true), UNHEARD);
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
