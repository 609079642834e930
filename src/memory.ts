/**
 * Gives the memory behind a view back now: it is empty afterwards. For buffers of which megabytes pass through a thread
 * that makes little other garbage, so that its collector would let hundreds of them pile up.
 */
export function free(view: Uint8Array<ArrayBuffer>): void {
  // A small node Buffer shares its memory with others.
  if (view.byteLength === view.buffer.byteLength && !view.buffer.detached) view.buffer.transfer(0);
}
