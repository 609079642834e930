import type { Batch } from './batching.ts';
import type { Classifier } from './classifier.ts';

/** Scores of one request. */
export interface RemoteScores {
  /** texts × labels, row-major; logits, or probabilities where the model's activation is `none`. */
  readonly values: Float32Array;
  /** Tokens that the server read, padding included, and how many of them were padding; 0 where it does not say. */
  readonly tokens: number;
  readonly padding: number;
}

/** Texts as the server reads them. */
export interface RemoteTexts {
  /** Length of each text in tokens, about: equal ones go together. 0 is never sent. */
  readonly lengths: ArrayLike<number>;
  /** One request: see {@link RemoteServer.ask} for how it fails. */
  ask(batch: Batch, signal: AbortSignal): Promise<RemoteScores>;
}

/** A model on a server, of either protocol. */
export interface RemoteModel extends Pick<
  Classifier,
  'labels' | 'thresholds' | 'languageThresholds' | 'languages'
> {
  /** `name@version`. */
  readonly id: string;
  /** Where it is, for errors. */
  readonly where: string;
  readonly activation: 'none' | 'sigmoid' | 'softmax';
  /** Most texts that one request may have. */
  readonly mostTexts: number;
  prepare(texts: readonly string[]): Promise<RemoteTexts>;
  /** Throws MisconfiguredError when the server has another model by now; UnavailableError when it does not answer. */
  verify(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
