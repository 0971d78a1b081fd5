export const id = 616;
export const ids = [616];
export const modules = {

/***/ 18756:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "0720957f11f380e4a2b8.sh";

/***/ }),

/***/ 26572:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "c0798b3b7458e94906e7.sh";

/***/ }),

/***/ 99832:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "35dc123fcd0a943fb918.sh";

/***/ }),

/***/ 47508:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "932f0c25bae8832c85fb.sh";

/***/ }),

/***/ 90372:
/***/ ((module, __unused_webpack_exports, __webpack_require__) => {

module.exports = __webpack_require__.p + "a9eaef30dcd95b43ebee.sh";

/***/ }),

/***/ 25616:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  planRestore: () => (/* binding */ planRestore)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(77598);
// EXTERNAL MODULE: ./build/shared/backups/find-database.js
var find_database = __webpack_require__(96815);
;// CONCATENATED MODULE: ./build/shared/drill/needed.js
/** Restored data need more space than the archive: indexes are rebuilt, and the write-ahead log grows. */
const indexShare = 1.3;
const writeAhead = 1280 * 1024 ** 2;
const usualRatio = 4;
/**
 * Bytes that a restore needs on Docker's disk at its peak.
 * @param live current size of the database; null if it does not answer
 */
function neededFor({ dumpBytes, sizeBytes }, live) {
    const data = Math.max(live ?? 0, (dumpBytes ?? sizeBytes * usualRatio) * indexShare);
    return Math.ceil(data * 1.1 + writeAhead);
}

// EXTERNAL MODULE: ./build/shared/plan/plan-rollback.js + 11 modules
var plan_rollback = __webpack_require__(58578);
// EXTERNAL MODULE: ./build/shared/postgres/database-name.js
var database_name = __webpack_require__(6177);
// EXTERNAL MODULE: external "node:stream/consumers"
var consumers_ = __webpack_require__(38321);
// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(38522);
// EXTERNAL MODULE: external "node:stream"
var external_node_stream_ = __webpack_require__(57075);
// EXTERNAL MODULE: ./build/shared/failure.js
var shared_failure = __webpack_require__(926);
// EXTERNAL MODULE: ./build/shared/sets/age-identities.js + 1 modules
var age_identities = __webpack_require__(61823);
;// CONCATENATED MODULE: ./build/shared/sets/age-stream.js

// The content of a file of age, in pieces that are sealed one by one: https://age-encryption.org/v1. Node itself does it, which is
// several times as fast as age's own library.
const nonceBytes = 16;
const pieceBytes = 64 * 1024;
const tagBytes = 16;
const sealedPieceBytes = pieceBytes + tagBytes;
const pieceCipher = 'chacha20-poly1305';
const streamKey = (fileKey, nonce) => Buffer.from((0,external_node_crypto_.hkdfSync)('sha256', fileKey, nonce, 'payload', 32));
/** @param index from 0 */
function pieceNonce(index, isLast) {
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(index, 5, 6);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
}
/** Bytes of what is encrypted, without the header before it. */
function sealedBytes(plain) {
    return nonceBytes + plain + tagBytes * Math.max(1, Math.ceil(plain / pieceBytes));
}

;// CONCATENATED MODULE: ./build/shared/sets/decrypt.js





// Decrypts what `age` has encrypted, on the runner. The header, where the keys are, is for age's own library.
/** Bytes. Each recipient needs about 150; who sends more of them than that wants to fill our memory. */
const longestHeader = 64 * 1024;
/**
 * Turns ciphertext into what was encrypted. Every piece that it gives out is authentic, but only the end of the stream says that
 * all of it is there: do not rely on anything before that.
 *
 * Fails with a Failure `decrypt-key-wrong` if it was encrypted to other keys, before it gives out anything; `ciphertext-damaged` if
 * it is not what `age` wrote, or its end is missing.
 *
 * @param identity private keys, as `identitiesIn` takes them
 */
