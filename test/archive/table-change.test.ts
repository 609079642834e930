import type { Column, Table } from '@aws-sdk/client-glue';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogTable, type CatalogTableOptions } from '../../src/archive/catalog-table.ts';
import { tableChange } from '../../src/archive/table-change.ts';

const OPTIONS: CatalogTableOptions = { location: 's3://lake/moderation', labels: ['hate', 'spam'] };

function wantedOf(options: Partial<CatalogTableOptions> = {}) {
  return catalogTable({ ...OPTIONS, ...options });
}

/** The table as the catalog has it after it was created. */
function tableOf(options: Partial<CatalogTableOptions> = {}): Table {
  return { ...tableChange(undefined, wantedOf(options)).input, DatabaseName: 'd', VersionId: '1' };
}

function withColumns(table: Table, change: (columns: Column[]) => Column[]): Table {
  const { StorageDescriptor: storage = {} } = table;
  return { ...table, StorageDescriptor: { ...storage, Columns: change(storage.Columns ?? []) } };
}

describe('a table like the wanted one', () => {
  it('changes nothing, whatever it was made for', () => {
    fc.assert(
      fc.property(
        fc.record({
          location: fc.constantFrom('s3://b', 's3://b/', 's3://b/p/q'),
          labels: fc.array(fc.string({ maxLength: 12 }), { maxLength: 6 }),
          partitionBy: fc.constantFrom<NonNullable<CatalogTableOptions['partitionBy']>>(
            [],
            ['day'],
            ['customer', 'day'],
            ['day', 'hour', 'customer'],
          ),
          since: fc.constantFrom(undefined, '2024-05-06'),
        }),
        fc.boolean(),
        (options, force) => {
          expect(tableChange(tableOf(options), wantedOf(options), { force })).toMatchObject({
            changes: [],
            refused: [],
          });
        },
      ),
    );
  });

  it('may write its types differently', () => {
    const table = withColumns(tableOf(), (columns) =>
      columns.map((column) => ({ ...column, Type: column.Type!.toUpperCase().replace(':', ' : ') })),
    );
    expect(tableChange(table, wantedOf())).toMatchObject({ changes: [], refused: [] });
  });
});

describe('what only adds', () => {
  it('columns come last, and say so', () => {
    const table = withColumns(tableOf(), (columns) => columns.filter(({ Name }) => Name !== 'user_id'));
    const { changes, refused, input } = tableChange(table, wantedOf());
    expect({ changes, refused }).toEqual({ changes: ['column user_id string added'], refused: [] });
    expect(input.StorageDescriptor!.Columns!.at(-1)).toEqual({
      Name: 'user_id',
      Type: 'string',
      Comment: 'Author of the content',
    });
  });

  it('labels join those that older files have', () => {
    const { changes, refused, input } = tableChange(tableOf(), wantedOf({ labels: ['toxic', 'spam'] }));
    expect({ changes, refused }).toEqual({ changes: ['field scores.toxic added'], refused: [] });
    expect(typeOf(input.StorageDescriptor!.Columns!, 'scores')).toBe(
      'struct<hate:float,spam:float,toxic:float>',
    );
  });

  it('scores stay where no model is configured any more', () => {
    expect(tableChange(tableOf(), wantedOf({ labels: [] }))).toMatchObject({ changes: [], refused: [] });
  });

  it('never loses a column or a field, and a second time changes nothing', () => {
    const labels = fc.uniqueArray(fc.constantFrom('hate', 'spam', 'toxic', 'a.b'), { maxLength: 4 });
    const names = wantedOf().columns.map(({ name }) => name);
    fc.assert(
      fc.property(labels, labels, fc.subarray(names), (before, after, dropped) => {
        const table = withColumns(tableOf({ labels: before }), (columns) =>
          columns.filter(({ Name }) => !dropped.includes(Name!)),
        );
        const wanted = wantedOf({ labels: after });
        const { refused, input } = tableChange(table, wanted);
        expect(refused).toEqual([]);
        const columns = input.StorageDescriptor!.Columns!;
        const had = table.StorageDescriptor!.Columns!;
        expect(columns.slice(0, had.length).map(({ Name }) => Name)).toEqual(had.map(({ Name }) => Name));
        for (const label of [...(typeOf(had, 'scores') ? before : []), ...after])
          expect(typeOf(columns, 'scores')).toContain(`${label}:float`);
        expect(tableChange({ ...table, ...input }, wanted).changes).toEqual([]);
      }),
    );
  });

  it('keeps parameters, description and retention of others', () => {
    const table = {
      ...tableOf(),
      Description: 'ours',
      Owner: 'data',
      Retention: 9,
      Parameters: { ...tableOf().Parameters, has_encrypted_data: 'false', 'projection.enabled': 'false' },
    };
    const { changes, input } = tableChange(table, wantedOf());
    expect(changes).toEqual(['parameter projection.enabled: false becomes true']);
    expect(input).toMatchObject({
      Description: 'ours',
      Owner: 'data',
      Retention: 9,
      Parameters: { has_encrypted_data: 'false', 'projection.enabled': 'true' },
    });
  });

  it('keeps a projection of others, until it is forced or the range is asked for', () => {
    const { 'projection.dt.range': _range, ...rest } = tableOf().Parameters!;
    const own = {
      'projection.customer.type': 'enum',
      'projection.customer.values': 'acme,globex',
      'projection.dt.range': '2023-01-01,NOW',
    };
    const table = { ...tableOf(), Parameters: { ...rest, ...own } };
    expect(tableChange(table, wantedOf())).toMatchObject({ changes: [], input: { Parameters: own } });
    expect(tableChange(table, wantedOf({ since: '2024-01-01' }), { setRange: true }).changes).toEqual([
      'parameter projection.dt.range: 2023-01-01,NOW becomes 2024-01-01,NOW+3DAYS',
    ]);
    const forced = tableChange(table, wantedOf(), { force: true });
    expect(forced.input.Parameters).toEqual(tableOf().Parameters);
    expect(forced.changes).toContain('parameter projection.customer.values removed');
  });
});

