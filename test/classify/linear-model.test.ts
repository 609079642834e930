import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLinearClassifier } from '../../src/classify/linear-classifier.ts';
import { readLinearModel } from '../../src/classify/linear-model.ts';
import { createNgramFeatures } from '../../src/classify/ngram-features.ts';
import { classifierContract } from '../contract/classifier.ts';

const FOLDER = join(import.meta.dirname, '../../models/first-stage');
const FILE = join(FOLDER, 'linear.bin');
/** Written by `python -m training.first_stage --fixture`: what Python computes. */
const FIXTURE = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/first_stage.json'), 'utf8'),
) as readonly { readonly text: string; readonly ngrams: number; readonly scores: readonly number[] }[];

classifierContract('the bundled first stage', () => createLinearClassifier(FOLDER));

describe('a linear model of hashed n-grams', () => {
  it('gives the n-grams and the scores that Python gives, in every script', () => {
    const model = readLinearModel(FILE);
    const ngrams = createNgramFeatures(19);
    expect(FIXTURE.length).toBeGreaterThan(30);
    for (const { text, ngrams: expected, scores } of FIXTURE) {
      expect(ngrams(text).length, JSON.stringify(text)).toBe(expected);
      const found = new Float32Array(model.labels);
      model.score(text, found, 0);
      scores.forEach((score, label) =>
        expect(Math.abs(found[label]! - score), JSON.stringify(text)).toBeLessThan(1e-5),
      );
    }
  });

  it('finds buckets in range in any string, and the same ones each time', () => {
    const ngrams = createNgramFeatures(12);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
        const found = ngrams(text).slice();
        for (const bucket of found) expect(bucket >= 0 && bucket < 4096).toBe(true);
        expect(ngrams(text)).toEqual(found);
      }),
    );
  });

  it('scores no text without words', () => {
    const model = readLinearModel(FILE);
    const found = new Float32Array(model.labels);
    for (const text of ['', ' \n\t\u3000']) {
      model.score(text, found.fill(0), 0);
      expect([...found]).toEqual(Array(model.labels).fill(NaN));
    }
  });

  it('reads letters in any case and any digits alike', () => {
    const ngrams = createNgramFeatures(19);
    expect(ngrams('CALL 0906').slice()).toEqual(ngrams('call 1234').slice());
  });

  it.each([
    ['another kind of file', (bytes: Buffer) => bytes.fill(0, 0, 4), 'another kind of file'],
    ['another layout', (bytes: Buffer) => void bytes.writeUInt32LE(2, 8), 'expected layout 1'],
    ['impossible bits', (bytes: Buffer) => void bytes.writeUInt32LE(60, 12), 'expected 1 to 24 bits'],
    ['a label too many', (bytes: Buffer) => void bytes.writeUInt32LE(4, 16), 'bytes, got'],
    ['no number', (bytes: Buffer) => void bytes.writeFloatLE(NaN, 20), 'finite'],
  ])('refuses %s', (name, damage, message) => {
    const bytes = readFileSync(FILE);
    damage(bytes);
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-linear-')), 'linear.bin');
    writeFileSync(file, bytes);
    expect(() => readLinearModel(file), name).toThrow(message);
    writeFileSync(file, readFileSync(FILE).subarray(0, 1000));
    expect(() => readLinearModel(file)).toThrow('bytes, got 1000');
    expect(() => readLinearModel(`${file}.absent`)).toThrow('expected a linear model');
  });
});
