export const id = 376;
export const ids = [376];
export const modules = {

/***/ 18756:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "0720957f11f380e4a2b8.sh";

/***/ }),

/***/ 21706:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "e80a84fc758b33dccfbe.sh";

/***/ }),

/***/ 66269:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "0735f57569ff25db29d5.sh";

/***/ }),

/***/ 75376:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {


// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  guardAfterPull: () => (/* binding */ guardAfterPull),
  guardSchema: () => (/* binding */ guardSchema)
});

// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/plan/paired-set.js
var paired_set = __webpack_require__(70872);
// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
;// CONCATENATED MODULE: ./build/shared/plan/schema-change.js
const of = (weight) => (text) => ({ weight, text });
const schemaChange = { breaking: of('breaking'), harmless: of('harmless'), rewritten: of('rewritten') };

;// CONCATENATED MODULE: ./build/shared/postgres/lexemes.js
// SQL as PostgreSQL's lexer reads it (documentation 4.1), with standard_conforming_strings on.
const blank = /[ \t\n\r\f\v]+/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
/** The tag of a dollar quote is an identifier: at most 63 bytes. */
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]{0,62})?\$/y;
/**
 * What begins at this place, and where it ends.
 * @throws RangeError whose message continues "it …": for an unclosed quote or comment
 */
function lexemeAt(sql, at) {
    const begin = sql[at] ?? '';
    switch (begin) {
        case "'":
            return { kind: 'text', end: endOfQuote(sql, at) };
        case '"':
            return { kind: 'name', end: endOfQuote(sql, at) };
        case '-':
            if (sql[at + 1] === '-')
                return { kind: 'comment', end: endOfLine(sql, at) };
            break;
        case '/':
            if (sql[at + 1] === '*')
                return { kind: 'comment', end: endOfComment(sql, at) };
            break;
        case '$': {
            const tag = matched(dollar, sql, at);
            if (tag !== null)
                return { kind: 'text', end: after(sql, tag, at + tag.length) };
            break;
        }
        case 'e':
        case 'E':
            if (sql[at + 1] === "'")
                return { kind: 'text', end: endOfEscaped(sql, at + 2) };
            break;
    }
    const letters = begin > ' ' ? matched(word, sql, at) : null;
    if (letters !== null)
        return { kind: 'word', end: at + letters.length };
    const spaces = matched(blank, sql, at);
    if (spaces !== null)
        return { kind: 'blank', end: at + spaces.length };
    return { kind: 'sign', end: at + 1 };
}
function matched(pattern, sql, at) {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0] ?? null;
}
/** Two quotes within are one of the text. */
function endOfQuote(sql, at) {
    const quote = sql[at] ?? '';
    let end = after(sql, quote, at + 1);
    while (sql[end] === quote)
        end = after(sql, quote, end + 1);
    return end;
}
function after(sql, closing, from) {
    const end = sql.indexOf(closing, from);
    if (end < 0)
        throw new RangeError(`has a quote (${closing}) that does not end`);
    return end + closing.length;
}
function endOfEscaped(sql, from) {
    for (let at = from; at < sql.length; at += 1) {
        if (sql[at] === '\\')
            at += 1;
        else if (sql[at] === "'")
            return at + 1;
    }
    throw new RangeError("has a quote (E') that does not end");
}
function endOfLine(sql, from) {
    const end = sql.indexOf('\n', from);
    return end < 0 ? sql.length : end + 1;
}
/** They nest. */
function endOfComment(sql, from) {
    let depth = 0;
    for (let at = from; at < sql.length; at += 1) {
        if (sql.startsWith('/*', at))
            [depth, at] = [depth + 1, at + 1];
        else if (sql.startsWith('*/', at)) {
            [depth, at] = [depth - 1, at + 1];
            if (depth === 0)
                return at + 1;
        }
    }
    throw new RangeError('has a comment (/*) that does not end');
}

;// CONCATENATED MODULE: ./build/shared/plan/sql-parts.js

