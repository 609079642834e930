/** What a stage may cost: its CPU time against that of its reference, in the same run. */
export interface Expectation {
  /** CPU time per message of the stage divided by that of its reference. */
  readonly ratio: number;
  readonly reference: string;
}

/** What became of one stage. */
export interface Judgement {
  readonly name: string;
  readonly ratio: number;
  readonly expected: number;
  /** `slower` fails; `faster` asks for a new expectation, so that the next regression is seen. */
  readonly verdict: 'as expected' | 'slower' | 'faster';
}

/**
 * Compares ratios with what is expected of them, both by stage. `tolerance` 0.15: 15 per cent more is a regression. Throws a
 * RangeError when there is no ratio for an expectation: a gate that looks at nothing never fails.
 */
export function judge(
  ratios: ReadonlyMap<string, number>,
  expectations: Readonly<Record<string, Expectation>>,
  tolerance: number,
): Judgement[] {
  return Object.entries(expectations).map(([name, { ratio: expected }]) => {
    const ratio = ratios.get(name);
    if (ratio === undefined || !(ratio > 0))
      throw new RangeError(`expected a measured ratio of ${name}, got ${ratio}`);
    const verdict =
      ratio > expected * (1 + tolerance)
        ? 'slower'
        : ratio < expected * (1 - tolerance)
          ? 'faster'
          : 'as expected';
    return { name, ratio, expected, verdict };
  });
}
