// The media connection: what this page sends, and the slots in which it receives.
//
// The page offers once: microphone, camera, and receive-only slots for sound and picture. Who is in which slot changes without
// negotiation; only a screen share negotiates again.

export const AUDIO_SLOTS = 3;
export const VIDEO_SLOTS = 9;

/** Simulcast encodings for a camera of this height, smallest first. */
function encodingsFor(height) {
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

/** Emits `state` (`connecting`, `connected`, `disconnected`, `failed`) and `silent` (autoplay refused). */
export class Call extends EventTarget {
  pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  /** `mid` → `{ kind, element }` of every slot, known once the first answer is in. */
  slots = new Map();
  #senders = {};
  #prepared = null;
  #negotiating = Promise.resolve();

  constructor() {
    super();
    this.pc.onconnectionstatechange = () => {
      const state = this.pc.connectionState;
      const say = { new: 'connecting', closed: null }[state] ?? (state === 'closed' ? null : state);
      if (say) this.dispatchEvent(new CustomEvent('state', { detail: say }));
    };
  }

  /** Makes the offer, once: it may be ready long before the click on *join*. */
  prepare(devices) {
    this.#prepared ??= this.#build(devices);
    return this.#prepared;
  }

  async #build(devices) {
    const height = devices.camera?.getSettings().height ?? 720;
    this.#senders.microphone = this.pc.addTransceiver(devices.microphone ?? 'audio', { direction: 'sendonly' });
    this.#senders.camera = this.pc.addTransceiver(devices.camera ?? 'video', {
      direction: 'sendonly',
      sendEncodings: encodingsFor(height),
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
    const element = document.createElement(receiver.track.kind);
    element.autoplay = true;
    element.playsInline = true;
    element.muted = receiver.track.kind === 'video';
    element.srcObject = new MediaStream([receiver.track]);
    if (receiver.track.kind === 'audio') {
      document.body.append(element);
      element.play().catch((e) => {
        if (e.name === 'NotAllowedError') this.dispatchEvent(new Event('silent'));
      });
    }
    this.slots.set(mid, { kind: receiver.track.kind, element, receiver });
  }

  /** Plays what the browser refused to play; call it from a click. */
  unblock() {
    for (const { element } of this.slots.values()) element.play().catch(() => {});
  }

  answer(sdp) {
    return this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Sends another track of a source, or none. */
  async replace(source, track) {
    await this.#senders[source]?.sender.replaceTrack(track);
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

  /** Switches off the encodings that nobody watches. `active`: `mid` → watched rids (`''` where there are none). */
  async setEncodings(active) {
    for (const { mid, sender } of Object.values(this.#senders)) {
      const rids = active[mid];
      if (!rids || sender.track?.kind !== 'video') continue;
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings ?? []) encoding.active = rids.includes(encoding.rid ?? '');
      await sender.setParameters(parameters).catch(() => {});
    }
  }

  close() {
    this.pc.onconnectionstatechange = null;
    this.pc.close();
    for (const { element } of this.slots.values()) {
      element.srcObject = null;
      element.remove();
    }
  }
}
