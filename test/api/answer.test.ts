import { describe, expect, it } from 'vitest';
import { contentAnswer } from '../../src/api/answer.ts';
import { sampleDecision } from '../sample-decision.ts';

const decision = sampleDecision(7, { scores: { toxic: 0.9812, spam: 0.01, constructor: 0.5 } });

describe('answer', () => {
  it('has the classifiers that were asked for and that the model has', () => {
    expect(
      contentAnswer('p7', {
        decisionId: decision.id,
        decision,
        classifiers: ['spam', 'crisis', 'spam', 'toString'],
      }),
    ).toEqual({
      id: 'p7',
      decision_id: 'content-0-7',
      classifiers: { id: 'p7', classification: [{ label: 'spam', confidence: 0.01 }] },
      unknown_classifiers: ['crisis', 'toString'],
      action: 'block',
      reasons: [{ label: 'toxic', score: 0.9812, threshold: 0.95 }],
    });
  });

  it('names those that the model does not have, also when there is no other', () => {
    const told = { decisionId: decision.id, decision };
    expect(contentAnswer('p7', { ...told, classifiers: ['nope', 'nope'] })).toMatchObject({
      classifiers: { id: 'p7', classification: [] },
      unknown_classifiers: ['nope'],
    });
    expect(contentAnswer('p7', { ...told, classifiers: ['spam'] })).not.toHaveProperty('unknown_classifiers');
  });

  it('has all of them when none is named', () => {
    const { classifiers } = contentAnswer('p7', {
      decisionId: decision.id,
      decision,
      classifiers: undefined,
    });
    expect(classifiers?.classification.map(({ label }) => label)).toEqual(['toxic', 'spam', 'constructor']);
  });

  it('says without a decision that the content is taken', () => {
    expect(contentAnswer('p7', { decisionId: 'c-0-1', decision: undefined, classifiers: ['a'] })).toEqual({
      id: 'p7',
      decision_id: 'c-0-1',
    });
    expect(
      contentAnswer('p7', { decisionId: undefined, decision: undefined, classifiers: undefined }),
    ).toEqual({ id: 'p7' });
  });
});
