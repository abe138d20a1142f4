// What drives the generators of reading.js: over bytes in memory, or over a source that takes its time.

/** Run a generator over bytes in memory. `write` takes the content. */
export function overBytes(steps, data, write = () => {}) {
  let reply;
  for (;;) {
    const { value, done } = steps.next(reply);
    if (done) return value;
    if (value.content === undefined) reply = data.subarray(value.at, value.at + value.length);
    else reply = write(value.content);
  }
}

/** Run a generator over a source: `read(at, length)` and `write(content)` return promises. */
export async function overSource(steps, read, write = async () => {}) {
  let reply;
  for (;;) {
    const { value, done } = steps.next(reply);
    if (done) return value;
    reply = await (value.content === undefined ? read(value.at, value.length) : write(value.content));
  }
}