function decryptStream(identity) {
    return new Decryption((0,age_identities/* identitiesIn */.A)(identity));
}
class Decryption extends external_node_stream_.Transform {
    #identities;
    /** What has come and is not used yet. */
    #waiting = [];
    #bytes = 0;
    /** null until the header was read. */
    #key = null;
    #count = 0;
    constructor(identities) {
        super();
        this.#identities = identities;
    }
    _transform(chunk, _, done) {
        this.#waiting.push(chunk);
        this.#bytes += chunk.length;
        this.#advance().then(() => done(), done);
    }
    _flush(done) {
        this.#finish().then(() => done(), done);
    }
    async #advance() {
        if (this.#key === null)
            await this.#begin();
        // The last piece is sealed differently, and only the end of the stream tells which one it is.
        while (this.#key !== null && this.#bytes > sealedPieceBytes)
            this.push(this.#open(this.#take(sealedPieceBytes), false));
    }
    async #finish() {
        if (this.#key === null)
            throw damaged('it ends within its header');
        const last = this.#open(this.#take(this.#bytes), true);
        if (last.length === 0 && this.#count > 1)
            throw damaged('its last piece is empty');
        this.push(last);
    }
    async #begin() {
        const start = Buffer.concat(this.#waiting);
        this.#waiting = [start];
        const last = start.indexOf('\n--- ');
        const end = last === -1 ? -1 : start.indexOf('\n', last + 1);
        if (end === -1 || start.length < end + 1 + nonceBytes) {
            if (!start.toString('latin1', 0, 22).startsWith('age-encryption.org/v1\n'.slice(0, start.length)))
                throw damaged('it does not begin as a file of age does');
            if (start.length > longestHeader + nonceBytes)
                throw damaged('its header has no end');
            return;
        }
        const fileKey = await unwrap(this.#take(end + 1), this.#identities);
        this.#key = streamKey(fileKey, this.#take(nonceBytes));
    }
    /** The next bytes of what waits. */
    #take(bytes) {
        const all = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
        this.#waiting = [all.subarray(bytes)];
        this.#bytes -= bytes;
        return all.subarray(0, bytes);
    }
    #open(sealed, isLast) {
        const nonce = pieceNonce(this.#count, isLast);
        this.#count += 1;
        if (sealed.length < tagBytes)
            throw damaged(`its end is missing`);
        const decipher = (0,external_node_crypto_.createDecipheriv)(pieceCipher, this.#key, nonce, { authTagLength: tagBytes });
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        const content = decipher.update(sealed.subarray(0, -tagBytes));
        try {
            decipher.final();
        }
        catch {
            throw damaged(isLast ? 'its end is missing or altered' : `it is altered at about byte ${this.#count * sealedPieceBytes}`);
        }
        return content;
    }
}
async function unwrap(header, identities) {
    const { Decrypter } = await __webpack_require__.e(/* import() */ 389).then(__webpack_require__.bind(__webpack_require__, 43389));
    const decrypter = new Decrypter();
    for (const identity of identities)
        decrypter.addIdentity(identity);
    try {
        return await decrypter.decryptHeader(header);
    }
    catch (error) {
        if (error instanceof Error && error.message.startsWith('no identity matched')) {
            throw new shared_failure/* Failure */.HR('decrypt-key-wrong', 'The private key does not belong to any recipient of this backup', {
                hint: 'Give the private key (AGE-SECRET-KEY-1…, or an SSH key) of one of the recipients that "encrypt-to" named when the backup was taken',
            });
        }
        throw damaged('its header is altered', error);
    }
}
function damaged(why, cause) {
    return new shared_failure/* Failure */.HR('ciphertext-damaged', `The encrypted file cannot be decrypted: ${why}`, {
        hint: 'Compare its checksum: sha256sum --check. If it differs, use another copy of this backup, or another backup',
        cause,
    });
}

;// CONCATENATED MODULE: ./build/shared/drill/sent-dump.js



/**
 * A dump that the runner sends into the container: from a bucket, or from the host if it is encrypted there. It is hashed as it is
 * stored, and decrypted, as it flows; none of it is kept.
 */
class SentDump {
    /** Of the dump, for people: its URI, or its path on the host. */
    name;
    #stored;
    #sides;
    #key;
    #hash = (0,external_node_crypto_.createHash)('sha256');
    #source = null;
    #pieces = null;
    #isWhole = false;
    /**
     * @param stored opens the dump as it is stored
     * @param sides the files beside it, compressed and not encrypted
     * @param key private keys, as `decryptStream` takes them; null if it is not encrypted
     */
    constructor(name, stored, sides, key) {
        this.name = name;
        this.#stored = stored;
        this.#sides = sides;
        this.#key = key;
    }
    /** Base64 of a file beside the dump, as drill.sh takes it; empty if the backup has none. */
    beside(side) {
        return this.#sides.get(side)?.toString('base64') ?? '';
    }
    /** The dump as pg_restore takes it, once decompressed. Call it once. */
    async open() {
        this.#source = await this.#stored();
        this.#pieces = this.#source.iterator({ destroyOnReturn: false });
        const hashed = external_node_stream_.Readable.from(this.#hashed(), { objectMode: false });
        if (this.#key === null)
            return hashed;
        const decrypted = decryptStream(this.#key);
        hashed.once('error', (error) => decrypted.destroy(error));
        decrypted.once('error', () => hashed.unpipe(decrypted));
        return hashed.pipe(decrypted);
    }
    /** Of all of it as it is stored, read to its end if that has not happened yet; null if it could not be. */
    async sha256() {
        try {
            for await (const _ of this.#hashed())
                ;
        }
        catch {
            return null;
        }
        return this.#isWhole ? this.#hash.copy().digest('hex') : null;
    }
    /** Gives up what was not read: the connection that it comes over is not held any longer. */
    close() {
        this.#source?.on('error', () => { }).destroy();
    }
    /** Once it has failed there is nothing more to read; an iterator would say that it has come to its end. */
    async #next(pieces) {
        try {
            return await pieces.next();
        }
        catch (error) {
            this.#pieces = null;
            throw error;
        }
    }
    async *#hashed() {
        while (this.#pieces !== null && !this.#isWhole) {
            const { done, value } = await this.#next(this.#pieces);
            if (done === true)
                this.#isWhole = true;
            else {
                this.#hash.update(value);
                yield value;
            }
        }
    }
}

// EXTERNAL MODULE: ./build/shared/units.js
var units = __webpack_require__(98295);
;// CONCATENATED MODULE: ./build/shared/offsite/folder-id.js

/** By which the manifest's object says from which backup folder a copy is: in its metadata, as its bytes are the host's. */
const noted = 'folder';
const metadataOf = ([own]) => ({ [noted]: own });
/** The id of the backup folder that a copy is from; null if none is noted, as of one that was copied by hand. */
const folderIdIn = (metadata) => metadata[noted] ?? null;
/** Whether a copy counts as this backup folder's. It does unless both have an id, and these differ. */
function isOurs(noted, folderIds) {
    return folderIds.length === 0 || noted === null || folderIds.includes(noted);
}
/** One sentence on the copies of a database that other backup folders made; null if there are none. */
function othersIn(stored, { database, folderIds }) {
    const others = stored.filter((set) => set.database === database && !isOurs(set.folderId, folderIds));
    if (others.length === 0)
        return null;
    const ids = [...new Set(others.map((set) => set.folderId ?? ''))];
    const who = ids.length === 1 ? 'another backup folder' : `${ids.length} other backup folders`;
    const [copies, are] = others.length === 1 ? ['a copy', 'it is'] : [`${others.length} copies`, 'they are'];
    return `The bucket also holds ${copies} of "${database}" that ${who} made (${listed(ids, 3)}); ${are} left alone. Give each host an "s3-prefix" of its own; if this host replaces a lost one, add that id to ".folder-id" in its backup folder to take the copies over`;
}

;// CONCATENATED MODULE: ./build/shared/passing-memory.js
// Bytes that flow through the runner leave a buffer behind with each piece. Node frees them when its young objects are collected,
// which are small and few: until then, a fast stream has left a hundred MiB. To collect them earlier is quick, and needs less time
// altogether, since the same memory is used again. A piece that waits during two collections counts as old, and stays until the old
// objects are collected as well, which takes longer.
/** How many bytes may pass before what they left is freed. */
const mostPassed = 4 * 2 ** 20;
/** Each time the old objects are collected as well. */
const everyOld = 32;
let passed = 0;
let times = 0;
let collect = null;
/** Call it for each piece that has passed. */
function tellPassed(bytes) {
    passed += bytes;
    if (passed < mostPassed)
        return;
    passed = 0;
    times += 1;
    collect ??= collector();
    collect(times % everyOld === 0 ? 'major' : 'minor');
}
function collector() {
    try {
        // Only a run that moves many bytes needs these, so they are no part of every start.
        process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
        const gc = process
            .getBuiltinModule('node:vm')
            .runInNewContext('gc');
        return (type) => gc({ type });
    }
    catch {
        // Without it everything works, in more memory.
        return () => { };
    }
}

// EXTERNAL MODULE: ./build/shared/clean.js
var shared_clean = __webpack_require__(3581);
// EXTERNAL MODULE: ./build/shared/reaching.js
var reaching = __webpack_require__(59859);
;// CONCATENATED MODULE: ./build/shared/offsite/bucket-failure.js



/** @param what happened, as the beginning of a sentence: `"bucket" at S3 cannot be listed` */
function bucketFailure(what, error, facts) {
    if (error instanceof shared_failure/* Failure */.HR)
        return error;
    const reason = wordsOf(error);
    const Kind = ofOneObject.test(codeOf(error).code) ? ObjectFailure : shared_failure/* Failure */.HR;
    return new Kind('bucket-unusable', `${what}: ${reason}`, { hint: remedyFor(reason, facts) });
}
/** The store refuses one object, and may give all others: it has archived this one, or its own key is gone or disabled. */
class ObjectFailure extends shared_failure/* Failure */.HR {
}
const ofOneObject = /^(InvalidObjectState$|KMS\.)/;
/** The store's own code and words, or those of the library, in one line. */
function wordsOf(error) {
    const { status, code } = codeOf(error);
    const isPage = isWebPage(error);
    // The answer comes from a proxy or another server, so what the login may do does not matter.
    if (status !== null && isPage && status < 500 && status !== 413)
        return `a web page came as the answer (HTTP ${status})`;
    // The answer to HEAD has no body: its status is all there is.
    if (status !== null && (isPage || /^(Unknown(Error)?|\d{3})?$/.test(code)))
        return `${wordForStatus[status] ?? 'HTTP'} (HTTP ${status})`;
    return (0,shared_clean/* cleanLine */.Ow)((0,reaching/* reasonOf */.A)(error), 500);
}
/** Whether the library could not read the body, which then is no answer of a store. */
function isWebPage(error) {
    return error instanceof Error && /XML parse error/.test(error.message);
}
const wordForStatus = {
    400: 'BadRequest',
    403: 'Forbidden',
    404: 'NotFound',
    412: 'PreconditionFailed',
    413: 'EntityTooLarge',
    429: 'TooManyRequests',
    500: 'InternalError',
    501: 'NotImplemented',
    502: 'BadGateway',
    503: 'ServiceUnavailable',
    504: 'GatewayTimeout',
};
/** The HTTP status of the answer, if there was one, and the name of the error. */
function codeOf(error) {
    if (!(error instanceof Error))
        return { status: null, code: '' };
    const { $metadata } = error;
    return { status: $metadata?.httpStatusCode ?? null, code: error.name };
}
function remedyFor(reason, facts) {
    const found = remedies.find(([said]) => said.test(reason))?.[1];
    if (found === undefined)
        return usualRemedy;
    return typeof found === 'string' ? found : found(reason, facts);
}
const login = 'Run aws-actions/configure-aws-credentials before this step, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
/** Advice by the words of the store, or of AWS's library. The first that fits holds. */
const remedies = [
    [
        /\bsts:|AssumeRole|^(ExpiredTokenException|IDPCommunicationError|InvalidIdentityToken)/,
        'Make the role trust this repository and branch, and give the job permissions: id-token: write',
    ],
    [/^Region is missing/, 'Give "s3-region", or set AWS_REGION in the job'],
    [
        /^ExpiredToken\b/,
        'The login has expired: run aws-actions/configure-aws-credentials right before this step, and give it a longer role-duration-seconds if the copy takes long',
    ],
    [/^(CredentialsProviderError|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)\b/, login],
    [/^(NoSuchBucket|NotFound)\b/, 'Correct "s3-bucket" or "s3-endpoint", or create the bucket'],
    // We never ask for an object that must exist, so the store has taken the name of the bucket for that of an object.
    [/^NoSuchKey\b/, 'Give "s3-endpoint" without the name of the bucket, neither in front of its host nor behind it'],
    [
        /^EntityTooLarge\b/,
        'Let the proxy in front of the store accept requests of 64 MiB (nginx: client_max_body_size), or correct "s3-endpoint"',
    ],
    [
        /^(BadDigest|XAmzContent(SHA256|Checksum)Mismatch)\b/,
        'Run it again: the next run copies what is missing. If it happens again, find what changes the bytes on their way: a proxy, or memory of the runner',
    ],
    [/^NoSuchUpload\b/, 'Somebody else ended this upload, such as a lifecycle rule of the bucket. Run it again'],
    [/^(\w*Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)\b/, 'Correct "s3-region"'],
    [/^KMS\.|kms:/i, 'Correct "s3-kms-key", and grant that login kms:GenerateDataKey and kms:Decrypt on the key'],
    [/^InvalidStorageClass\b/, 'Clear "s3-storage-class": this store does not have it'],
    [
        /^InvalidObjectState\b/,
        'The store has archived it: bring it back there first (aws s3api restore-object), or name another backup',
    ],
    [/^InvalidTag\b/, 'Correct "s3-tags"'],
    [/[Pp]art ?[Nn]umber|too many parts/i, 'Give "s3-max-parts" the number of parts that this store allows'],
    [
        /^(AccessDenied|Forbidden|AllAccessDisabled|AccountProblem)\b/,
        (_, { rights }) => `Grant that login ${rights.join(' and ')} on the bucket`,
    ],
    [/^RequestTimeTooSkewed\b/, "Correct the runner's clock"],
    [
        /^(NotImplemented|InvalidArgument|InvalidRequest|BadRequest|InvalidEncryptionAlgorithmError|MalformedXML)\b/,
        clearInputs,
    ],
    [
        /^(QuotaExceeded|InsufficientStorage|XMinioStorageFull|StorageLimitExceeded|storage_cap_exceeded)/i,
        'Make room in the store, or raise its limit',
    ],
    [
        /^(SlowDown|Throttling\w*|TooManyRequests\w*|RequestLimitExceeded|InternalError|InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout)\b/,
        'The store is overloaded or down: check its status page, and run this again later. The next run copies what is missing',
    ],
    [
        /^Failed to establish tunnel\b/,
        'Let the proxy of the runner (HTTPS_PROXY) allow it, with a login if it needs one, or name the host of the store in NO_PROXY',
    ],
    [
        /certificate|self-signed|CERT_/i,
        'Give the certificate of its authority to the job in NODE_EXTRA_CA_CERTS, or correct "s3-endpoint"',
    ],
    [
        /ECONNRESET|EPIPE|ETIMEDOUT|TimeoutError|RequestTimeout|socket hang up|aborted|IncompleteBody|premature/i,
        'Run it again: the next run copies what is missing. If it happens again, check the network between runner and store',
    ],
];
const usualRemedy = 'Correct "s3-endpoint" or "s3-region", and check that the network of the runner allows the connection';
/** What the words themselves name, else all that was sent and need not be. */
function clearInputs(reason, { inputs = [] }) {
    const named = inputWords
        .filter(([input, said]) => inputs.includes(input) && said.test(reason))
        .map(([input]) => input);
    const guilty = named.length > 0 ? named : inputs;
    if (guilty.length === 0)
        return 'This store does not support that request. Compare it with the table in docs/offsite.md';
    const list = guilty.map((input) => `"${input}"`).join(' and ');
    return `Clear ${list}: this store does not take ${guilty.length === 1 ? 'it' : 'them'}`;
}
const inputWords = [
    ['s3-tags', /tag/i],
    ['s3-storage-class', /storage.?class/i],
    ['s3-kms-key', /kms/i],
    ['s3-sse', /encrypt|sse/i],
];

;// CONCATENATED MODULE: ./build/shared/offsite/bucket-place.js
/** For people: `"bucket" at s3.example.com`. */
function nameOf({ bucket, endpoint }) {
    return `"${bucket}" at ${endpoint?.host ?? 'S3'}`;
}

;// CONCATENATED MODULE: ./build/shared/offsite/checksums.js

/**
 * The checksum that S3 reports of an object sent in parts: SHA-256 over the SHA-256 of each part, then `-` and their number.
 * @param parts SHA-256 of each part in hex
 */
function compositeOf(parts) {
    const hash = (0,external_node_crypto_.createHash)('sha256');
    for (const part of parts)
        hash.update(part, 'hex');
    return `${hash.digest('hex')}-${parts.length}`;
}
/** Reads `x-amz-checksum-sha256`: Base64, and `-N` behind it for a composite one. Anything else counts as not reported. */
function reportedChecksum(header, type) {
    const [, base64, parts] = /^([A-Za-z0-9+/]{43}=)(?:-(\d+))?$/.exec(header ?? '') ?? [];
    if (base64 === undefined)
        return { sha256: null, compositeSha256: null };
    const hex = Buffer.from(base64, 'base64').toString('hex');
    if (parts === undefined && type !== 'COMPOSITE')
        return { sha256: hex, compositeSha256: null };
    return { sha256: null, compositeSha256: `${hex}-${parts ?? 1}` };
}
/** The ETag of an object sent in parts, from those of the parts; null if they are not MD5, as with KMS. */
function compositeEtag(etags) {
    const hash = (0,external_node_crypto_.createHash)('md5');
    for (const etag of etags) {
        const [, hex] = /^"?([0-9a-f]{32})"?$/.exec(etag) ?? [];
        if (hex === undefined)
            return null;
        hash.update(hex, 'hex');
    }
    return `${hash.digest('hex')}-${etags.length}`;
}

;// CONCATENATED MODULE: ./build/shared/offsite/part-size.js


const mebibyte = 2 ** 20;
/** No part may be larger. */
const largestPart = 64 * mebibyte;
/** S3 takes no less than 5 MiB. A larger part costs the store less, and more memory here. Below this, an object is sent at once. */
const usualPart = 8 * mebibyte;
/** With fewer, the store waits for the next part; with more, each part takes longer. */
const mostAtOnce = 3;
/** For the parts of a dump of up to 78 GiB. Of a larger one, two at one time still have to fit. */
const usualMemory = 24 * mebibyte;
/** S3's own limit. */
const mostParts = 10_000;
/**
 * How to cut an object of this size.
 * @param maxParts how many parts the store allows
 * @throws Failure `bucket-unusable` if it does not fit
 */
function planParts(name, bytes, maxParts = mostParts) {
    const needed = Math.ceil(Math.ceil(bytes / maxParts) / mebibyte) * mebibyte;
    const partBytes = Math.max(usualPart, needed);
    if (partBytes > largestPart) {
        throw new shared_failure/* Failure */.HR('bucket-unusable', `${name} has ${(0,units/* formatBytes */.z3)(bytes)}, but ${(0,units/* counted */.hS)(maxParts, 'part')} of at most ${(0,units/* formatBytes */.z3)(largestPart)} hold only ${(0,units/* formatBytes */.z3)(maxParts * largestPart)}`, { hint: 'Raise "s3-max-parts" if the store allows more parts, or copy this backup by other means' });
    }
    const atOnce = Math.min(mostAtOnce, Math.max(2, Math.floor(usualMemory / partBytes)));
    return { partBytes, inMemory: Math.min(atOnce, Math.floor(largestPart / partBytes)) };
}

;// CONCATENATED MODULE: ./build/shared/offsite/retries.js

/** Milliseconds before the second try, twice as many before each further one. */
const firstPause = 1_000;
/** The same where nothing has answered yet: the address is more likely wrong than the store away. */
const firstPauseUnanswered = 50;
const longestPause = 20_000;
/**
 * When the library sends a request again. Its own way gives a store that fails with 500 up after some six seconds, and after some
 * dozens of failures in all: a store that restarts would cost a copy of hours.
 */
class Retries {
    #attempts;
    #hasAnswered = false;
    /** @param attempts how often one request is sent at most */
    constructor(attempts) {
        this.#attempts = attempts;
    }
    async acquireInitialRetryToken() {
        return tries(0, 0);
    }
    async refreshRetryTokenForRetry(before, { errorType, error, retryAfterHint }) {
        if (codeOf(error).status !== null)
            this.#hasAnswered = true;
        const count = before.getRetryCount();
        const passes = errorType === 'TRANSIENT' || errorType === 'THROTTLING';
        // The library then throws what the request failed with.
        if (!passes || count + 1 >= this.#attempts)
            throw new Error('It is not tried again');
        const first = this.#hasAnswered ? firstPause : firstPauseUnanswered;
        const pause = Math.min(first * 2 ** count, longestPause);
        const asked = Math.min((retryAfterHint?.getTime() ?? 0) - Date.now(), longestPause);
        // Not all parts at the same moment.
        return tries(count + 1, Math.max(asked, (pause * (1 + Math.random())) / 2));
    }
    recordSuccess() {
        this.#hasAnswered = true;
    }
}
const tries = (count, delay) => ({ getRetryCount: () => count, getRetryDelay: () => delay });

;// CONCATENATED MODULE: ./build/shared/offsite/s3-client.js


/** The runner's variables that name a proxy. */
const proxyVariables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];
/** The variables from which AWS's library takes an address, past every check of the input: it need not even be https. */
const endpointVariables = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'];
/** A client with AWS's standard chain for the login, which goes through the proxy of the runner if there is one. */
async function makeClient(place, { attempts, silence = 0 }) {
    const [{ S3Client }, http, https] = await Promise.all([
        __webpack_require__.e(/* import() */ 711).then(__webpack_require__.t.bind(__webpack_require__, 53711, 19)),
        Promise.resolve(/* import() */).then(__webpack_require__.t.bind(__webpack_require__, 37067, 19)),
        Promise.resolve(/* import() */).then(__webpack_require__.t.bind(__webpack_require__, 44708, 19)),
    ]);
    demandProxyCapableNode();
    const { endpoint } = place;
    if (endpoint === null)
        demandNoHiddenEndpoint();
    // AWS's library ignores these variables; the agents of Node obey them, NO_PROXY among them, if they are handed in.
    const connections = { keepAlive: true, maxSockets: 50, proxyEnv: process.env };
    return new S3Client({
        ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
        // A profile of the runner may name an address as well, which nobody has checked.
        ignoreConfiguredEndpointUrls: true,
        ...regionOf(place),
        maxAttempts: attempts,
        retryStrategy: new Retries(attempts),
        // Not every store knows these headers; where one is wanted, the request has it.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        expectContinueHeader: false,
        requestHandler: {
            connectionTimeout: 10_000,
            socketTimeout: silence,
            httpAgent: new http.Agent(connections),
            httpsAgent: new https.Agent(connections),
        },
    });
}
/** On AWS, the library finds the one that is not given. A private store has none, but the signature needs one. */
function regionOf({ region, endpoint }) {
    if (region !== null)
        return { region };
    return endpoint === null ? {} : { region: process.env['AWS_REGION'] || 'us-east-1' };
}
/** Node learned of proxies in 24.5; before that, the copy would silently go past the proxy, or hang. */
function demandProxyCapableNode() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 24 || (major === 24 && minor >= 5))
        return;
    const given = proxyVariables.find((name) => (process.env[name] ?? '') !== '');
    if (given === undefined)
        return;
    throw new shared_failure/* Failure */.HR('bucket-unusable', `Node ${process.versions.node} cannot use the proxy that ${given} names`, {
        hint: 'Update the runner, so that it has Node 24.5 or newer',
    });
}
function demandNoHiddenEndpoint() {
    const given = endpointVariables.find((name) => (process.env[name] ?? '') !== '');
    if (given === undefined)
        return;
    throw new shared_failure/* Failure */.HR('bucket-unusable', `${given} is set, but "s3-endpoint" was not given`, {
        hint: `Give the address as "s3-endpoint", and remove ${given} from the job`,
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/send-parts.js


/**
 * Cuts a stream into parts and sends several at one time. Each may be sent again, because it stays in memory until `send` has
 * ended. Reads no further than the parts in memory allow.
 * @param send given up by its signal as soon as anything fails
 * @returns SHA-256 of each part, in order, once all have been sent
 * @throws what the stream or the first failed `send` threw, after all others have ended
 */
async function sendParts(content, bytes, plan, send) {
    const sums = [];
    const free = [];
    const sending = new Set();
    const giveUp = new AbortController();
    let made = 0;
    let failure = null;
    const fail = (error) => {
        failure ??= { error };
        giveUp.abort();
        // Ends the wait for the next bytes, which may never come.
        content.destroy();
    };
    const buffer = async () => {
        while (failure === null && free.length === 0 && made >= plan.inMemory)
            await Promise.race(sending);
        if (free.length === 0)
            made += 1;
        return free.pop() ?? Buffer.allocUnsafeSlow(Math.min(plan.partBytes, Math.max(bytes, 1)));
    };
    const begin = (whole, length) => {
        const body = whole.subarray(0, length);
        const sha256 = (0,external_node_crypto_.createHash)('sha256').update(body).digest('hex');
        const part = { number: sums.push(sha256), body, sha256 };
        const transfer = send(part, giveUp.signal)
            .then(() => void free.push(whole), fail)
            .finally(() => sending.delete(transfer));
        sending.add(transfer);
    };
    try {
        let filling = null;
        let filled = 0;
        let arrived = 0;
        for await (const chunk of content) {
            arrived += chunk.length;
            if (arrived > bytes)
                throw wrongLength(bytes, 'more came');
            for (let at = 0; at < chunk.length;) {
                filling ??= await buffer();
                if (failure !== null)
                    break;
                const copied = chunk.copy(filling, filled, at);
                at += copied;
                filled += copied;
                if (filled < filling.length)
                    continue;
                begin(filling, filled);
                [filling, filled] = [null, 0];
            }
            if (failure !== null)
                break;
        }
        if (failure === null && arrived < bytes)
            throw wrongLength(bytes, `it ended after ${arrived}`);
        if (failure === null && (filled > 0 || sums.length === 0))
            begin(filling ?? Buffer.alloc(0), filled);
    }
    catch (error) {
        fail(error);
    }
    await Promise.all(sending);
    if (failure !== null)
        throw failure.error;
    return sums;
}
function wrongLength(bytes, what) {
    return new shared_failure/* Failure */.HR('copy-differs', `The host announced ${bytes} bytes, but ${what}`, {
        hint: 'Nothing of it is kept in the bucket. Run it again; if it happens again, verify the backups on the host',
    });
}

;// CONCATENATED MODULE: ./build/shared/offsite/s3-upload.js







/** Storage classes from which an object has to be brought back before it can be read. */
const archives = new Set(['GLACIER', 'DEEP_ARCHIVE']);
/** For what has to be tidied away although the run was cancelled: milliseconds. */
const tidyingTime = 20_000;
/** Sends one object. An object of one part is sent at once, any other in parts. */
class S3Upload {
    #client;
    #s3;
    #to;
    #object;
    #facts;
    /** Of the new object; sent once, when it is made. */
    #properties;
    constructor(client, s3, to) {
        this.#client = client;
        this.#s3 = s3;
        this.#to = to;
        this.#object = { Bucket: to.place.bucket, Key: to.key };
        const { storageClass, sse, kmsKey, tags } = to.place;
        const { tags: more, metadata, isIndex } = to.properties;
        const tagging = tags == null ? '' : new URLSearchParams({ ...tags, ...more }).toString();
        const settings = [
            ['s3-storage-class', 'StorageClass', isIndex && archives.has(storageClass ?? '') ? null : storageClass],
            ['s3-sse', 'ServerSideEncryption', sse],
            ['s3-kms-key', 'SSEKMSKeyId', kmsKey],
            ['s3-tags', 'Tagging', tagging === '' ? null : tagging],
        ];
        const set = settings.flatMap(([input, property, value]) => (value == null ? [] : [{ input, property, value }]));
        this.#properties = {
            ...Object.fromEntries(set.map(({ property, value }) => [property, value])),
            ...(metadata && { Metadata: metadata }),
        };
        this.#facts = {
            rights: ['s3:PutObject', ...(tagging === '' ? [] : ['s3:PutObjectTagging'])],
            inputs: set.map(({ input }) => input),
        };
    }
    /** @param checksums whether the store takes the headers for them; set to false when it is found that it does not */
    async send(content, bytes, plan, onBytes, checksums) {
        try {
            if (bytes > plan.partBytes)
                return await this.#inParts(content, bytes, plan, onBytes, checksums);
            const atOnce = { partBytes: plan.partBytes, inMemory: 1 };
            // A full buffer is sent before the stream is known to end there: the object may only be made once it has ended well.
            let whole = null;
            const parts = await sendParts(content, bytes, atOnce, async (part) => {
                whole = part;
            });
            if (whole !== null)
                await this.#atOnce(whole, checksums);
            onBytes(bytes);
            return { parts };
        }
        catch (error) {
            this.#to.signal.throwIfAborted();
            throw error;
        }
    }
    async #atOnce(part, checksums) {
        await this.#asking(checksums, async (checksum) => {
            const command = new this.#s3.PutObjectCommand({
                ...this.#object,
                ...this.#properties,
                Body: part.body,
                // A bucket whose rule locks every object demands it, where the store knows no other checksum.
                ContentMD5: (0,external_node_crypto_.createHash)('md5').update(part.body).digest('base64'),
                ...(checksum ? checksumOf(part) : {}),
            });
            signWith(command, part);
            sendInSlices(command, part);
            await this.#client.send(command, { abortSignal: this.#to.signal });
        });
    }
    async #inParts(content, bytes, plan, onBytes, checksums) {
        const UploadId = await this.#asking(checksums, (checksum) => this.#begin(checksum));
        try {
            const done = [];
            const parts = await sendParts(content, bytes, plan, async (part, giveUp) => {
                done[part.number - 1] = await this.#sendPart(part, UploadId, AbortSignal.any([giveUp, this.#to.signal]), checksums);
                onBytes(part.body.length);
            });
            this.#to.signal.throwIfAborted();
            await this.#complete(UploadId, done, { bytes, parts });
            return { parts };
        }
        catch (error) {
            const left = await this.#giveUp(UploadId);
            if (left !== null && error instanceof Error)
                error.message += `. Its parts could not be removed: ${left}`;
            throw error;
        }
    }
    async #begin(checksum) {
        const { UploadId } = await this.#client.send(new this.#s3.CreateMultipartUploadCommand({
            ...this.#object,
            ...this.#properties,
            ...(checksum ? { ChecksumAlgorithm: 'SHA256' } : {}),
        }), { abortSignal: this.#to.signal });
        if (UploadId === undefined)
            throw new Error('the store did not name the upload that it began');
        return UploadId;
    }
    async #sendPart(part, UploadId, abortSignal, checksums) {
        const PartNumber = part.number;
        const checksum = checksums.sends ? checksumOf(part) : {};
        const command = new this.#s3.UploadPartCommand({
            ...this.#object,
            UploadId,
            PartNumber,
            Body: part.body,
            ...checksum,
        });
        signWith(command, part);
        sendInSlices(command, part);
        try {
            const { ETag } = await this.#client.send(command, { abortSignal });
            return { PartNumber, ETag, ...(checksums.sends ? { ChecksumSHA256: checksumOf(part).ChecksumSHA256 } : {}) };
        }
        catch (error) {
            throw this.#failure(error);
        }
    }
    async #complete(UploadId, Parts, whole) {
        const ask = (parts) => this.#client.send(new this.#s3.CompleteMultipartUploadCommand({
            ...this.#object,
            UploadId,
            MultipartUpload: { Parts: parts },
        }), { abortSignal: this.#to.signal });
        try {
            try {
                await ask(Parts);
            }
            catch (error) {
                // Swift passes over the headers for checksums, and refuses their names in this list.
                if (codeOf(error).code !== 'MalformedXML')
                    throw error;
                await ask(Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })));
            }
        }
        catch (error) {
            // The answer to an earlier try may have been lost on its way, and then there is no such upload any more.
            if (codeOf(error).code === 'NoSuchUpload' && (await this.#isThere(Parts, whole)))
                return;
            throw this.#failure(error);
        }
    }
    /** Known by its checksum where the store reports one, else by its ETag, which with KMS is no MD5. */
    async #isThere(sent, { bytes, parts }) {
        const look = (checksum) => this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#object, ...checksum }), {
            abortSignal: this.#to.signal,
        });
        const found = await look({ ChecksumMode: 'ENABLED' })
            .catch(() => look({}))
            .catch(() => null);
        if (found?.ContentLength !== bytes)
            return false;
        const { compositeSha256 } = reportedChecksum(found.ChecksumSHA256, found.ChecksumType);
        if (compositeSha256 !== null)
            return compositeSha256 === compositeOf(parts);
        const etag = compositeEtag(sent.map(({ ETag = '' }) => ETag));
        return etag !== null && found.ETag?.replaceAll('"', '') === etag;
    }
    /** Also when the run was cancelled: the parts cost money until somebody removes them. @returns why it did not work */
    async #giveUp(UploadId) {
        try {
            const abort = this.#client.send(new this.#s3.AbortMultipartUploadCommand({ ...this.#object, UploadId }));
            await (0,reaching/* inTime */.R)(tidyingTime, new AbortController().signal, abort);
            return null;
        }
        catch (error) {
            return codeOf(error).code === 'NoSuchUpload' ? null : wordsOf(error);
        }
    }
    /** Asks with the header for a checksum; without it if the store does not take it, and from then on. */
    async #asking(checksums, ask) {
        try {
            return await ask(checksums.sends);
        }
        catch (error) {
            if (!checksums.sends || !refusesChecksums(error))
                throw this.#failure(error);
        }
        try {
            const answer = await ask(false);
            checksums.sends = false;
            return answer;
        }
        catch (error) {
            throw this.#failure(error);
        }
    }
    #failure(error) {
        if (this.#to.signal.aborted)
            return this.#to.signal.reason;
        return bucketFailure(`${nameOf(this.#to.place)} does not take ${this.#to.key}`, error, this.#facts);
    }
}
/** What stores say that know no such header; a wrong checksum is another thing, and is not among it. */
function refusesChecksums(error) {
    const { status, code } = codeOf(error);
    if (status === 501)
        return true;
    return (status === 400 && /^(InvalidArgument|InvalidRequest|NotImplemented)$/.test(code) && /checksum/i.test(wordsOf(error)));
}
const checksumOf = ({ sha256 }) => ({ ChecksumAlgorithm: 'SHA256', ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') });
/** The signature covers the content, so that any store notices other bytes; the library would hash them once more. */
function signWith(command, { sha256 }) {
    const middleware = (next) => (args) => {
        args.request.headers['x-amz-content-sha256'] = sha256;
        return next(args);
    };
    command.middlewareStack.add(middleware, { step: 'build', name: 'contentSha256' });
}
/** Bytes that are handed to the socket at one time. */
const sliceBytes = 256 * 1024;
/** Handed over whole, all of a part would be encrypted for TLS at once, into as much memory again. */
function sendInSlices(command, { body }) {
    const slices = function* () {
        for (let at = 0; at < body.length; at += sliceBytes)
            yield body.subarray(at, at + sliceBytes);
    };
    const middleware = (next) => (args) => {
        const request = Object.assign(Object.create(Object.getPrototypeOf(args.request)), args.request);
        request.body = external_node_stream_.Readable.from(slices(), { objectMode: false });
        return next({ ...args, request });
    };
    command.middlewareStack.add(middleware, { step: 'deserialize', name: 'sendInSlices' });
}

;// CONCATENATED MODULE: ./build/shared/offsite/s3-store.js









/** Enough to sit out about a minute, see `Retries`. */
const usualAttempts = 9;
/** A store may think so long before it has put many parts together. */
const usualSilence = 120_000;
/** How many deletions run at one time. */
const removalsAtOnce = 8;
/** In versioned buckets with locks, or with rules of the provider's own, a store says so in one of these ways. */
const lockedWords = /object.?lock|retention|legal.?hold|\bWORM\b|immutab|protected/i;
/** Opens a bucket. Connects at the first request. Everything that is asked of it ends with the signal. */
async function openS3Store(place, signal, { attempts = usualAttempts, silence = usualSilence } = {}) {
    const client = await makeClient(place, { attempts, silence });
    return new S3Store(client, await __webpack_require__.e(/* import() */ 711).then(__webpack_require__.t.bind(__webpack_require__, 53711, 19)), place, signal);
}
class S3Store {
    name;
    #client;
    #s3;
    #place;
    #signal;
    #Bucket;
    /** Whether the store takes the headers for checksums, as far as is known. */
    #checksums = { sends: true, asks: true };
    constructor(client, s3, place, signal) {
        this.name = nameOf(place);
        this.#client = client;
        this.#s3 = s3;
        this.#place = place;
        this.#signal = signal;
        this.#Bucket = { Bucket: place.bucket };
    }
    uri(key) {
        return `s3://${this.#place.bucket}/${key}`;
    }
    async *list(prefix) {
        const facts = { rights: ['s3:ListBucket'] };
        let token;
        do {
            const page = await this.#ask('cannot be listed', facts, (abortSignal) => this.#client.send(new this.#s3.ListObjectsV2Command({
                ...this.#Bucket,
                Prefix: prefix,
                ContinuationToken: token,
                // Names of others may hold characters that XML cannot.
                EncodingType: 'url',
            }), { abortSignal }));
            if (page.Name !== this.#place.bucket) {
                throw bucketFailure(`${this.name} cannot be listed`, new Error('the server there is not an S3 store'), facts);
            }
            for (const { Key, Size } of page.Contents ?? []) {
                const key = page.EncodingType === 'url' ? decoded(Key ?? '') : (Key ?? '');
                if (key.startsWith(prefix))
                    yield { key, bytes: Size ?? 0 };
            }
            const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
            if (page.IsTruncated === true && (next === undefined || next === token)) {
                throw bucketFailure(`${this.name} cannot be listed`, new Error('the store does not say how its list goes on'), facts);
            }
            token = next;
        } while (token !== undefined);
    }
    async facts(key) {
        const answer = await this.#unlessMissing(`cannot be asked about ${key}`, (abortSignal) => this.#head(key, abortSignal).catch(async (refusal) => {
            throw await this.#inWords(refusal, key, abortSignal);
        }));
        if (answer === null)
            return null;
        const until = answer.ObjectLockRetainUntilDate ?? null;
        return {
            bytes: answer.ContentLength ?? 0,
            ...reportedChecksum(answer.ChecksumSHA256, answer.ChecksumType),
            lockedUntil: answer.ObjectLockLegalHoldStatus === 'ON' ? farAway : until !== null && until > new Date() ? until : null,
            metadata: answer.Metadata ?? {},
        };
    }
    async #head(key, abortSignal) {
        const look = (ChecksumMode) => this.#client.send(new this.#s3.HeadObjectCommand({ ...this.#Bucket, Key: key, ChecksumMode }), { abortSignal });
        try {
            return await look(this.#checksums.asks ? 'ENABLED' : undefined);
        }
        catch (error) {
            // Some stores refuse the question for a checksum as a whole.
            if (!this.#checksums.asks || ![400, 501].includes(codeOf(error).status ?? 0))
                throw error;
            const plain = await look(undefined);
            this.#checksums.asks = false;
            return plain;
        }
    }
    /**
     * The answer to a HEAD has no body, and status 400 can mean anything, such as an expired login. A GET of one byte is refused with the
     * store's own error.
     */
    async #inWords(refusal, key, abortSignal) {
        if (codeOf(refusal).status !== 400)
            return refusal;
        try {
            const command = new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, Range: 'bytes=0-0' });
            (await this.#client.send(command, { abortSignal })).Body.destroy();
            return refusal;
        }
        catch (error) {
            return error;
        }
    }
    async read(key, most) {
        const range = most === undefined ? {} : { Range: `bytes=0-${Math.max(most, 1) - 1}` };
        const what = `does not give ${key}`;
        const answer = await this.#unlessMissing(what, async (abortSignal) => {
            try {
                return await this.#client.send(new this.#s3.GetObjectCommand({ ...this.#Bucket, Key: key, ...range }), {
                    abortSignal,
                });
            }
            catch (error) {
                // An empty object has no first byte.
                if (codeOf(error).status === 416)
                    return { Body: external_node_stream_.Readable.from([]), Metadata: {} };
                throw error;
            }
        });
        if (answer === null)
            return null;
        const content = external_node_stream_.Readable.from(this.#readingOf(answer.Body, what), { objectMode: false });
        return { content, metadata: answer.Metadata ?? {} };
    }
    async *#readingOf(body, what) {
        const stop = () => body.destroy();
        this.#signal.addEventListener('abort', stop, { once: true });
        try {
            for await (const piece of body) {
                tellPassed(piece.length);
                yield piece;
            }
            this.#signal.throwIfAborted();
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw bucketFailure(`${this.name} ${what} to its end`, error, { rights: ['s3:GetObject'] });
        }
        finally {
            this.#signal.removeEventListener('abort', stop);
            body.destroy();
        }
    }
    async write(key, content, bytes, onBytes = () => { }, properties = {}) {
        const stop = () => content.destroy();
        this.#signal.addEventListener('abort', stop, { once: true });
        try {
            this.#signal.throwIfAborted();
            const plan = planParts(key, bytes, this.#place.maxParts ?? undefined);
            const upload = new S3Upload(this.#client, this.#s3, {
                place: this.#place,
                key,
                properties,
                signal: this.#signal,
            });
            return await upload.send(content, bytes, plan, onBytes, this.#checksums);
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw error;
        }
        finally {
            this.#signal.removeEventListener('abort', stop);
            content.destroy();
        }
    }
    async remove(keys) {
        const removals = [];
        for (let at = 0; at < keys.length; at += removalsAtOnce) {
            removals.push(...(await Promise.all(keys.slice(at, at + removalsAtOnce).map((key) => this.#remove(key)))));
        }
        return removals;
    }
    async #remove(key) {
        // In a versioned bucket, a deletion only hides what is locked: it would go on costing money, seen by nobody.
        try {
            const facts = await this.facts(key);
            if (facts === null)
                return { key, outcome: 'deleted', reason: null, hint: null };
            if (facts.lockedUntil !== null)
                return { key, outcome: 'retained', reason: lockOf(facts.lockedUntil), hint: null };
            await this.#ask(`does not delete ${key}`, { rights: ['s3:DeleteObject'] }, (abortSignal) => this.#client.send(new this.#s3.DeleteObjectCommand({ ...this.#Bucket, Key: key }), { abortSignal }));
            return { key, outcome: 'deleted', reason: null, hint: null };
        }
        catch (error) {
            this.#signal.throwIfAborted();
            const reason = error.message;
            const hint = ((0,shared_failure/* isFailure */.N6)(error) && error.hint) || null;
            return { key, outcome: this.#tellsLock(reason, key) ? 'retained' : 'failed', reason, hint };
        }
    }
    /** Buckets, folders and users may be called after locks: their names say nothing of why it was refused. */
    #tellsLock(reason, key) {
        const names = [this.name, key, this.#place.bucket];
        return lockedWords.test(names.reduce((words, name) => words.replaceAll(name, ''), reason.replaceAll(/arn:\S+/g, '')));
    }
    async *unfinished(prefix) {
        let from = {};
        while (from !== null) {
            const page = await this.#uploadsFrom(prefix, from);
            for (const { Key: key = '', UploadId: uploadId } of page.Uploads ?? []) {
                if (uploadId !== undefined && key.startsWith(prefix))
                    yield { key, uploadId };
            }
            const next = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
            const moves = next.KeyMarker !== from.KeyMarker || next.UploadIdMarker !== from.UploadIdMarker;
            from = page.IsTruncated === true && moves ? next : null;
        }
    }
    #uploadsFrom(prefix, from) {
        const facts = { rights: ['s3:ListBucketMultipartUploads'] };
        const command = new this.#s3.ListMultipartUploadsCommand({ ...this.#Bucket, Prefix: prefix, ...from });
        return this.#ask('does not list unfinished uploads', facts, (abortSignal) => this.#client.send(command, { abortSignal }));
    }
    async abort({ key, uploadId }) {
        const facts = { rights: ['s3:AbortMultipartUpload'] };
        await this.#ask(`did not abort the upload of ${key}`, facts, async (abortSignal) => {
            try {
                const command = new this.#s3.AbortMultipartUploadCommand({ ...this.#Bucket, Key: key, UploadId: uploadId });
                await this.#client.send(command, { abortSignal });
            }
            catch (error) {
                if (codeOf(error).code !== 'NoSuchUpload')
                    throw error;
            }
        });
    }
    close() {
        this.#client.destroy();
    }
    /** null if the store says that there is no such object; a missing bucket is a failure. */
    async #unlessMissing(what, ask) {
        return this.#ask(what, { rights: ['s3:GetObject'] }, async (abortSignal) => {
            try {
                return await ask(abortSignal);
            }
            catch (error) {
                const { status, code } = codeOf(error);
                if (status === 404 && code !== 'NoSuchBucket')
                    return null;
                throw error;
            }
        });
    }
    async #ask(what, facts, ask) {
        this.#signal.throwIfAborted();
        try {
            return await ask(this.#signal);
        }
        catch (error) {
            this.#signal.throwIfAborted();
            throw bucketFailure(`${this.name} ${what}`, error, facts);
        }
    }
}
/** A legal hold has no end. */
const farAway = new Date(8.64e15);
function lockOf(until) {
    return until === farAway ? 'it is under a legal hold' : `it is locked until ${until.toISOString()}`;
}
/** As S3 encodes names in listings. */
function decoded(key) {
    try {
        return decodeURIComponent(key.replaceAll('+', ' '));
    }
    catch {
        return key;
    }
}

// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var sets_catalogue = __webpack_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __webpack_require__(29462);
// EXTERNAL MODULE: ./build/shared/sets/read-manifest.js
var read_manifest = __webpack_require__(3450);
// EXTERNAL MODULE: ./build/shared/sets/read-sets.js
var read_sets = __webpack_require__(6646);
;// CONCATENATED MODULE: ./build/shared/offsite/keys.js



/** Where the objects of a set lie. */
function folderOf(prefix, environment, id) {
    return `${prefix}/${environment}/${id}/`;
}
/** Which file of which set an object is, or becomes; null if it is none of ours: others may keep theirs beside them. */
function setFileAt(prefix, environment, key) {
    const [id = '', name = '', ...deeper] = key.slice(`${prefix}/${environment}/`.length).split('/');
    const parsed = (0,naming/* parseSetFileName */.Bi)(name);
    return deeper.length > 0 || parsed === null || parsed.id !== id || parsed.prefix === 'failed' ? null : { id, name };
}
/** Where the dump of a set lies, or will. @param sealTo as in `CopyTarget` */
function keyOfDump({ prefix, environment, sealTo }, manifest) {
    const file = isSealedOnTheWay(manifest, sealTo) ? sealedNames(manifest).dump : manifest.file;
    return `${folderOf(prefix, environment, manifest.id)}${file}`;
}
/** What the host has encrypted stays as it is. */
const isSealedOnTheWay = ({ encryption }, sealTo) => encryption === 'none' && sealTo.length > 0;
/** The names of the files of an encrypted copy. */
function sealedNames(manifest) {
    return namesOf({ manifest: sealManifest(manifest, manifest) });
}

;// CONCATENATED MODULE: ./build/shared/offsite/stored-sets.js









