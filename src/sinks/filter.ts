import { z } from 'zod';
import type { Decision } from '../decision.ts';
import { ACTIONS, type Action } from '../types.ts';

/** Keys by which a sink, or an endpoint, says which decisions it wants. */
export const filterConfig = {
  actions: z.array(z.enum(ACTIONS)).min(1).describe('Actions that are told').default(['review', 'block']),
  labels: z
    .array(z.string().min(1))
    .min(1)
    .describe('Only decisions with one of these labels among their reasons')
    .optional(),
  customers: z.array(z.string()).min(1).describe('Only decisions on content of these customers').optional(),
};

/** Which decisions are wanted; an absent part wants all. */
export interface Filter {
  readonly actions: readonly Action[];
  readonly labels?: readonly string[] | undefined;
  readonly customers?: readonly string[] | undefined;
}

/** What a filter looks at. */
export interface Filterable {
  readonly action: Action;
  readonly customer: string;
  /** Labels that led to the action. */
  readonly reasons: readonly string[];
}

/** What a filter looks at of a decision. */
export function filterableOf({ action, customer, reasons }: Decision): Filterable {
  return { action, customer, reasons: reasons.map(({ label }) => label) };
}

/** Makes a filter's test: true for what is wanted. */
export function createFilter({ actions, labels, customers }: Filter): (decision: Filterable) => boolean {
  const wantedActions = new Set(actions);
  const wantedLabels = labels && new Set(labels);
  const wantedCustomers = customers && new Set(customers);
  return ({ action, customer, reasons }) =>
    wantedActions.has(action) &&
    (!wantedCustomers || wantedCustomers.has(customer)) &&
    (!wantedLabels || reasons.some((label) => wantedLabels.has(label)));
}
