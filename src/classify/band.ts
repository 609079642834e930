import { z } from 'zod';

const probability = () => z.number().min(0).max(1);

/** Where the first stage of a cascade is not sure, by label; probabilities 0..1, both ends belong to the band. */
export const bandSchema = z.record(
  z.string(),
  z
    .tuple([probability(), probability()])
    .refine(([low, high]) => low <= high, { error: 'expected [low, high] with low at most high' }),
);

/** By label: a score below `low` or above `high` is the first stage's to decide. `[0, 1]` leaves all to the second. */
export type Band = Readonly<Record<string, readonly [low: number, high: number]>>;
