import type { z } from 'zod';
import type { SourceConfig } from './config.ts';

/** The parts of the configuration that name topics. */
interface Topics {
  readonly source: SourceConfig;
  readonly feedback?: { readonly topic: string } | undefined;
  readonly dead_letters: { readonly topic?: string | undefined };
}

/**
 * Refinement of the configuration: feedback is told from content and from dead letters by its topic alone, so no other
 * section may name it. A file source may: then all its messages are feedback.
 */
export function refuseSharedTopic(
  { source, feedback, dead_letters }: Topics,
  context: z.RefinementCtx,
): void {
  if (feedback === undefined) return;
  const { topics = [] } = source.type === 'kafka' ? source : {};
  const places = { 'source.topics': topics, 'dead_letters.topic': [dead_letters.topic] };
  for (const [place, names] of Object.entries(places)) {
    if (!names.includes(feedback.topic)) continue;
    context.addIssue({
      code: 'custom',
      path: ['feedback', 'topic'],
      message: `expected a topic of its own, got ${feedback.topic}, which ${place} names as well`,
    });
  }
}
