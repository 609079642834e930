import { z } from 'zod';

/** Whether a text is an address to listen at: `host:port`. */
export function isAddress(text: string): boolean {
  return /^.+:\d{1,5}$/.test(text) && Number(text.split(':').at(-1)) < 65_536;
}

/** The address of a server that may be switched off, in the configuration. */
export function addressOrOff() {
  return z.string().refine((text) => text === 'off' || isAddress(text), {
    error: ({ input }) => `expected host:port or off, got ${JSON.stringify(input)}`,
  });
}
