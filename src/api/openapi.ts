import { z } from 'zod';
import { contentBody, feedbackBodies } from './bodies.ts';

const STATUSES: Readonly<Record<string, string>> = {
  '400': 'The body is not UTF-8, not a JSON object or nested too deeply, or `wait` is no time in ms or s',
  '401': 'The key is missing or unknown',
  '403': 'The body names another customer than that of the key',
  '413': 'The body is too long',
  '415': 'The body is not said to be JSON',
  '422': 'A property is missing or wrong; `errors` say which',
  '429': 'Too many requests of this customer at once: send it again after `Retry-After`',
  '503': 'Too much at once, or the brokers do not answer: send it again after `Retry-After`',
};

const text = { type: 'string' };
const answered = (properties: object, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
});
const idAnswer = answered({ id: text }, ['id']);
const contentAnswer = answered(
  {
    id: { ...text, description: 'Id of the content' },
    decision_id: { ...text, description: 'Id of the decision on it, as webhooks and topics name it' },
    classifiers: {
      ...answered(
        {
          id: { ...text, description: 'Id of the content' },
          classification: {
            type: 'array',
            items: answered({ label: text, confidence: { type: 'number', minimum: 0, maximum: 1 } }, [
              'label',
              'confidence',
            ]),
          },
        },
        ['id', 'classification'],
      ),
      description: 'Only when it was asked for and there in time',
    },
    unknown_classifiers: {
      type: 'array',
      items: text,
      description: 'Labels that were asked for and that the model does not have',
    },
    action: { enum: ['allow', 'review', 'block'] },
    reasons: {
      type: 'array',
      items: answered({ label: text, score: { type: 'number' }, threshold: { type: 'number' } }, [
        'label',
        'score',
        'threshold',
      ]),
    },
  },
  ['id'],
);

const json = (schema: object) => ({ 'application/json': { schema } });

function operation(summary: string, body: z.ZodType, answer: object, parameters: readonly object[] = []) {
  const { $schema: _draft, ...schema } = z.toJSONSchema(body, { io: 'output' });
  const refused = Object.entries(STATUSES).map(([status, description]) => [
    status,
    { description, content: json({ $ref: '#/components/schemas/Refused' }) },
  ]);
  return {
    post: {
      summary,
      parameters,
      requestBody: { required: true, content: json(schema) },
      responses: {
        '200': { description: 'All replicas have it', content: json(answer) },
        ...Object.fromEntries(refused),
      },
    },
  };
}

/** The API as an OpenAPI 3.1 document, from the schemas that check the bodies. */
export function openApi(): object {
  const wait = {
    name: 'wait',
    in: 'query',
    description: 'How long to wait for the classification: `2s`, `500ms`, `2000` (milliseconds), `0`',
    schema: text,
  };
  const errors = { type: 'array', items: text };
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice HTTP API', version: '1' },
    security: [{ key: [] }, { bearer: [] }],
    paths: {
      '/track/content': operation('Content to moderate', contentBody, contentAnswer, [wait]),
      '/track/flag': operation('A user reports content', feedbackBodies.flag, idAnswer),
      '/track/moderation': operation('A moderator, or a rule, acted', feedbackBodies.moderation, idAnswer),
      '/track/appeal': operation('A user objects', feedbackBodies.appeal, idAnswer),
    },
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'The key alone' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Refused: answered({ errors, error: errors }, ['errors', 'error']) },
    },
  };
}
