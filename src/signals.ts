/**
 * Calls `stop` on the first SIGINT or SIGTERM; a second one ends the process as the system would. Returns what takes the
 * listeners off.
 */
export function onStopSignal(stop: (signal: string) => void): () => void {
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = () => stop(signal);
    process.once(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => listeners.forEach((off) => off());
}
