/** Where planned letters of one kind go. */
export interface Target<Planned> {
  /**
   * Resolves when all of them are durably there, but for those that can never be: why, by their index. Throws
   * RetryableError when nobody answers for a while, StoreError or MisconfiguredError when someone must mend something;
   * some of them may be there then.
   */
  send(planned: readonly Planned[]): Promise<ReadonlyMap<number, string>>;
}

/** A target that holds connections or files. */
export interface OpenTarget<Planned> extends Target<Planned> {
  close(): Promise<void>;
}
