import { z } from 'zod';

const probability = () => z.number().min(0).max(1);

/** A version: text, or a number as YAML reads an unquoted one. */
export const version = () =>
  z.union([z.string().min(1), z.number()], { error: 'expected a version' }).transform(String);

/** Probabilities at and above which a label asks for review, or blocks; an absent level is never reached. */
export const thresholdsSchema = z.strictObject({
  review: probability().describe('Probability at and above which the label sends a row to review').optional(),
  block: probability().describe('Probability at and above which the label blocks a row').optional(),
});

/** One label's thresholds: `{ review?, block? }`, probabilities 0..1. */
export type Thresholds = z.infer<typeof thresholdsSchema>;
