// The media connection: what this page sends, and the slots in which it receives.
//
// The page offers once: microphone, camera, and receive-only slots for sound and picture. Who is in which slot changes without
// negotiation; only a screen share negotiates again.

export const AUDIO_SLOTS = 3;
export const VIDEO_SLOTS = 9;

/** Simulcast encodings for a camera of this height, smallest first. */
export function encodingsFor(height) {
  if (height >= 540) {
    return [
      { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
      { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
      { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
    ];
  }
  if (height >= 270) {
    return [
      { rid: 'l', scaleResolutionDownBy: 2, maxBitrate: 150_000 },
      { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 600_000 },
    ];
  }
  return [{ maxBitrate: 300_000 }];
}

/**
 * What each of the encodings that were negotiated is to be for a camera of another height: the rids cannot change any more. Chromium leaves the
 * *last* ones empty when a picture is too small for all, so the best must come first among those that are used.
 */
export function refit(rids, height) {
  const wanted = encodingsFor(height).slice(-rids.length);
  return rids.map((_, i) => {
    const { rid, ...encoding } = wanted[i] ?? {};
    return wanted[i] ? { useful: true, scaleResolutionDownBy: 1, ...encoding } : { useful: false };
  });
}

/** The elements in which slots are heard and seen. They outlive a connection: a browser that let them play once lets them play again. */
export class Elements {
  #of = { audio: [], video: [] };

  /** The `n`-th of a kind. */
  get(kind, n) {
    const there = this.#of[kind][n];
    if (there) return there;
    const element = document.createElement(kind);
    element.autoplay = true;
    element.playsInline = true;
    element.muted = kind === 'video';
    if (kind === 'audio') document.body.append(element);
    return (this.#of[kind][n] = element);
  }

  clear() {
    for (const element of Object.values(this.#of).flat()) element.remove();
    this.#of = { audio: [], video: [] };
  }
}

/** Emits `state` (`connecting`, `connected`, `disconnected`, `failed`) and `silent` (autoplay refused). */
export class Call extends EventTarget {
  pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  /** `mid` → `{ kind, element }` of every slot, known once the first answer is in. */
  slots = new Map();
  #senders = {};
  /** `mid` → the rids that somebody watches. */
  #watched = {};
  /** `mid` → how its encodings fit the present picture. */
  #fits = {};
  #parameters = Promise.resolve();
  #prepared = null;
  #negotiating = Promise.resolve();
  #elements;

  constructor(elements) {
    super();
    this.#elements = elements;
    this.pc.onconnectionstatechange = () => {
      const { connectionState: state } = this.pc;
      if (state !== 'closed') this.dispatchEvent(new CustomEvent('state', { detail: state === 'new' ? 'connecting' : state }));
    };
  }

  /** Makes the offer, once: it may be ready long before the click on *join*. */
  prepare(devices) {
    this.#prepared ??= this.#build(devices);
    return this.#prepared;
  }

  async #build(devices) {
    const { height = 720, width = 1280 } = devices.camera?.getSettings() ?? {};
    this.#senders.microphone = this.pc.addTransceiver(devices.microphone ?? 'audio', { direction: 'sendonly' });
    this.#senders.camera = this.pc.addTransceiver(devices.camera ?? 'video', {
      direction: 'sendonly',
      sendEncodings: encodingsFor(Math.min(height, width)),
    });
    const receivers = [
      ...Array.from({ length: AUDIO_SLOTS }, () => this.pc.addTransceiver('audio', { direction: 'recvonly' })),
      ...Array.from({ length: VIDEO_SLOTS }, () => this.pc.addTransceiver('video', { direction: 'recvonly' })),
    ];
    await this.pc.setLocalDescription();
    for (const transceiver of receivers) this.#addSlot(transceiver);
    return this.description();
  }

  /** What `join` and `offer` carry. */
  description() {
    const sources = {};
    for (const [source, transceiver] of Object.entries(this.#senders)) {
      if (transceiver.mid !== null && transceiver.direction === 'sendonly') sources[transceiver.mid] = source;
    }
    return { sdp: this.pc.localDescription.sdp, sources };
  }

  #addSlot({ mid, receiver }) {
    const { kind } = receiver.track;
    const element = this.#elements.get(kind, [...this.slots.values()].filter((slot) => slot.kind === kind).length);
    element.srcObject = new MediaStream([receiver.track]);
    this.slots.set(mid, { kind, element, receiver });
  }

  /** Plays all slots. Says `silent` where the browser refuses sound before a click, `audible` where it does not. */
  play() {
    let refused = false;
    for (const { element, kind } of this.slots.values()) {
      element.play().catch((e) => {
        if (kind !== 'audio' || e.name !== 'NotAllowedError' || refused) return;
        refused = true;
        this.dispatchEvent(new Event('silent'));
      });
    }
  }

  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    // Firefox takes parameters only now.
    this.#apply();
  }

  /** Sends another track of a source, or none. */
  async replace(source, track) {
    const transceiver = this.#senders[source];
    if (!transceiver || transceiver.sender.track === track) return;
    await transceiver.sender.replaceTrack(track);
    if (source === 'camera' && track) this.#fit(transceiver, track);
    this.#apply();
  }

  #fit({ mid, sender }, track) {
    const { height, width } = track.getSettings();
    const rids = (sender.getParameters().encodings ?? []).map((e) => e.rid);
    // A phone held upright sends a narrow picture: what counts is the short side.
    if (height && rids.length > 1) this.#fits[mid] = refit(rids, Math.min(height, width ?? height));
  }

  /** The `mid` of a source that this page sends. */
  midOf(source) {
    return this.#senders[source]?.mid ?? null;
  }

  /**
   * Begins or ends a share. `negotiate` sends a description and resolves with the answer's SDP; if it fails, all is as it was.
   */
  share(stream, negotiate) {
    const tracks = { screen: stream?.getVideoTracks()[0] ?? null, 'screen-audio': stream?.getAudioTracks()[0] ?? null };
    return this.#negotiate(negotiate, async () => {
      for (const [source, track] of Object.entries(tracks)) {
        const there = this.#senders[source];
        if (there) {
          there.direction = track ? 'sendonly' : 'inactive';
          await there.sender.replaceTrack(track);
        } else if (track) {
          const sendEncodings = source === 'screen' ? [{ maxBitrate: 2_500_000 }] : [{}];
          this.#senders[source] = this.pc.addTransceiver(track, { direction: 'sendonly', sendEncodings });
        }
      }
    });
  }

  /** One negotiation at a time. */
  #negotiate(negotiate, change) {
    const run = async () => {
      await change();
      await this.pc.setLocalDescription();
      try {
        await this.answer(await negotiate(this.description()));
      } catch (e) {
        if (this.pc.signalingState === 'have-local-offer') await this.pc.setLocalDescription({ type: 'rollback' });
        throw e;
      }
    };
    const done = this.#negotiating.then(run);
    this.#negotiating = done.catch(() => {});
    return done;
  }

  /** Looks for a path anew, the media going on as they were. */
  restart(negotiate) {
    return this.#negotiate(negotiate, () => this.pc.restartIce());
  }

  /** Packets that came by the path in use; browsers notice only after seconds that there are none. */
  async packetsReceived() {
    let packets = 0;
    // Of one sender: the path is the same for all, and the statistics of one are soon told.
    const stats = await this.#senders.microphone?.sender.getStats().catch(() => null);
    for (const s of stats?.values() ?? []) {
      if (s.type === 'transport') packets += s.packetsReceived ?? 0;
      if (s.type === 'candidate-pair' && s.nominated) packets += (s.packetsReceived ?? 0) + (s.responsesReceived ?? 0) + (s.bytesReceived ?? 0);
    }
    return packets;
  }

  /** Switches off the encodings that nobody watches. `active`: `mid` → watched rids (`''` where there are none). */
  setEncodings(active) {
    Object.assign(this.#watched, active);
    this.#apply();
  }

  /** One change of parameters at a time: each must begin with the newest. */
  #apply() {
    this.#parameters = this.#parameters.then(async () => {
      if (!this.pc.currentRemoteDescription) return;
      for (const { mid, sender } of Object.values(this.#senders)) {
        if (sender.track?.kind !== 'video') continue;
        const watched = this.#watched[mid];
        const parameters = sender.getParameters();
        let changed = false;
        for (const [i, encoding] of (parameters.encodings ?? []).entries()) {
          const { useful = true, ...fit } = this.#fits[mid]?.[i] ?? {};
          const wanted = { ...fit, active: useful && (watched?.includes(encoding.rid ?? '') ?? true) };
          changed ||= Object.entries(wanted).some(([k, v]) => encoding[k] !== v);
          Object.assign(encoding, wanted);
        }
        if (changed) await sender.setParameters(parameters).catch((e) => console.info('setParameters', e.name, e.message));
      }
    });
  }

  close() {
    this.pc.onconnectionstatechange = null;
    this.pc.close();
    for (const { element } of this.slots.values()) element.srcObject = null;
  }
}
