import type { TableName } from '../types.ts';
import type { Table } from './columns.ts';
import { CONTENT } from './content-table.ts';
import { FEEDBACK } from './feedback-table.ts';

/** The tables of an archive by name. */
export const TABLES: Readonly<Record<TableName, Table>> = { content: CONTENT, feedback: FEEDBACK };

/** The table below whose folder a key lies; that of content for what lies in no other's. */
export function tableOfKey(key: string): Table {
  return Object.values(TABLES).find(({ folder }) => folder !== '' && key.startsWith(folder)) ?? CONTENT;
}
