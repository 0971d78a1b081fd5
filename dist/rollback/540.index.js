export const id = 540;
export const ids = [540,682];
export const modules = {

/***/ 55682:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   J: () => (/* binding */ openConnection),
/* harmony export */   reachServer: () => (/* binding */ reachServer)
/* harmony export */ });
/* harmony import */ var node_events__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(78474);
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(37067);
/* harmony import */ var node_https__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(44708);
/* harmony import */ var node_net__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(77030);
/* harmony import */ var node_tls__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(41692);
/* harmony import */ var _reaching_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(59859);
/* harmony import */ var _login_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(35021);







/** Milliseconds to connect, where nothing is sent. */
const patience = 10_000;
/**
 * Connects to the server of an address, by way of the proxy, and checks its certificate. Sends nothing to the server. The path of
 * the address is a secret and appears in no error.
 * @param signal destroys the connection
 */
async function openConnection(url, proxyFor, signal) {
    const proxy = proxyFor(url);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isTls = url.protocol === 'https:';
    const port = Number(url.port) || (isTls ? 443 : 80);
    const viaProxy = proxy === null ? null : await tunnel(proxy, `${url.hostname}:${port}`, signal);
    // An IP address is not a server name.
    const names = (0,node_net__WEBPACK_IMPORTED_MODULE_3__.isIP)(host) === 0 ? { servername: host } : {};
    const socket = isTls
        ? (0,node_tls__WEBPACK_IMPORTED_MODULE_4__.connect)(viaProxy === null ? { host, port, ...names } : { socket: viaProxy, host, ...names })
        : (viaProxy ?? (0,node_net__WEBPACK_IMPORTED_MODULE_3__.connect)(port, host));
    const end = () => socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', end));
    if (isTls || viaProxy === null)
        await (0,node_events__WEBPACK_IMPORTED_MODULE_0__.once)(socket, isTls ? 'secureConnect' : 'connect', { signal });
    return socket;
}
/** Connects to the server of an address and closes the connection. @throws Error with the host and the reason in one line */
async function reachServer(address, proxyFor, signal) {
    const end = new AbortController();
    try {
        await (0,_reaching_js__WEBPACK_IMPORTED_MODULE_5__/* .inTime */ .R)(patience, signal, openConnection(address, proxyFor, end.signal));
    }
    catch (error) {
        signal.throwIfAborted();
        throw new Error(`${address.host} cannot be reached from the runner: ${(0,_reaching_js__WEBPACK_IMPORTED_MODULE_5__/* .reasonOf */ .A)(error)}`);
    }
    finally {
        end.abort();
    }
}
/** Has the proxy connect us to a server. */
async function tunnel(proxy, target, signal) {
    const isTls = proxy.protocol === 'https:';
    const login = (0,_login_js__WEBPACK_IMPORTED_MODULE_6__/* .loginIn */ .X)(proxy);
    const request = (isTls ? node_https__WEBPACK_IMPORTED_MODULE_2__.request : node_http__WEBPACK_IMPORTED_MODULE_1__.request)({
        host: proxy.hostname.replace(/^\[|\]$/g, ''),
        port: Number(proxy.port) || (isTls ? 443 : 80),
        method: 'CONNECT',
        path: target,
        headers: {
            host: target,
            ...(login !== null && { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
        },
        agent: false,
        signal,
    });
    request.end();
    const [response, socket] = await (0,node_events__WEBPACK_IMPORTED_MODULE_0__.once)(request, 'connect', { signal });
    if (response.statusCode === 200)
        return socket;
    socket.destroy();
    throw new Error(`the proxy ${proxy.host} answers ${response.statusCode}`);
}


/***/ }),

/***/ 35021:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   X: () => (/* binding */ loginIn)
/* harmony export */ });
/**
 * The `name:password` of an address, for HTTP's basic authentication; null if it has none. What is no escape is taken as it stands: an
 * environment variable of the runner may hold a bare %.
 */
function loginIn({ username, password }) {
    if (username === '' && password === '')
        return null;
    return [username, password].map(unescaped).join(':');
}
function unescaped(text) {
    try {
        return decodeURIComponent(text);
    }
    catch {
        return text;
    }
}


/***/ }),