/** How many manifests to read at one time. */
const atOnce = 8;
/** The sets of an environment in the bucket that have a manifest of ours, newest first. */
async function storedSets(store, prefix, environment) {
    return (await contentsOf(store, prefix, environment)).sets;
}
async function contentsOf(store, prefix, environment) {
    const found = new Map();
    for await (const { key, bytes } of store.list(`${prefix}/${environment}/`)) {
        const file = setFileAt(prefix, environment, key);
        if (file === null)
            continue;
        found.set(file.id, [...(found.get(file.id) ?? []), { name: file.name, key, bytes }]);
    }
    const contents = { sets: [], parts: [] };
    const all = [...found].toSorted(([a], [b]) => (0,sets_catalogue/* newestFirst */.ll)(a, b));
    for (let at = 0; at < all.length; at += atOnce) {
        const portion = all.slice(at, at + atOnce);
        const read = portion.map(([id, files]) => storedSet(store, environment, id, files));
        for (const set of await Promise.all(read)) {
            if ('state' in set)
                contents.parts.push(set);
            else
                contents.sets.push(set);
        }
    }
    return contents;
}
/** The set; or why these files are none. */
async function storedSet(store, environment, id, files) {
    const file = files.find(({ name }) => (0,naming/* parseSetFileName */.Bi)(name)?.part === 'manifest');
    const part = (state, why) => ({ id, files, state, why });
    const foreign = (why) => part('foreign', why);
    if (file === undefined)
        return part('no-manifest', 'it has no manifest');
    if (file.bytes > read_manifest/* longestManifest */.Ev)
        return foreign('its manifest is too large to be one of ours');
    const stored = await store.read(file.key).catch((error) => {
        if (error instanceof ObjectFailure)
            return error;
        throw error;
    });
    if (stored === null)
        return foreign('its manifest was deleted just now');
    if (stored instanceof ObjectFailure)
        return part('unread', `its manifest cannot be read. ${stored.message}`);
    const manifest = summaryOf(await (0,consumers_.text)(stored.content));
    if (manifest === null)
        return foreign('its manifest is none of ours, or damaged');
    if (manifest.id !== id || manifest.environment !== environment)
        return foreign('its manifest is that of another backup');
    const faults = faultsOf(manifest, files);
    const folderId = folderIdIn(stored.metadata);
    return { id, database: manifest.database, manifest, folderId, files, isComplete: faults.length === 0, faults };
}
function summaryOf(json) {
    try {
        return (0,read_manifest/* readSummary */.L_)(json);
    }
    catch (error) {
        if ((0,shared_failure/* isFailure */.N6)(error))
            return null;
        throw error;
    }
}
/** What is missing or has another size than the manifest says. */
function faultsOf(manifest, files) {
    const { id, database } = manifest;
    const names = (0,read_sets/* namesOf */.eZ)({ manifest });
    const sides = (0,read_sets/* sidesOf */.Mm)({ state: 'verified', id, database, manifest, folders: [] });
    const wanted = [
        names.dump,
        ...sides.map((side) => names[side]),
        names.report,
        names.sha256,
        names.md5,
        names.manifest,
    ];
    return wanted.flatMap((name) => {
        const file = files.find((each) => each.name === name);
        if (file === undefined)
            return [`${name} is missing`];
        if (file.bytes === 0)
            return [`${name} is empty`];
        if (name === names.dump && file.bytes !== manifest.sizeBytes) {
            return [`${name} has ${file.bytes} bytes, but its manifest says ${manifest.sizeBytes}`];
        }
        return [];
    });
}

;// CONCATENATED MODULE: ./build/shared/host/incoming-files.js


