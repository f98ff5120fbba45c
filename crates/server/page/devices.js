// Microphone and camera: asking, choosing, measuring.

const audioWish = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What the address asks for: `?height=180&rate=15` for small machines and tests. */
function videoWish(query) {
  const height = Number(query.get('height')) || 720;
  const rate = Number(query.get('rate')) || 30;
  return { height: { ideal: height }, width: { ideal: Math.round((height * 16) / 9) }, frameRate: { ideal: rate, max: rate } };
}

/** The page's own microphone and camera. Emits `lost` with the kind of a device that went away by itself. */
export class Devices extends EventTarget {
  microphone = null;
  camera = null;
  #query;
  #meter = null;

  constructor(query) {
    super();
    this.#query = query;
  }

  /** Asks for both, then for each alone: one that is refused or missing must not cost the other. */
  async open({ audio = true, video = true } = {}) {
    if (!navigator.mediaDevices) return false;
    const ask = (wish) => navigator.mediaDevices.getUserMedia(wish).catch(() => null);
    const wishes = { audio: audio && audioWish, video: video && videoWish(this.#query) };
    if (!wishes.audio && !wishes.video) return true;
    const streams = [await ask(wishes)];
    if (!streams[0] && audio && video) {
      streams[0] = await ask({ audio: wishes.audio });
      streams.push(await ask({ video: wishes.video }));
    }
    for (const stream of streams) {
      for (const track of stream?.getTracks() ?? []) {
        if (track.kind === 'audio') this.#take('microphone', track);
        else this.#take('camera', track);
      }
    }
    return Boolean(this.microphone || this.camera);
  }

  /** Opens another device, or the default one with `id` empty; null if it is refused. */
  async choose(kind, id) {
    const device = id ? { deviceId: { exact: id } } : {};
    const wish =
      kind === 'microphone' ? { audio: { ...audioWish, ...device } } : { video: { ...videoWish(this.#query), ...device } };
    const stream = await navigator.mediaDevices?.getUserMedia(wish).catch(() => null);
    const track = stream?.getTracks()[0] ?? null;
    if (track) this.#take(kind, track);
    return track;
  }

  /** Switches the camera off for real: its light goes out. */
  closeCamera() {
    this.camera?.stop();
    this.camera = null;
  }

  close() {
    this.microphone?.stop();
    this.microphone = null;
    this.closeCamera();
  }

  /** The devices of a kind, as `[id, label]`. */
  async list(kind) {
    const wanted = { microphone: 'audioinput', camera: 'videoinput', speaker: 'audiooutput' }[kind];
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    return all.filter((d) => d.kind === wanted && d.deviceId).map((d) => [d.deviceId, d.label]);
  }

  /** How loud the microphone is, 0 to 1. */
  level() {
    if (!this.microphone) return 0;
    this.#meter ??= new Meter();
    return this.#meter.of(this.microphone);
  }

  /** No more levels are wanted. */
  closeMeter() {
    this.#meter?.close();
    this.#meter = null;
  }

  #take(kind, track) {
    this[kind]?.stop();
    this[kind] = track;
    track.onended = () => {
      if (this[kind] !== track) return;
      this[kind] = null;
      this.dispatchEvent(new CustomEvent('lost', { detail: kind }));
    };
  }
}

/** Root mean square of a track, on a scale where ordinary speech reaches the middle. */
export class Meter {
  // Nothing is played: the larger its buffers, the less often it wakes.
  #context = new AudioContext({ latencyHint: 'playback' });
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(4096); // as long as the time between two looks: no word falls between
  #track = null;
  #source = null;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
  }

  close() {
    this.#context.close().catch(() => {});
  }

  of(track) {
    if (this.#track !== track) {
      this.#source?.disconnect();
      this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
      this.#source.connect(this.#analyser);
      this.#track = track;
    }
    // A browser may hold it back until somebody clicks.
    if (this.#context.state === 'suspended') this.#context.resume().catch(() => {});
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, x) => sum + x * x, 0) / this.#samples.length;
    return Math.min(1, Math.sqrt(power) * 4);
  }
}
