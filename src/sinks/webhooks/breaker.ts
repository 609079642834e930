/** When an endpoint is left alone. Times in milliseconds. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** First pause; doubled with every probe that fails. */
  readonly pause: number;
  readonly max_pause: number;
}

/** What all processes know of an endpoint's failures. */
export interface BreakerState {
  /** In a row, 0 after a success. */
  readonly failures: number;
  /** Pauses in a row; 0: closed. */
  readonly openings: number;
  /** The state's revision since it opened last; 0: it is closed. */
  readonly opened: number;
}

/** An endpoint that works. */
export const CLOSED: BreakerState = { failures: 0, openings: 0, opened: 0 };

/** What a result changes. */
export interface BreakerStep {
  readonly state: BreakerState;
  /** Milliseconds to leave the endpoint alone from now on, when it opens or stays open. */
  readonly pause?: number;
  /** It was open and is closed again. */
  readonly closed?: true;
}

/**
 * The breaker of one endpoint: closed until `failures` in a row; then open for `pause`, after which one probe goes first: it
 * closes the breaker, or opens it for longer. A failure of a request that began before the breaker opened says nothing new: `began`
 * is the state's revision of then, `revision` that of `state`. No clocks are compared: those of two machines differ.
 */
export function breakerStep(
  state: BreakerState,
  result: { readonly ok: boolean; readonly began: number; readonly revision: number },
  options: BreakerOptions,
): BreakerStep {
  if (result.ok) return state.openings > 0 ? { state: CLOSED, closed: true } : { state: CLOSED };
  if (state.openings > 0 && result.began < state.opened) return { state };
  const failures = state.failures + 1;
  if (failures < options.failures) return { state: { ...state, failures } };
  const pause = Math.min(options.max_pause, options.pause * 2 ** Math.min(state.openings, 30));
  return { state: { failures, openings: state.openings + 1, opened: result.revision + 1 }, pause };
}