/***/ 87540:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   post: () => (/* binding */ post)
/* harmony export */ });
/* harmony import */ var node_http__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(37067);
/* harmony import */ var node_timers_promises__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(58500);
/* harmony import */ var _reaching_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(59859);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(98295);
/* harmony import */ var _connect_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(55682);
/* harmony import */ var _login_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(35021);






/** Milliseconds for one try, from the connection to the answer. */
const patience = 10_000;
/** Milliseconds before each further try. */
const pauses = [500, 2_000];
/** Milliseconds that a server may take to send the text of its answer. */
const patienceForText = 1_000;
const longestText = 1_000;
/** Milliseconds: a server that asks for more patience than this is not waited for. */
const longestPause = 10_000;
/** The server has answered, and will answer the same again. */
class Refused extends Error {
}
/** The server asks to be tried again after so many milliseconds. */
class Busy extends Error {
    pause;
    constructor(message, pause) {
        super(message);
        this.pause = pause;
    }
}
/**
 * Posts, at most three times, and follows no redirect: it may lead to somebody else.
 * @returns the beginning of what the server says
 * @throws Error with the reason of the last try, in one line
 */
async function post(message, { proxyFor, signal }) {
    for (let failures = 0;; failures += 1) {
        try {
            return await tryOnce(message, proxyFor, signal);
        }
        catch (error) {
            const pause = pauses[failures];
            if (signal.aborted || error instanceof Refused || pause === undefined)
                throw new Error((0,_reaching_js__WEBPACK_IMPORTED_MODULE_2__/* .reasonOf */ .A)(error));
            const asked = error instanceof Busy ? error.pause : 0;
            await (0,node_timers_promises__WEBPACK_IMPORTED_MODULE_1__.setTimeout)(Math.max(pause, asked), undefined, { signal }).catch(() => {
                throw new Error((0,_reaching_js__WEBPACK_IMPORTED_MODULE_2__/* .reasonOf */ .A)(error));
            });
        }
    }
}
async function tryOnce(message, proxyFor, signal) {
    const end = new AbortController();
    try {
        const { status, text, wait } = await (0,_reaching_js__WEBPACK_IMPORTED_MODULE_2__/* .inTime */ .R)(patience, signal, exchange(message, proxyFor, end.signal));
        if (status >= 200 && status < 300)
            return text;
        const what = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
        const answer = `it answers ${status}${what}`;
        if (wait > longestPause)
            throw new Refused(`${answer}, and asks to wait for ${(0,_units_js__WEBPACK_IMPORTED_MODULE_3__/* .formatDuration */ .a3)(wait)}`);
        throw status >= 500 || status === 408 || status === 429 ? new Busy(answer, wait) : new Refused(answer);
    }
    finally {
        end.abort();
    }
}
async function exchange({ url, body, headers }, proxyFor, signal) {
    const socket = await (0,_connect_js__WEBPACK_IMPORTED_MODULE_4__/* .openConnection */ .J)(url, proxyFor, signal);
    return new Promise((resolve, reject) => {
        const login = (0,_login_js__WEBPACK_IMPORTED_MODULE_5__/* .loginIn */ .X)(url);
        const asked = (0,node_http__WEBPACK_IMPORTED_MODULE_0__.request)({
            // With an agent, even with false, Node would connect anew.
            createConnection: () => socket,
            method: 'POST',
            path: `${url.pathname}${url.search}`,
            headers: {
                host: url.host,
                'user-agent': 'atlasia-actions',
                'content-length': Buffer.byteLength(body),
                connection: 'close',
                ...headers,
            },
            ...(login !== null && { auth: login }),
            signal,
        });
        asked.on('error', reject);
        asked.on('response', (response) => {
            let text = '';
            const { statusCode = 0 } = response;
            const wait = secondsIn(response.headers['retry-after']) * 1_000;
            const done = () => resolve({ status: statusCode, text: text.slice(0, longestText), wait });
            response.setEncoding('utf8').on('data', (chunk) => {
                text += chunk;
                if (text.length >= longestText)
                    done();
            });
            // The status is what counts: a server that is slow to say more has still taken the message.
            response.on('end', done).on('error', done);
            setTimeout(done, patienceForText).unref();
        });
        asked.end(body);
    });
}
/** Of the header Retry-After; 0 where it is a date, or missing. */
function secondsIn(header = '') {
    return /^\d{1,9}(\.\d+)?$/.test(header) ? Number(header) : 0;
}


/***/ })

};
