const TIMEOUT_MS = 2000;

/** Whether a GET of that URL is answered with a 2xx status. */
export async function answersHttp(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  return response.ok;
}
