/** One change of a schema, as a printed line. */
export interface SchemaChange {
  /**
   * `breaking`: code that was made for the schema before may fail. `harmless`: it need not notice. `rewritten`: a definition reads
   * otherwise; breaking, unless another version of PostgreSQL wrote it.
   */
  weight: 'breaking' | 'harmless' | 'rewritten';
  text: string;
}

const of =
  (weight: SchemaChange['weight']) =>
  (text: string): SchemaChange => ({ weight, text });

export const schemaChange = { breaking: of('breaking'), harmless: of('harmless'), rewritten: of('rewritten') };
