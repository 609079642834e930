import type { ClassifyFacts } from './classify/classify.ts';
import type { Metrics } from './metrics.ts';
import type { ModelWork } from './types.ts';
import type { EventTools } from './webhook-events.ts';

/** What happens to models and policies: log lines and counts, as events.ts has them. */
export interface ClassifyEvents {
  /** Models are loaded, and decide from now on. */
  started(facts: ClassifyFacts): void;
  /** New versions, policies or hash lists decide from now on. */
  reloaded(facts: ClassifyFacts): void;
  /** What the configuration names has changed, and cannot work as it is now; what ran before goes on. */
  reloadRefused(error: Error): void;
  /** Whether something has changed cannot be told now. */
  reloadDelayed(reason: string): void;
  /** What the models did with a batch. */
  scored(work: readonly ModelWork[]): void;
  /** A server that scores does not answer, or is overloaded; a batch of so many messages waits for it. */
  modelUnavailable(fields: { readonly rows: number; readonly error: string }): void;
}

/** See {@link ClassifyEvents}. */
export function createClassifyEvents({ log, metrics, named, sinceLast }: EventTools): ClassifyEvents {
  return {
    started: (facts) => setModels(metrics, facts),
    reloaded(facts) {
      metrics.reloads.inc({ outcome: 'reloaded' });
      setModels(metrics, facts);
      const { model, policy, models } = facts;
      log.info(
        named('reloaded', {
          policy,
          models: models.map(({ name, model: id, role }) => ({ name, id, role })),
        }),
        `from now on decides ${model ?? 'no model'} with policy ${policy ?? 'none'}`,
      );
    },
    reloadRefused(error) {
      metrics.reloads.inc({ outcome: 'refused' });
      log.error(
        { ...named('reload-refused'), 'error.type': error.name },
        `a new model, policy or hash list is refused, what ran before goes on: ${error.message}`,
      );
    },
    reloadDelayed(reason) {
      metrics.reloads.inc({ outcome: 'delayed' });
      const others = sinceLast('reload');
      if (others === undefined) return;
      log.warn(named('reload-delayed', { reason }), `cannot look for new versions: ${reason}${others}`);
    },
    scored(work) {
      for (const each of work) {
        countWork(metrics, each);
        if (each.failure === undefined) continue;
        metrics.classifyShadowFailures.inc({ model: each.name });
        const others = sinceLast(`shadow ${each.name}`);
        if (others === undefined) continue;
        log.warn(
          named('shadow-failed', { model: each.name, error: each.failure }),
          `shadow model ${each.name} scored nothing of a batch: ${each.failure}${others}`,
        );
      }
    },
    modelUnavailable(fields) {
      metrics.modelUnavailable.inc();
      const others = sinceLast('model unavailable');
      if (others === undefined) return;
      log.warn(named('model-unavailable', fields), `waiting for a model: ${fields.error}${others}`);
    },
  };
}

function countWork(metrics: Metrics, work: ModelWork): void {
  const model = work.name;
  metrics.classifyTexts.inc({ model }, work.texts);
  metrics.classifyTokens.inc({ model }, work.tokens);
  metrics.classifyPadding.inc({ model }, work.padding);
  for (const [part, seconds] of Object.entries(work.seconds))
    metrics.classifySeconds.inc({ model, part }, seconds);
  for (const [by, count] of Object.entries(work.counts)) metrics.classifyAnswered.inc({ model, by }, count);
  if (work.poison > 0) metrics.classifyPoison.inc({ model }, work.poison);
  for (const [kind, count] of Object.entries(work.disagreements)) {
    const [decided, shadow] = kind.split('>') as [string, string];
    metrics.classifyDisagreements.inc({ model, decided, shadow }, count);
  }
}

/** The models of a process by name, id and role, each 1; those of before are gone. */
function setModels(metrics: Metrics, { models }: ClassifyFacts): void {
  metrics.classifyModels.reset();
  for (const { name, model, role } of models) metrics.classifyModels.set({ model: name, id: model, role }, 1);
}
