import { SqlReader } from './sql-parts.ts';

/** Who may do what with one object: privileges by role. `ALL` is all that there are for its kind. */
type Rights = Map<string, Set<string>>;

const everybody = 'PUBLIC';
/** What everybody may use as long as nobody has revoked that. */
const openKinds: ReadonlySet<string> = new Set(['FUNCTION', 'TYPE', 'LANGUAGE']);

/** The rights on the objects of a schema. */
export class SchemaRights {
  readonly #rights = new Map<string, Rights>();
  /** Those that the dump creates; others, such as the schema `public`, are there anyway. */
  readonly #created = new Set<string>();

  /** Takes the owner of an object, or a right, from a statement. False if it is about neither. */
  read(statement: string): boolean {
    if (/^(GRANT|REVOKE) /.test(statement)) {
      this.#readGrant(statement);
      return true;
    }
    const [, kind, name, owner] = /^ALTER ([A-Z][A-Z ]*[A-Z]) ([^A-Z].*) OWNER TO (.+)$/s.exec(statement) ?? [];
    if (kind === undefined || name === undefined || owner === undefined) return false;
    const object = objectOf(kind, name);
    this.#created.add(object);
    // What owners may do, they may do without a grant.
    this.#of(object).set(owner, new Set(['ALL']));
    return true;
  }

  /** What roles may do here, and no more there: `TABLE public.orders: SELECT for web`. Of objects that both have. */
  lostIn(after: SchemaRights): string[] {
    const objects = new Set([...this.#rights.keys(), ...after.#rights.keys()]);
    return [...objects]
      .filter((object) => this.#created.has(object) === after.#created.has(object))
      .flatMap((object) => {
        const lost = lostRights(this.#of(object), after.#of(object));
        return lost.length === 0 ? [] : [`${object}: ${lost.join(' and ')}`];
      });
  }

  #of(object: string): Rights {
    const known = this.#rights.get(object);
    if (known !== undefined) return known;
    const rights: Rights = new Map();
    if (openKinds.has(object.split(' ')[0] ?? '')) rights.set(everybody, new Set(['ALL']));
    if (object === 'SCHEMA public') rights.set(everybody, new Set(['USAGE']));
    this.#rights.set(object, rights);
    return rights;
  }

  /** `GRANT SELECT(id),UPDATE ON TABLE public.t TO web WITH GRANT OPTION` */
  #readGrant(statement: string): void {
    const reader = new SqlReader(statement);
    const isGrant = reader.skip('GRANT');
    if (!isGrant) reader.skip('REVOKE');
    // Whether one may pass a right on is nothing that an application needs.
    if (reader.skip('GRANT', 'OPTION', 'FOR')) return;
    const privileges = reader.until('ON').split(/,\s*(?![^(]*\))/);
    reader.skip('ON');
    const [, kind = '', name = ''] = /^([A-Z][A-Z ]*[A-Z]) ([^A-Z].*)$/s.exec(reader.until('TO', 'FROM')) ?? [];
    if (!reader.skip('TO')) reader.skip('FROM');
    const role = reader.until('WITH', 'GRANTED', 'CASCADE');
    const rights = this.#of(objectOf(kind, name));
    const held = rights.get(role) ?? new Set();
    for (const privilege of privileges) {
      if (isGrant) held.add(privilege);
      else if (privilege === 'ALL') held.clear();
      else held.delete(privilege);
    }
    rights.set(role, held);
  }
}

/** An object as GRANT calls it, which knows fewer kinds than ALTER. */
function objectOf(kind: string, name: string): string {
  const kinds: Record<string, string> = {
    VIEW: 'TABLE',
    'MATERIALIZED VIEW': 'TABLE',
    'FOREIGN TABLE': 'TABLE',
    SEQUENCE: 'TABLE',
    PROCEDURE: 'FUNCTION',
    AGGREGATE: 'FUNCTION',
    DOMAIN: 'TYPE',
    'PROCEDURAL LANGUAGE': 'LANGUAGE',
    'FOREIGN SERVER': 'SERVER',
  };
  return `${kinds[kind] ?? kind} ${name}`;
}

function lostRights(before: Rights, after: Rights): string[] {
  const ofAll = after.get(everybody) ?? new Set();
  return [...before].flatMap(([role, held]) => {
    const now = after.get(role) ?? new Set();
    const isKept = (privilege: string) =>
      [now, ofAll].some((has) => has.has('ALL') || has.has(privilege) || has.has(privilege.replace(/\(.*$/s, '')));
    const lost = [...held].filter((privilege) => !isKept(privilege));
    return lost.length === 0 ? [] : [`${lost.join(', ')} for ${role === everybody ? 'everybody' : role}`];
  });
}