/** Bytes of a file that wait for their reader; then the host waits as well. */
const mostWaiting = 1024 * 1024;
/** The files in a program's answer, in the order in which the host sends them. As much is taken from the host as is read here. */
class IncomingFiles {
    #waiting = [];
    #current = null;
    #isOver = false;
    #error = null;
    #wake = () => { };
    #drained = () => { };
    /** True while nothing more may be taken from the host; `onDrain` is called when that changes. */
    get isFull() {
        return this.#waiting.length > 1 || this.#current?.writableNeedDrain === true;
    }
    set onDrain(call) {
        this.#drained = call;
    }
    begin(name, bytes) {
        const content = new external_node_stream_.PassThrough({ highWaterMark: mostWaiting });
        // Whoever reads it hears of its errors; a file that nobody reads must not end the process.
        content.on('error', () => { });
        for (const event of ['drain', 'close'])
            content.on(event, () => this.#tellDrained());
        this.#current = content;
        // What nobody reads any more must not hold the host up.
        if (this.#isOver)
            content.destroy();
        else
            this.#waiting.push({ name, bytes, content });
        this.#wake();
    }
    add(piece) {
        tellPassed(piece.length);
        if (this.#current?.destroyed === false)
            this.#current.write(piece);
    }
    end() {
        this.#current?.end();
        this.#current = null;
    }
    /** No more will come: because of the error, if there is one. What is half here fails with it. */
    close(error) {
        this.#isOver = true;
        this.#error ??= error;
        if (error !== null)
            for (const { content } of this.#waiting.splice(0))
                content.destroy(error);
        this.#current?.destroy(error ?? new Error('The host sent only part of a file'));
        this.#current = null;
        this.#wake();
        this.#tellDrained();
    }
    async *[Symbol.asyncIterator]() {
        for (;;) {
            const next = this.#waiting.shift();
            if (next !== undefined) {
                this.#tellDrained();
                yield next;
            }
            else if (this.#isOver) {
                if (this.#error !== null)
                    throw this.#error;
                return;
            }
            else {
                await new Promise((resolve) => {
                    this.#wake = resolve;
                });
            }
        }
    }
    #tellDrained() {
        if (!this.isFull)
            this.#drained();
    }
}

;// CONCATENATED MODULE: ./build/shared/sets/read-files.js


const program = {
    name: 'read-files',
    step: 'reading the files of a backup',
    scripts: [__webpack_require__.ab + "read-files.sh"],
};
/**
 * Streams files of a set from the host. Nothing is kept on the way: the host reads as fast as they are read here. Ends the program
 * when the caller stops early.
 * @throws Failure `set-gone`; as any program's
 */
async function* readFiles(connection, request) {
    const { backupDir, set, names, timeout, signal, onLog } = request;
    const files = new IncomingFiles();
    const parameters = { backup_dir: backupDir, folders: (0,sets_catalogue/* pathsOf */.wG)(set), names };
    const run = connection.run(program, parameters, { deadline: timeout, atEnd: 'end', signal, onLog, files });
    let isWhole = false;
    try {
        yield* files;
        await run.result;
        isWhole = true;
    }
    finally {
        if (!isWhole) {
            files.close(new Error('The rest is not wanted'));
            await run.release();
        }
    }
}

;// CONCATENATED MODULE: ./build/shared/sets/sealed-manifest.js
// A set that is plain on the host may lie encrypted in a bucket. Its manifest there is that of the host, but for the dump.
/**
 * The manifest of the encrypted copy. Its fields stay in their order, and those that this version does not know stay in it.
 * @param manifest as it was read from JSON
 * @param dump of the encrypted dump
 */
function sealed_manifest_sealManifest(manifest, dump) {
    const plain = sumsOf(manifest);
    const sealed = { ...manifest, encryption: 'age', file: `${manifest.file}.age`, ...sumsOf(dump) };
    const fields = Object.entries(sealed).filter(([name]) => name !== 'sealedFrom');
    // Beside its like: a survey reads only the beginning and the end.
    fields.splice(fields.findIndex(([name]) => name === 'md5') + 1, 0, ['sealedFrom', plain]);
    return Object.fromEntries(fields);
}
/** The manifest on the host, of which this is that of an encrypted copy; itself if it is none. */
function unsealManifest(manifest) {
    const { sealedFrom, file } = manifest;
    if (sealedFrom === null)
        return manifest;
    return { ...manifest, encryption: 'none', file: file.replace(/\.age$/, ''), ...sealedFrom, sealedFrom: null };
}
const sumsOf = ({ sizeBytes, sha256, md5 }) => ({ sizeBytes, sha256, md5 });

// EXTERNAL MODULE: ./build/shared/sets/whole-manifest.js
var whole_manifest = __webpack_require__(75173);
;// CONCATENATED MODULE: ./build/shared/restore/backup-source.js















/** Compressed bytes of one file beside the dump; the schema of 30,000 tables has some 4 MiB. */
const longestSide = 32 * 1024 * 1024;
/** Bytes of it, decompressed. */
const longestText = 8 * longestSide;
/** Bytes of the list of checksums. */
const longestList = 64 * 1024;
/** Milliseconds. A restore that builds a large index takes nothing from the store meanwhile. */
const backup_source_longestPause = 30 * 60_000;
/**
 * Finds the backup that is wanted.
 * @throws Failure `no-backup`
 */
async function sourceOf(connection, catalogue, request) {
    const { from, bucket, signal } = request;
    if (from === 'host' || bucket === null)
        return onHost(connection, catalogue, chosen(request, catalogue.sets));
    const store = await openS3Store(bucket, signal, { silence: backup_source_longestPause });
    try {
        return await inBucket(store, catalogue, request);
    }
    catch (error) {
        store.close();
        throw error;
    }
}
function chosen(request, sets) {
    const { wanted } = request;
    return { ...request, wanted: typeof wanted === 'string' ? wanted : wanted(sets) };
}
function onHost(connection, catalogue, request) {
    const { backupDir, timeout, signal, log } = request;
    const onLog = (line) => log.host(line);
    const set = chooseSet(request, catalogue);
    if (set === null)
        throw noBackup('verified backup', request, request.database, backupDir);
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const isSent = set.manifest.encryption === 'age';
    const opened = [];
    const read = async (name) => {
        const files = readFiles(connection, { backupDir, set, names: [name], timeout, signal, onLog });
        opened.push(files);
        const { value } = await files.next();
        return value.content;
    };
    const close = async () => {
        for (const files of opened.splice(0))
            await files.return(undefined).catch(() => { });
    };
    return {
        set,
        copy: null,
        isSent,
        manifest: () => (0,whole_manifest/* wholeManifest */.dy)(connection, backupDir, set, { signal, onLog }),
        sent: async () => (isSent ? sentDump(`${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}/${names.dump}`, set, read, request) : null),
        beside: async (side) => {
            const text = await besideDump(set, side, read, request);
            await close();
            return text;
        },
        close,
    };
}
/** The set on the host that is wanted; null if there is none. */
function chooseSet({ wanted, database }, { sets }) {
    if (wanted === 'latest')
        return database === null ? null : ((0,sets_catalogue/* verifiedSetsOf */.Ns)(database, sets)[0] ?? null);
    const named = sets.find((set) => set.state === 'verified' && set.id === wanted);
    return named?.state === 'verified' && (database === null || named.database === database) ? named : null;
}
async function inBucket(store, catalogue, open) {
    const { bucket, environment, log } = open;
    const prefix = bucket?.prefix ?? '';
    const { sets: all, parts } = await contentsOf(store, prefix, environment);
    const request = chosen(open, knownSets(catalogue, all));
    const { wanted } = request;
    const place = store.uri(`${prefix}/${environment}`);
    const isLatest = wanted === 'latest';
    const stored = isLatest ? all.filter((set) => isOurs(set.folderId, request.folderIds)) : all;
    const database = request.database ?? (isLatest ? onlyOne(stored.map((set) => set.database)) : null);
    const own = stored.filter((set) => (database === null && !isLatest) || set.database === database);
    const [newest] = own;
    const named = isLatest ? undefined : own.find(({ id }) => id === wanted);
    const found = isLatest ? own.find(({ isComplete }) => isComplete) : named;
    // It may be of another database: only its manifest would tell.
    const unread = parts.find(({ id, state }) => state === 'unread' && (isLatest ? id > (found?.id ?? '') : id === wanted));
    if (unread !== undefined && (!isLatest || found === undefined))
        throw unreadCopy(place, unread);
    if (found === undefined || !found.isComplete)
        throw noBackup('complete copy', request, database, place, (named ?? (isLatest ? newest : undefined))?.faults);
    if (isLatest && newest !== found)
        log.warning(`The newest copy, ${newest?.id}, is not complete: ${newest?.faults.join(', ')}. Taking ${found.id}`);
    if (unread !== undefined)
        log.warning(`A newer copy, ${unread.id}, is passed over: ${unread.why}. Taking ${found.id}`);
    const { id, manifest } = found;
    // The proof of a copy is no proof of another set with the same id.
    const here = catalogue.sets.find((set) => set.state === 'verified' && set.id === id && set.manifest.sha256 === unsealManifest(manifest).sha256);
    const set = { state: 'verified', id, database: found.database, manifest, folders: here?.folders ?? [] };
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const read = (name) => readObject(store, found, name);
    const copy = store.uri(keyOf(found, names.dump));
    return {
        set,
        copy,
        isSent: true,
        manifest: async () => {
            const text = await bufferOf(await read(names.manifest), names.manifest, read_manifest/* longestManifest */.Ev);
            try {
                return (0,read_manifest/* readManifest */.WI)(text.toString('utf8'));
            }
            catch (error) {
                if (!(0,shared_failure/* isFailure */.N6)(error, 'bad-manifest'))
                    throw error;
                throw new shared_failure/* Failure */.HR('manifest-unreadable', `${store.uri(keyOf(found, names.manifest))} ${error.message}`, {
                    hint: 'Do not rely on this copy: take another one, or the one on the host',
                    cause: error,
                });
            }
        },
        sent: () => sentDump(copy, set, read, request),
        beside: (side) => besideDump(set, side, read, request),
        close: async () => store.close(),
    };
}
/**
 * What the host knows counts as well: one that never came into the bucket must not make an older one look like the one that is
 * wanted.
 */
function knownSets({ sets }, stored) {
    const here = new Set(sets.map(({ id }) => id));
    const others = stored
        .filter(({ id }) => !here.has(id))
        .map(({ id, database, manifest }) => ({ state: 'verified', id, database, manifest, folders: [] }));
    return [...sets, ...others].toSorted((a, b) => (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id));
}
/** The one that all are; null if there is none, or another. */
function onlyOne(databases) {
    const [first = null, ...others] = new Set(databases);
    return others.length === 0 ? first : null;
}
function noBackup(kind, { wanted, input }, database, place, faults = []) {
    const which = wanted === 'latest' ? kind : `${kind} ${wanted}`;
    const unknown = wanted === 'latest' ? ' of any database, or not of one alone' : '';
    const what = database === null ? unknown : ` of "${database}"`;
    const why = faults.length === 0 ? '' : `: ${faults.join(', ')}`;
    return new shared_failure/* Failure */.HR('no-backup', `No ${which}${what} found in ${place}${why}`, {
        hint: `Run backup-action, or set "${input}" to another backup${database === null && wanted === 'latest' ? ', or "db-name"' : ''}`,
    });
}
function unreadCopy(place, { id, why }) {
    return new shared_failure/* Failure */.HR('manifest-unreadable', `${place}/${id}: ${why}`, {
        hint: 'Bring it back in the store first (aws s3api restore-object, if it is archived), or name another backup',
    });
}
const keyOf = ({ files }, name) => files.find((file) => file.name === name)?.key ?? name;
async function readObject(store, set, name) {
    const key = keyOf(set, name);
    const stored = await store.read(key);
    if (stored !== null)
        return stored.content;
    throw new shared_failure/* Failure */.HR('set-gone', `${store.uri(key)} no longer exists`, { hint: 'Take the newest copy' });
}
/** What is encrypted is decrypted here. @throws Failure `decrypt-key-missing` */
async function sentDump(name, set, read, request) {
    const key = keyFor(set, request);
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const sides = new Map();
    for (const side of (0,read_sets/* sidesOf */.Mm)(set))
        sides.set(side, await readSide(set, side, read, key));
    return new SentDump(name, () => read(names.dump), sides, key);
}
async function besideDump(set, side, read, request) {
    if (!(0,read_sets/* sidesOf */.Mm)(set).includes(side))
        return null;
    const packed = await readSide(set, side, read, keyFor(set, request));
    try {
        return (0,external_node_zlib_.gunzipSync)(packed, { maxOutputLength: longestText }).toString('utf8');
    }
    catch {
        throw new shared_failure/* Failure */.HR('checksum-failed', `${(0,read_sets/* namesOf */.eZ)(set)[side]} of ${set.id} cannot be decompressed`, {
            hint: 'Nothing was restored. Take another backup',
        });
    }
}
/** @throws Failure `decrypt-key-missing` */
function keyFor(set, { decryptKey }) {
    if (set.manifest.encryption !== 'age')
        return null;
    if (decryptKey !== null)
        return decryptKey;
    throw new shared_failure/* Failure */.HR('decrypt-key-missing', `${set.id} is encrypted, and can be restored only with a private key`, {
        hint: 'Give "decrypt-key", as a secret: it stays on this runner. Nothing was restored',
    });
}
/**
 * A file beside the dump, compressed. The dump is compared at its end; this is used before that.
 * @throws Failure `copy-differs` if it is not the one in the list of checksums
 */
async function readSide(set, side, read, key) {
    const names = (0,read_sets/* namesOf */.eZ)(set);
    const name = names[side];
    const list = await bufferOf(await read(names.sha256), names.sha256, longestList);
    const stored = await bufferOf(await read(name), name, longestSide);
    if ((0,external_node_crypto_.createHash)('sha256').update(stored).digest('hex') !== (0,read_sets/* listedSums */.KY)(list.toString('utf8')).get(name)) {
        throw new shared_failure/* Failure */.HR('copy-differs', `${name} of ${set.id} does not match ${names.sha256}`, {
            hint: 'Nothing was restored. Do not rely on this copy of the backup: take another one, and find out what changed the file',
        });
    }
    return name.endsWith('.age') ? decrypted(stored, key ?? '') : stored;
}
async function bufferOf(content, name, most) {
    const pieces = [];
    let length = 0;
    for await (const piece of content) {
        length += piece.length;
        if (length > most)
            throw new shared_failure/* Failure */.HR('result-too-large', `${name} is too large: more than ${most} bytes`);
        pieces.push(piece);
    }
    return Buffer.concat(pieces);
}
async function decrypted(stored, key) {
    const stream = decryptStream(key);
    stream.end(stored);
    return (0,consumers_.buffer)(stream);
}

// EXTERNAL MODULE: ./build/shared/restore/given-up.js
var given_up = __webpack_require__(2668);
// EXTERNAL MODULE: ./build/shared/postgres/facts.js
var facts = __webpack_require__(4033);
;// CONCATENATED MODULE: ./build/shared/drill/restored.js



/**
 * Reads what the program on the host reports about the restored database. The backup may be hostile, so nothing is trusted.
 * @throws Failure `drill-incomplete` if the counting session was cut short, or an answer was cut off or makes no sense
 */
function readRestored(records) {
    return {
        ...readRestoredData(records),
        schema: readSchema(records),
        indexes: readIndexes(records.get('indexes')),
        assertions: readAssertions(records),
    };
}
/** The data alone. @throws Failure `drill-incomplete`, as readRestored does */
function readRestoredData(records) {
    const { text, exit } = wholeOutput(records.get('facts'), 'its tables were counted');
    const lines = linesOf(text);
    if (!lines.includes('end') || !lines.some((line) => line.startsWith('sequences-after '))) {
        const cause = lines
            .slice(-3)
            .map((line) => line.slice(0, 200))
            .join('\n');
        // A session that ends well has printed all of its answer.
        throw exit === 0
            ? new shared_failure/* Failure */.HR('drill-incomplete', 'Something else was printed amid the counts of the restored data', {
                hint: printingHint,
                cause,
            })
            : new shared_failure/* Failure */.HR('drill-incomplete', 'Counting the restored data was cut short', {
                hint: 'Raise "drill-memory", or see the log',
                cause,
            });
    }
    const facts = factsIn(lines);
    return {
        tables: facts.tables,
        sequences: facts.sequencesAfter ?? [],
        largeObjects: facts.largeObjects,
        extensions: facts.extensions,
        members: facts.members,
        emptyViews: facts.emptyViews,
    };
}
/** @throws Failure `drill-incomplete` if a line makes no sense */
function factsIn(lines) {
    try {
        return (0,facts/* readFacts */.MH)(lines);
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        throw new shared_failure/* Failure */.HR('drill-incomplete', error.message, { hint: printingHint, cause: error.cause });
    }
}
const printingHint = 'Find out what in the backup prints: functions, event triggers, settings of its roles';
/** @throws Failure `drill-incomplete` if pg_dump did not finish, or printed too much */
function readSchema(records) {
    const hash = readHash(records.get('schema'));
    if ('trouble' in hash) {
        const hint = hash.trouble.includes('more than') ? printingHint : 'See the log, or raise "drill-memory"';
        throw new Failure('drill-incomplete', `Could not dump the schema of the restored database: ${hash.trouble}`, {
            hint,
        });
    }
    const lines = linesOf(records.find('schema-lines') ?? '');
    return { sha256: hash.sha256, ofFile: readSchemaOfFile(records), lines };
}
function readSchemaOfFile(records) {
    const restored = records.find('schema-restored');
    if (restored === undefined)
        return null;
    const { text, exit } = readSaid(restored);
    if (exit === 0)
        return readHash(records.get('schema-of-file'));
    const said = linesOf(text);
    return {
        trouble: `it does not restore: ${said.find((line) => line.includes('ERROR')) ?? said.at(-1) ?? 'no reason given'}`,
    };
}
function readHash(value) {
    if (/^[0-9a-f]{64}$/.test(value))
        return { sha256: value };
    const [, cutAt] = /^cut (\d+)$/.exec(value) ?? [];
    return {
        trouble: cutAt === undefined ? `pg_dump failed (${value})` : `it is more than ${formatBytes(Number(cutAt))}`,
    };
}
/** States of SQL that say that what is stored is damaged. */
const corruption = /^XX00[12]$/;
/** @throws Failure `drill-incomplete` if it was cut off */
function readIndexes(value) {
    const { text, exit } = wholeOutput(value, 'its indexes were read');
    const lines = linesOf(text);
    const found = (pattern) => lines.flatMap((line) => pattern.exec(line)?.slice(1) ?? []);
    const reading = found(/^reading (\d+)$/)[0];
    const errors = lines.flatMap((line) => {
        const [, state = '', what = ''] = /ERROR: +(?:([0-9A-Z]{5}): )?(.*)$/.exec(line) ?? [];
        return what === '' ? [] : [{ isDamage: corruption.test(state), what }];
    });
    const unread = errors.filter(({ isDamage }) => !isDamage).map(({ what }) => what);
    const isOver = lines.includes('end') || lines.includes('unchecked');
    if (exit !== 0 || !isOver)
        unread.push('the session ended before all were read');
    return {
        checked: reading === undefined ? null : Number(reading) - errors.length,
        faults: [
            ...lines.filter((line) => line.startsWith('invalid ')),
            ...errors.filter(({ isDamage }) => isDamage).map(({ what }) => what),
        ],
        unread,
    };
}
function readAssertions(records) {
    const reader = records.find('reader');
    if (reader !== undefined && readSaid(reader).exit !== 0)
        return null;
    return records.all('assertion').map((value) => {
        const { text, exit, cutAt } = readSaid(value);
        const answer = text.trim();
        if (cutAt !== null)
            return {
                isTrue: false,
                answer: `more than ${formatBytes(cutAt)} instead of one true or false${answer === '' ? '' : `: ${answer}`}`,
            };
        return { isTrue: exit === 0 && answer === 't', answer };
    });
}
function readSaid(value) {
    const [, text, exit, cutAt] = /^(.*)\n(?:exit (\d+)|cut (\d+))$/s.exec(value) ?? [];
    if (text === undefined)
        throw new Error('The host did not report how a command in the container ended');
    return { text, exit: exit === undefined ? null : Number(exit), cutAt: cutAt === undefined ? null : Number(cutAt) };
}
const linesOf = (text) => text.split('\n').filter((line) => line !== '');
/** @throws Failure `drill-incomplete` if it was cut off: an incomplete output is no answer, whatever it says */
function wholeOutput(value, meanwhile) {
    const said = readSaid(value);
    const { text, cutAt } = said;
    if (cutAt === null)
        return said;
    throw new shared_failure/* Failure */.HR('drill-incomplete', `The scratch server printed more than ${(0,units/* formatBytes */.z3)(cutAt)} while ${meanwhile}, so its output was cut off and discarded`, {
        hint: printingHint,
        cause: text.slice(0, 200),
    });
}

// EXTERNAL MODULE: ./build/shared/host/pour.js
var pour = __webpack_require__(64109);
;// CONCATENATED MODULE: ./build/shared/postgres/chosen-tables.js
/**
 * What a restored database is asked for: the same hashes as the source.
 * @returns a value for psql's `\set chosen`, as facts-tables.sql takes it
 */
function chosenTables(tables) {
    const hashed = tables.flatMap(({ schema, name, content }) => content === null ? [] : [{ schema, name, oneIn: content.oneIn }]);
    return `'${JSON.stringify(hashed).replaceAll(/[\\']/g, '\\$&')}'`;
}

// EXTERNAL MODULE: ./build/shared/postgres/printed-errors.js
var printed_errors = __webpack_require__(6466);
// EXTERNAL MODULE: ./build/shared/postgres/scripts.js
var scripts = __webpack_require__(33338);
// EXTERNAL MODULE: ./build/shared/report/restore-command.js + 1 modules
var restore_command = __webpack_require__(64052);
// EXTERNAL MODULE: ./build/shared/untrusted.js
var untrusted = __webpack_require__(51190);
// EXTERNAL MODULE: ./build/shared/advice.js
var advice = __webpack_require__(49790);
// EXTERNAL MODULE: ./build/shared/typed-as.js
var typed_as = __webpack_require__(73053);
;// CONCATENATED MODULE: ./build/shared/drill/finding.js






const finding_longestText = 1_000;
/** The first few names. */
const some = (names) => (0,units/* listed */.KE)(names, 5);
/** @param failOn what makes a run fail: only errors, or warnings too */
function tallyOf(findings, failOn) {
    const count = (belongs) => findings.filter(belongs).length;
    const failed = count(({ result, severity }) => result === 'failed' && severity === 'error');
    const warnings = count(({ result, severity }) => result === 'failed' && severity === 'warning');
    const couldNotCheck = count(({ result }) => result === 'could-not-check');
    const isBad = failed > 0 || (failOn === 'warning' && warnings > 0);
    return {
        // Without any finding, nothing was verified.
        status: isBad ? 'failed' : couldNotCheck > 0 || findings.length === 0 ? 'could-not-verify' : 'verified',
        passed: count(({ result }) => result === 'passed'),
        warnings,
        failed,
        couldNotCheck,
    };
}
/** The worst first; equally bad ones in the order in which they were made. */
function worstFirst(findings) {
    return findings.toSorted((a, b) => rank(a) - rank(b));
}
function rank({ result, severity }) {
    if (result === 'passed')
        return 3;
    if (result === 'could-not-check')
        return 1;
    return severity === 'error' ? 0 : 2;
}
/** Collects the findings of one group. */
class Findings {
    list = [];
    /** What was verified, by name, for the verdict: the release that runs, or the backup that was restored; null if unknown. */
    subject = null;
    #group;
    /** What could not be checked, and the check at the root of that. */
    #roots = new Map();
    constructor(group) {
        this.#group = group;
    }
    /**
     * Makes a check and adds its result. `look` returns what was seen, or a Problem; a Failure that it throws counts as one.
     * @returns whether it passed
     */
    check(name, look, severity = 'error') {
        const started = performance.now();
        const seen = outcomeOf(look);
        const isGood = typeof seen === 'string';
        this.add(name, isGood ? 'passed' : 'failed', isGood ? seen : seen.detail, isGood ? null : seen.remedy, isGood ? severity : (seen.severity ?? severity), performance.now() - started);
        return isGood;
    }
    /** Like `check`, for a check that makes sense only if an earlier one has passed, or has found no more than a warning. */
    after(earlier, name, look, severity = 'error') {
        const first = this.list.find((finding) => finding.name === earlier);
        if (first?.result === 'passed' || (first?.result === 'failed' && first.severity === 'warning'))
            return this.check(name, look, severity);
        this.blocked(name, earlier);
        return false;
    }
    /** Adds a check that an earlier one stands in the way of. One cause may block many: they all name it, and it alone says what to do. */
    blocked(name, earlier) {
        const root = this.#roots.get(earlier) ?? earlier;
        this.#roots.set(name, root);
        this.unable(name, `"${root}" must pass first`, null);
    }
    /** Does some work and adds whether that succeeded. If it fails, the findings made so far are not lost. */
    async attempt(name, work) {
        try {
            const done = await work();
            this.check(name, () => done);
        }
        catch (error) {
            if (!(0,shared_failure/* isFailure */.N6)(error) || error.code === 'cancelled')
                throw error;
            this.unable(name, `could not write it: ${detailOf(error)}`, error.hint ?? 'Run it again');
        }
    }
    /** Adds a check that could not be made. */
    unable(name, detail, remedy) {
        this.add(name, 'could-not-check', detail, remedy, 'error', 0);
    }
    add(name, result, detail, remedy, severity, ms) {
        // The results are published as JSON, so text from the host is cleaned here.
        const clean = (text) => (0,shared_clean/* cleanLine */.Ow)(text, finding_longestText);
        const texts = { detail: clean(detail), remedy: remedy === null ? null : clean(remedy) };
        this.list.push({ name, group: this.#group, result, severity, ...texts, ms: Math.round(ms) });
    }
}
/** The findings with remedies that say as which user of the host their commands are typed, unless they do already. */
function asUser(findings, user) {
    if (user === null)
        return [...findings];
    return findings.map((finding) => finding.remedy === null ? finding : { ...finding, remedy: remedyAs(user, finding.remedy, finding.name) });
}
function remedyAs(user, remedy, check) {
    const named = typedAs(user, remedy);
    const isSaid = /\bas (?:root|its owner)\b/i.test(named) || named.toLowerCase().includes(`as ${user.toLowerCase()}`);
    // Without a connection, it is not the host where something is typed.
    if (isSaid || check === 'connection' || commandsIn(named).length === 0)
        return named;
    return `On the host, as ${user}. ${named}`;
}
/** What a check saw; a Failure that it throws is a problem like others. */
function outcomeOf(look) {
    try {
        return look();
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        return { detail: detailOf(error), remedy: error.hint ?? 'See the log' };
    }
}
/** How many characters of a foreign text are shown. Its end says what went wrong. */
const longestCause = 300;
/** The message, followed by the error of PostgreSQL that caused it, else by the end of its cause: hints may refer to that. */
function detailOf({ message, cause }) {
    const words = typeof cause === 'string' ? cause : cause instanceof Error ? cause.message : '';
    const end = words.trim().replaceAll(/\s+/g, ' ').slice(-longestCause);
    const error = (0,printed_errors/* firstError */.bv)(words.split('\n'));
    const line = error === null || error === '…' ? end : error;
    return line === '' || message.includes(line) ? message : `${message}: ${line}`;
}

// EXTERNAL MODULE: ./build/shared/postgres/relation-name.js
var relation_name = __webpack_require__(93718);
// EXTERNAL MODULE: ./build/shared/postgres/table-facts.js
var table_facts = __webpack_require__(57296);
;// CONCATENATED MODULE: ./build/shared/drill/judge-extensions.js



/** The extensions that the image has in another version: their own tables may have other columns, and other rows of their own. */
function changedExtensions({ extensions }, restored) {
    const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
    return new Set(extensions.filter(({ name, version }) => present.get(name) !== version).map(({ name }) => name));
}
/**
 * Checks that each extension came back. What somebody has added to one by hand does not: that is told, and not condemned, as it
 * looks just like what an update of the extension has left behind.
 */
function judgeExtensions(manifest, restored, remedy) {
    const { extensions, members } = manifest;
    const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
    const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
    if (missing.length > 0)
        return { detail: `${some(missing)} was not restored`, remedy };
    const changed = extensions.filter(({ name, version }) => present.get(name) !== version);
    const versions = changed.map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
    const seen = [
        changed.length === 0
            ? extensions.length === 0
                ? 'none'
                : some(extensions.map(({ name, version }) => `${name} ${version}`))
            : `all were restored; the image has different versions, whose own tables are not compared: ${some(versions)}`,
        ...(members === null ? ['what belongs to them was not compared: the backup is of an earlier version'] : []),
    ].join('; ');
    const lost = lostMembers(manifest, restored);
    return lost.length === 0 ? seen : notRestored(lost, changed, seen);
}
/** A kind of object as a command calls it. */
const typed = (object) => object.replace(/^composite type /, 'type ').replace(/^foreign-data wrapper /, 'foreign data wrapper ');
/**
 * What CREATE EXTENSION does not bring back, except what other checks tell of: tables with rows, and sequences. Of a table that is
 * lost itself, nothing else is told.
 */
function lostMembers(manifest, restored) {
    const { members, tables } = manifest;
    const versions = changedExtensions(manifest, restored);
    const present = new Map(restored.members.map(({ extension, objects }) => [extension, new Set(objects)]));
    const told = new Set((0,table_facts/* leftOut */.ig)(tables).map((table) => `table ${(0,relation_name/* relationName */.j)(table)}`));
    return (members ?? []).flatMap(({ extension, objects }) => {
        const isLost = (object) => !present.get(extension)?.has(object);
        const places = objects.filter((object) => object.startsWith('table '));
        const place = (object) => madeOnTable.test(object)
            ? places.find((table) => object.endsWith(` on ${table.slice('table '.length)}`))
            : undefined;
        const defined = objects
            .filter((object) => isLost(object) && !versions.has(extension))
            .flatMap((object) => definitionOf.exec(object)?.[1] ?? [])
            .filter((object) => !isLost(object))
            .map((object) => ({ extension, object, lacks: 'definition' }));
        const lost = objects
            .filter((object) => isLost(object) && !told.has(object) && !object.startsWith('sequence ') && !definitionOf.test(object))
            .map((object) => ({ extension, object, on: place(object) }))
            .filter(({ on }) => on === undefined || !isLost(on))
            .map(({ on, object }) => {
            const lacks = on !== undefined ? 'table' : publicPrivilege.test(object) ? 'privilege' : 'member';
            return { extension, object, lacks };
        });
        return [...lost, ...defined];
    });
}
const definitionOf = /^definition of (.*): [0-9a-f]+$/s;
const publicPrivilege = /^privilege (\w+) for PUBLIC on schema (.*)$/s;
const madeOnTable = /^(column|index|constraint|trigger|rule) /;
function notRestored(lost, changed, seen) {
    const that = (...kinds) => lost.filter(({ lacks }) => kinds.includes(lacks));
    const [gone, defined, privileges] = [that('member', 'table'), that('definition'), that('privilege')];
    const named = gone.map(({ extension, object }) => `${object}, ${(0,table_facts/* whyLeftOut */.qC)(extension)}`);
    const details = [
        ...(named.length === 0 ? [] : [`not in the dump, and not in a restore: ${some(named)}`]),
        ...(defined.length === 0
            ? []
            : [
                `restored as CREATE EXTENSION defines it, and changed in the database: ${some(defined.map(({ extension, object }) => `${object} of the extension ${extension}`))}`,
            ]),
        ...(privileges.length === 0 ? [] : [`lost in a restore: ${some(privileges.map(({ object }) => object))}`]),
    ];
    const example = that('member')
        .filter(({ extension }) => extension !== '')
        .slice(0, 1)
        .map(({ extension, object }) => `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(extension)} DROP ${typed(object)}`);
    const updates = changed
        .filter(({ name }) => gone.some(({ extension }) => extension === name))
        .map(({ name }) => `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(name)} UPDATE`);
    const first = updates.length === 0
        ? ''
        : `The image has another version of the extension, which may not have them at all. First update the one in the database (${some(updates)}), and take a backup. `;
    const grants = privileges.flatMap(({ object }) => {
        const [, privilege, schema] = publicPrivilege.exec(object) ?? [];
        return privilege === undefined ? [] : [`GRANT ${privilege} ON SCHEMA ${schema} TO PUBLIC`];
    });
    const remedies = [
        ...(example.length === 0
            ? []
            : [
                `pg_dump leaves out what belongs to an extension, and CREATE EXTENSION does not create what was added by hand, or is left over from an earlier version. If you need it, remove it from the extension: ${example}`,
            ]),
        ...(grants.length === 0
            ? []
            : [
                `pg_dump leaves out what everybody may do in a schema that was once called public, as every new database grants that. After a restore: ${grants.join('; ')}`,
            ]),
        ...(gone.some(({ extension }) => extension === '')
            ? [
                'pg_dump leaves out whatever is in pg_catalog and information_schema. Create it in a schema of your own instead',
            ]
            : []),
        ...(that('table').length === 0
            ? []
            : [
                'pg_dump leaves out what somebody has created by hand on a table of an extension. Keep the statements that create it, and run them after a restore',
            ]),
        ...(defined.length === 0
            ? []
            : [
                'pg_dump leaves out what ALTER FUNCTION or CREATE OR REPLACE has changed of an extension, which an earlier version of it may also have left behind. Keep these statements, and run them after a restore; or call a function of your own that calls it',
            ]),
    ];
    return {
        detail: `${details.join('; ')}. The extensions: ${seen}`,
        // A command comes last.
        remedy: `${first}${remedies.toReversed().join('. ')}`,
        severity: 'warning',
    };
}

;// CONCATENATED MODULE: ./build/shared/drill/judge-left-out.js





/** Logs and the like of which their authors say that a dump need not have them. */
const ownLogs = new Set(['pg_cron job_run_details']);
/** Tells of rows that pg_dump leaves out because of where their table belongs, where a restore does not bring them. */
function judgeLeftOut(findings, manifest, restored) {
    const present = new Map(restored.tables.map((table) => [(0,relation_name/* relationName */.j)(table), table]));
    const changed = changedExtensions(manifest, restored);
    const lost = (0,table_facts/* leftOut */.ig)(manifest.tables).filter((table) => {
        const { rows, content } = present.get((0,relation_name/* relationName */.j)(table)) ?? {};
        return rows !== table.rows || ((0,table_facts/* isHashed */.Sc)(table) && content?.hash !== table.content?.hash);
    });
    const others = manifest.tables.filter(({ unnamed, ...table }) => {
        const after = present.get((0,relation_name/* relationName */.j)(table))?.unnamed;
        return unnamed !== null && (after?.rows !== unnamed.rows || after.hash !== unnamed.hash);
    });
    if (others.length > 0) {
        findings.check('left out', () => otherThanNamed(others), 'warning');
    }
    if (lost.length === 0)
        return;
    const isKnown = ({ extension, name, rows }) => rows === null || changed.has(extension ?? '') || ownLogs.has(`${extension} ${name}`);
    findings.check('left out', () => ({
        detail: `not in the dump, and not in a restore: ${(0,table_facts/* leftOutText */.jG)(lost)}`,
        remedy: `pg_dump leaves out the rows of such tables. If you need them, take the table out: ${lost.slice(0, 1).map(takeOut)}. Or save them in another way, such as COPY`,
    }), lost.every(isKnown) ? 'warning' : 'error');
}
/** An extension names rows by a condition, and makes the others itself: that is its own choice, so it is told and not condemned. */
function otherThanNamed(tables) {
    const told = tables.map((table) => `${(0,relation_name/* relationName */.j)(table)} (${(0,units/* counted */.hS)(table.unnamed?.rows ?? 0, 'row')} that the extension ${table.extension} does not name)`);
    return {
        detail: `not in the dump, so a restore has other rows: ${some(told)}`,
        remedy: 'A restore has these rows as CREATE EXTENSION creates them. If you changed or added some, save them in another way, such as COPY',
    };
}
const takeOut = ({ extension, schema, name }) => {
    const table = `${(0,relation_name/* identifier */.C)(schema)}.${(0,relation_name/* identifier */.C)(name)}`;
    return extension === null
        ? `ALTER TABLE ${table} SET SCHEMA …`
        : `ALTER EXTENSION ${(0,relation_name/* identifier */.C)(extension)} DROP TABLE ${table}`;
};

;// CONCATENATED MODULE: ./build/shared/drill/judge-sequences.js



/** Checks that each sequence is where it was. */
function judgeSequences(wanted, found, remedy) {
    const values = new Map(found.map((sequence) => [(0,relation_name/* relationName */.j)(sequence), sequence.value]));
    const bad = wanted.filter((sequence) => !isWithin(sequence, values.get((0,relation_name/* relationName */.j)(sequence))));
    const [fault, known] = [bad.filter(({ isDumped }) => isDumped), bad.filter(({ isDumped }) => !isDumped)];
    const told = (sequences) => some(sequences.map((sequence) => `${(0,relation_name/* relationName */.j)(sequence)} is at ${values.get((0,relation_name/* relationName */.j)(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`));
    if (fault.length > 0) {
        const behind = fault.every((sequence) => isBehind(sequence, values.get((0,relation_name/* relationName */.j)(sequence))));
        return { detail: told(fault), remedy: behind ? `${setBack} ${remedy}` : remedy };
    }
    const [first] = known;
    if (first !== undefined) {
        return {
            detail: `${told(known)}: pg_dump leaves out sequences of the extension ${first.extension}`,
            remedy: `After a restore, set it: SELECT setval('${(0,relation_name/* relationName */.j)(first).replaceAll("'", "''")}', ${first.after ?? 1})`,
            severity: 'warning',
        };
    }
    if (wanted.length === 0)
        return 'none';
    const unbound = wanted.filter((sequence) => !isBound(sequence)).length;
    const where = `${(0,units/* counted */.hS)(wanted.length, 'sequence')}, each where it was when the dump was taken`;
    return unbound === 0 ? where : `${where}; ${unbound} of them started over or could have, so any value counts`;
}
/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin(sequence, value) {
    const { before, after } = sequence;
    if (value === undefined)
        return false;
    if (!isBound(sequence))
        return true;
    if (value === null)
        return before === null;
    if (after === null)
        return false;
    return ahead(value, after, sequence) <= 0n && (before === null || ahead(value, before, sequence) >= 0n);
}
/**
 * It moved while the dump was taken, and came back behind where it was before. One that was set back meanwhile and has since passed
 * its old value looks the same as one that a restore did not bring back: the values before and after do not tell.
 */
function isBehind(sequence, value) {
    const { before, after } = sequence;
    if (value === undefined || before === null || before === after)
        return false;
    return value === null || ahead(value, before, sequence) < 0n;
}
const setBack = 'If something set it back while the dump was taken (setval, ALTER SEQUENCE … RESTART, TRUNCATE … RESTART IDENTITY), the backup is as good as the others. Otherwise:';
/** False for one that starts over at its end, or was set back meanwhile: it may have had any value. */
function isBound(sequence) {
    const { before, after, cycles } = sequence;
    if (cycles)
        return false;
    return before === null || (after !== null && ahead(after, before, sequence) >= 0n);
}
/** How far `value` is ahead of `bound`, in the direction of the increment. */
function ahead(value, bound, { increment }) {
    return (BigInt(value) - BigInt(bound)) * (BigInt(increment) < 0n ? -1n : 1n);
}

;// CONCATENATED MODULE: ./build/shared/drill/judge-data.js







/** Compares restored data with what the manifest says was dumped. */
function judgeData(findings, manifest, restored, remedy) {
    findings.check('tables', () => judgeTables(manifest.tables, restored.tables, remedy));
    judgeRows(findings, manifest, restored, remedy);
    judgeContent(findings, manifest, restored);
    judgeLeftOut(findings, manifest, restored);
    findings.check('sequences', () => judgeSequences(manifest.sequences, restored.sequences, remedy));
    findings.check('large objects', () => restored.largeObjects === manifest.largeObjects
        ? `${restored.largeObjects}`
        : { detail: `${restored.largeObjects} instead of ${manifest.largeObjects}`, remedy });
    findings.check('extensions', () => judgeExtensions(manifest, restored, remedy));
}
/** Checks that every dumped table came back. */
function judgeTables(wanted, found, remedy) {
    const [known, present] = [new Set(wanted.map(relation_name/* relationName */.j)), new Set(found.map(relation_name/* relationName */.j))];
    const missing = dumped(wanted)
        .map(relation_name/* relationName */.j)
        .filter((name) => !present.has(name));
    // Another version of an extension may bring other tables.
    const added = found
        .filter(({ extension }) => extension === null)
        .map(relation_name/* relationName */.j)
        .filter((name) => !known.has(name));
    if (missing.length > 0)
        return { detail: `${some(missing)} was not restored`, remedy };
    if (added.length > 0)
        return { detail: `${some(added)} was restored but is not in the manifest`, remedy };
    // Not a fault, just as for a backup: the database may be new, or hold only functions.
    if (dumped(wanted).length === 0)
        return 'none: the database had no table when the dump was taken';
    return `${(0,units/* allOf */.bn)(dumped(wanted).length, 'table', ['was', 'were'])} restored`;
}
/** Compares the row counts. An estimated or missing count proves nothing. */
function judgeRows(findings, manifest, restored, remedy) {
    const wanted = comparable(manifest, restored);
    if (wanted.some(({ exact }) => !exact)) {
        findings.unable('rows', 'the backup has no exact counts to compare with', 'In backup-action, set row-counts: exact. If that is set, let "db-user" be a superuser or the owner of the tables');
        return;
    }
    findings.check('rows', () => {
        const trees = treesOf(wanted, restored.tables);
        const other = trees.filter(({ before, after }) => before.rows !== after?.rows);
        if (trees.length === 0)
            return 'none: there are no tables';
        if (other.length === 0)
            return `${(0,units/* counted */.hS)(trees.reduce((sum, { before }) => sum + before.rows, 0), 'row')} in total; the count of every table matches exactly`;
        const named = other.map(({ name, before, after }) => `${name} has ${after?.rows ?? 'none'} instead of ${before.rows}`);
        const isMadeAgain = other.every(({ tables, before, after }) => tables.every(({ extension }) => extension !== null) && (after?.rows ?? 0) > before.rows);
        return { detail: some(named), remedy: isMadeAgain ? madeAgain(other) : remedy };
    });
}
const madeAgain = (trees) => `CREATE EXTENSION puts rows of its own into ${judge_data_namesOf(trees)}, and the database no longer has them; a new backup fails the same way. After a restore, delete them again`;
/**
 * Compares the hashes of the content. Where the number of rows differs already, that says enough. What was not hashed is a
 * warning: its rows were only counted. Of a partitioned table, all is hashed or nothing is: its rows may come back in any partition.
 */
function judgeContent(findings, manifest, restored) {
    const trees = treesOf(comparable(manifest, restored), restored.tables);
    const hashed = trees.filter(({ tables }) => isTreeHashed(tables));
    const unhashed = trees.filter((tree) => !hashed.includes(tree));
    const computed = unhashed.filter(({ before }) => before.generates);
    const other = hashed.filter(({ before, after }) => after?.rows === before.rows && after.hash !== before.hash);
    if (other.length === 0 && computed.length > 0) {
        findings.unable('content', `${judge_data_namesOf(computed)} has generated columns, which a restore computes again, and was not hashed`, hashingRemedy);
        return;
    }
    findings.check('content', () => {
        const unfilled = emptyViewsText(restored);
        if (trees.length === 0)
            return `none: there are no tables${unfilled}`;
        if (other.length > 0)
            return otherValues(other);
        const equal = `hashed, with equal results: ${(0,table_facts/* hashedText */.LS)(hashed.flatMap(({ tables }) => tables))}`;
        if (unhashed.length === 0)
            return `${equal}${unfilled}`;
        return {
            detail: `only the rows were counted of ${judge_data_namesOf(unhashed)}, as the backup has no hash of them${hashed.length === 0 ? '' : `; ${equal}`}${unfilled}`,
            remedy: hashingRemedy,
            severity: 'warning',
        };
    });
}
/** Views that were empty in the source as well are told, too: a backup does not say which these are. */
function emptyViewsText({ emptyViews }) {
    if (emptyViews.length === 0)
        return '';
    return `. A restore leaves materialized views empty if they were empty before, or read one that was: ${some(emptyViews.map(relation_name/* relationName */.j))}`;
}
/** Whether the content of a table, or of all partitions of one, can be compared; a partition of whose rows the sample has none, too. */
function isTreeHashed(tables) {
    return tables.some(({ content }) => (content?.rows ?? 0) > 0)
        ? tables.every(({ content, rows }) => rows === 0 || content !== null)
        : tables.every(table_facts/* isHashed */.Sc);
}
const judge_data_namesOf = (trees) => some(trees.map(({ name }) => name));
const hashingRemedy = 'Take a backup with this version of the action and with row-counts: exact. Tables that belong to another role than "db-user", or have an index on a function in SQL or PL/pgSQL, are not hashed, because that could run code that others wrote';
function otherValues(other) {
    const computed = other.filter(({ before }) => before.generates);
    return {
        detail: `the values in ${judge_data_namesOf(other)} are not those of the database: the number of rows is the same, but not their hash`,
        remedy: computed.length > 0
            ? `A restore computes generated columns again, and those of ${judge_data_namesOf(computed)} then come out differently; a new backup fails the same way. Let their expressions use only the row itself: a restore fills tables one after the other, and applies the settings of a database (ALTER DATABASE … SET) at the end`
            : 'A new backup may fail the same way. Restore this one into a database of its own (docs/restore.md) and compare these tables',
    };
}
/** The dumped tables whose rows must be the same. */
function comparable(manifest, restored) {
    const changed = changedExtensions(manifest, restored);
    return dumped(manifest.tables).filter(({ extension }) => extension === null || !changed.has(extension));
}
const dumped = (tables) => tables.filter(({ isDumped }) => isDumped);
function treesOf(wanted, found) {
    // By the manifest, which knows the partitions; only tables that are in it count.
    const treeOf = new Map(wanted.map((table) => [(0,relation_name/* relationName */.j)(table), (0,relation_name/* relationName */.j)(table.root ?? table)]));
    const sums = (tables) => {
        const of = new Map();
        for (const table of tables) {
            const tree = treeOf.get((0,relation_name/* relationName */.j)(table));
            if (tree === undefined)
                continue;
            const { rows, hash, generates } = of.get(tree) ?? { rows: 0, hash: 0n, generates: false };
            of.set(tree, {
                rows: rows + (table.rows ?? 0),
                hash: BigInt.asUintN(64, hash + BigInt(table.content?.hash ?? 0)),
                generates: generates || table.generates,
            });
        }
        return of;
    };
    const after = sums(found);
    const tables = Map.groupBy(wanted, (table) => (0,relation_name/* relationName */.j)(table.root ?? table));
    return [...sums(wanted)].map(([name, before]) => ({
        name,
        tables: tables.get(name) ?? [],
        before,
        after: after.get(name),
    }));
}

;// CONCATENATED MODULE: ./build/shared/restore/judge-restored.js



/** What no backup of the database holds: another one would not help, and the old database is kept. So this prevents no restore. */
const inNoBackup = 'left out';
/**
 * Compares a restored copy with its manifest, as a drill does.
 * @returns all findings, also those that did not pass and do not prevent the exchange
 * @throws Failure `restore-differs` if it is not what was dumped
 */
function judgeRestored(manifest, data) {
    const findings = new Findings('drill');
    judgeData(findings, manifest, data, 'Restore another backup');
    const [first, ...others] = findings.list.filter(({ name, result, severity }) => result === 'failed' && severity === 'error' && name !== inNoBackup);
    if (first === undefined)
        return findings.list;
    throw new shared_failure/* Failure */.HR('restore-differs', `What was restored is not what ${manifest.id} held: ${first.name}: ${first.detail}`, {
        hint: [
            ...others.map(({ name, detail }) => `${name}: ${detail}`),
            `The database is untouched. ${first.remedy ?? 'Restore another backup'}`,
        ].join('\n'),
    });
}

// EXTERNAL MODULE: ./build/shared/restore/server.js
var restore_server = __webpack_require__(40562);
;// CONCATENATED MODULE: ./build/shared/restore/load.js













const load_program = {
    name: 'load',
    step: 'the restore',
    scripts: [
        new URL(/* asset import */ __webpack_require__(79329), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(5216), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(26572), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(18756), __webpack_require__.b),
        new URL(/* asset import */ __webpack_require__(47508), __webpack_require__.b),
    ],
};
const discarding = {
    name: 'discard',
    step: 'dropping the restored copy',
    scripts: [new URL(/* asset import */ __webpack_require__(99832), __webpack_require__.b)],
};
/** Each builds an index in memory of its own, beside a server that goes on serving. */
const mostJobs = 8;
/**
 * Restores a backup into a new database beside the live one, and compares it with its manifest. If it fails, the new database is
 * dropped.
 * @throws Failure `restore-failed`, `restore-differs`, `restore-no-room`, `database-silent`, `checksum-failed`, `after-sql-failed`, …
 */
async function load(connection, request) {
    const { backupDir, server, source, manifest, restored, timeout, signal, onLog, lock } = request;
    const { set } = source;
    const sent = await source.sent();
    const incoming = sent === null ? '' : (0,pour/* incomingFolder */.zt)();
    const log = (0,printed_errors/* wordsFile */.mm)(backupDir, `restore-${restored.slice(-8)}`);
    const run = connection.run(load_program, {
        ...(0,restore_server/* serverParameters */.C)(server),
        live: server.database,
        restored,
        restored_argument: (0,restore_command/* databaseArgument */.Bh)(restored),
        made_as: request.madeAs,
        roles: request.roles,
        settings: request.settings ?? '',
        after_sql: request.afterSql ?? '',
        dump: sent?.name ?? `${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}/${(0,read_sets/* namesOf */.eZ)(set).dump}`,
        dump_bytes: String(manifest.sizeBytes),
        sha256: manifest.sha256,
        format: manifest.format,
        compression: manifest.compression,
        most_jobs: String(mostJobs),
        data_folder: request.dataFolder,
        least: String(request.least),
        words_log: log,
        incoming,
        inside_script: (0,scripts/* replaceScript */.kl)(),
        ...(0,scripts/* factsScripts */.Mr)(),
        chosen: chosenTables(manifest.tables),
    }, {
        deadline: timeout,
        atEnd: 'end',
        lock,
        signal,
        ...(sent === null ? {} : { input: { folder: incoming, open: () => sent.open() } }),
        onLog,
        onProgress: request.onProgress,
    });
    try {
        const records = await run.result;
        const sha256 = sent === null ? manifest.sha256 : await sent.sha256();
        if (sha256 !== manifest.sha256)
            throw changed(source, manifest, sha256);
        const findings = judgeRestored(manifest, readRestoredData(records));
        return {
            restoreMs: records.integer('restore-ms'),
            findings,
            problems: [
                ...findings.filter(({ result }) => result !== 'passed').map(({ name, detail }) => `${name}: ${detail}`),
                ...records.all('unanalyzed'),
                ...tellSubscriptions(records.get('subscriptions')),
            ],
        };
    }
    catch (error) {
        const isDropped = await discard(connection, server, restored, onLog);
        const state = `The database is untouched, and nothing was stopped. ${isDropped ? 'The restored copy was dropped' : `The host drops the restored copy ${restored} by itself; if it cannot, the next restore does`}.`;
        throw (0,shared_failure/* isFailure */.N6)(error) ? explained(error, manifest, run.lastLines(), log, state) : error;
    }
    finally {
        sent?.close();
    }
}
/**
 * Drops a restored database that will not become the live one. The next restore does so, if this does not succeed.
 * @returns whether it is gone
 */
async function discard(connection, server, restored, onLog) {
    const parameters = {
        ...(0,restore_server/* serverParameters */.C)(server),
        inside_script: (0,scripts/* replaceScript */.kl)(),
        restored,
        live: server.database,
    };
    try {
        await connection.run(discarding, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result;
        return true;
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        onLog(`Could not drop ${restored}, the restored copy that nobody needs. The next restore drops it: ${error.message}`);
        return false;
    }
}
/** @param json their names; whatever else it is, nobody could tell */
function tellSubscriptions(json) {
    try {
        const names = (0,untrusted/* listOf */.c3)((0,untrusted/* text */.Qq)(1_024), 10_000)(JSON.parse(json), 'subscriptions');
        return names.length === 0
            ? []
            : [
                `Subscriptions were restored, and are disabled: ${(0,units/* listed */.KE)(names, 5)}. If this database is to receive data again: ALTER SUBSCRIPTION … ENABLE; otherwise first ALTER SUBSCRIPTION … SET (slot_name = NONE), then DROP SUBSCRIPTION, or the slot of the source goes as well`,
            ];
    }
    catch {
        return ['Whether the restored database has subscriptions could not be told; they would be disabled'];
    }
}
function changed({ copy }, { id, file }, sha256) {
    const what = sha256 === null ? 'could not be read to its end' : `does not match the manifest of ${id}`;
    return new shared_failure/* Failure */.HR('checksum-failed', `${copy ?? file} ${what}`);
}
/** The server's own error first, then what to do. */
function explained(failure, { format }, lines, log, untouched) {
    const { code, message } = failure;
    if (code === 'restore-no-room') {
        const [free = 0, least = 0] = message.split(' ').map(Number);
        return new shared_failure/* Failure */.HR(code, `Stopped the restore: the disk of the server's data, of its write-ahead log (pg_wal)${format === 'plain' ? ', or of another of its tablespaces,' : ''} had only ${(0,units/* formatBytes */.z3)(free)} left, less than "min-free-space" (${(0,units/* formatBytes */.z3)(least)})`, { hint: `${untouched} Make room there, or lower "min-free-space"` });
    }
    const error = (0,printed_errors/* firstError */.bv)(lines);
    if (code === 'restore-failed' || code === 'after-sql-failed') {
        const why = error === null ? lines.slice(-2).join(' ').trim() : (0,printed_errors/* describeError */.Uc)(error, log);
        return new shared_failure/* Failure */.HR(code, `${message}: ${why}`, {
            hint: `${untouched} All that PostgreSQL said is in ${log} on the host. ${code === 'restore-failed' ? 'Restore another backup, or drill this one: verify-action, checks: drill' : 'Correct the file, then run it again'}`,
            cause: failure.cause,
        });
    }
    if (code === 'restore-differs')
        return failure;
    if (code === 'database-silent')
        return new shared_failure/* Failure */.HR(code, message, {
            hint: 'The database is as it was, and this run has stopped nothing. See why its container ended. On the host: docker ps --all; docker logs NAME; dmesg | tail. Once the database runs again, run this again: it drops what is left of the restored copy',
        });
    if (code === 'checksum-failed' || code === 'set-gone')
        return new shared_failure/* Failure */.HR(code, message, { hint: `${untouched} Restore another backup, or the other copy of this one` });
    const hint = failure.hint === undefined ? untouched : `${failure.hint}. ${untouched}`;
    return new shared_failure/* Failure */.HR(code, message, { hint, cause: failure.cause });
}

;// CONCATENATED MODULE: ./build/shared/restore/obstacles.js




const obstacles_some = (names) => (0,units/* listed */.KE)(names, 5);
const byHand = 'Restore it by hand: docs/restore.md';
/** Everything that stands in the way, each with what to do about it. Nothing has been changed yet. */
function restoreObstacles({ manifest, live, standing, needed, least }) {
    const { prepared, slots, subscriptions, freeBytes, walFreeBytes, otherFreeBytes } = standing;
    const major = (version) => Number.parseInt(version, 10);
    const extensions = manifest.extensions.map(({ name }) => name);
    const lacking = extensions.filter((extension) => !standing.extensions.includes(extension));
    const obstacles = [
        [
            !standing.isSuperuser,
            `"${live.user}" is not a superuser, so it cannot restore owners, grants and extensions. Set "db-user" to one`,
        ],
        [
            /[\t\r\n]/.test(live.database + live.user),
            `the name of the database or of the user has a tab or a line break, which a transaction cannot note. ${byHand}`,
        ],
        [
            live.database === 'template1',
            'template1 is the template of all new databases, and cannot be exchanged for another. Set "db-name"',
        ],
        [
            standing.isStandby,
            'the server is a standby, which only follows its primary. Restore on the primary: set "host", or "db-service"',
        ],
        [
            major(manifest.serverVersion) > major(live.serverVersion),
            `the backup is of PostgreSQL ${manifest.serverVersion}, and the server is older: ${live.serverVersion}. Give the database's service an image of version ${major(manifest.serverVersion)} or newer`,
        ],
        [
            extensions.includes('pg_cron') && standing.cronDatabase !== null,
            `pg_cron can live in only one database ("${standing.cronDatabase}"), so there cannot be a second one next to it. ${byHand}`,
        ],
        [
            extensions.includes('timescaledb'),
            `TimescaleDB needs more than pg_restore for a restore. Restore it by hand, as its documentation says`,
        ],
        [
            lacking.length > 0,
            `the server's image has no ${obstacles_some(lacking)}, which the backup needs. Give the database's service the image of the source`,
        ],
        [
            prepared.length > 0,
            `a prepared transaction holds the database: ${obstacles_some(prepared)}. End it: COMMIT PREPARED or ROLLBACK PREPARED; see pg_prepared_xacts`,
        ],
        [
            slots.length > 0,
            `replication slots belong to the database and would stay with the old one: ${obstacles_some(slots)}. Drop them (pg_drop_replication_slot), and let their readers start again afterwards`,
        ],
        [
            (subscriptions?.length ?? 0) > 0,
            `subscriptions belong to the database and would go on in the old one: ${obstacles_some(subscriptions ?? [])}. Drop them, and create them again afterwards`,
        ],
        [freeBytes === null, "the free space on the disk of the server's data is unknown"],
        [
            freeBytes !== null && freeBytes < needed + least,
            `the disk of the server's data has ${(0,units/* formatBytes */.z3)(freeBytes ?? 0)} free, and a second copy needs ${(0,units/* formatBytes */.z3)(needed)} besides the ${(0,units/* formatBytes */.z3)(least)} that must stay free ("min-free-space"). Make room`,
        ],
        [walFreeBytes === null, "the free space on the disk of the server's write-ahead log (pg_wal) is unknown"],
        [
            walFreeBytes !== null && walFreeBytes < least,
            `the disk of the server's write-ahead log (pg_wal) has ${(0,units/* formatBytes */.z3)(walFreeBytes ?? 0)} free, less than the ${(0,units/* formatBytes */.z3)(least)} that must stay free ("min-free-space"), and a restore writes there as well. Make room`,
        ],
        // Of other formats, all comes to lie in the tablespace of the database.
        [
            manifest.format === 'plain' && otherFreeBytes === null,
            "it cannot be told how much space is free in the server's other tablespaces, and a backup in SQL text restores into those that it names",
        ],
        [
            manifest.format === 'plain' && otherFreeBytes !== null && otherFreeBytes < least,
            `another tablespace of the server has ${(0,units/* formatBytes */.z3)(otherFreeBytes ?? 0)} free, less than the ${(0,units/* formatBytes */.z3)(least)} that must stay free ("min-free-space"), and a backup in SQL text restores into those that it names. Make room`,
        ],
    ];
    return obstacles.filter(([isThere]) => isThere).map(([, text]) => text);
}
/** @throws Failure `cannot-restore` that lists all obstacles */
function demandNoObstacle(subject) {
    const found = restoreObstacles(subject);
    if (found.length === 0)
        return;
    throw new shared_failure/* Failure */.HR('cannot-restore', `${subject.manifest.id} cannot be restored here: ${found[0]}`, {
        hint: ['Nothing was changed.', ...found.slice(1).map((text) => `Also, ${text}`)].join('\n'),
    });
}
/** What stands for an option of createdb, which cannot make a database that nobody may enter. */
const clauses = {
    encoding: (value) => `ENCODING ${(0,restore_command/* literal */.eu)(value)}`,
    locale: (value) => `LC_COLLATE ${(0,restore_command/* literal */.eu)(value)} LC_CTYPE ${(0,restore_command/* literal */.eu)(value)}`,
    'lc-collate': (value) => `LC_COLLATE ${(0,restore_command/* literal */.eu)(value)}`,
    'lc-ctype': (value) => `LC_CTYPE ${(0,restore_command/* literal */.eu)(value)}`,
    'locale-provider': (value) => `LOCALE_PROVIDER ${(0,relation_name/* identifier */.C)(value)}`,
    'icu-locale': (value) => `ICU_LOCALE ${(0,restore_command/* literal */.eu)(value)}`,
    'icu-rules': (value) => `ICU_RULES ${(0,restore_command/* literal */.eu)(value)}`,
    'builtin-locale': (value) => `BUILTIN_LOCALE ${(0,restore_command/* literal */.eu)(value)}`,
};
/**
 * Clauses of CREATE DATABASE. The new database is made like the one that it replaces; if there is nothing in that, like the source.
 */
function likeLive({ manifest, live, standing }) {
    const made = (0,restore_command/* createOptions */.Dp)(standing.isEmpty ? manifest : live).map((option) => {
        const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/s.exec(option) ?? [];
        const clause = clauses[name];
        if (clause === undefined)
            throw new Error(`No clause stands for ${option}`);
        return clause(value);
    });
    const tablespace = standing.tablespace === 'pg_default' ? [] : [`TABLESPACE ${(0,relation_name/* identifier */.C)(standing.tablespace)}`];
    return [...made, ...tablespace].join(' ');
}
/** What an operator should know although it prevents nothing. */
function restoreWarnings({ manifest, live, standing }, database) {
    const outside = standing.sessions.filter(({ address }) => address === null || !standing.services.has(address));
    const [asLive, asSource] = [(0,restore_command/* createOptions */.Dp)(live), (0,restore_command/* createOptions */.Dp)(manifest)].map((options) => options.filter((option) => !option.startsWith('--locale-provider=')).join(' '));
    const notes = [
        manifest.database === database
            ? null
            : `The backup is of the database "${manifest.database}", and replaces "${database}"`,
        standing.isEmpty || asLive === asSource
            ? null
            : `The database was made with ${asLive}, and the source of the backup with ${asSource}: the restored one is made like the database`,
        outside.length === 0
            ? null
            : `Sessions that are not of this project are ended: ${obstacles_some(outside.map(({ address, application, count }) => `${count} from ${address ?? "the container's own socket"}${application === '' ? '' : ` (${application})`}`))}. Whoever they belong to must connect again`,
        // SQL text names the tablespaces, and goes back to where it was.
        standing.elsewhere.length === 0 || manifest.format === 'plain'
            ? null
            : `Tables or indexes are in the tablespaces ${obstacles_some(standing.elsewhere)}: the restored ones will all be in that of the database, ${standing.tablespace}. Move them afterwards: ALTER TABLE … SET TABLESPACE …`,
        standing.labels.length === 0
            ? null
            : `The database has security labels of ${obstacles_some(standing.labels)}, which no backup contains: the restored one has none. Set them again: SECURITY LABEL FOR … ON DATABASE …`,
    ];
    return notes.filter((note) => note !== null);
}

;// CONCATENATED MODULE: ./build/shared/restore/roles.js

const roles_name = '("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';
const creation = new RegExp(`^CREATE ROLE ${roles_name};$`);
const attributes = new RegExp(`^ALTER ROLE ${roles_name} WITH ([A-Z ]+(?:CONNECTION LIMIT \\d+)?(?: VALID UNTIL '[^'\\\\]*')?);$`);
/** pg_dumpall writes `E'…'` where there is a backslash, and each of those twice. */
const value = `(?:'(?:[^'\\\\]|'')*'| ?E'(?:[^'\\\\]|''|\\\\\\\\)*'|[\\w.]+)`;
const variable = '"?[\\w.]+"?';
const setting = new RegExp(`^ALTER ROLE ${roles_name} SET ${variable} TO ${value}(?:, ${value})*;$`);
const comment = new RegExp(`^COMMENT ON ROLE ${roles_name} IS ${value};$`);
/** From version 16 on, a membership says whether it is inherited, and whether SET ROLE is allowed. */
const roles_option = '(?:ADMIN OPTION|(?:ADMIN|INHERIT|SET) (?:TRUE|FALSE))';
const membership = new RegExp(`^GRANT ${roles_name} TO ${roles_name}( WITH ${roles_option}(?:, ${roles_option})*)?(?: GRANTED BY ${roles_name})?;$`);
const parameter = new RegExp(`^GRANT (?:ALL|SET|ALTER SYSTEM) ON PARAMETER ${variable} TO ${roles_name}(?: WITH GRANT OPTION)?;$`);
/**
 * What of a source's roles has to be created. Nothing that exists is changed.
 * @param globals as pg_dumpall writes them; null if the backup could not take them
 * @param present the roles that the server has
 */
function missingRoles(globals, present) {
    const here = new Set(present);
    const lines = wholeLines(globals ?? '');
    const missing = new Set(lines.flatMap((line) => creation.exec(line)?.[1] ?? []).filter((role) => !here.has(unquoted(role))));
    const wanted = lines.flatMap((line) => {
        const [, role = ''] = [creation, attributes, setting, comment, parameter].map((each) => each.exec(line)).find((found) => found) ?? [];
        if (missing.has(role))
            return [line];
        const [, group = '', member = '', options = ''] = grantOf(line);
        // A role that exists gets no rights by a restore.
        return missing.has(member) ? [`GRANT ${group} TO ${member}${options};`] : [];
    });
    return { names: [...missing].map(unquoted), statements: missing.size === 0 ? '' : `${wanted.join('\n')}\n` };
}
/** Without those that begin or end between quotes, and without headings, which quote names without care. */
const wholeLines = (text) => roles_linesOf(text).flatMap(({ line, isWhole }) => (isWhole ? [line] : []));
/**
 * The lines that begin outside of quotes, and whether they also end there: a name, a setting or a comment with a line break could
 * hold what looks like a statement, and any role may write that into its own settings.
 */
function roles_linesOf(text) {
    let open = '';
    let next = 0;
    return text.split('\n').flatMap((line) => {
        const [begins, at] = [open === '', next];
        next += line.length + 1;
        if (begins && line.startsWith('--'))
            return [];
        // A quote that is doubled closes and opens again; none is escaped by a backslash.
        for (const [quote] of line.matchAll(/['"]/g)) {
            if (open === '')
                open = quote;
            else if (open === quote)
                open = '';
        }
        return begins ? [{ line, at, isWhole: open === '' }] : [];
    });
}
/** Without the grantor, who may be missing as well. */
function grantOf(line) {
    const [, group = '', member = '', options = ''] = membership.exec(line) ?? [];
    return ['', group, member, options];
}
const unquoted = (role) => (role.startsWith('"') ? role.slice(1, -1).replaceAll('""', '"') : role);
/**
 * A set's settings of its database, for a database of another name.
 * @param text as the settings of a set are written: statements that name the database
 */
function settingsFor(text, from, to) {
    const named = [(0,relation_name/* identifier */.C)(from), from].map(escaped).join('|');
    const statement = new RegExp(`^((?:ALTER (?:ROLE ${roles_name} IN )?|REVOKE ALL ON |GRANT [A-Z, ]+ ON |COMMENT ON )DATABASE )(?:${named})(?= )`, 'gm');
    const starts = new Set(roles_linesOf(text).map(({ at }) => at));
    return text.replaceAll(statement, (found, before, _role, at) => starts.has(at) ? `${before}${(0,relation_name/* identifier */.C)(to)}` : found);
}
/**
 * The limit of connections in what `settingsFor` gives; -1: none. Until the database is live, another one holds.
 * @param database the name that the settings are for
 */
function connectionLimitIn(settings, database) {
    const statement = new RegExp(`^ALTER DATABASE ${escaped((0,relation_name/* identifier */.C)(database))} CONNECTION LIMIT (\\d{1,9});$`, 'gm');
    const starts = new Set(roles_linesOf(settings).map(({ at }) => at));
    const [found] = [...settings.matchAll(statement)].filter(({ index }) => starts.has(index));
    return Number(found?.[1] ?? -1);
}
const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

;// CONCATENATED MODULE: ./build/shared/restore/standing.js




const standing_name = (0,untrusted/* text */.Qq)(1_024);
const names = (0,untrusted/* listOf */.c3)(standing_name, 100_000);
const standing = (0,untrusted/* shape */.cW)({
    isSuperuser: untrusted/* bool */.lc,
    subscriptions: (0,untrusted/* orNull */.Xd)(names),
    dataFolder: (0,untrusted/* text */.Qq)(4_096),
    connectionLimit: (value, place) => (value === -1 ? -1 : (0,untrusted/* count */.U9)(value, place)),
    isStandby: untrusted/* bool */.lc,
    labels: names,
    tablespace: standing_name,
    elsewhere: names,
    cronDatabase: (0,untrusted/* orNull */.Xd)(standing_name),
    isEmpty: untrusted/* bool */.lc,
    prepared: names,
    slots: names,
    roles: names,
    extensions: names,
    sessions: (0,untrusted/* listOf */.c3)((0,untrusted/* shape */.cW)({ address: (0,untrusted/* orNull */.Xd)(standing_name), application: standing_name, count: untrusted/* count */.U9 }), 1_000),
});
const standing_program = {
    name: 'standing',
    step: 'looking at the database server',
    scripts: [new URL(/* asset import */ __webpack_require__(90372), __webpack_require__.b)],
};
/**
 * Looks at the server. Changes nothing.
 * @param containers ids of the project's containers
 * @throws Failure `database-silent`, `facts-unreadable`
 */
async function lookAtServer(connection, server, containers, { signal, onLog }) {
    const parameters = {
        ...(0,restore_server/* serverParameters */.C)(server),
        database: server.database,
        inside_script: (0,scripts/* replaceScript */.kl)(),
        containers,
    };
    const records = await connection.run(standing_program, parameters, { deadline: 120_000, atEnd: 'end', signal, onLog }).result;
    const [free = '', walFree = '', otherFree = ''] = records.get('free').trim().split('\n');
    return {
        ...readStanding(records.get('standing')),
        freeBytes: bytesIn(free),
        walFreeBytes: bytesIn(walFree),
        otherFreeBytes: otherFree === 'none' ? Number.POSITIVE_INFINITY : bytesIn(otherFree),
        services: addressesIn(records.get('addresses')),
    };
}
const bytesIn = (line) => (/^\d{1,18}$/.test(line) ? Number(line) : null);
function readStanding(json) {
    try {
        return standing(JSON.parse(json), '');
    }
    catch (cause) {
        throw new shared_failure/* Failure */.HR('facts-unreadable', "The server's reply about the restore cannot be understood", { cause });
    }
}
/** Lines of a service and the addresses that it has in one network. */
function addressesIn(lines) {
    return new Map(lines.split('\n').flatMap((line) => {
        const [service = '', ...addresses] = line.trim().split(/\s+/);
        return addresses.map((address) => [address, service]);
    }));
}

// EXTERNAL MODULE: ./build/shared/plan/container.js
var plan_container = __webpack_require__(16937);
// EXTERNAL MODULE: ./build/shared/releases/image-reference.js
var image_reference = __webpack_require__(9290);
;// CONCATENATED MODULE: ./build/shared/restore/writers.js



/** What stands between an application and its database, under a name of its own. */
const poolers = /(^|[/_-])(pgbouncer|pgcat|pgpool(-ii)?|odyssey|supavisor|pgdog)([_-][^/]*)?$/i;
/**
 * The services that have to stop while the databases exchange their names, besides those that are swapped: whatever has a session in the
 * database, depends on it, or names it in its environment. In the order in which they start again.
 */
function writersOf(facts) {
    const { project, containers, untouched, swapped } = facts;
    return (0,plan_rollback/* startOrder */.l8)(project).flatMap((service) => {
        const own = containers.filter((container) => container.service === service && (0,plan_container/* isAtWork */.pG)(container));
        const [first] = own;
        if (first === undefined || untouched.has(service) || swapped.has(service))
            return [];
        const why = whyStopped(service, own, facts);
        return why === null ? [] : [{ service, imageId: first.imageId, why }];
    });
}
function whyStopped(service, own, facts) {
    const { standing, project, settings, databaseService } = facts;
    const addresses = [...standing.services].filter(([, of]) => of === service).map(([address]) => address);
    if (standing.sessions.some(({ address }) => address !== null && addresses.includes(address)))
        return 'it is connected to the database';
    const databases = [databaseService, ...poolersIn(project)].filter((name) => name !== service);
    const depends = project.services.get(service)?.dependsOn.find((other) => databases.includes(other.service));
    if (depends !== undefined)
        return `it depends on ${depends.service}`;
    const hosts = databases.flatMap((name) => hostNames(name, facts));
    const values = settings
        .filter(({ id }) => own.some((container) => container.id === id))
        .flatMap(({ environment }) => environment ?? [])
        .map((line) => line.slice(line.indexOf('=') + 1));
    const named = hosts.find((host) => values.some((value) => writers_names(value, host)));
    return named === undefined ? null : `one of its settings names ${named}`;
}
function poolersIn({ services }) {
    return [...services.values()]
        .filter(({ image }) => poolers.test((0,image_reference/* referenceOf */.Bz)(image)?.path ?? ''))
        .map(({ name }) => name);
}
/** The names by which containers of the project reach a service. */
function hostNames(service, { project, containers }) {
    const found = project.services.get(service);
    const own = containers
        .filter((container) => container.service === service)
        .map(({ name }) => name.replace(/^\//, ''));
    return [...new Set([service, ...(found?.aliases ?? []), ...own])];
}
/** Whether a value is this host, or an address or a list of settings with it: `db`, `db:5432`, `postgres://u:p@db/shop`, `host=db`. */
function writers_names(value, host) {
    const quoted = host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(^|[@/,;=\\s])${quoted}($|[:/,;?\\s])`).test(value);
}

// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __webpack_require__(33437);
// EXTERNAL MODULE: ./build/shared/survey/survey-sets.js
var survey_sets = __webpack_require__(80847);
// EXTERNAL MODULE: ./build/shared/transaction/transaction-files.js + 1 modules
var transaction_files = __webpack_require__(31766);
// EXTERNAL MODULE: ./build/shared/host/backup-folder.js
var backup_folder = __webpack_require__(53542);
;// CONCATENATED MODULE: ./build/rollback-action/load-backup.js




/** Restores the backup beside the live database, and tells the log how far it is. */
async function loadBackup(connection, restoring, inputs, { holder, signal }) {
    const { manifest, exchange, source } = restoring;
    return log.group(`Restore ${manifest.id} beside the live database`, async () => {
        if (source.isSent)
            log.info('The dump flows through this runner: nothing of it is kept here');
        const loaded = await load(connection, {
            backupDir: inputs.backupDir,
            server: restoring.server,
            source,
            manifest,
            restored: exchange.restored,
            madeAs: restoring.madeAs,
            roles: restoring.roles.statements,
            settings: restoring.settings,
            afterSql: restoring.afterSql,
            dataFolder: restoring.dataFolder,
            least: inputs.minFreeSpace,
            lock: { path: (0,backup_folder/* lockFile */.Ke)(inputs.backupDir), wait: inputs.lockWait, holder },
            timeout: inputs.timeout,
            signal,
            onLog: log.host,
            onProgress: tellLoad,
        });
        for (const { name, result, detail } of loaded.findings)
            if (result === 'passed')
                log.info(`✔ ${name}: ${detail}`);
        for (const problem of loaded.problems)
            log.warning(problem);
        log.success(`Restored as ${exchange.restored} in ${(0,units/* formatDuration */.a3)(loaded.restoreMs)}; nobody uses it yet`);
        return loaded;
    });
}
const steps = {
    checking: 'Comparing what was restored with the manifest',
    'after-sql': 'Running after-restore-sql',
    analyzing: 'Running ANALYZE on the restored database',
};
function tellLoad(name, value) {
    if (name === 'restoring')
        log.progress(`Restoring ${(0,units/* formatBytes */.z3)(Number(value))}`);
    else if (name === 'waiting-for')
        log.progress(`Waiting for the lock, held by ${value}`);
    else
        log.progress(steps[name] ?? name);
}

// EXTERNAL MODULE: ./build/shared/plan/paired-set.js
var paired_set = __webpack_require__(70872);
;// CONCATENATED MODULE: ./build/rollback-action/paired-backup.js


/** The images by which the backup of the target is found, by service. */
const imagesOfTarget = ({ seen, plan, wanted, ignored }) => new Map([...(0,paired_set/* targetImages */.WH)(plan, wanted, ignored)].map(([service, image]) => [service, knownHere(image, seen)]));
/** The backup that belongs to the target. @throws Failure `no-backup` */
function pairedId(sets, target, database, { environment }, { clockAhead }) {
    const paired = (0,paired_set/* pairedSet */.qK)({ sets, database, environment, target });
    if (paired.set !== null)
        return paired.set.id;
    const nearly = (0,paired_set/* describeNearly */.Be)(paired.nearly, new Date(Date.now() + clockAhead));
    throw new shared_failure/* Failure */.HR('no-backup', `No backup belongs to the target: ${paired.why}`, {
        hint: [
            'Nothing was changed. Set "restore-database" to the id of a backup, or to none.',
            ...(nearly.length === 0 ? [] : ['These come close:', ...nearly]),
        ].join('\n'),
    });
}
/** A tag that nothing else identifies is taken for what it names on this host; after the pull, `demandPaired` looks again. */
function knownHere(image, { compose }) {
    if (image.digest !== null || image.imageId !== null || compose === null || 'error' in compose)
        return image;
    const found = compose.images.find(({ repoTags }) => image.image !== null && repoTags.includes(image.image));
    return found === undefined ? image : { ...image, imageId: found.id };
}
/**
 * Refuses if the pull has brought another image than the one by which the backup was chosen.
 * @param pairedWith the images by service; empty if the backup was named
 * @throws Failure `no-backup`
 */
function demandPaired({ pairedWith, manifest }, { to }) {
    const other = [...pairedWith].find(([service, { imageId }]) => imageId !== null && to[service]?.imageId !== imageId);
    if (other === undefined)
        return;
    throw new shared_failure/* Failure */.HR('no-backup', `Backup ${manifest.id} does not belong to the target: ${other[1].image} now names a different image in the registry than on this host`, { hint: 'Nothing was stopped. Set "restore-database" to the id of a backup, or "target" to a digest' });
}

;// CONCATENATED MODULE: ./build/rollback-action/restoring.js




















/**
 * Finds the backup and looks at the server. Changes nothing.
 * @throws Failure `no-backup`, `cannot-restore`, `decrypt-key-missing`, …
 */
async function planRestore(connection, ground, inputs, signal) {
    const { seen } = ground;
    const { restore, backupDir, environment, timeout } = inputs;
    const container = (0,find_database/* findDatabase */.X)(seen, inputs);
    const live = (0,find_database/* askedDatabase */.k)(seen);
    const server = { container: container.id, user: live.user, database: live.database, access: live.access };
    const catalogue = restoring_knownSets(seen);
    const isPaired = restore.wanted === 'paired';
    const pairedWith = isPaired ? imagesOfTarget(ground) : new Map();
    const wanted = isPaired
        ? (sets) => pairedId(sets, pairedWith, live.database, inputs, seen)
        : restore.wanted;
    const source = await sourceOf(connection, catalogue, {
        wanted,
        from: restore.from,
        bucket: restore.bucket,
        // Whoever restores names the backup, and may have lost the host that it was taken on.
        folderIds: [],
        environment: restore.environment ?? environment,
        backupDir,
        database: null,
        decryptKey: restore.decryptKey,
        input: 'restore-database',
        timeout,
        signal,
        log: log,
    });
    try {
        const restorable = await planFrom(connection, ground, inputs, source, { server, live, catalogue, pairedWith, containerName: container.name, databaseService: container.service }, signal);
        return {
            ...restorable,
            demandPaired: (settled) => demandPaired(restorable, settled),
            load: (current, run) => loadBackup(current, restorable, inputs, run),
            drop: async (current) => {
                await discard(current, server, restorable.exchange.restored, log.host);
            },
        };
    }
    catch (error) {
        await source.close();
        throw error;
    }
}
async function planFrom(connection, { seen, plan, project, databases, records }, { restore, backupDir, minFreeSpace }, source, { server, live, containerName, databaseService, catalogue, pairedWith }, signal) {
    const manifest = await source.manifest();
    const ids = seen.containers.map(({ id }) => id);
    const standing = await lookAtServer(connection, server, ids, { signal, onLog: log.host });
    const needed = neededFor(manifest, manifest.database === live.database ? live.sizeBytes : null);
    const subject = { manifest, live, standing, needed, least: minFreeSpace };
    demandNoObstacle(subject);
    const roles = missingRoles(await source.beside('globals'), standing.roles);
    const restored = (0,database_name/* nameWith */.i)(live.database, `_restore_${(0,external_node_crypto_.randomBytes)(4).toString('hex')}`);
    const own = standing.isEmpty ? await source.beside('settings') : null;
    const settings = own === null ? null : settingsFor(own, manifest.database, restored);
    const newest = (0,sets_catalogue/* verifiedSetsOf */.Ns)(live.database, catalogue.sets)[0] ?? null;
    const later = newest === null || newest.id <= manifest.id
        ? null
        : await (0,whole_manifest/* wholeManifest */.dy)(connection, backupDir, newest, { signal, onLog: log.host });
    const costs = [
        `The dump has ${(0,units/* formatBytes */.z3)(manifest.sizeBytes)}; the copy next to the live database needs about ${(0,units/* formatBytes */.z3)(needed)} of the ${(0,units/* formatBytes */.z3)(standing.freeBytes ?? 0)} that are free`,
        ...timeOf(records, manifest),
    ];
    const { compose } = seen;
    const restarted = writersOf({
        project,
        containers: seen.containers,
        settings: compose === null || 'error' in compose ? [] : compose.settings,
        databaseService,
        untouched: databases,
        swapped: new Set(plan.services.map(({ service }) => service)),
        standing,
    });
    const warnings = restoreWarnings(subject, live.database);
    if (roles.names.length > 0)
        warnings.push(`These roles are created, without passwords: ${roles.names.join(', ')}. Set one for each role that logs in: ALTER ROLE name PASSWORD '…'`);
    return {
        plan: (0,plan_rollback/* withRestore */.nF)(plan, {
            backupId: manifest.id,
            sha256: manifest.sha256,
            copy: source.copy,
            takenAt: manifest.startedAt,
            source: manifest.database,
            database: live.database,
            afterSqlSha256: restore.afterSql === null ? null : (0,external_node_crypto_.createHash)('sha256').update(restore.afterSql).digest('hex'),
            restarted,
            costs,
            givenUp: (0,given_up/* givenUp */.b)(manifest, later, new Date(Date.now() + seen.clockAhead)),
        }, warnings.map((text) => ({ level: 'warning', text }))),
        source,
        manifest,
        server,
        containerName,
        exchange: {
            container: server.container,
            user: server.user,
            access: server.access,
            name: live.database,
            connectionLimit: standing.connectionLimit,
            restoredLimit: settings === null ? standing.connectionLimit : connectionLimitIn(settings, restored),
            restored,
            aside: (0,database_name/* nameWith */.i)(live.database, `_before_${'0'.repeat(15)}`).replace(/0{15}$/, transaction_files/* transactionMark */.cO),
        },
        madeAs: likeLive(subject),
        roles,
        settings,
        dataFolder: standing.dataFolder,
        afterSql: restore.afterSql,
        pairedWith,
        order: (0,plan_rollback/* startOrder */.l8)(project),
    };
}
/** Those on the host; a host that has lost its backups can still restore from a bucket. */
function restoring_knownSets(seen) {
    const { files, manifests } = (0,survey_sets/* demandSets */.bc)(seen.sets);
    return (0,sets_catalogue/* catalogueOf */.vq)(files, manifests);
}
/** How long it took in the last drill. */
function timeOf(records, { id }) {
    const drills = records.filter(({ event, status, durationMs }) => event === 'drill' && status === 'succeeded' && durationMs !== null);
    const drill = drills.findLast(({ backupId }) => backupId === id) ?? drills.at(-1);
    if (drill === undefined)
        return ['How long the restore takes is unknown: no backup has been drilled'];
    return [`In a drill, backup ${drill.backupId} was restored in ${(0,units/* formatDuration */.a3)(drill.durationMs ?? 0)}`];
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
