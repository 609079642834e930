/**
 * Gives the memory behind a view back now: it is empty afterwards. For buffers of which megabytes pass through a thread
 * that makes little other garbage, so that its collector would let hundreds of them pile up.
 */
export function free(view: Uint8Array<ArrayBuffer>): void {
  // A small node Buffer shares its memory with others.
  if (view.byteLength === view.buffer.byteLength && !view.buffer.detached) view.buffer.transfer(0);
}

/**
 * Gives the memory that a view lies in back, though it may be larger than the view: nothing else may lie there. Memory of
 * Node's pool, which others share, is left alone.
 */
export function freeWhole({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength > Buffer.poolSize)
    buffer.transfer(0);
}
