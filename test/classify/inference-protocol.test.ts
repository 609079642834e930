import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  halfToNumber,
  inferenceOutput,
  inferenceRequest,
  type InputTensor,
} from '../../src/classify/inference-protocol.ts';
import { newest } from '../../src/classify/triton-model.ts';

const texts = (data: readonly string[]): InputTensor => ({
  name: 'text',
  datatype: 'BYTES',
  shape: [data.length, 1],
  data,
});
const jsonOf = (content: string | Uint8Array, length: number) =>
  JSON.parse(Buffer.from(content).toString('utf8', 0, length)) as {
    inputs: { parameters: { binary_data_size: number }; data?: unknown[] }[];
    outputs: unknown[];
  };
/** An answer of one output with a tensor before it that nobody asked for. */
function answer(datatype: string, shape: number[], bytes: Buffer) {
  const outputs = [
    { name: 'other', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } },
    { name: 'logits', datatype, shape, parameters: { binary_data_size: bytes.length } },
  ];
  const json = Buffer.from(JSON.stringify({ outputs }));
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, Buffer.alloc(4), bytes]),
  };
}

describe('inferenceRequest', () => {
  it('puts texts as bytes behind the JSON, each with its length', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 8 }), (data) => {
        const { content, headers } = inferenceRequest([texts(data)], 'logits', { binary: true });
        const length = Number(headers!['inference-header-content-length']);
        const bytes = Buffer.from(content as Uint8Array).subarray(length);
        expect(jsonOf(content, length).inputs[0]!.parameters.binary_data_size).toBe(bytes.length);
        let at = 0;
        for (const text of data) {
          const size = bytes.readUInt32LE(at);
          expect(bytes.toString('utf8', at + 4, at + 4 + size)).toBe(text.toWellFormed());
          at += 4 + size;
        }
        expect(at).toBe(bytes.length);
      }),
    );
  });

  it('writes whole numbers with the width of their type', () => {
    const data = Int32Array.of(1, 250_000, 0);
    for (const [datatype, width] of [
      ['INT64', 8],
      ['INT32', 4],
    ] as const) {
      const inputs = [{ name: 'input_ids', datatype, shape: [1, 3], data }];
      const { content, headers } = inferenceRequest(inputs, 'logits', { binary: true });
      const bytes = Buffer.from(content as Uint8Array).subarray(
        Number(headers!['inference-header-content-length']),
      );
      const read = (i: number) =>
        width === 8 ? Number(bytes.readBigInt64LE(i * 8)) : bytes.readInt32LE(i * 4);
      expect([read(0), read(1), read(2), bytes.length]).toEqual([1, 250_000, 0, 3 * width]);
    }
  });

  it('is plain JSON for servers without bytes', () => {
    const { content, headers } = inferenceRequest([texts(['a', '\ud800'])], 'logits', { binary: false });
    expect(headers).toBeUndefined();
    const { inputs, outputs } = jsonOf(content, Buffer.byteLength(content));
    expect(inputs[0]!.data).toEqual(['a', '\ufffd']);
    expect(outputs).toEqual([{ name: 'logits', parameters: {} }]);
  });
});

describe('inferenceOutput', () => {
  it('finds its tensor among others, of any width', () => {
    const values = [0.5, -2, 1.25];
    const single = Buffer.from(Float32Array.from(values).buffer);
    const double = Buffer.from(Float64Array.from(values).buffer);
    const half = Buffer.from(Uint16Array.of(0x3800, 0xc000, 0x3d00).buffer);
    for (const [datatype, bytes] of [
      ['FP32', single],
      ['FP64', double],
      ['FP16', half],
    ] as const)
      expect([...inferenceOutput(answer(datatype, [1, 3], bytes), 'logits').values]).toEqual(values);
  });

  it('reads flat and nested JSON, and takes what is no number for none', () => {
    const body = (data: unknown) =>
      Buffer.from(JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 2], data }] }));
    const read = (data: unknown) => [...inferenceOutput({ headers: {}, body: body(data) }, 'y').values];
    expect(read([1, 2, 3, 4])).toEqual([1, 2, 3, 4]);
    expect(
      read([
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([1, 2, 3, 4]);
    expect(read([1, null, '3', 4])).toEqual([1, NaN, NaN, 4]);
  });

  it('says what is wrong with an answer', () => {
    const bytes = Buffer.alloc(8);
    expect(() => inferenceOutput(answer('FP32', [1, 3], bytes), 'logits')).toThrow(
      'output logits: expected 3 values for [1, 3], got 2',
    );
    expect(() => inferenceOutput(answer('BYTES', [1], bytes), 'logits')).toThrow(/FP16, got BYTES/);
    expect(() => inferenceOutput(answer('FP32', [1, 2], bytes), 'scores')).toThrow(
      'expected an output scores, got other, logits',
    );
    expect(() => inferenceOutput({ headers: {}, body: Buffer.from('{"outputs":[NaN]}') }, 'y')).toThrow(
      /not valid JSON/,
    );
  });
});

describe('halfToNumber', () => {
  it('gives zero, subnormal, normal and endless numbers', () => {
    expect([0x0000, 0x0001, 0x0400, 0x3c00, 0x7bff, 0x7c00, 0xfc00].map(halfToNumber)).toEqual([
      0,
      2 ** -24,
      2 ** -14,
      1,
      65504,
      Infinity,
      -Infinity,
    ]);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });
});

describe('newest', () => {
  it('compares versions as numbers', () => {
    expect(newest(['9', '10', '2'])).toBe('10');
    expect(newest([])).toBeUndefined();
  });
});