describe('what could take something from readers', () => {
  const cases: [string, Table, string][] = [
    [
      'another type',
      withColumns(tableOf(), (columns) =>
        columns.map((column) => (column.Name === 'offset' ? { ...column, Type: 'int' } : column)),
      ),
      'column offset: expected type bigint, got int',
    ],
    [
      'another type within scores',
      withColumns(tableOf(), (columns) =>
        columns.map((column) =>
          column.Name === 'scores' ? { ...column, Type: 'struct<hate:double,spam:float>' } : column,
        ),
      ),
      'column scores: expected type struct<hate:float,spam:float>, got struct<hate:double,spam:float>',
    ],
    [
      'a column of others',
      withColumns(tableOf(), (columns) => [...columns, { Name: 'extra', Type: 'string' }]),
      'column extra string: the archive has no such column',
    ],
    ['another place', tableOf({ location: 's3://lake/else' }), 'location: expected s3://lake/moderation/'],
    [
      'other partitions',
      tableOf({ partitionBy: ['customer', 'day', 'hour'] }),
      'partition columns: expected customer string, dt date, got customer string, dt date, hour int',
    ],
    [
      'another format',
      {
        ...tableOf(),
        StorageDescriptor: {
          ...tableOf().StorageDescriptor,
          SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
      },
      'got org.openx.data.jsonserde.JsonSerDe',
    ],
  ];

  it.each(cases)('%s is refused, and made when forced', (_name, table, line) => {
    const { refused } = tableChange(table, wantedOf());
    expect(refused).toHaveLength(1);
    expect(refused[0]).toContain(line);
    const forced = tableChange(table, wantedOf(), { force: true });
    expect(forced.refused).toEqual([]);
    expect(forced.changes.join('\n')).toContain(line);
    const { Columns, Location, SerdeInfo } = forced.input.StorageDescriptor!;
    const fresh = tableOf().StorageDescriptor!;
    expect({ Columns, Location, SerdeInfo, keys: forced.input.PartitionKeys }).toEqual({
      Columns: fresh.Columns,
      Location: fresh.Location,
      SerdeInfo: fresh.SerdeInfo,
      keys: tableOf().PartitionKeys,
    });
  });

  it('says which fields of scores force removes', () => {
    const { changes } = tableChange(tableOf(), wantedOf({ labels: ['spam'] }), { force: true });
    expect(changes).toEqual(['field scores.hate removed']);
  });

  it.each<[Partial<Table>, string]>([
    [{ TableType: 'VIRTUAL_VIEW' }, 'a VIRTUAL_VIEW'],
    [{ Parameters: { table_type: 'ICEBERG' } }, 'a table of type ICEBERG'],
    [{ TargetTable: { DatabaseName: 'x', Name: 'y' } }, 'a link to another table'],
  ])('no force overwrites %j', (other, kind) => {
    const attempt = () => tableChange({ ...tableOf(), ...other }, wantedOf(), { force: true });
    expect(attempt).toThrow(`got ${kind}; choose another name for the table`);
  });
});

function typeOf(columns: readonly Column[], name: string): string | undefined {
  return columns.find(({ Name }) => Name === name)?.Type;
}
