/** Whether a text is an address to listen at: `host:port`. */
export function isAddress(text: string): boolean {
  return /^.+:\d{1,5}$/.test(text) && Number(text.split(':').at(-1)) < 65_536;
}
