// What all clients in Node have in common: one HTTP exchange, reports, and an end.
//
// A client is run as `node client.mjs publish|play URL`, with TONE (Hz) and COLOUR (`r,g,b`) in its environment: what it sends, or what it listens for.
// It writes one JSON object a line; the last one says how things stand. SIGTERM ends its session as the standard says, and then the client.

export const [, , mode, url] = process.argv;
export const tone = Number(process.env.TONE ?? 440);
export const colour = (process.env.COLOUR ?? '40,90,200').split(',').map(Number);
export const [WIDTH, HEIGHT, RATE] = [320, 180, 15];

/** What is known of the session so far. */
export const state = {};

/** Says something, and all that was said before. */
export function say(more) {
  Object.assign(state, more);
  console.log(JSON.stringify(state));
}

let session = null;
let close = () => {};

/** Gives the offer to the server; resolves with the answer. `closing` ends the media. */
export async function exchange(offer, closing) {
  close = closing;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: offer });
  const text = await answer.text();
  say({ status: answer.status });
  if (answer.status !== 201) {
    say({ failed: `HTTP ${answer.status}: ${text.trim()}` });
    process.exit(1);
  }
  session = new URL(answer.headers.get('location'), url);
  return text;
}

process.once('SIGTERM', async () => {
  if (session) say({ deleted: (await fetch(session, { method: 'DELETE' })).status });
  close();
  process.exit(0);
});

process.on('unhandledRejection', (error) => {
  say({ failed: String(error?.stack ?? error) });
  process.exit(1);
});

/** How much of the sound's power is at `frequency`, 0 to 1; 0 where it is nearly silent. `samples`: 16 bits, mono. */
export function share(samples, rate, frequency = tone) {
  let [a, b, power] = [0, 0, 0];
  const turn = 2 * Math.cos((2 * Math.PI * frequency) / rate);
  for (const sample of samples) {
    [a, b] = [sample + turn * a - b, a];
    power += sample * sample;
  }
  // Goertzel; a sine of full purity gives 1.
  const at = (a * a + b * b - turn * a * b) * 2;
  return power / samples.length < 1000 ? 0 : at / (samples.length * power);
}

/** An I420 picture in the colour, with a bright stripe that wanders. */
export function picture(n) {
  const data = new Uint8ClampedArray(WIDTH * HEIGHT * 1.5);
  const [r, g, b] = colour;
  const [luma, quarter] = [WIDTH * HEIGHT, (WIDTH * HEIGHT) / 4];
  data.fill(16 + 0.257 * r + 0.504 * g + 0.098 * b, 0, luma);
  data.fill(128 - 0.148 * r - 0.291 * g + 0.439 * b, luma, luma + quarter);
  data.fill(128 + 0.439 * r - 0.368 * g - 0.071 * b, luma + quarter);
  const top = (n * 4) % (HEIGHT - 16);
  data.fill(220, top * WIDTH, (top + 16) * WIDTH);
  return data;
}

/** The mean of an I420 picture, as `[y, u, v]`. */
export function mean({ width, height, data }) {
  const [luma, quarter] = [width * height, (width * height) / 4];
  const of = (from, length) => {
    let sum = 0;
    for (let i = from; i < from + length; i += 7) sum += data[i];
    return Math.round((sum * 7) / length);
  };
  return [of(0, luma), of(luma, quarter), of(luma + quarter, quarter)];
}