/** The pieces of a statement, without blanks and comments. @throws RangeError as `lexemeAt` */
function partsOf(sql) {
    const parts = [];
    let depth = 0;
    let start = 0;
    for (let at = 0; at < sql.length;) {
        const { kind, end } = lexemeAt(sql, at);
        const sign = kind === 'sign' ? sql[at] : '';
        if (sign === '(' && depth++ === 0)
            start = at;
        if (depth === 0 && kind !== 'blank' && kind !== 'comment')
            parts.push({ kind, text: sql.slice(at, end), start: at, end });
        if (sign === ')' && depth > 0 && --depth === 0)
            parts.push({ kind: 'group', text: sql.slice(start, end), start, end });
        at = end;
    }
    if (depth > 0)
        throw new RangeError('has a parenthesis that does not end');
    return parts;
}
/** What stands between the commas in a group. */
function listIn(group) {
    const inner = group.slice(1, -1);
    const items = [];
    let start = 0;
    for (const { kind, text, end } of partsOf(inner)) {
        if (kind !== 'sign' || text !== ',')
            continue;
        items.push(inner.slice(start, end - 1).trim());
        start = end;
    }
    const last = inner.slice(start).trim();
    return last === '' ? items : [...items, last];
}
/** Every name that a text mentions, without its quotes, also within parentheses. */
function namesIn(sql) {
    const names = new Set();
    for (let at = 0; at < sql.length;) {
        const { kind, end } = lexemeAt(sql, at);
        if (kind === 'word' || kind === 'name')
            names.add(bare(sql.slice(at, end)));
        at = end;
    }
    return names;
}
/** A name without its quotes. */
function bare(name) {
    return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
/** Reads a statement from its beginning to its end. */
class SqlReader {
    #sql;
    #parts;
    #at = 0;
    constructor(sql) {
        this.#sql = sql;
        this.#parts = partsOf(sql);
    }
    /** Goes on behind these words if they come next. */
    skip(...words) {
        if (!words.every((word, index) => this.#parts[this.#at + index]?.text === word))
            return false;
        this.#at += words.length;
        return true;
    }
    /** Goes on behind the first of these words. */
    skipTo(...words) {
        const found = this.#parts.findIndex(({ text }, index) => index >= this.#at && words.includes(text));
        if (found < 0)
            return false;
        this.#at = found + 1;
        return true;
    }
    /** The next piece; null at the end. */
    next() {
        return this.#parts[this.#at++] ?? null;
    }
    peek() {
        return this.#parts[this.#at]?.text ?? '';
    }
    /** A name as it is written, with its schema: `public."Order"`. Empty if none comes next. */
    name() {
        const first = this.#parts[this.#at];
        if (first === undefined || (first.kind !== 'word' && first.kind !== 'name'))
            return '';
        this.#at += 1;
        return this.peek() === '.' ? `${first.text}${this.next()?.text}${this.name()}` : first.text;
    }
    /** The next group, wherever it stands; null if there is none. */
    group() {
        const found = this.#parts.findIndex(({ kind }, index) => index >= this.#at && kind === 'group');
        if (found < 0)
            return null;
        this.#at = found + 1;
        return this.#parts[found]?.text ?? null;
    }
    /** The text from here up to the first of these words, or to the end. */
    until(...words) {
        const from = this.#parts[this.#at]?.start ?? this.#sql.length;
        while (this.#at < this.#parts.length && !words.includes(this.peek()))
            this.#at += 1;
        const to = this.#parts[this.#at]?.start ?? this.#sql.length;
        return this.#sql.slice(from, to).trim();
    }
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-changes-of-table.js


/** What has changed in a table that is there before and after, as code that was made for the table before notices it. */
function tableChanges(before, after, model) {
    const { breaking, harmless, rewritten } = schemaChange;
    const about = (change) => ({ ...change, text: `${after.name}: ${change.text}` });
    const changes = [
        ...columnChanges(before, after, model),
        ...constraintChanges(before, after),
        ...uniqueChanges(before, after),
        ...[...before.indexes]
            .filter(([rule]) => !after.indexes.has(rule) && !after.unique.has(rule))
            .map(([, name]) => harmless(`index ${name} is gone`)),
        ...[...after.indexes].filter(([rule]) => !before.indexes.has(rule)).map(([, name]) => harmless(`index ${name}`)),
    ];
    if (before.shape !== after.shape || before.kind !== after.kind)
        changes.push(rewritten('it is a table of another kind, or partitioned in another way'));
    if (before.parents.join() !== after.parents.join())
        changes.push(breaking('it inherits from other tables'));
    if (before.rowSecurity !== after.rowSecurity)
        changes.push(breaking('its row security has been switched'));
    return changes.map(about);
}
function columnChanges(before, after, model) {
    const { breaking, harmless } = schemaChange;
    const added = [...after.columns].filter(([name]) => !before.columns.has(name));
    const changes = [...before.columns].flatMap(([name, column]) => {
        const now = after.columns.get(name);
        if (now !== undefined)
            return columnChange(name, column, now);
        const alike = added.find(([, { type }]) => type === column.type);
        return [breaking(`column ${name} is gone${alike === undefined ? '' : ` (${alike[0]}, of the same type, is new)`}`)];
    });
    for (const [name, column] of added) {
        const isGiven = column.fallback !== null || column.generated !== null || hasOwnDefault(column, model);
        changes.push(column.isRequired && !isGiven
            ? breaking(`column ${name} is new, and must be given, which older code does not do`)
            : harmless(`column ${name}`));
    }
    if (!isInOrder(before, after))
        changes.push(breaking('its columns stand in another order'));
    return changes;
}
/** New columns stand behind the others, so that code which gives values without names still finds their places. */
function isInOrder(before, after) {
    const columns = [...after.columns.keys()];
    const kept = [...before.columns.keys()].filter((name) => after.columns.has(name));
    // A renamed column is reported as one that is gone and one that is new.
    const places = kept.length < before.columns.size ? columns.filter((name) => before.columns.has(name)) : columns;
    return kept.every((name, at) => name === places[at]);
}
/** A domain may have one. */
function hasOwnDefault({ type }, { others }) {
    return / DEFAULT /.test(others.get(`DOMAIN ${type}`)?.definition ?? '');
}
function columnChange(name, before, after) {
    const { breaking, harmless, rewritten } = schemaChange;
    const changes = [];
    const column = `column ${name}`;
    if (before.type !== after.type) {
        const text = `${column} was ${before.type} and is ${after.type}`;
        changes.push(isWider(before.type, after.type) ? harmless(text) : breaking(text));
    }
    if (!before.isRequired && after.isRequired)
        changes.push(breaking(`${column} must not be NULL any more`));
    if (before.isRequired && !after.isRequired)
        changes.push(breaking(`${column} may be NULL now`));
    if (before.generated !== after.generated)
        changes.push(rewritten(`${column} is generated in another way`));
    else if (before.fallback === null && after.fallback !== null)
        changes.push(harmless(`${column} has a default now`));
    else if (after.fallback === null && before.fallback !== null)
        changes.push(breaking(`${column} has no default any more`));
    else if (before.fallback !== after.fallback)
        changes.push(rewritten(`${column} has another default`));
    if (before.collation !== after.collation)
        changes.push(breaking(`${column} has another collation`));
    return changes;
}
/** A text that may only be longer than before: what older code writes fits, and what it reads is of the same kind. */
function isWider(before, after) {
    const length = (type) => {
        if (type === 'text' || type === 'character varying')
            return Number.POSITIVE_INFINITY;
        const [, digits] = /^character varying\((\d+)\)$/.exec(type) ?? [];
        return digits === undefined ? null : Number(digits);
    };
    const [from, to] = [length(before), length(after)];
    return from !== null && to !== null && to >= from;
}
function constraintChanges(before, after) {
    const { breaking, harmless, rewritten } = schemaChange;
    const definitionsBefore = new Set(before.constraints.values());
    const definitionsAfter = new Set(after.constraints.values());
    const changes = [];
    for (const [name, definition] of before.constraints) {
        if (definitionsAfter.has(definition))
            continue;
        const now = after.constraints.get(name);
        if (now === undefined)
            changes.push(breaking(`constraint ${name} is gone`));
        else if (takesMore(definition, now))
            changes.push(harmless(`constraint ${name} allows more values`));
        else
            changes.push(rewritten(`constraint ${name} has changed`));
    }
    for (const [name, definition] of after.constraints) {
        if (definitionsBefore.has(definition) || before.constraints.has(name))
            continue;
        changes.push(columnsOf(definition).some((column) => before.columns.has(column))
            ? breaking(`constraint ${name} is new, and what older code writes may violate it`)
            : harmless(`constraint ${name}`));
    }
    return changes;
}
/** The names in a constraint, of which some are columns of its own table; those of the other table do not count. */
function columnsOf(definition) {
    const reader = new SqlReader(definition);
    return [...namesIn(reader.skip('FOREIGN', 'KEY') ? (reader.group() ?? '') : definition)];
}
/** `IN ('a', 'b')` with a longer list, as pg_dump writes it. */
function takesMore(before, after) {
    const list = /ARRAY\[(.*?)\]/s;
    const [values, more] = [list.exec(before)?.[1], list.exec(after)?.[1]];
    if (values === undefined || more === undefined)
        return false;
    const allowed = new Set(listIn(`(${more})`));
    return (before.replace(list, '') === after.replace(list, '') && listIn(`(${values})`).every((each) => allowed.has(each)));
}
function uniqueChanges(before, after) {
    const { breaking, harmless } = schemaChange;
    const gone = [...before.unique.keys()].filter((rule) => !after.unique.has(rule));
    const added = [...after.unique].filter(([rule]) => !before.unique.has(rule));
    return [
        ...gone.map((rule) => breaking(`${rule} need not be unique any more`)),
        ...added.map(([rule, name]) => isKept(rule, before, after)
            ? harmless(`unique index ${name}`)
            : breaking(`${rule} must be unique now, and what older code writes may violate that`)),
    ];
}
/** Whether rows that older code writes cannot violate a new rule. */
function isKept(rule, before, after) {
    const columns = namesIn(rule);
    const isStrict = rule.includes(' NULLS NOT DISTINCT');
    const isImplied = !isStrict &&
        [...before.unique.keys()].some((earlier) => earlier.endsWith(')') &&
            !/ WHERE /.test(earlier) &&
            keyOf(earlier).every((column) => keyOf(rule).includes(column)));
    if (isImplied)
        return true;
    if ([...columns].some((name) => before.columns.has(name)))
        return false;
    // NULLs are all different, and so are numbers of a sequence.
    return [...columns]
        .flatMap((name) => after.columns.get(name) ?? [])
        .some(({ isRequired, fallback, generated }) => generated !== null || /nextval\(|uuid/.test(fallback ?? '') || (fallback === null && !isRequired && !isStrict));
}
function keyOf(rule) {
    return listIn(new SqlReader(rule).group() ?? '()').map(bare);
}

;// CONCATENATED MODULE: ./build/shared/postgres/statements.js

/**
 * Splits an SQL text into statements, without semicolons and without pure comments.
 * @throws RangeError whose message continues "it …": for an unclosed quote or comment, or a psql command
 */
function statementsIn(sql) {
    const statements = [];
    let start = 0;
    let isEmpty = true;
    /** Within parentheses, a semicolon separates the actions of a rule. */
    let depth = 0;
    let at = 0;
    while (at < sql.length) {
        if (sql[at] === ';' && depth === 0) {
            if (!isEmpty)
                statements.push(sql.slice(start, at).trim());
            at += 1;
            [start, isEmpty] = [at, true];
            continue;
        }
        const { kind, end } = lexemeAt(sql, at);
        if (kind !== 'blank' && kind !== 'comment') {
            if (isEmpty && sql[at] === '\\')
                throw new RangeError('has a command of psql, such as \\copy');
            isEmpty = false;
        }
        if (sql[at] === '(')
            depth += 1;
        if (sql[at] === ')' && depth > 0)
            depth -= 1;
        at = end;
    }
    if (!isEmpty)
        statements.push(sql.slice(start).trim());
    return statements;
}

// EXTERNAL MODULE: ./build/shared/report/schema-changes.js + 2 modules
var schema_changes = __webpack_require__(96004);
;// CONCATENATED MODULE: ./build/shared/plan/schema-objects.js


const header = /^-- Name: (.*); Type: (.*?); Schema: (.*); Owner: /;
/** Between objects, about none of them. */
const setting = /^(SET|SELECT pg_catalog\.set_config\()/;
/**
 * The objects of a schema dump, in its order. Only comments above a statement count as headers: a text, the body of a function or a
 * comment may hold lines that look like one.
 * @throws RangeError if it is not SQL to its end
 */
function schemaObjects(dump) {
    const objects = [];
    for (const text of statementsIn((0,schema_changes/* stableSchema */.B0)(dump))) {
        const { comments, statement } = parted(text);
        const title = comments.map((line) => header.exec(line)).findLast((match) => match !== null);
        if (title) {
            const [, name = '', type = '', schema = ''] = title;
            objects.push({ type, schema, name, statements: [] });
        }
        if (!setting.test(statement))
            objects.at(-1)?.statements.push(asRestored(statement));
    }
    return objects;
}
/** A statement, and the lines of comment before it. */
function parted(text) {
    const comments = [];
    let at = 0;
    while (at < text.length) {
        const end = text.indexOf('\n', at);
        const line = text.slice(at, end < 0 ? text.length : end);
        if (line.trim() !== '' && !line.startsWith('--'))
            break;
        comments.push(line);
        at = end < 0 ? text.length : end + 1;
    }
    return { comments, statement: text.slice(at) };
}
const items = "((?:[^\\[\\]']|'[^']*')*)";
const castList = new RegExp(`\\(ARRAY\\[${items}\\]\\)::[a-z ]+\\[\\]`, 'g');
const listOfCasts = new RegExp(`ARRAY\\[${items}\\]`, 'g');
const castItem = /(?:\(('[^']*(?:''[^']*)*')::[a-z ]+\)|('[^']*(?:''[^']*)*'))::[a-z ]+(?=, |$)/g;
/**
 * PostgreSQL prints `a IN ('x', 'y')` for a column of varying length in one way, and in another once it was dumped and restored:
 * `(ARRAY['x'::character varying])::text[]`, then `ARRAY[('x'::character varying)::text]`. It is the same list.
 */
function asRestored(statement) {
    if (!statement.includes('ARRAY['))
        return statement;
    const bareItems = (list) => list.replace(castItem, (_, inner, plain) => inner ?? plain);
    return statement
        .replace(castList, (_, list) => `ARRAY[${bareItems(list)}]`)
        .replace(listOfCasts, (whole, list) => (list.startsWith("('") ? `ARRAY[${bareItems(list)}]` : whole));
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-rights.js

const everybody = 'PUBLIC';
/** What everybody may use as long as nobody has revoked that. */
const openKinds = new Set(['FUNCTION', 'TYPE', 'LANGUAGE']);
/** The rights on the objects of a schema. */
class SchemaRights {
    #rights = new Map();
    /** Those that the dump creates; others, such as the schema `public`, are there anyway. */
    #created = new Set();
    /** Takes the owner of an object, or a right, from a statement. False if it is about neither. */
    read(statement) {
        if (/^(GRANT|REVOKE) /.test(statement)) {
            this.#readGrant(statement);
            return true;
        }
        const [, kind, name, owner] = /^ALTER ([A-Z][A-Z ]*[A-Z]) ([^A-Z].*) OWNER TO (.+)$/s.exec(statement) ?? [];
        if (kind === undefined || name === undefined || owner === undefined)
            return false;
        const object = objectOf(kind, name);
        this.#created.add(object);
        // What owners may do, they may do without a grant.
        this.#of(object).set(owner, new Set(['ALL']));
        return true;
    }
    /** What roles may do here, and no more there: `TABLE public.orders: SELECT for web`. Of objects that both have. */
    lostIn(after) {
        const objects = new Set([...this.#rights.keys(), ...after.#rights.keys()]);
        return [...objects]
            .filter((object) => this.#created.has(object) === after.#created.has(object))
            .flatMap((object) => {
            const lost = lostRights(this.#of(object), after.#of(object));
            return lost.length === 0 ? [] : [`${object}: ${lost.join(' and ')}`];
        });
    }
    #of(object) {
        const known = this.#rights.get(object);
        if (known !== undefined)
            return known;
        const rights = new Map();
        if (openKinds.has(object.split(' ')[0] ?? ''))
            rights.set(everybody, new Set(['ALL']));
        if (object === 'SCHEMA public')
            rights.set(everybody, new Set(['USAGE']));
        this.#rights.set(object, rights);
        return rights;
    }
    /** `GRANT SELECT(id),UPDATE ON TABLE public.t TO web WITH GRANT OPTION` */
    #readGrant(statement) {
        const reader = new SqlReader(statement);
        const isGrant = reader.skip('GRANT');
        if (!isGrant)
            reader.skip('REVOKE');
        // Whether one may pass a right on is nothing that an application needs.
        if (reader.skip('GRANT', 'OPTION', 'FOR'))
            return;
        const privileges = reader.until('ON').split(/,\s*(?![^(]*\))/);
        reader.skip('ON');
        const [, kind = '', name = ''] = /^([A-Z][A-Z ]*[A-Z]) ([^A-Z].*)$/s.exec(reader.until('TO', 'FROM')) ?? [];
        if (!reader.skip('TO'))
            reader.skip('FROM');
        const role = reader.until('WITH', 'GRANTED', 'CASCADE');
        const rights = this.#of(objectOf(kind, name));
        const held = rights.get(role) ?? new Set();
        for (const privilege of privileges) {
            if (isGrant)
                held.add(privilege);
            else if (privilege === 'ALL')
                held.clear();
            else
                held.delete(privilege);
        }
        rights.set(role, held);
    }
}
/** An object as GRANT calls it, which knows fewer kinds than ALTER. */
function objectOf(kind, name) {
    const kinds = {
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
function lostRights(before, after) {
    const ofAll = after.get(everybody) ?? new Set();
    return [...before].flatMap(([role, held]) => {
        const now = after.get(role) ?? new Set();
        const isKept = (privilege) => [now, ofAll].some((has) => has.has('ALL') || has.has(privilege) || has.has(privilege.replace(/\(.*$/s, '')));
        const lost = [...held].filter((privilege) => !isKept(privilege));
        return lost.length === 0 ? [] : [`${lost.join(', ')} for ${role === everybody ? 'everybody' : role}`];
    });
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-table.js

/** Reads CREATE TABLE; null if it is another statement. */
function readTable(statement) {
    const reader = new SqlReader(statement);
    if (!reader.skip('CREATE'))
        return null;
    reader.skip('UNLOGGED');
    const kind = reader.skip('FOREIGN') ? 'FOREIGN' : '';
    if (!reader.skip('TABLE'))
        return null;
    const table = {
        name: reader.name(),
        kind,
        columns: new Map(),
        constraints: new Map(),
        unique: new Map(),
        indexes: new Map(),
        parents: [],
        isPartition: false,
        shape: '',
        rowSecurity: '',
    };
    if (reader.skip('PARTITION', 'OF')) {
        table.parents.push(reader.name());
        table.isPartition = true;
    }
    else if (reader.skip('OF'))
        table.shape = `OF ${reader.name()}`;
    for (const item of listIn(reader.group() ?? '()'))
        readItem(table, item);
    if (reader.skip('INHERITS'))
        table.parents.push(...listIn(reader.group() ?? '()'));
    if (reader.skip('PARTITION', 'BY'))
        table.shape = `PARTITION BY ${reader.until('USING', 'WITH', 'TABLESPACE')}`;
    else if (kind !== '' && reader.skip('SERVER'))
        table.shape = `SERVER ${reader.until()}`;
    return table;
}
function readItem(table, item) {
    const reader = new SqlReader(item);
    if (reader.skip('CONSTRAINT')) {
        const name = bare(reader.name());
        addConstraint(table, name, reader.until());
    }
    else if (reader.peek() === 'CHECK') {
        addConstraint(table, item, item);
    }
    else {
        const name = bare(reader.name());
        table.columns.set(name, readColumn(reader));
    }
}
const columnWords = ['DEFAULT', 'NOT', 'NULL', 'COLLATE', 'GENERATED', 'CONSTRAINT', 'OPTIONS', 'WITH'];
function readColumn(reader) {
    // `timestamp with time zone` has its words in small letters.
    const column = {
        type: reader.until(...columnWords),
        isRequired: false,
        fallback: null,
        generated: null,
        collation: null,
    };
    for (let part = reader.next(); part !== null; part = reader.next()) {
        if (part.text === 'DEFAULT')
            column.fallback = reader.until(...columnWords);
        else if (part.text === 'COLLATE')
            column.collation = reader.until(...columnWords);
        else if (part.text === 'GENERATED')
            column.generated = reader.until('NOT', 'COLLATE', 'CONSTRAINT');
        else if (part.text === 'NOT' && reader.peek() === 'NULL')
            column.isRequired = true;
        // From version 18 on, NOT NULL has a name.
        else if (part.text === 'CONSTRAINT')
            reader.name();
    }
    return column;
}
/** A constraint as pg_dump writes it behind its name. */
function addConstraint(table, name, definition) {
    const reader = new SqlReader(definition);
    const isPrimary = reader.skip('PRIMARY', 'KEY');
    if (isPrimary || reader.skip('UNIQUE')) {
        const isStrict = reader.skip('NULLS', 'NOT', 'DISTINCT');
        const columns = reader.group() ?? '';
        table.unique.set(uniqueRule(columns, isStrict, reader.skipTo('DEFERRABLE') ? 'DEFERRABLE' : ''), name);
        return;
    }
    // Whether old rows were looked at says nothing of new ones.
    table.constraints.set(name, definition.replace(/ NOT VALID$/, ''));
}
/** CREATE INDEX, with the name of its table; null if it is another statement. */
function readIndex(statement) {
    const reader = new SqlReader(statement);
    if (!reader.skip('CREATE'))
        return null;
    const isUnique = reader.skip('UNIQUE');
    if (!reader.skip('INDEX'))
        return null;
    const name = bare(reader.name());
    reader.skip('ON');
    reader.skip('ONLY');
    const table = reader.name();
    reader.skip('USING');
    const method = reader.name();
    const columns = reader.group() ?? '';
    if (reader.skip('INCLUDE'))
        reader.group();
    const isStrict = reader.skip('NULLS', 'NOT', 'DISTINCT');
    const condition = reader.skipTo('WHERE') ? `WHERE ${reader.until()}` : '';
    return {
        table,
        addTo({ unique, indexes }) {
            if (isUnique)
                unique.set(uniqueRule(columns, isStrict, condition), name);
            else
                indexes.set(`${method} ${columns} ${condition}`, name);
        },
    };
}
function uniqueRule(columns, isStrict, rest) {
    return `${columns}${isStrict ? ' NULLS NOT DISTINCT' : ''}${rest === '' ? '' : ` ${rest}`}`;
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-model.js




/** Nothing that code notices: for people, the planner, copies, or objects that do not exist yet. */
const unnoticed = new Set([
    'COMMENT',
    'SECURITY LABEL',
    'STATISTICS',
    'DEFAULT ACL',
    'SEQUENCE OWNED BY',
    'INDEX ATTACH',
    'PUBLICATION',
    'PUBLICATION TABLE',
    'PUBLICATION TABLES IN SCHEMA',
    'SUBSCRIPTION',
]);
/** Reads a schema dump. @throws RangeError whose message continues "it …" */
function schemaModel(dump) {
    const model = { tables: new Map(), enums: new Map(), others: new Map(), rights: new SchemaRights() };
    for (const object of schemaObjects(dump))
        if (!unnoticed.has(object.type))
            add(model, object);
    return model;
}
function add(model, object) {
    // A statement that only sets the owner or grants, or how rows are stored, defines nothing.
    const statements = object.statements.filter((statement) => !model.rights.read(statement) && !isPhysical(statement));
    const [first] = statements;
    if (first === undefined) {
        if (object.type === 'SCHEMA' || object.type === 'EXTENSION')
            addOther(model, object, '', null);
        return;
    }
    switch (object.type) {
        case 'TABLE':
        case 'FOREIGN TABLE': {
            const table = readTable(first);
            if (table === null)
                break;
            model.tables.set(table.name, table);
            for (const statement of statements.slice(1))
                alterTable(model, statement);
            return;
        }
        case 'TABLE ATTACH':
        case 'DEFAULT':
        case 'CONSTRAINT':
        case 'CHECK CONSTRAINT':
        case 'FK CONSTRAINT':
        case 'SEQUENCE':
        case 'ROW SECURITY':
            if (statements.every((statement) => alterTable(model, statement)))
                return;
            break;
        case 'INDEX': {
            const index = readIndex(first);
            const table = model.tables.get(index?.table ?? '');
            if (index !== null && table !== undefined) {
                index.addTo(table);
                return;
            }
            break;
        }
        case 'TYPE': {
            const values = enumValues(first);
            if (values === null)
                break;
            model.enums.set(nameOf(object), values);
            return;
        }
    }
    addOther(model, object, statements.join(';\n'), tableOf(object, first));
}
function addOther(model, object, definition, table) {
    const { type } = object;
    const name = nameOf(object);
    model.others.set(`${type} ${name}`, { type, name, definition: steady(type, definition), table });
}
function nameOf({ schema, name }) {
    return schema === '-' ? name : `${schema}.${name}`;
}
/** Where a sequence starts anew says nothing of the numbers that it gives, nor does how many a session takes at a time. */
function steady(type, definition) {
    if (type !== 'SEQUENCE')
        return definition;
    return definition
        .replace(/^CREATE UNLOGGED /, 'CREATE ')
        .replace(/^ *(START WITH|CACHE) .*\n?/gm, '')
        .trim();
}
function isPhysical(statement) {
    return (/^ALTER TABLE ONLY .* (REPLICA IDENTITY|ALTER COLUMN .* SET (STORAGE|STATISTICS|COMPRESSION|\())/s.test(statement) || /^ALTER (TABLE|INDEX|MATERIALIZED VIEW) .* (CLUSTER ON |ALTER COLUMN \d+ SET STATISTICS )/s.test(statement));
}
/** Takes what ALTER TABLE does into the table. False if it is another statement, or about no table. */
function alterTable({ tables }, statement) {
    const reader = new SqlReader(statement);
    if (!reader.skip('ALTER') || !(reader.skip('FOREIGN', 'TABLE') || reader.skip('TABLE')))
        return false;
    reader.skip('ONLY');
    const name = reader.name();
    const table = tables.get(name);
    if (table === undefined)
        return false;
    if (reader.skip('ADD', 'CONSTRAINT'))
        addConstraint(table, bare(reader.name()), reader.until());
    else if (reader.skip('ATTACH', 'PARTITION')) {
        const partition = tables.get(reader.name());
        partition?.parents.push(name);
        if (partition !== undefined)
            partition.isPartition = true;
    }
    else if (reader.skip('ALTER', 'COLUMN'))
        alterColumn(table, reader);
    else if (/ ROW LEVEL SECURITY$/.test(statement))
        table.rowSecurity = `${table.rowSecurity} ${reader.until()}`.trim();
    else
        table.shape = `${table.shape} ${reader.until()}`.trim();
    return true;
}
function alterColumn({ columns }, reader) {
    const column = columns.get(bare(reader.name()));
    if (column === undefined)
        return;
    if (reader.skip('SET', 'DEFAULT'))
        column.fallback = reader.until();
    else if (reader.skip('SET', 'NOT', 'NULL'))
        column.isRequired = true;
    else if (reader.skip('ADD', 'GENERATED')) {
        const when = reader.until('AS');
        const sequence = steady('SEQUENCE', reader.group()?.slice(1, -1) ?? '');
        column.generated = `${when} AS IDENTITY (${sequence})`;
    }
}
function enumValues(statement) {
    const reader = new SqlReader(statement);
    reader.skip('CREATE', 'TYPE');
    reader.name();
    if (!reader.skip('AS', 'ENUM'))
        return null;
    const values = reader.group() ?? '()';
    return Array.from(values.matchAll(/'((?:[^']|'')*)'/g), ([, value = '']) => value.replaceAll("''", "'"));
}
/**
 * Whether a table is one part of another: a partition, or one that inherits all of its columns. Such parts come and go with time, and
 * code speaks of the whole.
 */
function isPart({ tables }, { parents, isPartition, columns }) {
    const wholes = parents.flatMap((name) => tables.get(name) ?? []);
    return (wholes.length > 0 &&
        (isPartition || [...columns.keys()].every((column) => wholes.some((whole) => whole.columns.has(column)))));
}
/** The table of a trigger, a rule or a policy. */
function tableOf({ type }, statement) {
    if (!['TRIGGER', 'RULE', 'POLICY', 'INDEX'].includes(type))
        return null;
    const reader = new SqlReader(statement);
    if (!reader.skipTo(type === 'RULE' ? 'TO' : 'ON'))
        return null;
    return reader.name();
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-judgement.js




/**
 * What has changed between two schemas, by object, as code that was written for the earlier one notices it. What no code can
 * notice is left out: comments, statistics, how rows are stored.
 * @param before and after: outputs of `pg_dump --schema-only`
 * @throws RangeError whose message continues "it …"
 */
function schemaChanges(before, after) {
    const [old, now] = [schemaModel(before), schemaModel(after)];
    return [
        ...changesOfTables(old, now),
        ...changesOfEnums(old, now),
        ...changesOfOthers(old, now),
        ...old.rights.lostIn(now.rights).map((lost) => schemaChange.breaking(`a privilege is gone on ${lost}`)),
    ];
}
function changesOfTables(before, after) {
    const { breaking, harmless } = schemaChange;
    const changes = [];
    let [partsGone, partsAdded] = [0, 0];
    for (const [name, table] of before.tables) {
        const now = after.tables.get(name);
        const wasPart = isPart(before, table);
        if (now === undefined) {
            const hasWhole = wasPart && table.parents.some((parent) => after.tables.has(parent));
            if (hasWhole)
                partsGone += 1;
            else if (after.others.has(`VIEW ${name}`))
                changes.push(breaking(`table ${name} is a view now`));
            else
                changes.push(breaking(`table ${name} is gone`));
        }
        else if (wasPart && !isPart(after, now))
            changes.push(harmless(`${name} is no longer a partition`));
        else if (!wasPart)
            changes.push(...tableChanges(table, now, after));
    }
    for (const [name, table] of after.tables) {
        if (before.tables.has(name))
            continue;
        if (isPart(after, table))
            partsAdded += 1;
        else
            changes.push(harmless(`table ${name}`));
    }
    if (partsGone > 0)
        changes.push(harmless(`${(0,units/* counted */.hS)(partsGone, 'partition')} ${partsGone === 1 ? 'is' : 'are'} gone`));
    if (partsAdded > 0)
        changes.push(harmless((0,units/* counted */.hS)(partsAdded, 'new partition')));
    return changes;
}
function changesOfEnums(before, after) {
    const { breaking, harmless } = schemaChange;
    const changes = [];
    for (const [name, values] of before.enums) {
        const now = after.enums.get(name);
        if (now === undefined) {
            changes.push(breaking(`type ${name} is gone`));
            continue;
        }
        const kept = values.filter((value) => now.includes(value));
        for (const value of values)
            if (!now.includes(value))
                changes.push(breaking(`${name}: value ${value} is gone`));
        for (const value of now)
            if (!values.includes(value))
                changes.push(harmless(`${name}: value ${value}`));
        if (now.filter((value) => values.includes(value)).join('\0') !== kept.join('\0'))
            changes.push(breaking(`${name}: its values stand in another order`));
    }
    for (const name of after.enums.keys())
        if (!before.enums.has(name))
            changes.push(harmless(`type ${name}`));
    return changes;
}
function changesOfOthers(before, after) {
    const { breaking, harmless, rewritten } = schemaChange;
    const changes = [];
    for (const [key, object] of before.others) {
        const now = after.others.get(key);
        if (now?.definition === object.definition || isOfPart(before, object))
            continue;
        // What belongs to a table is gone with it.
        if (now === undefined && object.table !== null && !isThere(after, object.table))
            continue;
        const isPlainIndex = object.type === 'INDEX' && !object.definition.startsWith('CREATE UNIQUE');
        if (now === undefined)
            changes.push((isPlainIndex ? harmless : breaking)(`${titleOf(object)} is gone`));
        else
            changes.push((isPlainIndex ? harmless : rewritten)(`${titleOf(object)} has changed`));
    }
    for (const [key, object] of after.others) {
        if (before.others.has(key) || isOfPart(after, object))
            continue;
        const isOfOld = object.table !== null && isThere(before, object.table);
        if (object.table !== null && !isOfOld)
            continue;
        if (isOfOld && isInTheWay(object))
            changes.push(breaking(`${titleOf(object)} is new, and changes what older code reads or writes`));
        else
            changes.push(harmless(titleOf(object)));
    }
    return changes;
}
const isThere = ({ tables, others }, name) => tables.has(name) || others.has(`VIEW ${name}`) || others.has(`MATERIALIZED VIEW ${name}`);
function isOfPart(model, { table }) {
    const found = table === null ? undefined : model.tables.get(table);
    return found !== undefined && isPart(model, found);
}
/** A trigger keeps old and new code in step as often as not; these take something away. */
function isInTheWay({ type, definition }) {
    return ((type === 'POLICY' && / AS RESTRICTIVE /.test(definition)) ||
        (type === 'RULE' && / DO INSTEAD /.test(definition)) ||
        (type === 'INDEX' && definition.startsWith('CREATE UNIQUE')));
}
/** `trigger public.orders tr` */
function titleOf({ type, name }) {
    return `${type.toLowerCase()} ${name}`;
}

;// CONCATENATED MODULE: ./build/shared/plan/schema-guard.js



const mostNamed = 12;
/** Judges whether code that was made for the schema then may meet the schema now. */
function judgeSchema(finding, subject) {
    switch (finding.kind) {
        case 'same':
            return {
                crossed: 'no',
                notes: [{ level: 'info', text: 'The database schema is the one that the target ran with' }],
                refusal: null,
            };
        case 'different':
            return judgeTexts(finding, subject);
        case 'changed':
            return unsure('yes', `The database schema has changed since the target ran; what has changed is unknown: ${finding.why}`, subject);
        case 'unknown':
            return unsure('unknown', `Whether the database schema has changed since the target ran is unknown: ${finding.why}`, subject);
    }
}
function unsure(crossed, text, subject) {
    return {
        crossed,
        notes: [{ level: 'warning', text }],
        refusal: subject.guard === 'any' ? refused(text, subject) : null,
    };
}
function judgeTexts({ before, after }, subject) {
    let changes;
    try {
        changes = schemaChanges(before, after);
    }
    catch (error) {
        if (!(error instanceof RangeError))
            throw error;
        return unsure('yes', `The database schema has changed since the target ran; what has changed is unknown: a schema ${error.message}`, subject);
    }
    const { versions, guard } = subject;
    const isSameWriter = versions.before === versions.after;
    const texts = (...weights) => changes.filter(({ weight }) => weights.includes(weight)).map(({ text }) => text);
    const breaking = isSameWriter ? texts('breaking', 'rewritten') : texts('breaking');
    const uncertain = isSameWriter ? [] : texts('rewritten');
    const harmless = texts('harmless');
    const list = (items) => (0,units/* listed */.KE)(items, mostNamed, { separator: '; ' });
    const notes = [];
    const warn = (text) => notes.push({ level: 'warning', text });
    if (breaking.length > 0)
        warn(`The database schema has changed since the target ran: ${list(breaking)}`);
    if (uncertain.length > 0)
        warn(`Altered since the target ran, or just worded differently by PostgreSQL ${versions.after} than by ${versions.before}: ${list(uncertain)}`);
    if (harmless.length > 0)
        warn(`Added to the database schema since the target ran, or changed in a way that it need not notice: ${list(harmless)}`);
    if (changes.length === 0) {
        notes.push({
            level: 'info',
            text: 'The database schema has not changed since the target ran in any way that code notices',
        });
    }
    const first = notes.find(({ level }) => level === 'warning');
    const isRefused = breaking.length > 0 || (guard === 'any' && first !== undefined);
    return {
        crossed: changes.length > 0 ? 'yes' : 'no',
        notes,
        refusal: isRefused ? refused(first?.text ?? '', subject) : null,
    };
}
function refused(what, { pairing, guard }) {
    const back = pairing.set === null
        ? `restore-database: paired, for which there is no backup from before a deployment${nearest(pairing)}`
        : `restore-database: paired, which is ${pairing.set.id}`;
    const asked = guard === 'any' ? ' (or destructive).' : '.';
    return new failure/* Failure */.HR('schema-changed', what, {
        hint: `Nothing was stopped. You have three options. To restore the data too, and lose what was written since: ${back}. If the target can cope with the schema of today: schema-guard: off${asked} Or set "target" to another release`,
    });
}
function nearest({ nearly }) {
    const [first] = nearly;
    return first === undefined ? '' : `; you can give the id of another one instead, such as ${first.id} (${first.what})`;
}

// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var catalogue = __webpack_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
;// CONCATENATED MODULE: ./build/shared/plan/target-schema.js



/**
 * The schema of the newest set that was taken while the target ran, of whatever kind; if there is none, that of the newest record
 * in the history which says that the target ran. A schema file is as good as any other with the same hash.
 * @param records the host's own, in the order of their file
 * @returns null if no set has it
 */
function targetSchema(request, records) {
    const sets = (0,catalogue/* verifiedSetsOf */.Ns)(request.database, request.sets).filter(({ manifest }) => manifest.environment === request.environment);
    const known = (0,paired_set/* setsOfTarget */.MH)(request).find((set) => set.manifest.schemaSha256 !== null || isReadable(set));
    const set = known ?? fromHistory(request, sets, records);
    if (set === null)
        return null;
    const { schemaSha256: sha256, encryption } = set.manifest;
    const file = isReadable(set)
        ? set
        : (sets.find((other) => sha256 !== null && other.manifest.schemaSha256 === sha256 && isReadable(other)) ?? null);
    if (sha256 === null && file === null)
        return null;
    const why = encryption === 'age' ? `the schema file of ${set.id} is encrypted` : `${set.id} has no schema file`;
    return { sha256, file, whyNoFile: file === null ? why : '' };
}
function isReadable(set) {
    return set.manifest.encryption === 'none' && (0,read_sets/* sidesOf */.Mm)(set).includes('schema');
}
/** A record names the backup that saw its schema, and the schema by its hash. One of a rollback saw what its target then ran with. */
function fromHistory({ target, environment }, sets, records) {
    const record = records.findLast(({ environment: of, status, event, release, schemaSha256, backupId, restoredId }) => of === environment &&
        status === 'succeeded' &&
        event !== 'drill' &&
        event !== 'restore' &&
        // Its backup has the schema that was replaced.
        restoredId === null &&
        (schemaSha256 !== null || backupId !== null) &&
        (0,paired_set/* ranAs */.so)(release, target));
    if (record === undefined)
        return null;
    const named = sets.find(({ id }) => id === record.backupId);
    const alike = sets.find(({ manifest }) => record.schemaSha256 !== null && manifest.schemaSha256 === record.schemaSha256);
    return named ?? alike ?? null;
}

// EXTERNAL MODULE: ./build/shared/packed.js
var packed = __webpack_require__(83310);
// EXTERNAL MODULE: ./build/shared/postgres/printed-errors.js
var printed_errors = __webpack_require__(6466);
// EXTERNAL MODULE: ./build/shared/postgres/scripts.js
var scripts = __webpack_require__(33338);
// EXTERNAL MODULE: ./build/shared/restore/server.js
var restore_server = __webpack_require__(40562);
;// CONCATENATED MODULE: ./build/shared/restore/two-schemas.js








/** Milliseconds. Whoever holds a table for longer than that is not waited for: a rollback is in a hurry. */
const tableWait = 10_000;
const deadline = 10 * 60_000;
/** Bytes of a schema: what the host sends at most. */
const longestSchema = 40 * 1024 * 1024;
const program = {
    name: 'two-schemas',
    step: 'reading the schema of the database',
    scripts: [
        new URL(/* asset import */ __webpack_require__(79329), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(5216), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(21706), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(18756), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(66269), __webpack_require__.b),
    ],
};
/** Reads both schemas, in one go; only a hash if they are the same. */
async function readTwoSchemas(connection, server, target, { backupDir, signal, onLog }) {
    const { file, sha256 } = target;
    const run = connection.run(program, {
        ...(0,restore_server/* serverParameters */.C)(server),
        database: server.database,
        inside_script: (0,scripts/* insideScript */.yT)(),
        table_wait: String(tableWait),
        backup_dir: backupDir,
        schema_sha256: sha256 ?? '',
        schema_file: file === null ? '' : (0,read_sets/* namesOf */.eZ)(file).schema,
        folders: file === null ? [] : (0,catalogue/* pathsOf */.wG)(file),
    }, { deadline, atEnd: 'end', signal, onLog });
    const records = await run.result;
    if (records.find('same') !== undefined)
        return { kind: 'same' };
    const trouble = records.find('trouble');
    if (trouble !== undefined)
        return unknown(`that of the database could not be read: ${why(trouble, run.lastLines())}`);
    const after = (0,packed/* unpack */.l)(records.get('live'), longestSchema);
    if (after === null)
        return unknown('that of the database could not be read: the host did not send it in full');
    if (file === null)
        return { kind: 'changed', why: target.whyNoFile };
    const sent = records.find('file');
    if (sent === undefined)
        return unknown(`the schema file of ${file.id} is missing, or cannot be read`);
    const before = (0,packed/* unpack */.l)(sent, longestSchema);
    if (before === null)
        return unknown(`the schema file of ${file.id} is damaged, or longer than ${(0,units/* formatBytes */.z3)(longestSchema)}`);
    if (sha256 !== null && (0,schema_changes/* stableSchemaHash */.VC)(before) !== sha256)
        return unknown(`the schema file of ${file.id} does not match its manifest`);
    return { kind: 'different', before, after };
}
const unknown = (reason) => ({ kind: 'unknown', why: reason });
function why(trouble, lines) {
    if (trouble !== 'pg_dump failed')
        return trouble;
    const said = (0,printed_errors/* firstError */.bv)(lines);
    if (said === null || said === printed_errors/* hidden */.R)
        return 'pg_dump failed';
    // pg_dump limits its waiting for tables by the time of a statement.
    return /canceling statement due to (statement|lock) timeout|could not obtain lock/.test(said)
        ? `somebody has held a table locked for ${(0,units/* formatDuration */.a3)(tableWait)}`
        : said;
}

// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
// EXTERNAL MODULE: ./build/shared/sets/last-good.js
var last_good = __webpack_require__(76902);
;// CONCATENATED MODULE: ./build/rollback-action/schema-guard.js








/**
 * Compares the schema that the target ran with with that of the database now, in at most one round trip. Changes nothing.
 * @returns null if nobody needs to know: the guard is off, nothing is swapped, or the database goes back as well
 */
async function guardSchema(connection, plan, ground, inputs, signal) {
    const { schemaGuard: guard, planOnly, restore } = inputs;
    if (guard === 'off' || restore !== null || plan.services.length === 0)
        return null;
    const looked = await lookAtSchemas(connection, plan, ground, inputs, signal);
    if (looked === 'too-early')
        return { crossed: 'unknown', notes: [tooEarly], refusal: null, isTooEarly: true };
    const { finding, request, versions } = looked;
    const pairing = request === null ? { set: null, why: '', nearly: [] } : (0,paired_set/* pairedSet */.qK)(request);
    const verdict = { ...judgeSchema(finding, { guard, versions, pairing }), isTooEarly: false };
    const { refusal, notes } = verdict;
    if (!planOnly || refusal === null)
        return verdict;
    const text = `Without plan-only, this would be refused (${refusal.code}). ${refusal.hint?.replace('Nothing was stopped. ', '')}`;
    return { ...verdict, notes: [...notes, { level: 'warning', text }] };
}
const tooEarly = {
    level: 'info',
    text: "Whether the database schema has changed since the target ran is checked after the pull: the host does not have the target's images, and only their tags are known",
};
/**
 * Judges again after the pull, if it was too early before.
 * @throws Failure `schema-changed`; nothing was stopped
 */
async function guardAfterPull(connection, early, settled, ground, inputs, signal) {
    if (early?.isTooEarly !== true)
        return settled;
    const verdict = await guardSchema(connection, settled, ground, inputs, signal);
    if (verdict === null)
        return settled;
    for (const { level, text } of verdict.notes) {
        if (level === 'warning')
            log.warning(text);
        else
            log.info(text);
    }
    if (verdict.refusal !== null)
        throw verdict.refusal;
    const notes = [...settled.notes.filter(({ text }) => text !== tooEarly.text), ...verdict.notes];
    return { ...settled, notes };
}
async function lookAtSchemas(connection, plan, { seen, wanted, ignored, records }, { backupDir, environment }, signal) {
    const nothing = (why, request = null) => ({
        finding: { kind: 'unknown', why },
        request,
        versions: { before: '', after: '' },
    });
    const live = (0,last_good/* factsOf */.xS)(seen);
    const [candidate, ...others] = seen.candidates;
    if (live === null || candidate === undefined || others.length > 0)
        return nothing('the database does not answer');
    const { sets } = seen;
    if (sets === null || 'error' in sets)
        return nothing('the backups on the host could not be listed');
    const request = {
        sets: (0,catalogue/* catalogueOf */.vq)(sets.files, sets.manifests).sets,
        database: live.database,
        environment,
        target: (0,paired_set/* targetImages */.WH)(plan, wanted, ignored),
    };
    const target = targetSchema(request, records);
    const isPulled = plan.services.every(({ toImage }) => toImage.digest !== null || toImage.imageId !== null);
    if (target === null && !isPulled)
        return 'too-early';
    if (target === null)
        return nothing('the host has no backup with a schema that was taken while the target ran', request);
    const server = { container: candidate.container, user: live.user, database: live.database, access: live.access };
    const finding = await readTwoSchemas(connection, server, target, { backupDir, signal, onLog: log.host }).catch((error) => {
        if (!(0,failure/* isFailure */.N6)(error) || error.code === 'cancelled')
            throw error;
        return { kind: 'unknown', why: `it could not be read: ${error.message}` };
    });
    const written = target.file?.manifest;
    return {
        finding,
        request,
        versions: { before: writer(written), after: writer(live) },
    };
}
/** Which major versions of the server and of pg_dump write a schema. */
function writer(versions) {
    const { serverVersion = '', pgDumpVersion = '' } = versions ?? {};
    const majors = [serverVersion, pgDumpVersion].map((version) => /^\d+/.exec(version)?.[0] ?? version);
    return [...new Set(majors)].join(' with the tools of ');
}


/***/ }),

/***/ 70872:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Be: () => (/* binding */ describeNearly),
/* harmony export */   MH: () => (/* binding */ setsOfTarget),
/* harmony export */   WH: () => (/* binding */ targetImages),
/* harmony export */   qK: () => (/* binding */ pairedSet),
/* harmony export */   so: () => (/* binding */ ranAs)
/* harmony export */ });
/* harmony import */ var _releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(9290);
/* harmony import */ var _releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(73408);
/* harmony import */ var _sets_naming_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(29462);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(98295);
/* harmony import */ var _target_image_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(11569);





/** How many of the sets that nearly match are listed, of each sort. */
const mostNearly = 3;
const mostServices = 4;
/**
 * What the target runs in the services that it covers. Not what the other services run: they stay as they are, whatever they ran
 * when a backup was taken.
 * @param ignored databases and stores, which a rollback does not touch unless they are named
 */
function targetImages({ to }, { images }, ignored) {
    return new Map(Object.entries(to).filter(([service]) => images.has(service) && !ignored.has(service)));
}
/**
 * The set that was taken while the target ran, just before the release that replaced it: the newest one of the kind
 * `predeployment` with the target's images. Its kind counts, not its folder: retention may have left it in daily only.
 */
function pairedSet(request) {
    const known = setsOfTarget(request);
    const set = known.find(({ manifest }) => manifest.kind === 'predeployment');
    if (set === undefined)
        return { set: null, ...whyNone(request, known) };
    const unknown = [...request.target.keys()].filter((service) => !Object.hasOwn(set.manifest.release, service));
    return { set, later: known.slice(0, known.indexOf(set)), unknown };
}
/** The verified sets of any kind that were taken while the target ran, newest first. */
function setsOfTarget({ sets, database, environment, target }) {
    return sets.filter((set) => set.state === 'verified' &&
        set.database === database &&
        set.manifest.environment === environment &&
        ranAs(set.manifest.release, target));
}
/** Whether what ran is what the target runs. */
function ranAs(release, target) {
    return compare(release, target).isSame;
}
/** The sets that nearly match, a line each. */
function describeNearly(nearly, now) {
    return nearly.map(({ id, what }) => `${id}${age(id, now)}: ${what}`);
}
/**
 * A service that only one side knows does not count: a job's container may have been cleaned away, a service may have been
 * switched off, or added to the compose file later. One that both know but that cannot be compared does count: data that a newer
 * release wrote must not pass for those of an older one.
 */
function compare(release, target) {
    const same = [];
    const others = [];
    for (const [service, image] of target) {
        const then = Object.hasOwn(release, service) ? release[service] : undefined;
        if (then === undefined)
            continue;
        if ((0,_target_image_js__WEBPACK_IMPORTED_MODULE_3__/* .isThatImage */ .N)(image, then, (0,_releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)(image.image)?.repository))
            same.push(service);
        else
            others.push(otherwise(service, image, then));
    }
    return { isSame: same.length > 0 && others.length === 0, same, others };
}
function otherwise(service, image, then) {
    if (then.tag !== null && then.tag === image.tag) {
        const isIdentified = (image.digest ?? image.imageId) !== null;
        return !isIdentified && (0,_releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_4__/* .moves */ .V)(then.tag)
            ? `${service} ran ${then.tag}, a tag that moves, so which image that was cannot be told`
            : `${service} ran another image with the tag ${then.tag}`;
    }
    return `${service} ran ${then.tag ?? (then.digest ?? then.imageId)?.slice(7, 19) ?? 'an image that is not known'}`;
}
/** @param known of the target, but none before a deployment */
function whyNone({ sets, database, environment, target }, known) {
    const nearly = known.slice(0, mostNearly).map(({ id, manifest }) => ({
        id,
        what: `${manifest.kind}, taken while the target ran, but not before a deployment`,
    }));
    const before = sets.filter(({ manifest, database: of }) => manifest?.kind === 'predeployment' && of === database);
    const compared = before.flatMap((set) => {
        const { isSame, same, others } = compare(set.manifest?.release ?? {}, target);
        if (set.state === 'broken')
            return isSame ? [{ id: set.id, what: `taken before a deployment, but it is broken: ${set.reason}` }] : [];
        if (isSame)
            return [{ id: set.id, what: `of the environment ${set.manifest.environment}` }];
        if (same.length === 0 || set.manifest.environment !== environment)
            return [];
        return [
            { id: set.id, what: `of ${(0,_units_js__WEBPACK_IMPORTED_MODULE_2__/* .listed */ .KE)(same, mostServices)} the target's image, but ${(0,_units_js__WEBPACK_IMPORTED_MODULE_2__/* .listed */ .KE)(others, mostServices)}` },
        ];
    });
    nearly.push(...compared.slice(0, mostNearly));
    return { why: reason(target, before.length), nearly };
}
function reason(target, before) {
    if (target.size === 0)
        return 'the target covers no service whose image could be compared';
    if (before === 0)
        return 'there is no backup that was taken before a deployment';
    return before === 1
        ? 'the only backup that was taken before a deployment was not taken while the target ran'
        : `none of the ${before} backups that were taken before a deployment was taken while the target ran`;
}
/** `, 3 h 20 min old`; empty if the id is no time. */
function age(id, now) {
    const start = (0,_sets_naming_js__WEBPACK_IMPORTED_MODULE_1__/* .startOf */ .GH)(id);
    if (start === null)
        return '';
    const days = Math.floor((now.getTime() - start.getTime()) / 86_400_000);
    return `, ${days < 2 ? (0,_units_js__WEBPACK_IMPORTED_MODULE_2__/* .formatDuration */ .a3)(Math.max(0, now.getTime() - start.getTime())) : (0,_units_js__WEBPACK_IMPORTED_MODULE_2__/* .counted */ .hS)(days, 'day')} old`;
}


/***/ }),

/***/ 40562:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   C: () => (/* binding */ serverParameters)
/* harmony export */ });
/** How the programs on the host take the way to it. */
const serverParameters = ({ container, user, access }) => ({
    container,
    user,
    server_host: access.place?.host ?? '',
    server_port: access.place?.port ?? '',
    password_from: access.password ?? '',
});


/***/ })

};
