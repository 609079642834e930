import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { consumerProperties } from '../../src/ingest/confluent-properties.ts';
import { kafkaConfig } from '../../src/kafka.ts';
import { kafkaSource } from './kafka-fixture.ts';

const propertiesOf = (source: object = {}, kafka: object = {}) =>
  consumerProperties(
    kafkaConfig.parse({ brokers: ['a:1', 'b:2'], ...kafka }),
    kafkaSource('t', source),
    'group',
  );

describe('properties of librdkafka', () => {
  it('commit, store and reset nothing by themselves, and show nothing uncommitted', () => {
    expect(propertiesOf()).toMatchObject({
      'bootstrap.servers': 'a:1,b:2',
      'group.id': 'group',
      'enable.auto.commit': false,
      'enable.auto.offset.store': false,
      'isolation.level': 'read_committed',
      'allow.auto.create.topics': false,
      'security.protocol': 'plaintext',
    });
  });

  it('of a classic group, and of one that the brokers keep', () => {
    expect(propertiesOf({ instance: 'one' })).toMatchObject({
      'group.protocol': 'classic',
      'partition.assignment.strategy': 'cooperative-sticky',
      'group.instance.id': 'one',
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 200,
      'max.poll.interval.ms': 10_000,
    });
    expect(propertiesOf({ assignor: 'range' })).toMatchObject({ 'partition.assignment.strategy': 'range' });
    const broker = propertiesOf({ group_protocol: 'consumer' });
    expect(broker).toMatchObject({ 'group.protocol': 'consumer', 'max.poll.interval.ms': 10_000 });
    for (const name of ['partition.assignment.strategy', 'session.timeout.ms', 'heartbeat.interval.ms'])
      expect(broker).not.toHaveProperty([name]);
    expect(broker).not.toHaveProperty(['group.instance.id']);
  });

  it('log in as configured', () => {
    const login = { username: 'u', password: 'p' };
    const names = { 'sasl.username': 'u', 'sasl.password': 'p' };
    for (const [mechanism, name] of [
      ['plain', 'PLAIN'],
      ['scram-sha-256', 'SCRAM-SHA-256'],
      ['scram-sha-512', 'SCRAM-SHA-512'],
    ]) {
      expect(propertiesOf({}, { sasl: { mechanism, ...login } })).toMatchObject({
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': name,
        ...names,
      });
    }
    const aws = propertiesOf({}, { tls: true, sasl: { mechanism: 'aws-msk-iam', region: 'eu-west-1' } });
    expect(aws).toMatchObject({ 'security.protocol': 'sasl_ssl', 'sasl.mechanisms': 'OAUTHBEARER' });
    expect(aws).not.toHaveProperty(['sasl.username']);
  });

  it('trust the authorities that Node trusts, or those of the file', () => {
    expect(propertiesOf({}, { tls: true })['ssl.ca.pem']).toMatch(/-----BEGIN CERTIFICATE-----/);
    const directory = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = (name: string) => {
      writeFileSync(join(directory, name), `pem of ${name}`);
      return join(directory, name);
    };
    const tls = { ca: file('ca'), cert: file('cert'), key: file('key') };
    expect(propertiesOf({}, { tls })).toMatchObject({
      'security.protocol': 'ssl',
      'ssl.ca.pem': 'pem of ca',
      'ssl.certificate.pem': 'pem of cert',
      'ssl.key.pem': 'pem of key',
    });
  });

  it('what librdkafka cannot do is refused', () => {
    expect(() => propertiesOf({}, { tls: { server_name: 'other' } })).toThrow(MisconfiguredError);
  });
});
