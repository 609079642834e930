import { z } from 'zod';
import { ACTIONS } from '../types.ts';
import { filterConfig } from './filter.ts';

/** The filter of sinks that keep scores: all actions by default, or content that is allowed again would keep its old score. */
export const scoresFilterConfig = {
  ...filterConfig,
  actions: z
    .array(z.enum(ACTIONS))
    .min(1)
    .describe(
      'Actions that are stored; with fewer than all, the score of content that is allowed later stays',
    )
    .default([...ACTIONS]),
};
