/**
 * The HTTP API: content and feedback in by HTTP, for those who do not produce to Kafka themselves; Koko's API shape.
 *
 * In: requests with a customer's key; decisions, as the decisions topic brings them. Out: records of the content topic and of
 * the feedback topic; answers.
 *
 * Promises: an answer 200 means that all replicas have every record of the request. The customer of a record is that of the
 * key. What is accepted is decoded to a row of that customer, never to a dead letter: the decoder itself is asked before.
 * Everything in a body is kept, numbers digit by digit. Records on one content of a customer have one key, so they are in order.
 * Refusals and log lines never show a key or a value that was sent.
 *
 * Fails: with a status below 500 and the reasons when the client must change something; with Retry-After when it may send the
 * same again: with 429 when its customer takes its share of the room already, so that others find some, else with 503. What was
 * answered 503 may have been written all the same. A classification that is not there in
 * time is left out of the answer, which is 200: the content is taken. MisconfiguredError when the address is not free.
 */
export { type Examine, type Served } from './app.ts';
export { createBatchingProducer, type BatchingProducer, type OutRecord } from './batching-producer.ts';
export { apiConfig, type ApiConfig } from './config.ts';
export { trackContent, type ContentShape } from './content.ts';
export { createDecisionWaits } from './decision-waits.ts';
export { serveApi } from './serve.ts';
