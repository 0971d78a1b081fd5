export const id = 682;
export const ids = [682];
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


/***/ })

};
