import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
/******/ var __webpack_modules__ = ({

/***/ 3633:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "3f37bc8fca99dca540c7.sh";

/***/ }),

/***/ 10651:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "82479d4e67a47e91f412.sh";

/***/ }),

/***/ 52824:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "99d8fc7af6b4d1620035.sh";

/***/ }),

/***/ 3521:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "08899adb7de4f3407b27.sh";

/***/ }),

/***/ 63144:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "d934bf747bcc3c29eadc.sh";

/***/ }),

/***/ 85360:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "1801754814f4563cb03c.sh";

/***/ }),

/***/ 27416:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "227cd0780b254eaaf29e.sh";

/***/ }),

/***/ 37812:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "92d3c68501c904a61a94.sh";

/***/ }),

/***/ 6779:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "d4c0f5a5217da0cf5689.sh";

/***/ }),

/***/ 65479:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "e70e4df2d97046b01f2e.sh";

/***/ }),

/***/ 37289:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "8e06b80a82f2e4c95d3e.sh";

/***/ }),

/***/ 49828:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "a7fbe78365e51b895cd9.sh";

/***/ }),

/***/ 15094:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "f605611b7a1508ea6562.sh";

/***/ }),

/***/ 80846:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "7005359ac95e684dde42.sh";

/***/ }),

/***/ 79329:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "49c0f33ff4bb2c2a556a.sh";

/***/ }),

/***/ 5216:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "c3f82d5dcdcea3b77b6c.sh";

/***/ }),

/***/ 25887:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "5aa18ac5c4a0460db4fa.sh";

/***/ }),

/***/ 78188:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "67313531f29e018e7ea3.sh";

/***/ }),

/***/ 1924:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "f263e0766f7126e18b51.sh";

/***/ }),

/***/ 3653:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "d4afeb4fd36b687419e3.sh";

/***/ }),

/***/ 23469:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "210fb82d16f1fc1fc177.sh";

/***/ }),

/***/ 97656:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "cfdb2a1edd86cb7ea647.sh";

/***/ }),

/***/ 97094:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "57a63cdad9785ef03cba.sh";

/***/ }),

/***/ 29542:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "64c7aa6282564b1ecda9.sh";

/***/ }),

/***/ 38814:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "a776a0bf145a80ea5269.sh";

/***/ }),

/***/ 37491:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "6e45e64b561982e63ffa.sh";

/***/ }),

/***/ 37083:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "c6f493a83a2366463b4a.sh";

/***/ }),

/***/ 67888:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "ce13e2163124aef0be86.sh";

/***/ }),

/***/ 68318:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "45043351cb06523ea351.sh";

/***/ }),

/***/ 39674:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "a6c99c8600980bb0cf06.sh";

/***/ }),

/***/ 68303:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "7cdddf29156cd7c22b72.sh";

/***/ }),

/***/ 8845:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "7dcfd7c5a5cf86e0c5b1.sh";

/***/ }),

/***/ 53390:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "2431b3517b9f7c336be1.sh";

/***/ }),

/***/ 41487:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "0ecdc95c420498268d67.sh";

/***/ }),

/***/ 90203:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "16f2e9b3e08d2a239a69.sh";

/***/ }),

/***/ 7591:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "1562a3a8c422ae9dbcd2.sh";

/***/ }),

/***/ 62170:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "48452864eda6901c80a2.sh";

/***/ }),

/***/ 99110:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "105153dbacd01f89fc87.sh";

/***/ }),

/***/ 1236:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "1ca49c6de3ae00a2bce5.sh";

/***/ }),

/***/ 93721:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "9f54ea4798b60b63ece7.sh";

/***/ }),

/***/ 42774:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "4c9bcb42f33436edc128.sh";

/***/ }),

/***/ 93401:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "9cc908d39661a29cead3.sh";

/***/ }),

/***/ 64142:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "c2f135ebca3fd10aa019.sh";

/***/ }),

/***/ 88355:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "86f75b16d587207c1547.sh";

/***/ }),

/***/ 24721:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "e2998edd694d9565a01c.sh";

/***/ }),

/***/ 14310:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "5647674e3913620b6d7b.sh";

/***/ }),

/***/ 20423:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "798f40b822549f49f000.sh";

/***/ }),

/***/ 1098:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "430ee809abc29bd8d6db.sh";

/***/ }),

/***/ 20256:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "fe39c6bcf03d2b36271c.sh";

/***/ }),

/***/ 51681:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "74ccbca4d9dc2878a006.sh";

/***/ }),

/***/ 89239:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "9b7bc76f2c629548cc16.sh";

/***/ }),

/***/ 61008:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "b0228e2857e12e128e08.sh";

/***/ }),

/***/ 74181:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "45b4c12e7ad4ace02434.sh";

/***/ }),

/***/ 91562:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "405ac81d68d6c535970d.sh";

/***/ }),

/***/ 35735:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "17963f12c8e2bbd0af5e.sh";

/***/ }),

/***/ 67509:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "c79b0aa164dd0993cdcc.sh";

/***/ }),

/***/ 67334:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "76717047b109eaf8584a.sh";

/***/ }),

/***/ 78336:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "106838358722b55b4e33.sh";

/***/ }),

/***/ 59372:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "cf138c6286dc30182860.sh";

/***/ }),

/***/ 38105:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "1a7ac6c44a2d5b78eedc.sh";

/***/ }),

/***/ 88028:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "aa11dec8f14e1eab90cd.sh";

/***/ }),

/***/ 36461:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

module.exports = __nccwpck_require__.p + "0e68b68a9822f61d00c6.sh";

/***/ }),

/***/ 42613:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("assert");

/***/ }),

/***/ 20181:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("buffer");

/***/ }),

/***/ 49140:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("constants");

/***/ }),

/***/ 76982:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("crypto");

/***/ }),

/***/ 24434:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("events");

/***/ }),

/***/ 79896:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs");

/***/ }),

/***/ 91943:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("fs/promises");

/***/ }),

/***/ 58611:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("http");

/***/ }),

/***/ 65692:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("https");

/***/ }),

/***/ 69278:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("net");

/***/ }),

/***/ 34589:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:assert");

/***/ }),

/***/ 16698:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:async_hooks");

/***/ }),

/***/ 4573:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:buffer");

/***/ }),

/***/ 31421:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:child_process");

/***/ }),

/***/ 37540:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:console");

/***/ }),

/***/ 77598:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");

/***/ }),

/***/ 53053:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:diagnostics_channel");

/***/ }),

/***/ 40610:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:dns");

/***/ }),

/***/ 78474:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:events");

/***/ }),

/***/ 73024:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");

/***/ }),

/***/ 51455:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs/promises");

/***/ }),

/***/ 37067:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:http");

/***/ }),

/***/ 32467:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:http2");

/***/ }),

/***/ 44708:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:https");

/***/ }),

/***/ 98995:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:module");

/***/ }),

/***/ 77030:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:net");

/***/ }),

/***/ 48161:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");

/***/ }),

/***/ 76760:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:path");

/***/ }),

/***/ 643:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:perf_hooks");

/***/ }),

/***/ 1708:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:process");

/***/ }),

/***/ 41792:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:querystring");

/***/ }),

/***/ 57075:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream");

/***/ }),

/***/ 38321:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream/consumers");

/***/ }),

/***/ 46193:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:string_decoder");

/***/ }),

/***/ 58500:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:timers/promises");

/***/ }),

/***/ 41692:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:tls");

/***/ }),

/***/ 73136:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:url");

/***/ }),

/***/ 57975:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util");

/***/ }),

/***/ 73429:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:util/types");

/***/ }),

/***/ 75919:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:worker_threads");

/***/ }),

/***/ 38522:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");

/***/ }),

/***/ 70857:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("os");

/***/ }),

/***/ 16928:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("path");

/***/ }),

/***/ 2203:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("stream");

/***/ }),

/***/ 13193:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("string_decoder");

/***/ }),

/***/ 64756:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("tls");

/***/ }),

/***/ 52018:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("tty");

/***/ }),

/***/ 87016:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("url");

/***/ }),

/***/ 39023:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("util");

/***/ }),

/***/ 43106:
/***/ ((module) => {

module.exports = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("zlib");

/***/ }),

/***/ 82767:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  N4: () => (/* binding */ endGroup),
  z3: () => (/* binding */ error),
  V4: () => (/* binding */ getInput),
  pq: () => (/* binding */ info),
  _o: () => (/* binding */ isDebug),
  lm: () => (/* binding */ notice),
  LZ: () => (/* binding */ saveState),
  uH: () => (/* binding */ setOutput),
  Pq: () => (/* binding */ setSecret),
  Oh: () => (/* binding */ startGroup),
  $e: () => (/* binding */ warning)
});

// UNUSED EXPORTS: ExitCode, addPath, debug, exportVariable, getBooleanInput, getIDToken, getMultilineInput, getState, group, markdownSummary, platform, setCommandEcho, setFailed, summary, toPlatformPath, toPosixPath, toWin32Path

// EXTERNAL MODULE: external "os"
var external_os_ = __nccwpck_require__(70857);
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/utils.js
// We use any as a valid input type
/* eslint-disable @typescript-eslint/no-explicit-any */
/**
 * Sanitizes an input into a string so it can be passed into issueCommand safely
 * @param input input to sanitize into a string
 */
function utils_toCommandValue(input) {
    if (input === null || input === undefined) {
        return '';
    }
    else if (typeof input === 'string' || input instanceof String) {
        return input;
    }
    return JSON.stringify(input);
}
/**
 *
 * @param annotationProperties
 * @returns The command properties to send with the actual annotation command
 * See IssueCommandProperties: https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs#L646
 */
function toCommandProperties(annotationProperties) {
    if (!Object.keys(annotationProperties).length) {
        return {};
    }
    return {
        title: annotationProperties.title,
        file: annotationProperties.file,
        line: annotationProperties.startLine,
        endLine: annotationProperties.endLine,
        col: annotationProperties.startColumn,
        endColumn: annotationProperties.endColumn
    };
}
//# sourceMappingURL=utils.js.map
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/command.js


/**
 * Issues a command to the GitHub Actions runner
 *
 * @param command - The command name to issue
 * @param properties - Additional properties for the command (key-value pairs)
 * @param message - The message to include with the command
 * @remarks
 * This function outputs a specially formatted string to stdout that the Actions
 * runner interprets as a command. These commands can control workflow behavior,
 * set outputs, create annotations, mask values, and more.
 *
 * Command Format:
 *   ::name key=value,key=value::message
 *
 * @example
 * ```typescript
 * // Issue a warning annotation
 * issueCommand('warning', {}, 'This is a warning message');
 * // Output: ::warning::This is a warning message
 *
 * // Set an environment variable
 * issueCommand('set-env', { name: 'MY_VAR' }, 'some value');
 * // Output: ::set-env name=MY_VAR::some value
 *
 * // Add a secret mask
 * issueCommand('add-mask', {}, 'secretValue123');
 * // Output: ::add-mask::secretValue123
 * ```
 *
 * @internal
 * This is an internal utility function that powers the public API functions
 * such as setSecret, warning, error, and exportVariable.
 */
function command_issueCommand(command, properties, message) {
    const cmd = new Command(command, properties, message);
    process.stdout.write(cmd.toString() + external_os_.EOL);
}
function command_issue(name, message = '') {
    command_issueCommand(name, {}, message);
}
const CMD_STRING = '::';
class Command {
    constructor(command, properties, message) {
        if (!command) {
            command = 'missing.command';
        }
        this.command = command;
        this.properties = properties;
        this.message = message;
    }
    toString() {
        let cmdStr = CMD_STRING + this.command;
        if (this.properties && Object.keys(this.properties).length > 0) {
            cmdStr += ' ';
            let first = true;
            for (const key in this.properties) {
                if (this.properties.hasOwnProperty(key)) {
                    const val = this.properties[key];
                    if (val) {
                        if (first) {
                            first = false;
                        }
                        else {
                            cmdStr += ',';
                        }
                        cmdStr += `${key}=${escapeProperty(val)}`;
                    }
                }
            }
        }
        cmdStr += `${CMD_STRING}${escapeData(this.message)}`;
        return cmdStr;
    }
}
function escapeData(s) {
    return utils_toCommandValue(s)
        .replace(/%/g, '%25')
        .replace(/\r/g, '%0D')
        .replace(/\n/g, '%0A');
}
function escapeProperty(s) {
    return utils_toCommandValue(s)
        .replace(/%/g, '%25')
        .replace(/\r/g, '%0D')
        .replace(/\n/g, '%0A')
        .replace(/:/g, '%3A')
        .replace(/,/g, '%2C');
}
//# sourceMappingURL=command.js.map
// EXTERNAL MODULE: external "crypto"
var external_crypto_ = __nccwpck_require__(76982);
// EXTERNAL MODULE: external "fs"
var external_fs_ = __nccwpck_require__(79896);
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/file-command.js
// For internal use, subject to change.
// We use any as a valid input type
/* eslint-disable @typescript-eslint/no-explicit-any */




function file_command_issueFileCommand(command, message) {
    const filePath = process.env[`GITHUB_${command}`];
    if (!filePath) {
        throw new Error(`Unable to find environment variable for file command ${command}`);
    }
    if (!external_fs_.existsSync(filePath)) {
        throw new Error(`Missing file at path: ${filePath}`);
    }
    external_fs_.appendFileSync(filePath, `${utils_toCommandValue(message)}${external_os_.EOL}`, {
        encoding: 'utf8'
    });
}
function file_command_prepareKeyValueMessage(key, value) {
    const delimiter = `ghadelimiter_${external_crypto_.randomUUID()}`;
    const convertedValue = utils_toCommandValue(value);
    // These should realistically never happen, but just in case someone finds a
    // way to exploit uuid generation let's not allow keys or values that contain
    // the delimiter.
    if (key.includes(delimiter)) {
        throw new Error(`Unexpected input: name should not contain the delimiter "${delimiter}"`);
    }
    if (convertedValue.includes(delimiter)) {
        throw new Error(`Unexpected input: value should not contain the delimiter "${delimiter}"`);
    }
    return `${key}<<${delimiter}${external_os_.EOL}${convertedValue}${external_os_.EOL}${delimiter}`;
}
//# sourceMappingURL=file-command.js.map
// EXTERNAL MODULE: external "path"
var external_path_ = __nccwpck_require__(16928);
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/summary.js
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const { access, appendFile, writeFile } = external_fs_.promises;
const SUMMARY_ENV_VAR = 'GITHUB_STEP_SUMMARY';
const SUMMARY_DOCS_URL = 'https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary';
class Summary {
    constructor() {
        this._buffer = '';
    }
    /**
     * Finds the summary file path from the environment, rejects if env var is not found or file does not exist
     * Also checks r/w permissions.
     *
     * @returns step summary file path
     */
    filePath() {
        return __awaiter(this, void 0, void 0, function* () {
            if (this._filePath) {
                return this._filePath;
            }
            const pathFromEnv = process.env[SUMMARY_ENV_VAR];
            if (!pathFromEnv) {
                throw new Error(`Unable to find environment variable for $${SUMMARY_ENV_VAR}. Check if your runtime environment supports job summaries.`);
            }
            try {
                yield access(pathFromEnv, external_fs_.constants.R_OK | external_fs_.constants.W_OK);
            }
            catch (_a) {
                throw new Error(`Unable to access summary file: '${pathFromEnv}'. Check if the file has correct read/write permissions.`);
            }
            this._filePath = pathFromEnv;
            return this._filePath;
        });
    }
    /**
     * Wraps content in an HTML tag, adding any HTML attributes
     *
     * @param {string} tag HTML tag to wrap
     * @param {string | null} content content within the tag
     * @param {[attribute: string]: string} attrs key-value list of HTML attributes to add
     *
     * @returns {string} content wrapped in HTML element
     */
    wrap(tag, content, attrs = {}) {
        const htmlAttrs = Object.entries(attrs)
            .map(([key, value]) => ` ${key}="${value}"`)
            .join('');
        if (!content) {
            return `<${tag}${htmlAttrs}>`;
        }
        return `<${tag}${htmlAttrs}>${content}</${tag}>`;
    }
    /**
     * Writes text in the buffer to the summary buffer file and empties buffer. Will append by default.
     *
     * @param {SummaryWriteOptions} [options] (optional) options for write operation
     *
     * @returns {Promise<Summary>} summary instance
     */
    write(options) {
        return __awaiter(this, void 0, void 0, function* () {
            const overwrite = !!(options === null || options === void 0 ? void 0 : options.overwrite);
            const filePath = yield this.filePath();
            const writeFunc = overwrite ? writeFile : appendFile;
            yield writeFunc(filePath, this._buffer, { encoding: 'utf8' });
            return this.emptyBuffer();
        });
    }
    /**
     * Clears the summary buffer and wipes the summary file
     *
     * @returns {Summary} summary instance
     */
    clear() {
        return __awaiter(this, void 0, void 0, function* () {
            return this.emptyBuffer().write({ overwrite: true });
        });
    }
    /**
     * Returns the current summary buffer as a string
     *
     * @returns {string} string of summary buffer
     */
    stringify() {
        return this._buffer;
    }
    /**
     * If the summary buffer is empty
     *
     * @returns {boolen} true if the buffer is empty
     */
    isEmptyBuffer() {
        return this._buffer.length === 0;
    }
    /**
     * Resets the summary buffer without writing to summary file
     *
     * @returns {Summary} summary instance
     */
    emptyBuffer() {
        this._buffer = '';
        return this;
    }
    /**
     * Adds raw text to the summary buffer
     *
     * @param {string} text content to add
     * @param {boolean} [addEOL=false] (optional) append an EOL to the raw text (default: false)
     *
     * @returns {Summary} summary instance
     */
    addRaw(text, addEOL = false) {
        this._buffer += text;
        return addEOL ? this.addEOL() : this;
    }
    /**
     * Adds the operating system-specific end-of-line marker to the buffer
     *
     * @returns {Summary} summary instance
     */
    addEOL() {
        return this.addRaw(external_os_.EOL);
    }
    /**
     * Adds an HTML codeblock to the summary buffer
     *
     * @param {string} code content to render within fenced code block
     * @param {string} lang (optional) language to syntax highlight code
     *
     * @returns {Summary} summary instance
     */
    addCodeBlock(code, lang) {
        const attrs = Object.assign({}, (lang && { lang }));
        const element = this.wrap('pre', this.wrap('code', code), attrs);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML list to the summary buffer
     *
     * @param {string[]} items list of items to render
     * @param {boolean} [ordered=false] (optional) if the rendered list should be ordered or not (default: false)
     *
     * @returns {Summary} summary instance
     */
    addList(items, ordered = false) {
        const tag = ordered ? 'ol' : 'ul';
        const listItems = items.map(item => this.wrap('li', item)).join('');
        const element = this.wrap(tag, listItems);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML table to the summary buffer
     *
     * @param {SummaryTableCell[]} rows table rows
     *
     * @returns {Summary} summary instance
     */
    addTable(rows) {
        const tableBody = rows
            .map(row => {
            const cells = row
                .map(cell => {
                if (typeof cell === 'string') {
                    return this.wrap('td', cell);
                }
                const { header, data, colspan, rowspan } = cell;
                const tag = header ? 'th' : 'td';
                const attrs = Object.assign(Object.assign({}, (colspan && { colspan })), (rowspan && { rowspan }));
                return this.wrap(tag, data, attrs);
            })
                .join('');
            return this.wrap('tr', cells);
        })
            .join('');
        const element = this.wrap('table', tableBody);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds a collapsable HTML details element to the summary buffer
     *
     * @param {string} label text for the closed state
     * @param {string} content collapsable content
     *
     * @returns {Summary} summary instance
     */
    addDetails(label, content) {
        const element = this.wrap('details', this.wrap('summary', label) + content);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML image tag to the summary buffer
     *
     * @param {string} src path to the image you to embed
     * @param {string} alt text description of the image
     * @param {SummaryImageOptions} options (optional) addition image attributes
     *
     * @returns {Summary} summary instance
     */
    addImage(src, alt, options) {
        const { width, height } = options || {};
        const attrs = Object.assign(Object.assign({}, (width && { width })), (height && { height }));
        const element = this.wrap('img', null, Object.assign({ src, alt }, attrs));
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML section heading element
     *
     * @param {string} text heading text
     * @param {number | string} [level=1] (optional) the heading level, default: 1
     *
     * @returns {Summary} summary instance
     */
    addHeading(text, level) {
        const tag = `h${level}`;
        const allowedTag = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].includes(tag)
            ? tag
            : 'h1';
        const element = this.wrap(allowedTag, text);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML thematic break (<hr>) to the summary buffer
     *
     * @returns {Summary} summary instance
     */
    addSeparator() {
        const element = this.wrap('hr', null);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML line break (<br>) to the summary buffer
     *
     * @returns {Summary} summary instance
     */
    addBreak() {
        const element = this.wrap('br', null);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML blockquote to the summary buffer
     *
     * @param {string} text quote text
     * @param {string} cite (optional) citation url
     *
     * @returns {Summary} summary instance
     */
    addQuote(text, cite) {
        const attrs = Object.assign({}, (cite && { cite }));
        const element = this.wrap('blockquote', text, attrs);
        return this.addRaw(element).addEOL();
    }
    /**
     * Adds an HTML anchor tag to the summary buffer
     *
     * @param {string} text link text/content
     * @param {string} href hyperlink
     *
     * @returns {Summary} summary instance
     */
    addLink(text, href) {
        const element = this.wrap('a', text, { href });
        return this.addRaw(element).addEOL();
    }
}
const _summary = new Summary();
/**
 * @deprecated use `core.summary`
 */
const markdownSummary = (/* unused pure expression or super */ null && (_summary));
const summary = (/* unused pure expression or super */ null && (_summary));
//# sourceMappingURL=summary.js.map
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/path-utils.js

/**
 * toPosixPath converts the given path to the posix form. On Windows, \\ will be
 * replaced with /.
 *
 * @param pth. Path to transform.
 * @return string Posix path.
 */
function toPosixPath(pth) {
    return pth.replace(/[\\]/g, '/');
}
/**
 * toWin32Path converts the given path to the win32 form. On Linux, / will be
 * replaced with \\.
 *
 * @param pth. Path to transform.
 * @return string Win32 path.
 */
function toWin32Path(pth) {
    return pth.replace(/[/]/g, '\\');
}
/**
 * toPlatformPath converts the given path to a platform-specific path. It does
 * this by replacing instances of / and \ with the platform-specific path
 * separator.
 *
 * @param pth The path to platformize.
 * @return string The platform-specific path.
 */
function toPlatformPath(pth) {
    return pth.replace(/[/\\]/g, path.sep);
}
//# sourceMappingURL=path-utils.js.map
// EXTERNAL MODULE: ./node_modules/@actions/exec/lib/exec.js + 3 modules
var lib_exec = __nccwpck_require__(27187);
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/platform.js
var platform_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const getWindowsInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    const { stdout: version } = yield exec.getExecOutput('powershell -command "(Get-CimInstance -ClassName Win32_OperatingSystem).Version"', undefined, {
        silent: true
    });
    const { stdout: name } = yield exec.getExecOutput('powershell -command "(Get-CimInstance -ClassName Win32_OperatingSystem).Caption"', undefined, {
        silent: true
    });
    return {
        name: name.trim(),
        version: version.trim()
    };
});
const getMacOsInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    var _a, _b, _c, _d;
    const { stdout } = yield exec.getExecOutput('sw_vers', undefined, {
        silent: true
    });
    const version = (_b = (_a = stdout.match(/ProductVersion:\s*(.+)/)) === null || _a === void 0 ? void 0 : _a[1]) !== null && _b !== void 0 ? _b : '';
    const name = (_d = (_c = stdout.match(/ProductName:\s*(.+)/)) === null || _c === void 0 ? void 0 : _c[1]) !== null && _d !== void 0 ? _d : '';
    return {
        name,
        version
    };
});
const getLinuxInfo = () => platform_awaiter(void 0, void 0, void 0, function* () {
    const { stdout } = yield exec.getExecOutput('lsb_release', ['-i', '-r', '-s'], {
        silent: true
    });
    const [name, version] = stdout.trim().split('\n');
    return {
        name,
        version
    };
});
const platform = external_os_.platform();
const arch = external_os_.arch();
const isWindows = platform === 'win32';
const isMacOS = platform === 'darwin';
const isLinux = platform === 'linux';
function getDetails() {
    return platform_awaiter(this, void 0, void 0, function* () {
        return Object.assign(Object.assign({}, (yield (isWindows
            ? getWindowsInfo()
            : isMacOS
                ? getMacOsInfo()
                : getLinuxInfo()))), { platform,
            arch,
            isWindows,
            isMacOS,
            isLinux });
    });
}
//# sourceMappingURL=platform.js.map
;// CONCATENATED MODULE: ./build/node_modules/@actions/core/lib/core.js
var core_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};






/**
 * The code to exit an action
 */
var ExitCode;
(function (ExitCode) {
    /**
     * A code indicating that the action was successful
     */
    ExitCode[ExitCode["Success"] = 0] = "Success";
    /**
     * A code indicating that the action was a failure
     */
    ExitCode[ExitCode["Failure"] = 1] = "Failure";
})(ExitCode || (ExitCode = {}));
//-----------------------------------------------------------------------
// Variables
//-----------------------------------------------------------------------
/**
 * Sets env variable for this action and future actions in the job
 * @param name the name of the variable to set
 * @param val the value of the variable. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function exportVariable(name, val) {
    const convertedVal = toCommandValue(val);
    process.env[name] = convertedVal;
    const filePath = process.env['GITHUB_ENV'] || '';
    if (filePath) {
        return issueFileCommand('ENV', prepareKeyValueMessage(name, val));
    }
    issueCommand('set-env', { name }, convertedVal);
}
/**
 * Registers a secret which will get masked from logs
 *
 * @param secret - Value of the secret to be masked
 * @remarks
 * This function instructs the Actions runner to mask the specified value in any
 * logs produced during the workflow run. Once registered, the secret value will
 * be replaced with asterisks (***) whenever it appears in console output, logs,
 * or error messages.
 *
 * This is useful for protecting sensitive information such as:
 * - API keys
 * - Access tokens
 * - Authentication credentials
 * - URL parameters containing signatures (SAS tokens)
 *
 * Note that masking only affects future logs; any previous appearances of the
 * secret in logs before calling this function will remain unmasked.
 *
 * @example
 * ```typescript
 * // Register an API token as a secret
 * const apiToken = "abc123xyz456";
 * setSecret(apiToken);
 *
 * // Now any logs containing this value will show *** instead
 * console.log(`Using token: ${apiToken}`); // Outputs: "Using token: ***"
 * ```
 */
function setSecret(secret) {
    command_issueCommand('add-mask', {}, secret);
}
/**
 * Prepends inputPath to the PATH (for this action and future actions)
 * @param inputPath
 */
function addPath(inputPath) {
    const filePath = process.env['GITHUB_PATH'] || '';
    if (filePath) {
        issueFileCommand('PATH', inputPath);
    }
    else {
        issueCommand('add-path', {}, inputPath);
    }
    process.env['PATH'] = `${inputPath}${path.delimiter}${process.env['PATH']}`;
}
/**
 * Gets the value of an input.
 * Unless trimWhitespace is set to false in InputOptions, the value is also trimmed.
 * Returns an empty string if the value is not defined.
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   string
 */
function getInput(name, options) {
    const val = process.env[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] || '';
    if (options && options.required && !val) {
        throw new Error(`Input required and not supplied: ${name}`);
    }
    if (options && options.trimWhitespace === false) {
        return val;
    }
    return val.trim();
}
/**
 * Gets the values of an multiline input.  Each value is also trimmed.
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   string[]
 *
 */
function getMultilineInput(name, options) {
    const inputs = getInput(name, options)
        .split('\n')
        .filter(x => x !== '');
    if (options && options.trimWhitespace === false) {
        return inputs;
    }
    return inputs.map(input => input.trim());
}
/**
 * Gets the input value of the boolean type in the YAML 1.2 "core schema" specification.
 * Support boolean input list: `true | True | TRUE | false | False | FALSE` .
 * The return value is also in boolean type.
 * ref: https://yaml.org/spec/1.2/spec.html#id2804923
 *
 * @param     name     name of the input to get
 * @param     options  optional. See InputOptions.
 * @returns   boolean
 */
function getBooleanInput(name, options) {
    const trueValue = ['true', 'True', 'TRUE'];
    const falseValue = ['false', 'False', 'FALSE'];
    const val = getInput(name, options);
    if (trueValue.includes(val))
        return true;
    if (falseValue.includes(val))
        return false;
    throw new TypeError(`Input does not meet YAML 1.2 "Core Schema" specification: ${name}\n` +
        `Support boolean input list: \`true | True | TRUE | false | False | FALSE\``);
}
/**
 * Sets the value of an output.
 *
 * @param     name     name of the output to set
 * @param     value    value to store. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function setOutput(name, value) {
    const filePath = process.env['GITHUB_OUTPUT'] || '';
    if (filePath) {
        return file_command_issueFileCommand('OUTPUT', file_command_prepareKeyValueMessage(name, value));
    }
    process.stdout.write(external_os_.EOL);
    command_issueCommand('set-output', { name }, utils_toCommandValue(value));
}
/**
 * Enables or disables the echoing of commands into stdout for the rest of the step.
 * Echoing is disabled by default if ACTIONS_STEP_DEBUG is not set.
 *
 */
function setCommandEcho(enabled) {
    issue('echo', enabled ? 'on' : 'off');
}
//-----------------------------------------------------------------------
// Results
//-----------------------------------------------------------------------
/**
 * Sets the action status to failed.
 * When the action exits it will be with an exit code of 1
 * @param message add error issue message
 */
function setFailed(message) {
    process.exitCode = ExitCode.Failure;
    error(message);
}
//-----------------------------------------------------------------------
// Logging Commands
//-----------------------------------------------------------------------
/**
 * Gets whether Actions Step Debug is on or not
 */
function isDebug() {
    return process.env['RUNNER_DEBUG'] === '1';
}
/**
 * Writes debug message to user log
 * @param message debug message
 */
function debug(message) {
    issueCommand('debug', {}, message);
}
/**
 * Adds an error issue
 * @param message error issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function error(message, properties = {}) {
    command_issueCommand('error', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Adds a warning issue
 * @param message warning issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function warning(message, properties = {}) {
    command_issueCommand('warning', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Adds a notice issue
 * @param message notice issue message. Errors will be converted to string via toString()
 * @param properties optional properties to add to the annotation.
 */
function notice(message, properties = {}) {
    command_issueCommand('notice', toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
/**
 * Writes info to log with console.log.
 * @param message info message
 */
function info(message) {
    process.stdout.write(message + external_os_.EOL);
}
/**
 * Begin an output group.
 *
 * Output until the next `groupEnd` will be foldable in this group
 *
 * @param name The name of the output group
 */
function startGroup(name) {
    command_issue('group', name);
}
/**
 * End an output group.
 */
function endGroup() {
    command_issue('endgroup');
}
/**
 * Wrap an asynchronous function call in a group.
 *
 * Returns the same type as the function itself.
 *
 * @param name The name of the group
 * @param fn The function to wrap in the group
 */
function group(name, fn) {
    return core_awaiter(this, void 0, void 0, function* () {
        startGroup(name);
        let result;
        try {
            result = yield fn();
        }
        finally {
            endGroup();
        }
        return result;
    });
}
//-----------------------------------------------------------------------
// Wrapper action state
//-----------------------------------------------------------------------
/**
 * Saves state for current action, the state can only be retrieved by this action's post job execution.
 *
 * @param     name     name of the state to store
 * @param     value    value to store. Non-string values will be converted to a string via JSON.stringify
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function saveState(name, value) {
    const filePath = process.env['GITHUB_STATE'] || '';
    if (filePath) {
        return file_command_issueFileCommand('STATE', file_command_prepareKeyValueMessage(name, value));
    }
    command_issueCommand('save-state', { name }, utils_toCommandValue(value));
}
/**
 * Gets the value of an state set by this action's main execution.
 *
 * @param     name     name of the state to get
 * @returns   string
 */
function getState(name) {
    return process.env[`STATE_${name}`] || '';
}
function getIDToken(aud) {
    return core_awaiter(this, void 0, void 0, function* () {
        return yield OidcClient.getIDToken(aud);
    });
}
/**
 * Summary exports
 */

/**
 * @deprecated use core.summary
 */

/**
 * Path exports
 */

/**
 * Platform utilities exports
 */

//# sourceMappingURL=core.js.map

/***/ }),

/***/ 49790:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   C: () => (/* binding */ partsOf)
/* harmony export */ });
/* unused harmony export commandsIn */
/** What the commands begin with that our hints name. Without `find` and `age`, which are words of English as well. */
const programs = 'apt-get|bash|cat|cd|chage|chgrp|chmod|chown|chsh|curl|df|dmesg|docker|echo|flock|fsfreeze|fuser|grep|install|journalctl|ls|mkdir|ps|rm|sed|setfacl|ssh|ssh-keygen|ssh-keyscan|sshd|systemctl|tail|timedatectl|usermod';
/** In front of a command: what announces one, or the beginning, if an option or a path follows. */
const start = new RegExp(`(?:^(?=(?:${programs}) [-/'])|(?:[:;] |(?:, )?then |(?<!\\bnot )\\b[Rr]un )(?=(?:${programs})(?: [^ ,.;]|[.,;]|$)))`, 'g');
/** Where a command ends: at a sentence's end, in front of the next command, or where words go on. */
const end = /\. (?=[A-Z(])|\.?$|; (?=[a-z-]+(?: |$))|, (?=(?:then|or|and|must|in) )| (?=must print |on the host)|, (?=[a-z]+ )| \(/;
/**
 * Takes a hint apart. Hints are prose, in which a command stands after a colon, a semicolon or "then": `As root: chmod 700 /x`.
 * What is not surely a command stays text.
 */
function partsOf(advice) {
    const parts = [];
    let rest = advice;
    for (;;) {
        start.lastIndex = 0;
        const match = firstCommand(rest);
        if (match === null)
            break;
        const [from, to] = match;
        if (from > 0)
            parts.push({ text: rest.slice(0, from) });
        parts.push({ command: rest.slice(from, to) });
        rest = rest.slice(to);
    }
    return rest === '' ? parts : [...parts, { text: rest }];
}
function firstCommand(text) {
    for (const match of text.matchAll(start)) {
        const from = match.index + match[0].length;
        const length = commandLength(text.slice(from));
        if (length > 0)
            return [from, from + length];
    }
    return null;
}
/** Up to the first end that is not within quotes. */
function commandLength(text) {
    let offset = 0;
    for (;;) {
        const found = end.exec(text.slice(offset));
        if (found === null)
            return text.length;
        const at = offset + found.index;
        if (isBalanced(text.slice(0, at)))
            return at;
        offset = at + Math.max(1, found[0].length);
        if (offset >= text.length)
            return text.length;
    }
}
function isBalanced(text) {
    const isOdd = (quote) => (text.split(quote).length - 1) % 2 === 1;
    return !isOdd("'") && !isOdd('"');
}
/** The commands alone, in their order. */
function commandsIn(advice) {
    return partsOf(advice).flatMap((part) => ('command' in part ? [part.command] : []));
}


/***/ }),

/***/ 96815:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   X: () => (/* binding */ findDatabase),
/* harmony export */   k: () => (/* binding */ askedDatabase)
/* harmony export */ });
/* harmony import */ var _by_text_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(14295);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _postgres_probe_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(50141);
/* harmony import */ var _host_checks_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(79052);




/**
 * The container of the database, if the survey found exactly one that runs.
 * @throws Failure `no-project`, `several-projects`, `no-database`, `several-databases`, `database-not-running`
 */
function findDatabase(survey, needs) {
    (0,_host_checks_js__WEBPACK_IMPORTED_MODULE_2__/* .checkProject */ .sh)(survey, needs);
    const services = [...new Set(survey.containers.map(({ service }) => service))].toSorted(_by_text_js__WEBPACK_IMPORTED_MODULE_3__/* .byText */ .z).join(', ');
    const [candidate, ...others] = survey.candidates;
    if (candidate === undefined) {
        throw needs.databaseService === null
            ? new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-database', `No service of the project runs a PostgreSQL image; it has ${services}`, {
                hint: 'Set "db-service" to the service of the database',
            })
            : new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-database', `The project has no service "${needs.databaseService}"; it has ${services}`, {
                hint: 'Correct the input "db-service", or start the service',
            });
    }
    if (others.length > 0) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('several-databases', `Several containers could be the database: ${survey.candidates.map(({ service }) => service).join(', ')}`, { hint: 'Set "db-service" to one service that has one container' });
    }
    if (candidate.state !== 'running') {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('database-not-running', `The database's container (service ${candidate.service}) is not running: ${candidate.state}`, {
            hint: candidate.state === 'paused'
                ? `On the host: docker unpause ${candidate.container.slice(0, 12)}`
                : `On the host: docker start ${candidate.container.slice(0, 12)}, then docker logs --tail 50 ${candidate.container.slice(0, 12)}`,
        });
    }
    const name = survey.containers.find(({ id }) => id === candidate.container)?.name ?? candidate.container;
    return { id: candidate.container, name: name.replace(/^\//, ''), service: candidate.service };
}
/**
 * What the database said of itself when it was asked.
 * @throws Failure `database-silent`, `database-refuses`
 */
function askedDatabase({ probe }) {
    if (probe === null || 'error' in probe) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('database-silent', 'No command could be run in the database container', {
            hint: 'On the host: docker ps, then docker logs NAME, with the name of that container',
            cause: probe?.error,
        });
    }
    return (0,_postgres_probe_js__WEBPACK_IMPORTED_MODULE_1__/* .readProbe */ .f)(probe.output);
}


/***/ }),

/***/ 79052:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Ii: () => (/* binding */ judgeHost),
/* harmony export */   RC: () => (/* binding */ checkHost),
/* harmony export */   g7: () => (/* binding */ collector),
/* harmony export */   jg: () => (/* binding */ throwAny),
/* harmony export */   sh: () => (/* binding */ checkProject)
/* harmony export */ });
/* unused harmony exports checkTools, checkDocker, checkClock, checkFolders, checkNamedFiles */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _host_backup_folder_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(53542);
/* harmony import */ var _host_lock_holder_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(39135);
/* harmony import */ var _sets_layout_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(81256);
/* harmony import */ var _shell_quote_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(61011);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(98295);






/** Milliseconds. Ids are times: with a larger skew, a backup would count for the wrong day. */
const greatestSkew = 5 * 60_000;
/** Their sets are hard links into daily. */
const linkedTiers = ['daily', 'weekly', 'monthly', 'predeployment'];
const neededTools = ['flock', 'stat', 'df', 'date', 'tee', 'sync', 'sha256sum', 'md5sum', 'gzip'];
/**
 * Judges what every action needs: tools, clock, folders, lock, Docker, exactly one compose project.
 * @throws Failure like judgeBackupHost
 */
function judgeHost(survey, needs) {
    const { failures, collect } = collector();
    if (checkHost(survey, needs, collect))
        collect(() => checkProject(survey, needs));
    throwAny(failures);
}
/** Runs every check and collects the failures, to report them together. */
function collector() {
    const failures = [];
    return {
        failures,
        collect(check) {
            try {
                return check();
            }
            catch (error) {
                if (!(0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error))
                    throw error;
                failures.push(error);
                return undefined;
            }
        },
    };
}
/** @throws Failure the only one; or one that lists them all */
function throwAny(failures) {
    const [first, ...others] = failures;
    if (first && others.length > 0)
        throw several(failures);
    if (first)
        throw first;
}
function several(failures) {
    const hints = failures.map(({ hint, message }) => `${message}: ${hint ?? ''}`);
    return new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('host-not-ready', failures.map(({ message }) => message).join('; '), {
        hint: hints.join('\n'),
        cause: failures.map(({ cause }) => cause).find((cause) => cause !== undefined),
    });
}
/** Checks all of that but the project. @returns true if Docker answers, so that what runs there can be checked */
function checkHost(survey, needs, collect) {
    collect(() => checkTools(survey));
    collect(() => checkClock(survey));
    collect(() => checkFolders(survey, needs));
    collect(() => checkNamedFiles(survey, needs));
    collect(() => checkLock(survey, needs));
    return collect(() => checkDocker(survey));
}
/** @throws Failure `tools-missing`, `bash-too-old` */
function checkTools(survey) {
    const missing = neededTools.filter((tool) => !survey.tools.has(tool));
    if (missing.length > 0) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('tools-missing', `The host has no ${missing.join(', no ')}`, {
            hint: 'On the host, as root: apt-get install coreutils util-linux gzip',
        });
    }
    if (Number.parseFloat(survey.bash) < 4.4) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bash-too-old', `The host's bash is ${survey.bash}; 4.4 or newer is needed`, {
            hint: 'On the host, as root: apt-get install bash',
        });
    }
}
/** @throws Failure `no-docker`, `docker-refuses` */
function checkDocker(survey) {
    if (!survey.tools.has('docker')) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-docker', 'docker was not found on the host', {
            hint: `Install Docker, or find out why docker is not on ${survey.user}'s PATH: command -v docker`,
        });
    }
    if ('error' in survey.docker) {
        const isClosed = /permission denied/i.test(survey.docker.error);
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('docker-refuses', `Docker does not answer ${survey.user} on the host`, {
            hint: isClosed
                ? `On the host, as root: usermod -aG docker ${survey.user}`
                : 'On the host, as root: systemctl status docker',
            cause: survey.docker.error,
        });
    }
    return true;
}
/** @throws Failure `clock-skew` */
function checkClock({ clockAhead }) {
    if (Math.abs(clockAhead) <= greatestSkew)
        return;
    const by = (0,_units_js__WEBPACK_IMPORTED_MODULE_5__/* .formatDuration */ .a3)(Math.abs(clockAhead));
    throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('clock-skew', `The host's clock is ${by} ${clockAhead > 0 ? 'ahead of' : 'behind'} the runner's`, {
        hint: 'On the host, as root: timedatectl set-ntp true',
    });
}
/**
 * Whether the folders are there, and private to the user who takes the backups.
 * @throws Failure `no-deploy-dir`, `folder-unwritable`, `folder-open`, `folder-unusable`, `folder-owner`, `folder-elsewhere`
 */
function checkFolders(survey, { deployDir, backupDir }) {
    if (survey.deployDir === null) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-deploy-dir', `The folder ${deployDir} does not exist on the host`, {
            hint: `Check the input "deploy-dir". If it is right, a folder above it is closed. On the host, as ${survey.user}: ls -ld ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(deployDir)}`,
        });
    }
    // It is there, but this user may not enter it.
    if (survey.deployDir === '') {
        const folder = (0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(deployDir);
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-unwritable', `${survey.user} may not enter ${deployDir}`, {
            hint: `On the host, as root: chgrp "$(id -g ${survey.user})" ${folder} && chmod g+rx ${folder}`,
        });
    }
    if (survey.unwritable !== null) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-unwritable', `${survey.user} cannot write to ${survey.unwritable}`, {
            hint: `As root: install -d -m 0700 -o ${survey.user} ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(backupDir)}`,
        });
    }
    checkPlaces(survey, backupDir);
    const device = survey.folders.find(({ path }) => path === backupDir)?.device;
    for (const folder of survey.folders)
        checkFolder(folder, survey.user, backupDir, device);
}
/** @param device the number of the file system of the backup folder, if that exists */
function checkFolder(folder, user, backupDir, device) {
    if (folder.type !== 'directory') {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-unusable', `${folder.path} is a ${folder.type}, not a folder`, {
            hint: 'Move it away, or choose another "backup-dir"',
        });
    }
    if (!folder.writable || folder.owner !== user) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-owner', `${folder.path} belongs to ${folder.owner}, not to ${user}, who takes the backups`, { hint: `As root: chown -R ${user}: ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(backupDir)}` });
    }
    if (/[1-7]\d$|[1-7]$/.test(folder.mode.slice(-2))) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-open', `${folder.path} has mode ${folder.mode}: others on the host can reach the backups`, { hint: `As ${user} or root: chmod 700 ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(folder.path)}` });
    }
    if (folder.device !== device && linkedTiers.some((tier) => folder.path === `${backupDir}/${(0,_sets_layout_js__WEBPACK_IMPORTED_MODULE_3__/* .folderOfTier */ .aI)(tier)}`)) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-elsewhere', `${folder.path} is on a different file system than ${backupDir}, so sets cannot be hard-linked into it`, { hint: 'Mount that file system at the backup folder itself, or set "backup-dir" to a folder on it' });
    }
}
/** @throws InputError if an input names a file that the user does not find; a missing deploy folder is a failure of its own */
function checkNamedFiles({ absent, deployDir, user }, needs) {
    if (deployDir === null)
        return;
    const composeFile = needs.composeFiles.find((file) => absent.has(file));
    if (composeFile !== undefined)
        throw notFound('compose-file', composeFile, user, needs.deployDir);
    if (needs.envFile !== null && absent.has(needs.envFile))
        throw notFound('env-file', needs.envFile, user, needs.deployDir);
}
function notFound(input, file, user, folder) {
    return new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .InputError */ .dz(input, `names ${file}, and ${user} finds no such file on the host, in ${folder}`, `Correct it: the path is relative to "deploy-dir". On the host, as ${user}: cd ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(folder)} && ls -l ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(file)}`);
}
/** Files that others may have put there while they could reach the folder, or that others can replace. */
function checkPlaces({ openParent, places }, backupDir) {
    if (openParent !== null) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-open', `Any user on the host can replace files in ${openParent}, and with them the backup folder`, { hint: `As its owner or root: chmod o-w ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(openParent)}` });
    }
    for (const { path, type } of places) {
        const isFolder = path === (0,_host_backup_folder_js__WEBPACK_IMPORTED_MODULE_1__/* .transactionsFolder */ .on)(backupDir);
        if (isFolder ? type === 'directory' : type.startsWith('regular'))
            continue;
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('folder-unusable', `${path} is a ${type}, not a ${isFolder ? 'folder' : 'file'}`, {
            hint: `Find out where it comes from, then move it away: ls -l ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_4__/* .quoteForShell */ .e)(path)}`,
        });
    }
}
/** @throws Failure `lock-held`, unless this run may wait for the lock */
function checkLock({ lockHolder }, { lockWait, backupDir }) {
    if (lockHolder === null || lockWait > 0)
        return;
    throw (0,_host_lock_holder_js__WEBPACK_IMPORTED_MODULE_2__/* .lockHeld */ .bh)(lockHolder, backupDir, 0);
}
/** @throws Failure `no-project`, `several-projects` */
function checkProject(survey, needs) {
    if (survey.containers.length === 0) {
        const wanted = needs.projectName === null ? `started from ${needs.deployDir}` : `called ${needs.projectName}`;
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-project', `No container belongs to a compose project ${wanted}`, {
            hint: `Start the application, or correct "deploy-dir" or "project-name". The host has: ${survey.otherProjects.join('; ') || 'no compose project'}`,
        });
    }
    const projects = [...new Set(survey.containers.map(({ project }) => project))];
    if (projects.length > 1) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('several-projects', `Several compose projects run from ${needs.deployDir}: ${projects.join(', ')}`, {
            hint: 'Set "project-name" to one of them',
        });
    }
}


/***/ }),

/***/ 14295:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   z: () => (/* binding */ byText)
/* harmony export */ });
/** Compares texts by code units, so that the order is the same on every machine. */
function byText(a, b) {
    if (a === b)
        return 0;
    return a < b ? -1 : 1;
}


/***/ }),

/***/ 71569:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   d: () => (/* binding */ canonicalJson)
/* harmony export */ });
/* harmony import */ var _by_text_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(14295);

/** JSON with sorted keys, so that equal values have equal texts. */
function canonicalJson(value) {
    return JSON.stringify(value, (_, part) => typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (0,_by_text_js__WEBPACK_IMPORTED_MODULE_0__/* .byText */ .z)(a, b)))
        : part);
}


/***/ }),

/***/ 3581:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   D9: () => (/* binding */ markdownCode),
/* harmony export */   N9: () => (/* binding */ longestLine),
/* harmony export */   Ow: () => (/* binding */ cleanLine),
/* harmony export */   d6: () => (/* binding */ codeFence),
/* harmony export */   nw: () => (/* binding */ cleanMarkdown),
/* harmony export */   r4: () => (/* binding */ lineBreaks),
/* harmony export */   v3: () => (/* binding */ cleanLines)
/* harmony export */ });
// Whatever the host prints is hostile until cleaned. The runner looks for workflow commands in everything that a step
// writes: a line that begins with `::` after white space, or that has `##[` anywhere.
/** The longest line of a log, in UTF-16 units. */
const longestLine = 2_000;
// Terminal control: CSI, then the strings OSC, DCS, SOS, PM and APC, then short escapes. A match never goes past the end
// of a line, so an unfinished sequence cannot hide the lines after it.
const terminalSequences = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n\r]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]/g;
/** Whatever begins a new line on a terminal, or in the log of a step. */
const lineBreaks = /\r\n|[\n\r\v\f\x85\u2028\u2029]/;
// C0 and C1 except the tab, and everything invisible: bidi overrides, zero-width characters, soft hyphens, tags. The
// runner's string comparison ignores such characters, so remove them before looking for `::`.
const unseen = /(?!\t)\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}/gu;
/**
 * Foreign text as lines that are safe in the log of a step, whatever white space or word of ours comes before them.
 * Ordinary text is unchanged. A trailing line break does not add an empty line.
 */
function cleanLines(text) {
    const lines = text.toWellFormed().replace(terminalSequences, '').split(lineBreaks);
    if (lines.at(-1) === '')
        lines.pop();
    return lines.map((line) => shorten(breakCommands(line.replace(unseen, '')), longestLine));
}
/** Foreign text as one safe line of at most `limit` UTF-16 units. */
function cleanLine(text, limit = longestLine) {
    const line = cleanLines(text)
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .join(' ');
    return shorten(line, limit);
}
/** Foreign text as Markdown that only shows it: no markup, image, HTML or link takes effect. Fits into a table cell. */
function cleanMarkdown(text) {
    return cleanLine(text)
        .replace(/[\\`*[\]|~#!$]/g, '\\$&')
        .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
        .replace(/&/g, '&amp;')
        .replace(/</g, '&lt;')
        .replace(/>/g, '&gt;')
        .replace(/:(?=\/\/)/g, '&#58;')
        .replace(/(www)\./gi, '$1&#46;');
}
/** Foreign text as inline code. Fits into a table cell, where a pipe must be escaped even in code. */
function markdownCode(text) {
    const line = cleanLine(text).replace(/\|/g, '\\|');
    const fence = '`'.repeat(longestRun(line, '`') + 1);
    // Markdown strips the spaces; they keep a backtick at the edge of the text away from the fence.
    return line === '' ? '' : `${fence} ${line} ${fence}`;
}
/** A fence for a code block around `text`, longer than any in the text, so that the text cannot close it. */
function codeFence(text) {
    return '`'.repeat(Math.max(3, longestRun(text, '`') + 1));
}
function breakCommands(line) {
    return line.replace(/^\s*(?=::)/, '$&\\').replaceAll('##[', '##\\[');
}
function shorten(line, limit) {
    // The cut may leave the first half of a surrogate pair behind.
    return line.length <= limit ? line : `${line.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
function longestRun(text, character) {
    let longest = 0;
    let run = 0;
    for (const each of text) {
        run = each === character ? run + 1 : 0;
        longest = Math.max(longest, run);
    }
    return longest;
}


/***/ }),

/***/ 26933:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   s: () => (/* binding */ isFailureCode)
/* harmony export */ });
/* unused harmony export failureCodes */
/** The codes of all failures. docs/troubleshooting.md has an entry for each. */
const failureCodes = [
    'after-sql-failed',
    'bad-compose-config',
    'bad-image-reference',
    'bad-input',
    'bad-manifest',
    'bad-value',
    'bash-too-old',
    'bucket-unusable',
    'cancelled',
    'cannot-restore',
    'cannot-swap',
    'checksum-failed',
    'ciphertext-damaged',
    'clock-skew',
    'compose-too-old',
    'compressor-failed',
    'connection-closed',
    'connection-lost',
    'connection-refused',
    'connection-timed-out',
    'container-lost',
    'copy-differs',
    'copy-not-ours',
    'could-not-verify',
    'crashed',
    'database-busy',
    'database-not-running',
    'database-refuses',
    'database-service',
    'database-silent',
    'deadline',
    'decrypt-key-wrong',
    'decrypt-key-missing',
    'defect',
    'disk-full',
    'docker-failed',
    'docker-refuses',
    'docker-restarted',
    'drill-incomplete',
    'drill-no-room',
    'drill-not-started',
    'drill-room-gone',
    'drill-unfit',
    'dump-failed',
    'dump-interrupted',
    'dump-lost',
    'encryption-failed',
    'engine-died',
    'facts-unreadable',
    'folder-elsewhere',
    'folder-id-damaged',
    'folder-open',
    'folder-owner',
    'folder-unusable',
    'folder-unwritable',
    'gate-refused',
    'health-url',
    'history-unwritable',
    'host-key-changed',
    'host-key-unknown',
    'host-not-ready',
    'host-shell',
    'host-silent',
    'host-unknown',
    'host-unreachable',
    'image-missing',
    'incomplete',
    'job-failed',
    'jump-loop',
    'key-not-enough',
    'key-refused',
    'key-unreadable',
    'lock-held',
    'lock-lost',
    'lock-unusable',
    'login-failed',
    'mail-unusable',
    'manifest-unreadable',
    'max-downtime',
    'no-age',
    'no-answer',
    'no-backup',
    'no-bash',
    'no-common-algorithm',
    'no-compose',
    'no-compressor',
    'no-database',
    'no-deploy-dir',
    'no-docker',
    'no-inodes',
    'no-pg-dump',
    'no-private-folder',
    'no-project',
    'no-snapshot',
    'no-space',
    'no-ssh-client',
    'no-target',
    'no-transaction',
    'not-created',
    'not-exchanged',
    'not-kept',
    'not-our-folder',
    'not-started',
    'not-verified',
    'on-hold',
    'other-files',
    'outcome-unknown',
    'passphrase-missing',
    'passphrase-wrong',
    'ping-unreachable',
    'plain-refused',
    'plan-changed',
    'plan-stale',
    'port-taken',
    'program-failed',
    'program-lost',
    'proof-unwritable',
    'publication-unknown',
    'pull-failed',
    'record-unknown',
    'registry-busy',
    'registry-refused',
    'registry-unreachable',
    'restore-differs',
    'restore-failed',
    'restore-no-room',
    'result-too-large',
    'rollback-under-way',
    'runner-unheard',
    'schema-changed',
    'set-gone',
    'sets-changed',
    'several-databases',
    'several-projects',
    'still-starting',
    'stop-failed',
    'stuck',
    'survey-incomplete',
    'table-locked',
    'target-bad',
    'tool-missing',
    'tool-timed-out',
    'tools-missing',
    'transfer-cut',
    'transfer-unread',
    'unfinished',
    'unhealthy',
    'unknown-service',
    'unquotable',
    'untrusted-event',
    'verification-failed',
    'webhook-unreachable',
    'write-failed',
    'wrong-image',
];
/** Whether a name from elsewhere, such as from a program on the host, is one of these codes. */
function isFailureCode(name) {
    return failureCodes.includes(name);
}


/***/ }),

/***/ 926:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   HR: () => (/* binding */ Failure),
/* harmony export */   N6: () => (/* binding */ isFailure),
/* harmony export */   dz: () => (/* binding */ InputError)
/* harmony export */ });
/**
 * A failure that we understand: `code` names it for programs and tests (kebab-case), `message` says what happened,
 * `hint` says what to do about it. Anything else that is thrown is a bug of ours and is reported as one.
 */
class Failure extends Error {
    code;
    hint;
    constructor(code, message, details = {}) {
        super(message, details.cause === undefined ? undefined : { cause: details.cause });
        this.name = 'Failure';
        this.code = code;
        this.hint = details.hint;
    }
}
/** True for a Failure; with codes, for a Failure with one of them. */
function isFailure(error, ...codes) {
    return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}
/** An invalid input. Thrown before anything is touched; never contains the value of a secret. */
class InputError extends Failure {
    field;
    reason;
    constructor(field, reason, hint) {
        super('bad-input', `Input "${field}" ${reason}`, { hint });
        this.name = 'InputError';
        this.field = field;
        this.reason = reason;
    }
}


/***/ }),

/***/ 53542:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Ke: () => (/* binding */ lockFile),
/* harmony export */   W9: () => (/* binding */ commandToFollow),
/* harmony export */   Ym: () => (/* binding */ holdFile),
/* harmony export */   ZZ: () => (/* binding */ transactionFolder),
/* harmony export */   kt: () => (/* binding */ createdLock),
/* harmony export */   on: () => (/* binding */ transactionsFolder),
/* harmony export */   yo: () => (/* binding */ commandToEnd)
/* harmony export */ });
/* unused harmony exports offsiteLock, folderIdDamaged */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _shell_quote_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(61011);


// Paths in the backup folder on the host, and commands for them.
/** The lock. `.lock.holder`, beside it, says who holds it. */
const lockFile = (backupDir) => `${backupDir}/.lock`;
/**
 * Copies off the host have a lock of their own: they may take hours, and no backup should wait for them. While it is held, nobody
 * else uploads, so an upload that nobody has finished is one that an earlier run left behind.
 */
const offsiteLock = (backupDir) => `${backupDir}/.lock.offsite`;
/** By which copies off the host are told from those of other backup folders; made before the first copy. */
const folderIdFile = (backupDir) => `${backupDir}/.folder-id`;
/** Without a new id, and without the old one, nobody can tell which copies are this folder's. */
function folderIdDamaged(backupDir) {
    const file = folderIdFile(backupDir);
    return new Failure('folder-id-damaged', `${file} does not hold the id of a backup folder, which is 32 digits of 0-9 and a-f in a line`, {
        hint: `No copy was made or deleted. If you know the id that its copies in the bucket have, write it into that file. Otherwise remove the file: the next run makes a new id, and leaves earlier copies alone. On the host: rm ${quoteForShell(file)}`,
    });
}
/**
 * Held by a restore of a database that was dropped, from before it creates an empty one until that is replaced or dropped again.
 * Until its copy is there, nothing else tells other restores that the empty one is in use.
 */
const createdLock = (backupDir) => `${backupDir}/.lock.created`;
const holdFile = (backupDir) => `${backupDir}/rollback/HOLD`;
/** The folders of all transactions, by their ids. */
const transactionsFolder = (backupDir) => `${backupDir}/rollback/transactions`;
const transactionFolder = (backupDir, id) => `${transactionsFolder(backupDir)}/${id}`;
/** The command to type on the host to finish a transaction without an action. */
const commandToEnd = (backupDir, id) => `bash ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e)(`${transactionFolder(backupDir, id)}/engine.sh`)}`;
/** The command to type on the host to see how a transaction ended. */
const commandToFollow = (backupDir, id) => `tail ${(0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e)(`${transactionFolder(backupDir, id)}/journal`)}`;


/***/ }),

/***/ 39135:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   bh: () => (/* binding */ lockHeld),
/* harmony export */   ii: () => (/* binding */ holderText)
/* harmony export */ });
/* unused harmony export readHolder */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(77598);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(926);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(98295);



// The holder of the lock on a backup folder, as one line of text: written to `.lock.holder`, shown in logs, read back here.
/**
 * The text for a run that takes the lock. It is unique, so that no other run takes our lock for its own.
 * @param action as people know it: `backup-action`
 */
function holderText(action, runUrl, since) {
    return `${action} ${runUrl ?? 'without a workflow'} since ${since.toISOString()} (${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(4).toString('hex')})`;
}
function readHolder(text) {
    const [, action, since] = /^(\w+-action) .* since (\d{4}-\d\d-\d\dT[\d:.]+Z)\b/.exec(text) ?? [];
    return { action: action ?? null, since: since === undefined ? null : new Date(since) };
}
/** The failure when another process holds the lock. */
function lockHeld(holder, backupDir, waited) {
    return new _failure_js__WEBPACK_IMPORTED_MODULE_1__/* .Failure */ .HR('lock-held', `The lock on ${backupDir} is held by ${holder}`, {
        hint: `${waited === 0 ? '"lock-wait" is 0, so this run did not wait' : `Gave up after waiting ${(0,_units_js__WEBPACK_IMPORTED_MODULE_2__/* .formatDuration */ .a3)(waited)}`}. Check what that run is doing; if it is only slow, raise "lock-wait"`,
    });
}


/***/ }),

/***/ 64109:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   kg: () => (/* binding */ runWithInput),
/* harmony export */   zt: () => (/* binding */ incomingFolder)
/* harmony export */ });
/* unused harmony export program */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(77598);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(926);
/* harmony import */ var _run_program_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(39614);



const program = {
    name: 'pour',
    step: 'sending to the host',
    scripts: [new URL(/* asset import */ __nccwpck_require__(15094), __nccwpck_require__.b)],
};
/** Bytes of a frame. The host starts a process for each, and holds one in memory; so do we. */
const frameBytes = 1024 * 1024;
/** A new value for the parameter `incoming` of a program. */
const incomingFolder = () => `/tmp/atlasia-incoming-${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(16).toString('hex')}`;
/**
 * Runs a program to which bytes are sent, in a second session: while it does not read, they must not hold up its heartbeats. If
 * they fail, the program is ended and `result` rejects with that error; if the program fails, they are destroyed.
 */
function runWithInput(access, receiver, parameters, options, input) {
    const stopping = new AbortController();
    const over = new AbortController();
    let cause;
    let pouring;
    const fail = (error) => {
        // The program that reads says itself why it has stopped.
        if (over.signal.aborted || (0,_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .isFailure */ .N6)(error, 'transfer-unread'))
            return;
        cause ??= error;
        stopping.abort();
    };
    const run = (0,_run_program_js__WEBPACK_IMPORTED_MODULE_2__/* .runProgram */ .mB)(access, receiver, parameters, {
        ...options,
        signal: AbortSignal.any([stopping.signal, ...(options.signal === undefined ? [] : [options.signal])]),
        onProgress: (name, value) => {
            if (name === 'incoming')
                pouring ??= pour(access, input, { ...options, signal: over.signal }, fail).catch(fail);
            else
                options.onProgress?.(name, value);
        },
    });
    const result = run.result
        .finally(async () => {
        over.abort();
        await pouring;
    })
        .catch((error) => {
        throw cause ?? error;
    });
    return { ...run, result };
}
/** @param onTrouble hears at once what is wrong with the bytes */
async function pour(access, { folder, open }, { deadline, onLog, signal }, onTrouble) {
    const content = await open();
    let isWanted = !signal.aborted;
    const stop = () => {
        isWanted = false;
        content.destroy();
    };
    signal.addEventListener('abort', stop, { once: true });
    const begin = (stdin) => {
        sendFrames(content, stdin).catch((error) => {
            if (isWanted)
                onTrouble(error);
            // Without its end, so that the host knows.
            stdin.end();
        });
    };
    try {
        const options = { deadline, atEnd: 'end', signal, ...(onLog === undefined ? {} : { onLog }) };
        await (0,_run_program_js__WEBPACK_IMPORTED_MODULE_2__/* .runProgram */ .mB)(access, program, { folder }, options, { heartbeat: '0\n', begin }).result;
    }
    finally {
        signal.removeEventListener('abort', stop);
        stop();
    }
}
/** Sends all of it, and the end; stops without a word if the host no longer listens. @throws whatever the content fails with */
async function sendFrames(content, stdin) {
    let pieces = [];
    let length = 0;
    const send = async () => {
        const frame = Buffer.concat([Buffer.from(`${length}\n`), ...pieces]);
        pieces = [];
        length = 0;
        if (!stdin.write(frame))
            await drained(stdin);
    };
    for await (const chunk of content) {
        for (let piece = chunk; piece.length > 0;) {
            const part = piece.subarray(0, frameBytes - length);
            piece = piece.subarray(part.length);
            pieces.push(part);
            length += part.length;
            if (length === frameBytes)
                await send();
            if (stdin.destroyed)
                return;
        }
    }
    if (length > 0)
        await send();
    stdin.write('end\n');
}
function drained(stdin) {
    if (stdin.destroyed)
        return Promise.resolve();
    return new Promise((resolve) => {
        const done = () => {
            stdin.off('drain', done);
            stdin.off('close', done);
            resolve();
        };
        stdin.on('drain', done);
        stdin.on('close', done);
    });
}


/***/ }),

/***/ 39614:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Cr: () => (/* binding */ patienceAtCancelledClose),
  N2: () => (/* binding */ patienceAtClose),
  mB: () => (/* binding */ runProgram),
  B3: () => (/* binding */ usualGrace)
});

// UNUSED EXPORTS: longestUnheard, scriptOf

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(77598);
// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(73024);
// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __nccwpck_require__(58500);
;// CONCATENATED MODULE: ./build/shared/host/records.js
/** The result of a program: keys and values in the order in which they were recorded. A key may occur several times. */
class Records {
    entries;
    #values = new Map();
    constructor(entries) {
        this.entries = entries;
        for (const [key, value] of entries) {
            const values = this.#values.get(key);
            if (values === undefined)
                this.#values.set(key, [value]);
            else
                values.push(value);
        }
    }
    /** @param bytes key NUL value NUL, any number of times; text that is not UTF-8 is read with replacement characters */
    static parse(bytes) {
        const entries = [];
        for (let at = 0;;) {
            const keyEnd = bytes.indexOf(0, at);
            const end = keyEnd < 0 ? -1 : bytes.indexOf(0, keyEnd + 1);
            if (end < 0)
                return new Records(entries);
            entries.push([bytes.toString('utf8', at, keyEnd), bytes.toString('utf8', keyEnd + 1, end)]);
            at = end + 1;
        }
    }
    /** The first value, or undefined if there is none. */
    find(key) {
        return this.#values.get(key)?.[0];
    }
    /** The first value. @throws Error if the program did not record it: a bug of ours */
    get(key) {
        const value = this.find(key);
        if (value === undefined)
            throw new Error(`The host did not report "${key}"`);
        return value;
    }
    /** @throws Error if the value is not a whole number */
    integer(key) {
        const value = this.get(key);
        if (!/^-?\d+$/.test(value))
            throw new Error(`The host reported "${value}" as "${key}", which is not a whole number`);
        return Number(value);
    }
    /** All values, in the order in which they were recorded. */
    all(key) {
        return [...(this.#values.get(key) ?? [])];
    }
    /** The lines of the first value, without empty ones. */
    lines(key) {
        return (this.find(key) ?? '').split('\n').filter((line) => line !== '');
    }
}

;// CONCATENATED MODULE: ./build/shared/host/answer.js

/** Limit for a whole answer, in bytes. */
const largestAnswer = 64 * 1024 * 1024;
/** A database of 30,000 tables needs as many records; 1,000 sets of 8 files in 4 folders need 36,000. */
const mostRecords = 200_000;
/** A line in front of the bytes of a file: how many there are, and its bare name. */
const fileHeader = /^(\d{1,15}) ([A-Za-z0-9_.-]{1,200})$/;
const longestHeader = 220;
/**
 * The answer of a program on standard output: records within a frame. Reads pieces of any size as they arrive, and keeps
 * them in one buffer, which never grows beyond the largest answer allowed. Files between the records are passed on as they come.
 */
class Answer {
    /** How the program ended, as it says itself. Anything after that is only counted. */
    verdict;
    #begin;
    #ends;
    #bytes = Buffer.alloc(0);
    #length = 0;
    /** Where the records begin; the user's start files may have printed something before that. */
    #first;
    #last = 0;
    #fields = 0;
    #file;
    #files;
    /** Where the header of a file begins that is not here in full. */
    #header;
    /** Bytes of the file that are still to come. */
    #fileBytes = 0;
    /** @param files gets the files of the answer; undefined if the program sends none */
    constructor(nonce, files) {
        this.#files = files;
        this.#file = Buffer.from(`file ${nonce} `);
        this.#begin = Buffer.from(`begin ${nonce}\n`);
        this.#ends = [
            ['done', Buffer.from(`done ${nonce}\n`)],
            ['failed', Buffer.from(`failed ${nonce}\n`)],
        ];
    }
    get begun() {
        return this.#first !== undefined;
    }
    /** @returns the limit that is exceeded now, if any; then nothing more may be added */
    add(piece) {
        if (this.verdict !== undefined) {
            this.#length += piece.length;
            return this.#length > largestAnswer ? 'bytes' : undefined;
        }
        if (this.#fileBytes > 0)
            return this.#addToFile(piece);
        if (this.#length + piece.length > largestAnswer)
            return 'bytes';
        const known = this.#length;
        this.#append(piece);
        if (this.#first === undefined) {
            const at = this.#find(this.#begin, known);
            if (at < 0)
                return undefined;
            this.#first = at + this.#begin.length;
        }
        if (this.#files !== undefined) {
            const rest = this.#beginFile(this.#files, known, this.#first);
            if (rest !== undefined)
                return rest.length > 0 ? this.add(rest) : undefined;
        }
        const from = Math.max(known, this.#first);
        this.#countFields(from);
        if (this.#fields > 2 * mostRecords)
            return 'records';
        for (const [verdict, end] of this.#ends) {
            const at = this.#find(end, known, this.#first);
            if (at < 0)
                continue;
            this.verdict = verdict;
            this.#last = at;
            break;
        }
        return undefined;
    }
    /** Only after there is a verdict. */
    records() {
        return Records.parse(this.#bytes.subarray(this.#first, this.#last));
    }
    /** Cuts a file's header off the end of the records. @returns what follows it; undefined if there is no whole header */
    #beginFile(files, known, first) {
        const at = this.#header ?? this.#find(this.#file, known, first);
        if (at < 0)
            return undefined;
        const from = at + this.#file.length;
        const end = this.#bytes.subarray(from, Math.min(this.#length, from + longestHeader)).indexOf('\n');
        this.#header = end < 0 && this.#length < from + longestHeader ? at : undefined;
        if (end < 0)
            return undefined;
        const [, bytes, name] = fileHeader.exec(this.#bytes.toString('latin1', from, from + end)) ?? [];
        if (bytes === undefined || name === undefined)
            return undefined;
        // A copy, since the buffer is used again.
        const rest = Buffer.from(this.#bytes.subarray(from + end + 1, this.#length));
        this.#length = at;
        this.#fileBytes = Number(bytes);
        files.begin(name, this.#fileBytes);
        if (this.#fileBytes === 0)
            files.end();
        return rest;
    }
    #addToFile(piece) {
        const part = piece.subarray(0, this.#fileBytes);
        this.#fileBytes -= part.length;
        this.#files?.add(part);
        if (this.#fileBytes > 0)
            return undefined;
        this.#files?.end();
        return part.length < piece.length ? this.add(piece.subarray(part.length)) : undefined;
    }
    #append(piece) {
        const length = this.#length + piece.length;
        if (length > this.#bytes.length) {
            const larger = Buffer.allocUnsafe(Math.min(largestAnswer, Math.max(2 * this.#bytes.length, length)));
            this.#bytes.copy(larger, 0, 0, this.#length);
            this.#bytes = larger;
        }
        piece.copy(this.#bytes, this.#length);
        this.#length = length;
    }
    /** Looks for a mark that ends after `known`; it may begin before. */
    #find(mark, known, first = 0) {
        const from = Math.max(first, known - mark.length + 1);
        const at = this.#bytes.subarray(from, this.#length).indexOf(mark);
        return at < 0 ? -1 : from + at;
    }
    #countFields(from) {
        const news = this.#bytes.subarray(from, this.#length);
        for (let at = news.indexOf(0); at >= 0; at = news.indexOf(0, at + 1))
            this.#fields += 1;
    }
}

// EXTERNAL MODULE: external "node:string_decoder"
var external_node_string_decoder_ = __nccwpck_require__(46193);
// EXTERNAL MODULE: ./build/shared/clean.js
var clean = __nccwpck_require__(3581);
// EXTERNAL MODULE: ./build/shared/units.js
var units = __nccwpck_require__(98295);
;// CONCATENATED MODULE: ./build/shared/host/host-log.js



/**
 * How much of a program's output is passed on; the rest is only counted. Warnings of pg_dump and pg_restore and the output
 * of a pull can be hundreds of lines. Nobody reads thousands, and GitHub does not show a log of many MiB.
 */
const mostLines = 2_000;
const mostBytes = 1024 * 1024;
/** Limit for all that a program prints, in bytes. An honest one never comes near it; a flood would keep the runner busy. */
const largestLog = 64 * 1024 * 1024;
/** Limit for the text of a step, in UTF-16 units. A line of a rollback's journal may be long. */
const longestStep = 16_384;
/** How many bytes of progress steps are passed on, and how many more for each second that a program runs. */
const mostStepBytes = mostBytes;
const stepBytesPerSecond = 1_000;
/** How many of the last lines to keep: failures show them, and callers search them for a reason. */
const mostLast = 50;
/** Limit for a line that does not end, in UTF-16 units: a longer one is cut down to its last part. */
const longestOpenLine = 100_000;
const keptOfOpenLine = 10_000;
/**
 * The output of a program on standard error: its log, and in between the supervisor's own lines, which begin with the
 * nonce. Keeps little of it, however much there is.
 */
class HostLog {
    /** Why the host ended the program, as the supervisor says: `deadline`, `silence`, `end-of-input`. */
    endedFor;
    /** Whether the supervisor has said that `main` is over: everything that it printed has been read. */
    isTold = false;
    /** The newest lines, passed on or not. */
    last = [];
    #nonce;
    #readers;
    #now;
    #begin;
    #decoder = new external_node_string_decoder_.StringDecoder('utf8');
    #open = '';
    #bytes = 0;
    #linesShown = 0;
    #bytesShown = 0;
    /** Bytes of the lines that were shown, before cleaning, and of the supervisor's lines. */
    #bytesRead = 0;
    #linesLeftOut = 0;
    #steps = 0;
    #stepBytes = 0;
    #stepsLeftOut = 0;
    #over = false;
    /** @param now milliseconds */
    constructor(nonce, readers, now = Date.now) {
        this.#nonce = `${nonce} `;
        this.#readers = readers;
        this.#now = now;
        this.#begin = now();
    }
    /** @returns whether this is more than any program may print */
    add(piece) {
        this.#bytes += piece.length;
        const lines = (this.#open + this.#decoder.write(piece)).split('\n');
        this.#open = lines.pop() ?? '';
        if (this.#open.length > longestOpenLine)
            this.#open = this.#open.slice(-keptOfOpenLine);
        for (const line of lines)
            this.#read(line);
        return this.#bytes > largestLog;
    }
    /** Call when there is no more output; may be called again. */
    end() {
        if (this.#over)
            return;
        this.#over = true;
        const rest = this.#open + this.#decoder.end();
        if (rest !== '')
            this.#read(rest);
        if (this.#linesLeftOut > 0) {
            this.#readers.onLog?.(`${this.#linesLeftOut} more lines (${(0,units/* formatBytes */.z3)(this.#bytes - this.#bytesRead)}) were left out: the log shows at most ${mostLines} lines and ${(0,units/* formatBytes */.z3)(mostBytes)} of one program`);
        }
        if (this.#stepsLeftOut > 0) {
            this.#readers.onLog?.(`${this.#stepsLeftOut} more progress reports were left out: the log shows at most ${mostLines} of them and ${(0,units/* formatBytes */.z3)(mostStepBytes)} of one program, and then one each second`);
        }
    }
    #read(line) {
        // The supervisor may write in the middle of an unfinished line of the program.
        const own = line.indexOf(this.#nonce);
        if (own !== 0)
            this.#passAll(own < 0 ? line : line.slice(0, own));
        if (own < 0)
            return;
        this.#bytesRead += line.length - own + 1;
        const [what, name = '', ...value] = line.slice(own + this.#nonce.length).split(' ');
        if (what === 'ended')
            this.endedFor = name;
        if (what === 'told')
            this.isTold = true;
        if (what === 'progress')
            this.#tellStep(name, value.join(' '));
    }
    /** What a terminal would show as several lines counts as so many: a carriage return each makes thousands out of one. */
    #passAll(text) {
        const lines = text.split(clean/* lineBreaks */.r4);
        if (lines.length > 1 && lines.at(-1) === '')
            lines.pop();
        // Once nothing more is shown, only the last ones matter.
        const passedOver = this.#linesLeftOut > 0 ? Math.max(0, lines.length - mostLast) : 0;
        this.#linesLeftOut += passedOver;
        for (const line of lines.slice(passedOver))
            this.#pass(line);
    }
    #pass(whole) {
        const line = shortened(whole, clean/* longestLine */.N9);
        this.last.push(line);
        if (this.last.length > mostLast)
            this.last.shift();
        if (this.#isFull(line)) {
            this.#linesLeftOut += 1;
            return;
        }
        this.#linesShown += 1;
        this.#bytesShown += Buffer.byteLength(line) + 1;
        this.#bytesRead += Buffer.byteLength(whole) + 1;
        this.#readers.onLog?.(line);
    }
    /** Whether there is no room for this line. From then on no line is shown. */
    #isFull(line) {
        if (this.#linesLeftOut > 0 || this.#linesShown === mostLines)
            return true;
        return this.#bytesShown + Buffer.byteLength(line) + 1 > mostBytes;
    }
    /** Even a program that runs for days reports at most one step per second; anything beyond that is not from us. */
    #tellStep(name, value) {
        const seconds = (this.#now() - this.#begin) / 1_000;
        const text = shortened(value, longestStep).split(clean/* lineBreaks */.r4).join(' ');
        const bytes = Buffer.byteLength(text);
        if (this.#steps >= mostLines + seconds || this.#stepBytes + bytes > mostStepBytes + seconds * stepBytesPerSecond) {
            this.#stepsLeftOut += 1;
            return;
        }
        this.#steps += 1;
        this.#stepBytes += bytes;
        this.#readers.onProgress?.(shortened(name, clean/* longestLine */.N9), text);
    }
}
/** The text without what is beyond the limit. What is cut is copied: a part would keep the whole in memory. */
function shortened(text, limit) {
    if (text.length <= limit)
        return text;
    return Buffer.from(`${text.slice(0, limit - 1)}…`, 'utf16le').toString('utf16le');
}

// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __nccwpck_require__(926);
// EXTERNAL MODULE: ./build/shared/failure-codes.js
var failure_codes = __nccwpck_require__(26933);
;// CONCATENATED MODULE: ./build/shared/host/program-failures.js





/** Limit for a program's description of its failure, in UTF-16 units. */
const longestDetail = 20_000;
/** The failure that the program named, or a general one if it named none. */
function programFailure(program, records, code, cause) {
    const name = records.find('failure');
    const detail = records.find('detail')?.slice(0, longestDetail);
    // Only we can fix that.
    if (name === 'misfit')
        throw new TypeError(`The parameters of the program ${program.name} do not match: ${detail}`);
    if (name === undefined) {
        const exit = code === null ? 'exit code unknown' : `exit ${code}`;
        return new failure/* Failure */.HR('program-failed', `The program ${program.name} failed on the host (${exit})`, { cause });
    }
    if ((0,failure_codes/* isFailureCode */.s)(name))
        return new failure/* Failure */.HR(name, detail ?? `The program ${program.name} failed: ${name}`, { cause });
    return new failure/* Failure */.HR('program-failed', `The program ${program.name} failed on the host: ${name}, ${detail}`, { cause });
}
function cancelled(program) {
    return new failure/* Failure */.HR('cancelled', `The program ${program.name} was cancelled; the host is ending it`);
}
/** @param cause the last lines that the program printed */
function tooMuch(program, excess, cause) {
    if (excess === 'log') {
        return new failure/* Failure */.HR('result-too-large', `The program ${program.name} printed more than ${(0,units/* formatBytes */.z3)(largestLog)} of messages, and was given up`, { hint: 'See in the last lines what prints them on the host, and stop that. Then run it again', cause });
    }
    const limit = excess === 'bytes' ? (0,units/* formatBytes */.z3)(largestAnswer) : `${mostRecords} records`;
    return new failure/* Failure */.HR('result-too-large', `The program ${program.name} sent more than ${limit}`, {
        hint: excess === 'bytes'
            ? 'Keep fewer backups in one folder, or give this database a folder of its own as "backup-dir"'
            : 'Each table and each file in the backup folder is one record: keep fewer backups in one folder, or give this database a folder of its own as "backup-dir". If you have far fewer, find out what else answers on the host',
    });
}
function runnerUnheard(program, silence) {
    return new failure/* Failure */.HR('runner-unheard', `The host heard nothing from the runner for ${silence / 1_000} s and ended the program ${program.name}`, { hint: 'Find out what held up the runner or the network, then run it again' });
}
function deadlineOver(program, deadline) {
    return new failure/* Failure */.HR('deadline', `The program ${program.name} did not end within ${deadline / 1_000} s`, {
        hint: 'Find out what the database is waiting for, or raise the input "timeout"',
    });
}
/**
 * The failure when the host has said nothing for too long, or has not answered within the deadline plus a grace period. All
 * times in milliseconds.
 * @param begun whether the program had begun there
 * @param isLate whether the deadline and the grace are over: the host may have said something all the time
 * @param isEnding whether the host has said that it is ending the program
 * @param unheard time since the last byte from the program
 */
function hostSilent(program, options, silence) {
    const { atEnd } = options;
    const state = atEnd === 'finish'
        ? 'It is unknown whether this was done: the host may have done it, or may still do it.'
        : 'It is unknown how far the host got. When it continues, it ends this on its own and removes incomplete files.';
    return new failure/* Failure */.HR('host-silent', whatIsSeen(program, options, silence), {
        hint: `${state} On the host, look for whatever hangs, such as a failing or frozen disk: dmesg | tail; ps -eo pid,stat,wchan:30,args | grep ' D'`,
        cause: silence.cause,
    });
}
function whatIsSeen({ name, step }, { deadline }, { begun, isLate, isEnding, grace, unheard }) {
    const what = `${step} (program ${name})`;
    const [limit, afterwards, quiet] = [deadline, grace, unheard].map(units/* formatDuration */.a3);
    if (isEnding) {
        return `The host was told to stop ${what} after ${limit}, but had not finished stopping it ${afterwards} later`;
    }
    if (!begun)
        return `The host took the connection, and has not begun ${what} after ${quiet}`;
    if (!isLate)
        return `The host has sent nothing for ${quiet} during ${what}, whose limit was ${limit}`;
    return `The host had not ended ${what} ${afterwards} after its limit of ${limit}. It last sent something ${quiet} ago`;
}

;// CONCATENATED MODULE: ./build/shared/host/run-program.js






/** Interval of the runner's heartbeat; the host gives up after `silence`. In milliseconds, like all that follow. */
const heartbeat = 10_000;
const silence = 60_000;
/** The supervisor says every 10 s that it is alive. A host that has sent nothing for so long hangs, or never began. */
const longestUnheard = 60_000;
/** How often to look whether anything has come. */
const betweenLooks = 5_000;
/** The host needs up to 3 s to end a process group, and then cleans up; the Actions runner kills us after 7.5 s. */
const patienceAfterCancel = 5_500;
/** A host that lives says at once that it has heard the end of its input. One that has not by now is not waited for. */
const patienceForAnswer = 2_500;
/**
 * Allowed beyond a program's deadline: time to open a session, up to 3 s to end the process group, up to 20 s to end the
 * sessions of the database, and time to remove unfinished files.
 */
const usualGrace = 30_000;
/** The log may come a moment after the result. Whoever asks for its last lines must not miss the reason. */
const patienceForLog = 5_000;
/** The verdict comes after the host has cleaned up; its process may take a moment longer to end. */
const patienceAfterVerdict = 5_000;
/** How long closing a connection waits for running programs: a host that hangs must not keep the step from ending. */
const patienceAtClose = 5_000;
/** The same for a run that was cancelled, which has little time. */
const patienceAtCancelledClose = 1_000;
/** Bytes that are written at once. */
const requestPiece = 64 * 1024;
/** How many of the last lines a failure shows. */
const linesOfCause = 20;
/** With a longer delay, setTimeout would fire at once. */
const longestTimer = 2 ** 31 - 1;
const supervisor = [
    new URL(/* asset import */ __nccwpck_require__(49828), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(65479), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(80846), __nccwpck_require__.b),
];
const onlyHeartbeats = { heartbeat: '.', begin: () => { } };
/** Starts a program and speaks its protocol. Whatever the host does or fails to do, `result` settles in time. */
function runProgram(access, program, parameters, options, speech = onlyHeartbeats) {
    const nonce = (0,external_node_crypto_.randomBytes)(16).toString('hex');
    const request = run_program_frame(program, supervisorParameters(nonce, options), parameters);
    if (options.signal?.aborted)
        return neverStarted(program);
    const grace = options.grace ?? usualGrace;
    let quietLooks = 0;
    let isOver = false;
    const child = access.start();
    const stdin = child.stdin ?? unpiped();
    // The host may hang up first; its exit code will say why.
    stdin.on('error', () => { });
    let beating;
    const sent = sendInPieces(stdin, request, () => {
        quietLooks = 0;
    }).then(() => {
        if (isOver)
            return;
        beating = setInterval(() => stdin.write(speech.heartbeat), heartbeat);
        speech.begin(stdin);
    });
    // Behind the request, which a program that finishes must get as a whole.
    const endInput = () => sent.then(() => stdin.end());
    const { files } = options;
    const answer = new Answer(nonce, files);
    const log = new HostLog(nonce, options);
    let heard = Date.now();
    let givenUp;
    let exited = () => { };
    const exit = new Promise((resolve, reject) => {
        exited = resolve;
        child.on('error', reject);
        child.on('close', resolve);
    });
    const letGo = () => {
        if (!access.isProgram)
            child.kill('SIGKILL');
        for (const stream of child.stdio)
            stream?.destroy();
        child.unref();
        exited(null);
    };
    const giveUp = (why) => {
        givenUp ??= why;
        letGo();
    };
    let hungUp = false;
    const hangUp = () => {
        hungUp = true;
        endInput();
        const at = Date.now();
        const letGoIfUnheard = () => {
            if (heard < at && answer.verdict === undefined)
                letGo();
        };
        setTimeout(letGoIfUnheard, patienceForAnswer).unref();
        setTimeout(letGo, patienceAfterCancel).unref();
    };
    if (options.atEnd !== 'finish')
        options.signal?.addEventListener('abort', hangUp, { once: true });
    const patience = setTimeout(giveUp, Math.min(options.deadline + grace, longestTimer), 'late');
    // Looks are counted, not time: after a pause of the runner itself, what came meanwhile is read before the next look.
    const mostLooks = Math.ceil((options.unheard ?? longestUnheard) / betweenLooks);
    const looking = setInterval(() => {
        // While we take nothing from the host, it cannot be heard.
        quietLooks = files?.isFull ? 0 : quietLooks + 1;
        if (quietLooks >= mostLooks)
            giveUp('silent');
    }, betweenLooks);
    const hear = () => {
        heard = Date.now();
        quietLooks = 0;
    };
    const stopWaiting = () => {
        clearTimeout(patience);
        clearInterval(looking);
    };
    const verdict = new Promise((resolve) => {
        child.stdout?.on('data', (piece) => {
            hear();
            const excess = answer.add(piece);
            if (excess !== undefined)
                giveUp(excess);
            if (answer.verdict !== undefined)
                resolve(answer.verdict);
            if (files?.isFull && answer.verdict === undefined)
                child.stdout?.pause();
        });
    });
    if (files !== undefined)
        files.onDrain = () => child.stdout?.resume();
    const told = new Promise((resolve) => {
        child.stderr?.on('data', (piece) => {
            hear();
            if (log.add(piece))
                giveUp('log');
            if (log.isTold)
                resolve();
        });
    });
    const ended = exit.finally(() => {
        isOver = true;
        clearInterval(beating);
        stopWaiting();
        options.signal?.removeEventListener('abort', hangUp);
        log.end();
    });
    const result = Promise.race([verdict, ended]).then(async () => {
        // From here on, the caller decides how long a lingering program stays.
        stopWaiting();
        if (answer.verdict === 'done') {
            await Promise.race([told, exit.catch(() => { }), (0,promises_.setTimeout)(patienceForLog, undefined, { ref: false })]);
            return answer.records();
        }
        const parting = setTimeout(letGo, patienceAfterVerdict);
        const code = await ended;
        clearTimeout(parting);
        const cause = log.last.slice(-linesOfCause).join('\n');
        if (hungUp)
            throw cancelled(program);
        if (givenUp === 'silent' || givenUp === 'late') {
            throw hostSilent(program, options, {
                begun: answer.begun,
                isLate: givenUp === 'late',
                isEnding: log.endedFor === 'deadline',
                grace,
                unheard: Date.now() - heard,
                cause,
            });
        }
        if (givenUp !== undefined)
            throw tooMuch(program, givenUp, cause);
        if (log.endedFor === 'deadline')
            throw deadlineOver(program, options.deadline);
        if (log.endedFor === 'silence')
            throw runnerUnheard(program, silence);
        if (answer.verdict === 'failed')
            throw programFailure(program, answer.records(), code, cause);
        throw await access.explain({ code, begun: answer.begun, stderr: cause });
    });
    if (files !== undefined) {
        result.then(() => files.close(null), (error) => files.close(error));
    }
    return {
        result,
        lastLines: () => log.last,
        release: async (longest = grace) => {
            hungUp ||= options.atEnd !== 'finish';
            endInput();
            let isSeen = true;
            const releasing = setTimeout(() => {
                isSeen = false;
                letGo();
            }, longest);
            await ended.catch(() => { });
            clearTimeout(releasing);
            return isSeen && givenUp === undefined;
        },
    };
}
/** Writes it piece by piece, so that it is known whether the host still reads. Settles also if the host hangs up. */
async function sendInPieces(stdin, bytes, onSent) {
    for (let at = 0; at < bytes.length && !stdin.destroyed; at += requestPiece) {
        await new Promise((resolve) => stdin.write(bytes.subarray(at, at + requestPiece), resolve));
        onSent();
    }
}
function neverStarted(program) {
    return { result: Promise.reject(cancelled(program)), lastLines: () => [], release: async () => true };
}
/** The script as it reaches the host, to the byte. */
function scriptOf({ scripts }) {
    const texts = [...supervisor, ...scripts].map((script) => (0,external_node_fs_.readFileSync)(script, 'utf8'));
    return Buffer.from(`${texts.join('\n')}\nsupervise\n`);
}
function run_program_frame(program, ours, given) {
    const script = scriptOf(program);
    const pairs = [...Object.entries(ours), ...Object.entries(given)].flatMap(([key, value]) => (typeof value === 'string' ? [value] : value).flatMap((each) => [key, each]));
    const unusable = pairs.findIndex((text) => text.includes('\0'));
    if (unusable >= 0)
        throw new RangeError(`Parameter ${pairs[unusable - 1]} of the program ${program.name} holds NUL`);
    return Buffer.concat([
        Buffer.from(`${script.length}\n`),
        script,
        Buffer.from(`${pairs.length}\n${pairs.map((text) => `${text}\0`).join('')}`),
    ]);
}
function supervisorParameters(nonce, { deadline, atEnd, lock }) {
    const seconds = (ms) => String(Math.ceil(ms / 1_000));
    return {
        nonce,
        silence: seconds(silence),
        deadline: seconds(deadline),
        at_end: atEnd,
        lock: lock?.path ?? '',
        lock_wait: seconds(lock?.wait ?? 0),
        holder: lock?.holder ?? '',
    };
}
function unpiped() {
    throw new TypeError('A process that speaks to the host needs a pipe for its stdin');
}


/***/ }),

/***/ 83310:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   l: () => (/* binding */ unpack),
/* harmony export */   q: () => (/* binding */ pack)
/* harmony export */ });
/* harmony import */ var node_zlib__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(38522);

/** Packs a text that may be long for the way to or from the host: gzip in base64, for which every host has programs. */
function pack(text) {
    return (0,node_zlib__WEBPACK_IMPORTED_MODULE_0__.gzipSync)(text, { level: 1 }).toString('base64');
}
/**
 * Unpacks a text from the host, which may have sent anything.
 * @param longest limit for the text, in bytes
 * @returns null if it is not a packed text, or is longer
 */
function unpack(packed, longest) {
    try {
        return (0,node_zlib__WEBPACK_IMPORTED_MODULE_0__.gunzipSync)(Buffer.from(packed, 'base64'), { maxOutputLength: longest }).toString('utf8');
    }
    catch {
        return null;
    }
}


/***/ }),

/***/ 16937:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Hh: () => (/* binding */ volumesOverFiles),
/* harmony export */   Hp: () => (/* binding */ anonymousVolumes),
/* harmony export */   k6: () => (/* binding */ mountedVolumes),
/* harmony export */   pG: () => (/* binding */ isAtWork)
/* harmony export */ });
/* harmony import */ var _releases_compare_volumes_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(2886);

// Facts about a container, as the survey found it.
function isAtWork({ state }) {
    return state === 'running' || state === 'restarting';
}
/** Anonymous volumes, by destination. */
function anonymousVolumes(own) {
    const volumes = own.flatMap((container) => container.volumes).filter(isAnonymous);
    return Object.fromEntries(volumes.map(({ name, destination }) => [destination, name]));
}
/** Docker names anonymous volumes with 64 hex digits. */
function isAnonymous({ name }) {
    return /^[0-9a-f]{64}$/.test(name);
}
function mountedVolumes({ id, imageId, volumes }) {
    return volumes.map((volume) => ({
        container: id,
        imageId,
        isAnonymous: isAnonymous(volume),
        destination: volume.destination,
    }));
}
/** Where a single container has a volume over files of its image, and what is in it; several share what is named. */
function volumesOverFiles([container], contents) {
    if (container === undefined)
        return [];
    return mountedVolumes(container).flatMap((volume) => {
        const content = contents.get((0,_releases_compare_volumes_js__WEBPACK_IMPORTED_MODULE_0__/* .volumeKey */ .O$)(volume));
        return content === undefined ? [] : [{ destination: volume.destination, content }];
    });
}


/***/ }),

/***/ 44010:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   IG: () => (/* binding */ movableReference),
/* harmony export */   P9: () => (/* binding */ linesToChange),
/* harmony export */   PU: () => (/* binding */ tagVariable)
/* harmony export */ });
/* harmony import */ var _clean_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(3581);
/* harmony import */ var _releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(9290);
/* harmony import */ var _releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(73408);
/* harmony import */ var _shell_quote_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(61011);




/**
 * The reference in the compose file if it may be pointed at the target on this host: it has a tag that moves, and no
 * digest. A version stays what it is: else a later deployment of it would start something else, and nobody would see it.
 */
function movableReference(image) {
    if (image === null)
        return null;
    const { digest, tag } = (0,_releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .parseImageReference */ .o_)(image);
    return digest === null && tag !== null && (0,_releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__/* .moves */ .V)(tag) ? image : null;
}
/** The variable that is the whole tag in the compose file; null if there is none. */
function tagVariable({ imageTemplate }) {
    const [, braced, bare] = /:\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))$/.exec(imageTemplate ?? '') ?? [];
    return braced ?? bare ?? null;
}
/** What to change so that compose itself starts the target: printed lines. Without it, the next `up` undoes the rollback. */
function linesToChange(steps, { files, envFiles }) {
    return [
        ...inRegistry(steps),
        ...inEnvFile(steps, (0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e)(envFiles.at(-1) ?? '.env')),
        ...steps
            .filter(({ envLine, retag }) => envLine === null && retag === null)
            .map((step) => {
            if (step.variable !== null && step.toImage.tag !== null) {
                const line = (0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e)(`${step.variable}=${step.toImage.tag}`);
                return `Set ${line} where your deployment sets it, or the next docker compose up undoes the rollback of ${step.service}`;
            }
            const file = files.map(_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e).join(' or ');
            return `In ${file} on the host, service ${step.service}, write this, or the next docker compose up undoes the rollback: image: ${imageToWrite(step)}`;
        }),
    ].map((line) => (0,_clean_js__WEBPACK_IMPORTED_MODULE_3__/* .cleanLine */ .Ow)(line, 1_000));
}
/** A tag was pointed at the target on this host alone. */
function inRegistry(steps) {
    const names = [...new Set(steps.flatMap(({ retag }) => retag ?? []))];
    if (names.length === 0)
        return [];
    const name = names.length === 1 ? 'that name' : 'those names';
    return [
        `On this host, ${names.join(' and ')} now ${names.length === 1 ? 'means' : 'mean'} the target. The registry was not changed: until a fixed release is pushed under ${name}, the next docker compose pull brings the bad one back`,
    ];
}
function inEnvFile(steps, file) {
    const values = new Map();
    for (const { service, envLine } of steps) {
        if (envLine === null)
            continue;
        const ofVariable = values.get(envLine.variable) ?? new Map();
        ofVariable.set(envLine.value, [...(ofVariable.get(envLine.value) ?? []), service]);
        values.set(envLine.variable, ofVariable);
    }
    if (values.size === 0)
        return [];
    const lines = [...values].flatMap(([variable, ofVariable]) => [...ofVariable].map(([value, services]) => {
        const line = (0,_shell_quote_js__WEBPACK_IMPORTED_MODULE_1__/* .quoteForShell */ .e)(`${variable}=${value}`);
        return ofVariable.size === 1 ? line : `${line} for ${services.join(', ')}`;
    }));
    const divided = [...values].filter(([, ofVariable]) => ofVariable.size > 1).map(([variable]) => variable);
    return [
        `Change the tag in ${file} on the host too, or the next docker compose up undoes the rollback: ${lines.join('; ')}`,
        ...(divided.length === 0
            ? []
            : [`${divided.join(', ')} cannot have two values: give each service a variable of its own`]),
    ];
}
/** A tag that does not move, as people write it; anything else with what is certain of it. */
function imageToWrite({ toImage, fromImage }) {
    const { image, tag, digest, imageId } = toImage;
    const wasPinned = fromImage.image?.includes('@') === true;
    if (tag !== null && digest !== null && (0,_releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__/* .moves */ .V)(tag) === false && !wasPinned)
        return image?.split('@')[0] ?? '';
    if (digest === null && tag === null)
        return imageId ?? '';
    return image ?? '';
}


/***/ }),

/***/ 58578:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  II: () => (/* binding */ planRollback),
  l8: () => (/* binding */ startOrder),
  nF: () => (/* binding */ withRestore)
});

// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __nccwpck_require__(926);
// EXTERNAL MODULE: ./build/shared/releases/image-reference.js
var image_reference = __nccwpck_require__(9290);
// EXTERNAL MODULE: ./build/shared/plan/container.js
var plan_container = __nccwpck_require__(16937);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(77598);
// EXTERNAL MODULE: ./build/shared/canonical-json.js
var canonical_json = __nccwpck_require__(71569);
;// CONCATENATED MODULE: ./build/shared/plan/hash.js


/**
 * A SHA-256 in hex over everything that the plan decides. Ids and health of containers are left out: they change while
 * somebody reviews the plan. So is whether the host has the target already: a first attempt may have pulled it.
 */
function hashOf({ project, services, from, to, restore, projectState }) {
    const decided = services.map(({ service, strategy, toImage, fixedName, anonymousVolumes: volumes, retag }) => ({
        service,
        strategy,
        toImage: whatDecides(toImage),
        fixedName,
        volumes,
        retag,
    }));
    const target = Object.fromEntries(Object.entries(to).map(([service, image]) => [service, whatDecides(image)]));
    const restored = restore === null
        ? {}
        : {
            restore: {
                id: restore.backupId,
                sha256: restore.sha256,
                database: restore.database,
                afterSql: restore.afterSqlSha256,
                restarted: restore.restarted.map(({ service }) => service),
            },
        };
    // The key is older than the field's name: it stays, so that the hash of a reviewed plan stays valid.
    return (0,external_node_crypto_.createHash)('sha256')
        .update((0,canonical_json/* canonicalJson */.d)({ project, decided, from, target, world: projectState, ...restored }))
        .digest('hex');
}
/** An image is identified by its digest, or by its id if there is no digest. */
function whatDecides(image) {
    return image.digest === null ? image : { ...image, imageId: null };
}

;// CONCATENATED MODULE: ./build/shared/plan/jobs.js
/** Whether it is a one-off task whose end other services await (`condition: service_completed_successfully`). */
function isJob(name, { services }) {
    return awaitedBy(name, { services }).length > 0;
}
/** The services that await its end. */
function awaitedBy(name, { services }) {
    return [...services.values()]
        .filter(({ dependsOn }) => dependsOn.some(({ service, awaitsEnd }) => service === name && awaitsEnd))
        .map((service) => service.name);
}

// EXTERNAL MODULE: ./build/shared/releases/release.js
var release = __nccwpck_require__(56986);
;// CONCATENATED MODULE: ./build/shared/releases/unset-variable.js
/** Describes a variable that is not set, and what to do about it. */
function describeUnset(variable) {
    const inItself = 'write "$$" for a literal "$"';
    if (variable.in === 'elsewhere') {
        return {
            what: 'a file that the compose file refers to uses a variable that is not set',
            remedy: `Set it in the env file, or ${inItself}`,
        };
    }
    const place = `${variable.file}, line ${variable.line}`;
    if (variable.in === 'env-file') {
        return {
            what: `${place}: ${variable.holder ?? 'a value'} contains a "$" that compose reads as a variable, which is not set`,
            remedy: `Put the value of ${variable.holder ?? 'that line'} in single quotes`,
        };
    }
    return variable.name === null
        ? {
            what: `${place}: compose reads the text after a "$" as a variable, which is not set`,
            remedy: `Set it in the env file, or ${inItself}`,
        }
        : { what: `${place}: the variable ${variable.name} is not set`, remedy: 'Set it in the env file' };
}

;// CONCATENATED MODULE: ./build/shared/plan/strategy.js

/** Reverse proxies that can look up a service's containers again, and skip one that does not answer. */
const proxies = /(^|[/_-])(nginx|openresty|caddy|traefik|haproxy)([_-][^/]*)?$/;
/** Tools that only monitor a proxy, and bear its name. */
const watchers = /exporter|metrics/;
function looksLikeProxy({ image }) {
    const path = (0,image_reference/* referenceOf */.Bz)(image)?.path ?? '';
    return proxies.test(path) && !watchers.test(path);
}
/** The services that look like reverse proxies, or the one that is named. */
function proxiesIn({ services }, named) {
    return [...services.values()]
        .filter((service) => (named === null ? looksLikeProxy(service) : service.name === named))
        .map(({ name }) => name);
}
/**
 * Without downtime if possible: new containers beside the old, behind a proxy. Otherwise one after the other, and why.
 * `auto` swaps without downtime only if that can be measured as users see it, and the proxy finds the new containers by itself.
 * @param containers those of the service
 */
function decideStrategy(wanted, service, containers, { project, proxies, healthUrl, swapFacts }, proxyServices) {
    if (wanted === 'recreate')
        return { strategy: 'recreate', why: 'the input "strategy" asks for it' };
    const reasons = reasonsAgainst(service, containers, project, proxyServices);
    if (reasons.length === 0 && wanted === 'auto')
        reasons.push(...doubts(service, containers, project, proxyServices, proxies, healthUrl), ...sharedFiles(containers, swapFacts.endings));
    if (reasons.length > 0)
        return { strategy: 'recreate', why: reasons.join('; ') };
    const proxy = proxyServices.find((name) => sharesNetwork(service, project.services.get(name)));
    return { strategy: 'blue-green', why: `${proxy} is on its network, and two copies can run side by side` };
}
function reasonsAgainst(service, containers, project, proxyServices) {
    const isTested = containers.length > 0 && containers.every(hasHealthTest);
    const reasons = [
        [proxyServices.includes(service.name), 'it is the proxy'],
        [service.containerName !== null, `it has a fixed name (${service.containerName})`],
        [service.publishes, 'it publishes a port of the host'],
        [service.networkMode !== null, `its network mode is ${service.networkMode}`],
        [service.fixedAddress, 'it has a fixed address'],
        [!isTested, 'it has no health check, so nothing tells when the new container is ready'],
        [!containers.some(({ exposedPorts }) => exposedPorts.length > 0), 'it exposes no port for a proxy'],
        [
            !proxyServices.some((name) => sharesNetwork(service, project.services.get(name))),
            'no known proxy is on its network',
        ],
    ];
    return reasons.filter(([holds]) => holds).map(([, reason]) => reason);
}
/** Why it cannot be known that users would get answers throughout. */
function doubts(service, containers, project, proxyServices, proxies, healthUrl) {
    const near = proxyServices.filter((name) => sharesNetwork(service, project.services.get(name)));
    const found = proxies.filter((proxy) => near.includes(proxy.service));
    // A web server that is no proxy by its name may pass requests on as well.
    const once = lookedUpOnceBy(service, containers, proxies);
    const unread = found.filter(({ looksUpOnce }) => looksUpOnce === null).map((proxy) => proxy.service);
    const isAsked = healthUrl !== null || found.some(({ answers }) => answers.length > 0);
    return [
        ...once.map((proxy) => `${proxy} looks ${service.name} up only when it starts, or rarely`),
        ...unread.map((proxy) => `the configuration of ${proxy} does not tell whether it looks ${service.name} up only when it starts`),
        ...(isAsked ? [] : [`${near.join(', ')} answers on no published port, and no health-url is given to ask`]),
    ];
}
/** What is no data of an application: sockets, such as Docker's, and files with settings, which few mount read-only. */
const noData = /\.(sock|ya?ml|json|toml|conf|cfg|ini|properties|env|xml|sh|html?|css|m?js|crt|cert|pem|key)$|^\/etc\/[^/]+$/;
/**
 * Two copies of an application that keeps files may not work side by side: SQLite, a lock, a socket that the one that ends removes.
 * Several that run already have shown that they do.
 */
function sharedFiles(containers, endings) {
    if (containers.filter(({ state }) => state === 'running').length > 1)
        return [];
    const ids = new Set(containers.map(({ id }) => id));
    const written = endings.filter(({ id }) => ids.has(id)).flatMap(({ writes }) => writes);
    const [folder] = written.filter((path) => !noData.test(path));
    return folder === undefined ? [] : [`it may write to ${folder}, which two copies at a time may not be able to share`];
}
/** The proxies that resolve one of the service's names only when they start. */
function lookedUpOnceBy({ name, containerName, aliases }, containers, proxies) {
    const own = containers.map((container) => container.name.replace(/^\//, ''));
    const names = [name, containerName, ...aliases, ...own].map((each) => each?.toLowerCase());
    const found = proxies.filter(({ looksUpOnce }) => looksUpOnce?.some((host) => names.includes(host)));
    return [...new Set(found.map(({ service }) => service))].filter((proxy) => proxy !== name);
}
/** Whether Docker runs a health check for the container. */
function hasHealthTest({ healthTest }) {
    return healthTest !== null && healthTest !== 'NONE';
}
function sharesNetwork(one, other) {
    return other?.networks.some((network) => one.networks.includes(network)) ?? false;
}

;// CONCATENATED MODULE: ./build/shared/plan/at-rest.js

/** The exit codes of a program that ended by SIGINT, SIGKILL or SIGTERM. */
const toldToEnd = [130, 137, 143];
/**
 * Judges a service none of whose containers is running; null if it is to be started anyway, as one that runs is. What was
 * stopped on purpose stays stopped. What crashed must be started, or the rollback would leave it down.
 * @param own its containers
 * @param isNamed the input "services" names it
 */
function restOf(service, own, endings, isNamed) {
    if (own.length === 0 || !own.every((each) => each.state === 'exited' || isKeptStopped(each)))
        return null;
    if (isNamed)
        return { stays: false, why: 'the input "services" names it', isGuess: false };
    if (own.every(isKeptStopped)) {
        return {
            stays: true,
            why: 'an earlier rollback has left it stopped, and nobody has started it since',
            isGuess: false,
        };
    }
    const exited = own.filter((each) => !isKeptStopped(each));
    const ended = exited.map(({ id }) => endings.find((ending) => ending.id === id)).filter((each) => each !== undefined);
    const causes = new Set(ended.map(causeOf));
    if (ended.length < exited.length)
        causes.add('unknown');
    if (causes.has('crashed'))
        return { stays: false, why: `it crashed (${codesOf(ended)})`, isGuess: false };
    if (causes.size === 1 && causes.has('stopped')) {
        return { stays: true, why: 'it was stopped by hand', isGuess: false };
    }
    const how = `it ended by itself or was stopped (${codesOf(ended)})`;
    if (service.publishes)
        return { stays: false, why: `${how}, but publishes a port`, isGuess: true };
    if (serves(service, own)) {
        return { stays: false, why: `${how}, but has a port and a health check`, isGuess: true };
    }
    return { stays: true, why: `${how}, and serves no port`, isGuess: true };
}
/** Whether others are likely to ask it for something. */
function serves({ publishes }, own) {
    return publishes || (own.some(({ exposedPorts }) => exposedPorts.length > 0) && own.every(hasHealthTest));
}
/** Whether somebody has stopped all of these containers. Only what is certain: an exit code alone may be that of a crash. */
function isStoppedByHand(own, endings) {
    return (own.length > 0 &&
        own.every(({ id, state }) => {
            const ending = endings.find((each) => each.id === id);
            if (ending === undefined || state !== 'exited' || causeOf(ending) !== 'stopped')
                return false;
            return restartsAlways(ending) || ending.events.includes('stop');
        }));
}
/** Docker starts these again, whatever they ended with, unless somebody stopped them. */
function restartsAlways({ policy }) {
    return policy === 'always' || policy === 'unless-stopped';
}
/** A rollback makes such a container and does not start it. A failed deployment leaves some as well: those are to be started. */
function isKeptStopped({ state, transaction }) {
    return state === 'created' && transaction !== '';
}
function codesOf(ended) {
    return [...new Set(ended.map(({ exitCode }) => `exit ${exitCode}`))].join(', ');
}
function causeOf(ending) {
    const { exitCode, outOfMemory, startFailed, finishedAt, dockerSince, events } = ending;
    // Docker does not try again what it could not start, whatever the policy says.
    if (startFailed)
        return 'crashed';
    if (restartsAlways(ending))
        return 'stopped';
    if (events.includes('stop') || events.includes('kill'))
        return 'stopped';
    if (outOfMemory)
        return 'crashed';
    // A restart of the host or of Docker stops containers as well.
    if (toldToEnd.includes(exitCode))
        return finishedAt >= dockerSince ? 'stopped' : 'unknown';
    if (exitCode !== 0)
        return 'crashed';
    return events.includes('die') ? 'done' : 'unknown';
}

// EXTERNAL MODULE: ./build/shared/releases/image-name.js
var image_name = __nccwpck_require__(89892);
;// CONCATENATED MODULE: ./build/shared/plan/how-swapped.js



/**
 * How a service is swapped: jobs are run, what was stopped stays stopped, everything else is replaced by a running target.
 * @param own its containers
 */
function howSwapped(request, service, own, proxyServices) {
    const { project, jobs, named, strategy, swapFacts } = request;
    if (isJob(service.name, project)) {
        return jobs === 'skip'
            ? { strategy: 'create-only', why: 'the input "jobs" says skip' }
            : {
                strategy: 'job',
                why: `${awaitedBy(service.name, project).join(', ')} must not start before it has completed`,
            };
    }
    const rest = restOf(service, own, swapFacts.endings, named.has(service.name));
    if (rest?.stays === true)
        return { strategy: 'create-only', why: rest.why };
    return decideStrategy(strategy, service, own, request, proxyServices);
}

// EXTERNAL MODULE: ./build/shared/plan/persist.js
var persist = __nccwpck_require__(44010);
;// CONCATENATED MODULE: ./build/shared/plan/service-step.js








/** What the plan does to one service. @throws Failure `image-missing` if the wanted image can be had no more */
function stepFor({ service, own, fromImage, wanted, repository, found }, request, proxyServices) {
    // An image that the host knows under no digest can only be named by its id.
    const digest = found === undefined ? wanted.digest : digestOf(found, repository, wanted.digest);
    const tag = wanted.tag;
    const name = `${repository}${tag === null ? '' : `:${tag}`}`;
    const pull = digest === null ? name : `${repository}@${digest}`;
    if (found === undefined && digest === null && !isTagEnough(wanted, request))
        throw lostImage(service.name);
    const { strategy, why } = howSwapped(request, service, own, proxyServices);
    const variable = (0,persist/* tagVariable */.PU)(service);
    const isAtEase = strategy === 'job' || strategy === 'create-only';
    const proven = isAtEase || (own.length > 0 && own.every(hasHealthTest));
    return {
        service: service.name,
        strategy,
        why,
        fromImage,
        mixed: (0,release/* mixedServices */.kn)(own).length > 0,
        fromName: (0,image_name/* nameOf */.V)(fromImage, service.image, request.images),
        toName: (0,image_name/* nameOf */.V)({ image: name, tag, imageId: found?.id ?? null }, service.image, request.images),
        toImage: {
            image: digest === null ? name : `${name}@${digest}`,
            tag,
            digest,
            imageId: found?.id ?? null,
        },
        pull: found === undefined ? pull : null,
        localImage: found?.id ?? null,
        onlyHere: digest === null && found !== undefined,
        fixedName: service.containerName,
        anonymousVolumes: ownVolumes(service, own, request),
        retag: request.persist === 'retag' ? (0,persist/* movableReference */.IG)(service.image) : null,
        variable,
        envLine: envLine(variable, tag, request.envNames),
        proven,
    };
}
/**
 * The anonymous volumes that a single container takes over. Those of another service it gets from there, as it is set up. One that holds
 * only what its image has put there is no data: the target gets a new one, with its own files.
 */
function ownVolumes(service, own, request) {
    if (own.length !== 1)
        return {};
    const { volumesFrom } = service;
    const others = request.containers
        .filter((each) => volumesFrom.includes(each.service))
        .flatMap((each) => each.volumes);
    const isForeign = (name) => others.some((volume) => volume.name === name);
    const renewed = renewedVolumes(service, own, request);
    return Object.fromEntries(Object.entries((0,plan_container/* anonymousVolumes */.Hp)(own)).filter(([path, name]) => !isForeign(name) && !renewed.includes(path)));
}
/** Where the target gets a new anonymous volume. One that others mount as well stays: they would go on with the old one. */
function renewedVolumes({ name, volumesFrom }, own, { project, volumeContents }) {
    const isShared = volumesFrom.length > 0 || [...project.services.values()].some((other) => other.volumesFrom.includes(name));
    if (own.length !== 1 || isShared)
        return [];
    return (0,plan_container/* volumesOverFiles */.Hh)(own, volumeContents).flatMap(({ destination, content }) => content === 'only' ? [destination] : []);
}
/** Whether pulling by tag gives the right image. If a record gives an id, today's tag may point to another image. */
function isTagEnough({ tag, imageId }, { wanted: { record } }) {
    return tag !== null && (record === null || imageId === null);
}
function lostImage(service) {
    return new failure/* Failure */.HR('image-missing', `The target image of ${service} is gone: the host no longer has it, and the history gives no digest to pull it by`, {
        hint: 'Set "target" to another release',
    });
}
/** A digest that the image has in this repository: the wanted one, or else the first. */
function digestOf(image, repository, wanted) {
    const digests = image.repoDigests
        .map(image_reference/* referenceOf */.Bz)
        .filter((name) => name?.repository === repository)
        .flatMap((name) => name?.digest ?? []);
    return digests.find((digest) => digest === wanted) ?? digests.toSorted()[0] ?? null;
}
/** The line of the env file to change; known only if the whole tag is one variable. */
function envLine(variable, tag, names) {
    if (variable === null || tag === null || !(names ?? []).includes(variable))
        return null;
    return { variable, value: tag };
}

// EXTERNAL MODULE: ./build/shared/units.js
var units = __nccwpck_require__(98295);
;// CONCATENATED MODULE: ./build/shared/plan/settings.js

/** How many names are listed of one service at most. */
const mostNames = 8;
/** What to tell of it; null if nothing. */
function describeChange({ service, change, differing, isKept }) {
    if (change !== 'yes')
        return null;
    const what = differing.length === 0 ? '' : `: ${(0,units/* listed */.KE)(differing, mostNames)}`;
    const back = isKept ? '. To go back to those of that time as well: compose: kept' : '';
    return `The settings of ${service} in the compose files have changed since the target ran${what}${back}`;
}
/** What to tell of settings that have changed since the containers were created; one line per problem. */
function describeDrift({ service, changed, mounted }) {
    return [
        ...(changed.length === 0
            ? []
            : [
                `${service} starts with today's settings, which differ from those it runs with: ${(0,units/* listed */.KE)(changed, mostNames)}`,
            ]),
        ...(mounted.length === 0
            ? []
            : [`Files that ${service} mounts have changed since its container was created: ${(0,units/* listed */.KE)(mounted, mostNames)}`]),
    ];
}

// EXTERNAL MODULE: ./build/shared/releases/moving-tag.js
var moving_tag = __nccwpck_require__(73408);
;// CONCATENATED MODULE: ./build/shared/plan/undoing.js



/** These go to newer versions too, not only to what a tag stands for now. */
const changesTags = /(?:^|\/)(?:wud|whats-up-docker|tugtainer|drydock)(?=[:@]|$)/;
/** What will take a rollback back if nobody does anything about it. */
function whatUndoes(steps, { project, updaters }) {
    const swapped = new Set(steps.map(({ service }) => service));
    const written = steps.flatMap((step) => {
        const reference = (0,image_reference/* referenceOf */.Bz)(project.services.get(step.service)?.image ?? null);
        return reference === null ? [] : [{ step, reference }];
    });
    return [
        ...keptLines(written.filter(({ step }) => step.retag === null)),
        ...steps.flatMap((step) => sharedVariable(step, project, swapped)),
        ...updaters.flatMap((updater) => replacedBy(updater, written)),
    ];
}
function keptLines(written) {
    const until = 'until you change the line that the run prints';
    const pinned = written.flatMap(({ step, reference: { tag, digest } }) => {
        if (digest === null)
            return [];
        const name = `${tag === null ? '' : `${tag} with `}the digest ${digest.slice(0, 19)}`;
        const text = `${step.service} is pinned in the compose file to ${name}: the next docker compose up starts that again, ${until}`;
        return [{ level: 'warning', text }];
    });
    const others = written.filter(({ reference }) => reference.digest === null);
    const named = others.map(({ step, reference }) => `${step.service} ${reference.tag}`).join(', ');
    const text = `The compose file will still say ${named}: the next docker compose up starts that again, ${until}`;
    return others.length === 0 ? pinned : [...pinned, { level: 'info', text }];
}
function sharedVariable({ service, envLine }, { services }, swapped) {
    if (envLine === null)
        return [];
    const sharers = [...services.values()].filter((other) => !swapped.has(other.name) && (0,persist/* tagVariable */.PU)(other) === envLine.variable);
    if (sharers.length === 0)
        return [];
    const names = sharers.map(({ name }) => name).join(', ');
    const text = `${envLine.variable} is also the tag of ${names}: setting it to ${envLine.value} for ${service} changes that too`;
    return [{ level: 'warning', text }];
}
function replacedBy({ name, image }, written) {
    const goesFurther = changesTags.test(image);
    // What is pinned by its digest stays as it is, whatever the registry has.
    const replaced = written.filter(({ reference: { tag, digest } }) => digest === null && (goesFurther || (tag !== null && (0,moving_tag/* moves */.V)(tag))));
    if (replaced.length === 0)
        return [];
    const services = replaced.map(({ step, reference }) => `${step.service} (${reference.tag})`).join(', ');
    const back = goesFurther ? 'to a newer image' : 'to what its tag means in the registry';
    const text = `${name} (${image}) on this host updates containers by itself: unless it was told to leave them alone, it brings ${services} ${back}, at the latest after the next docker compose up. Until the cause is fixed: docker stop ${name}`;
    return [{ level: 'warning', text }];
}

;// CONCATENATED MODULE: ./build/shared/plan/notes.js







const warning = (text) => ({ level: 'warning', text });
const info = (text) => ({ level: 'info', text });
/** What an operator should know about a plan before carrying it out. */
function notesOn(plan, request, schema) {
    const { project, containers, wanted, running, newestKnown, proxyService, unset } = request;
    const swapped = new Set(plan.services.map(({ service }) => service));
    return [
        ...onLeftAlone(plan, request),
        ...(proxyService === null || project.services.has(proxyService)
            ? []
            : [warning(`"proxy-service" names ${proxyService}, but the compose file has no such service`)]),
        ...plan.services.flatMap((step) => onStep(step, plan, request)),
        ...onSettings(swapped, request),
        ...(wanted.knownBad === null ? [] : [warning(`The target is known to be bad: ${wanted.knownBad.text}`)]),
        ...whatUndoes(plan.services, request),
        ...plan.lookedUpOnce.map(({ service, proxy }) => info(`${proxy} resolves ${service} only when it starts, or rarely: it is reloaded after the swap`)),
        ...onOutdated(swapped, request),
        ...(newestKnown === null || (0,release/* sameRelease */.OW)(newestKnown, running)
            ? []
            : [info('The running release is not the newest one in the history')]),
        ...unset.map((each) => warning(`${describeUnset(each).what}; compose uses an empty value`)),
        ...wanted.unknown.map((service) => warning(`${service} was part of that release, but is no longer in the compose file, so this rollback leaves it out. To bring it back with that release's own compose file, set compose: kept`)),
        ...(0,release/* mixedServices */.kn)(containers).map((service) => warning(`Containers of ${service} run different images`)),
        ...onDependents(swapped, request),
        ...onOneOffs(plan, request),
        ...onAnonymousVolumes(swapped, request),
        ...onVolumesOverFiles(swapped, request),
        ...onSchema(swapped, plan, schema),
        ...onAdded(request),
    ];
}
function onLeftAlone({ leftAlone }, { containers, wanted }) {
    const isDown = (service) => {
        const own = containers.filter((container) => container.service === service);
        return own.length === 0 || !own.every(plan_container/* isAtWork */.pG);
    };
    return leftAlone
        .filter(({ service }) => isDown(service) && wanted.images.has(service))
        .map(({ service, why }) => warning(`${service} is not running, and the rollback will not start it: ${why}`));
}
/** What to know of the swap of one service. */
function onStep(step, plan, request) {
    const { service, proven, onlyHere, strategy, fixedName, why } = step;
    const notes = [];
    if (strategy !== 'job' && request.containers.every((container) => container.service !== service))
        notes.push(warning(`${service} has no container now. The rollback will create one, because it was part of that release or is named in "services"`));
    if (strategy === 'create-only')
        notes.push(warning(`${service} will not be running: ${why}`));
    else if (strategy === 'job')
        notes.push(...onJob(step, plan));
    else
        notes.push(...onAtRest(step, request));
    if (request.strategy === 'blue-green' && strategy === 'recreate')
        notes.push(warning(`${service} cannot be swapped without downtime, although "strategy" asks for it: ${why}`));
    if (!proven)
        notes.push(warning(`${service} has no health check: the rollback can only prove that it is running`));
    if (onlyHere)
        notes.push(warning(`The target of ${service} may exist only on this host: it has no digest from a registry`));
    notes.push(...onSharedReference(step, plan, request));
    if (strategy === 'blue-green' && fixedName === null)
        notes.push(info(`${service} is swapped without downtime`));
    return notes;
}
function onJob({ service }, { schemaCrossed }) {
    if (schemaCrossed === 'no')
        return [];
    const schema = schemaCrossed === 'yes'
        ? 'the database schema has changed since'
        : 'whether the database schema has changed since is unknown';
    return [
        warning(`${service} is a job that runs with the older image, and ${schema}: if it cannot cope with a newer schema it fails, and everything is reverted. To leave it out: jobs: skip`),
    ];
}
/** A service that is not running now, or not with all of its containers, will be. */
function onAtRest({ service }, { project, containers, swapFacts, named }) {
    const composeService = project.services.get(service);
    if (composeService === undefined)
        return [];
    const own = containers.filter((container) => container.service === service);
    const rest = restOf(composeService, own, swapFacts.endings, named.has(service));
    const atWork = own.filter(plan_container/* isAtWork */.pG).length;
    const notes = [];
    if (rest !== null)
        notes.push((rest.isGuess ? warning : info)(`${service} is not running now, and is started: ${rest.why}`));
    if (atWork > 0 && atWork < own.length)
        notes.push(warning(`${atWork} of the ${own.length} containers of ${service} ${atWork === 1 ? 'is' : 'are'} running now; with the target, all ${own.length} will run`));
    return notes;
}
function onSharedReference({ retag }, { services }, { project }) {
    const sharers = [...project.services.values()].filter(({ name, image }) => retag !== null && image === retag && services.every(({ service }) => service !== name));
    if (sharers.length === 0)
        return [];
    const names = sharers.map(({ name }) => name).join(', ');
    return [
        warning(`${retag} is also the image of ${names}: a manual docker compose up would start the target there as well`),
    ];
}
function onSettings(swapped, { settings, drift }) {
    const changes = settings.filter(({ service }) => swapped.has(service)).flatMap((each) => describeChange(each) ?? []);
    const drifts = [...drift.values()].filter(({ service }) => swapped.has(service)).flatMap(describeDrift);
    return [...changes, ...drifts].map(warning);
}
/** Of services whose settings are known to have changed, more was told already. */
function onOutdated(swapped, { containers, drift, filesChangedAt }) {
    const hasDrifted = (service) => [...drift.values()].some((each) => each.service === service && each.changed.length > 0);
    const outdated = containers.filter(({ service, created }) => swapped.has(service) && !hasDrifted(service) && Date.parse(created) < filesChangedAt);
    if (outdated.length === 0)
        return [];
    const names = [...new Set(outdated.map(({ service }) => service))].join(', ');
    return [
        warning(`The compose file or its variables have changed since the containers of ${names} were created: the target starts with today's settings`),
    ];
}
function onDependents(swapped, { project }) {
    return [...project.services.values()].flatMap(({ name, dependsOn }) => {
        const on = dependsOn
            .filter(({ service, restart }) => restart && swapped.has(service))
            .map(({ service }) => service);
        return on.length === 0
            ? []
            : [warning(`${name} is not restarted together with ${on.join(', ')}, although the compose file asks for it`)];
    });
}
/** They may be at work for days: a worker, or a console. */
function onOneOffs({ services }, { swapFacts }) {
    const leaving = new Set(services.map(({ fromImage }) => fromImage.imageId));
    return swapFacts.oneOffs
        .filter(({ imageId }) => leaving.has(imageId))
        .map(({ name }) => warning(`${name}, started by docker compose run, goes on with the release that you roll back from. To end it: docker rm --force ${name}`));
}
function onAnonymousVolumes(swapped, { containers }) {
    return [...swapped].flatMap((service) => {
        const own = containers.filter((container) => container.service === service);
        return own.length > 1 && Object.keys((0,plan_container/* anonymousVolumes */.Hp)(own)).length > 0
            ? [warning(`${service} has ${own.length} containers with anonymous volumes: the target starts with empty ones`)]
            : [];
    });
}
/** A volume hides the files that an image has in its place: those of another release may be served from it. */
function onVolumesOverFiles(swapped, request) {
    return [...swapped].flatMap((name) => {
        const service = request.project.services.get(name);
        const own = request.containers.filter((container) => container.service === name);
        if (service === undefined)
            return [];
        const renewed = renewedVolumes(service, own, request);
        return (0,plan_container/* volumesOverFiles */.Hh)(own, request.volumeContents).map(({ destination }) => renewed.includes(destination)
            ? info(`The anonymous volume of ${name} at ${destination} has only files of its image: the target gets a new one`)
            : warning(`The image of ${name} has files at ${destination}, but a volume lies over them and stays as it is: what ${name} uses from there may be of another release than the target`));
    });
}
function onSchema(swapped, { schemaCrossed }, schema) {
    const seen = schema?.notes ?? [];
    if (swapped.size > 0 && schemaCrossed === 'yes' && schema?.crossed !== 'yes')
        return [
            ...seen,
            warning('The database schema has changed since that release ran, so older code will meet a newer schema. The data stays as it is'),
        ];
    if (swapped.size > 0 && schemaCrossed === 'unknown' && schema === null)
        return [info('The history does not show whether the database schema has changed since that release ran')];
    return seen;
}
function onAdded({ wanted, running, databases }) {
    const { record } = wanted;
    if (record === null)
        return [];
    const added = Object.keys(running).filter((service) => !(service in record.release) && !databases.has(service));
    return added.length === 0 ? [] : [info(`Added after that release and left alone: ${added.join(', ')}`)];
}

// EXTERNAL MODULE: ./build/shared/clean.js
var clean = __nccwpck_require__(3581);
// EXTERNAL MODULE: ./build/shared/releases/compose-version.js
var compose_version = __nccwpck_require__(88298);
;// CONCATENATED MODULE: ./build/shared/plan/obstacles.js








/** What can prevent a swap. docs/rollback.md has a row for each. */
const obstacleKinds = (/* unused pure expression or super */ null && ([
    'no-image',
    'bad-image',
    'fixed-name',
    'lost-value',
    'paused',
    'running-job',
    'compose-only',
    'provider',
    'shared-namespace',
    'foreign-sharer',
    'shared-volumes',
]));
const byHand = 'Set "services" to the other services, and roll these back by hand, with the earlier tag: docker compose up -d';
/** What prevents a swap of this service; null if nothing does. */
function obstacleOf(service, request) {
    const own = request.containers.filter((container) => container.service === service.name);
    return (obstacleInFile(service, request) ??
        obstacleInState(service, own, request) ??
        sharedNamespace(service, request) ??
        foreignSharer(service, own, request) ??
        sharedVolumes(service, request));
}
function obstacleInFile(service, { project, composeVersion }) {
    const { name, image, containerName, composeOnly } = service;
    if (composeOnly.length > 0) {
        return {
            kind: 'compose-only',
            what: `${name} has ${composeOnly.join(', ')} in the compose file, which works only if compose itself starts and stops it`,
            remedy: byHand,
        };
    }
    const provider = service.dependsOn
        .map((each) => project.services.get(each.service))
        .find((other) => other?.composeOnly.includes('provider'));
    if (provider !== undefined) {
        return {
            kind: 'provider',
            what: `${name} gets its settings from the provider of ${provider.name}, which runs only when compose itself starts it`,
            remedy: byHand,
        };
    }
    if (image === null) {
        return {
            kind: 'no-image',
            what: `${name} has no "image:" in the compose file`,
            remedy: `Give ${name} an "image:" in the compose file`,
        };
    }
    if ((0,image_reference/* referenceOf */.Bz)(image) === null) {
        return {
            kind: 'bad-image',
            what: `the image of ${name} in the compose file is not a valid reference: ${(0,clean/* cleanLine */.Ow)(image, 200)}`,
            remedy: `Check its variables on the host: docker compose config --images`,
        };
    }
    if (containerName === null || (0,compose_version/* supportsReset */.Uz)(composeVersion))
        return null;
    return {
        kind: 'fixed-name',
        what: `${name} has a fixed name (${containerName}), which docker compose ${composeVersion.trim()} on the host cannot override`,
        remedy: 'On the host, as root: apt-get install docker-compose-plugin (2.24.4 or newer), or remove "container_name:" from the compose file',
    };
}
function obstacleInState({ name }, own, { project }) {
    if (own.some(({ state }) => state === 'paused')) {
        return {
            kind: 'paused',
            what: `${name} is paused`,
            remedy: `In deploy-dir on the host: docker compose unpause ${name}`,
        };
    }
    if (!isJob(name, project) || !own.some(plan_container/* isAtWork */.pG))
        return null;
    return {
        kind: 'running-job',
        // It cannot be put back into the middle of its work, should the rollback fail.
        what: `the job ${name} is still running`,
        remedy: `Wait until it has ended, or in deploy-dir on the host: docker compose stop ${name}`,
    };
}
function sharedNamespace({ name, sharesWith }, { project }) {
    const [shared] = sharesWith;
    if (shared !== undefined) {
        return {
            kind: 'shared-namespace',
            what: `${name} shares the network, processes or memory of ${shared}`,
            remedy: byHand,
        };
    }
    const sharer = [...project.services.values()].find((other) => other.sharesWith.includes(name));
    if (sharer === undefined)
        return null;
    return {
        kind: 'shared-namespace',
        what: `${sharer.name} shares the network, processes or memory of ${name}`,
        remedy: byHand,
    };
}
/** Containers anywhere on the host that could not be started again without the old container. */
function foreignSharer({ name }, own, { swapFacts }) {
    const sharers = swapFacts.sharers.filter((sharer) => own.some((container) => isOf(sharer, container)));
    if (sharers.length === 0)
        return null;
    const names = [...new Set(sharers.map((sharer) => sharer.name))];
    const what = sharers.map((sharer) => `${sharer.name} uses the ${sharer.what} of ${name}`);
    return {
        kind: 'foreign-sharer',
        what: [...new Set(what)].join(' and '),
        remedy: `Remove ${names.join(' and ')} on the host for the rollback (docker rm --force ${names.join(' ')}) and create it again afterwards, or set "services" to the other services`,
    };
}
/** Docker takes an id, the beginning of one, or a name. */
function isOf({ of }, { id, name }) {
    return of === name.replace(/^\//, '') || (/^[0-9a-f]{12,64}$/.test(of) && id.startsWith(of));
}
/** Named volumes and folders of the host are kept, and so are the anonymous volumes of a single container. */
function sharedVolumes({ name, volumesFrom }, { project, containers }) {
    const isLost = (service) => {
        const own = containers.filter((container) => container.service === service);
        return own.length > 1 && Object.keys((0,plan_container/* anonymousVolumes */.Hp)(own)).length > 0;
    };
    const pairs = [
        ...volumesFrom.map((from) => [name, from]),
        ...[...project.services.values()]
            .filter((other) => other.volumesFrom.includes(name))
            .map((other) => [other.name, name]),
    ];
    const lost = pairs.find(([, from]) => isLost(from));
    if (lost === undefined)
        return null;
    return {
        kind: 'shared-volumes',
        what: `${lost[0]} mounts the volumes of ${lost[1]}, which has several containers with anonymous volumes`,
        remedy: `Give the volumes of ${lost[1]} names in the compose file. ${byHand}`,
    };
}
/** One failure that lists all obstacles. */
function cannotSwap(obstacles) {
    const what = [...new Set(obstacles.map((each) => each.what))].join('; ');
    return new failure/* Failure */.HR('cannot-swap', `It cannot be rolled back automatically: ${what}`, {
        hint: [...new Set(obstacles.map(({ remedy }) => remedy))].join('. '),
    });
}
/**
 * What prevents a swap because the target would lack values that the running container has; null if nothing does.
 * @param envFile where the variables belong, on the host
 */
function lostSettings({ service, lost }, envFile) {
    if (lost.length === 0)
        return null;
    const settings = (0,units/* listed */.KE)(lost.map(({ setting }) => setting), mostNames);
    const names = [...new Set(lost.flatMap(({ variable }) => variable ?? []))];
    return {
        kind: 'lost-value',
        what: `${service} runs with a value for ${settings}, but the variable that holds it is not set on the host now`,
        remedy: `Set ${names.length === 0 ? 'that variable' : (0,units/* listed */.KE)(names, mostNames)} in ${envFile}, with the value that the deployment had`,
    };
}

;// CONCATENATED MODULE: ./build/shared/plan/plan-rollback.js









/**
 * Decides what to swap, how, and in which order. Reads nothing and changes nothing.
 * @param schema what the schema guard saw of the schema itself; null if it was not asked, so that only the history tells
 * @throws Failure `cannot-swap` that lists every obstacle; `no-target` if it would leave alone all that the target covers
 */
function planRollback(request, schema = null) {
    const { project, wanted, running, containers, projectState } = request;
    const covered = [...wanted.images.keys()];
    if (covered.length > 0 && covered.every((service) => request.stores.has(service)))
        throw onlyStores(covered);
    const leftAlone = [];
    const obstacles = [];
    const proxyServices = proxiesIn(project, request.proxyService);
    const steps = [...project.services.values()].flatMap((service) => {
        const image = wanted.images.get(service.name);
        // A service may be called `constructor` or the like, which every object has.
        const from = Object.hasOwn(running, service.name) ? running[service.name] : undefined;
        const why = whyLeftAlone(service.name, image, from, request);
        if (why !== null || image === undefined) {
            leftAlone.push({ service: service.name, why: why ?? 'the target does not include it' });
            return [];
        }
        const reference = (0,image_reference/* referenceOf */.Bz)(service.image);
        const found = reference === null ? undefined : localImage(reference.repository, image, request.images);
        const own = containers.filter((container) => container.service === service.name);
        if (found !== undefined && own.length > 0 && own.every(({ imageId }) => imageId === found.id)) {
            leftAlone.push({ service: service.name, why: whyUnchanged(own) });
            return [];
        }
        const drift = request.drift.get(service.name);
        const each = [obstacleOf(service, request), drift === undefined ? null : lostSettings(drift, request.envFilePath)];
        const inTheWay = each.filter((obstacle) => obstacle !== null);
        obstacles.push(...inTheWay);
        if (inTheWay.length > 0 || reference === null)
            return [];
        const swap = { service, own, fromImage: from ?? noImage, wanted: image, found, repository: reference.repository };
        return [stepFor(swap, request, proxyServices)];
    });
    if (obstacles.length > 0)
        throw cannotSwap(obstacles);
    const services = inOrder(steps, project);
    const plan = {
        project: project.name,
        services,
        leftAlone,
        from: running,
        to: { ...running, ...Object.fromEntries(services.map(({ service, toImage }) => [service, toImage])) },
        source: wanted.source,
        schemaCrossed: schema === null || schema.crossed === 'unknown' ? schemaCrossed(request) : schema.crossed,
        otherSettings: request.settings.some(({ service, change }) => change === 'yes' && services.some((each) => each.service === service)),
        proxies: proxyServices,
        lookedUpOnce: lookedUpOnce(services, request),
        restore: null,
        projectState,
    };
    return { ...plan, notes: notesOn(plan, request, schema), hash: hashOf(plan) };
}
/** The same plan, which also restores the database. If it swaps nothing, there is nothing to say of what it leaves alone. */
function withRestore(plan, restore, notes) {
    const leftAlone = plan.services.length === 0 ? [] : plan.leftAlone;
    const whole = { ...plan, leftAlone, restore };
    return { ...whole, notes: [...plan.notes, ...notes], hash: hashOf(whole) };
}
/** Names of services, dependencies first, then jobs; otherwise in the order of names. */
function startOrder(project) {
    const { services } = project;
    const ordered = new Set();
    const met = new Set();
    const visit = (name) => {
        if (met.has(name))
            return;
        met.add(name);
        for (const other of (services.get(name)?.dependsOn ?? []).map(({ service }) => service).toSorted())
            visit(other);
        ordered.add(name);
    };
    const names = [...services.keys()].toSorted();
    const jobs = names.filter((name) => isJob(name, project));
    for (const name of [...jobs, ...names])
        visit(name);
    return [...ordered];
}
/** Of a service without a container. */
const noImage = { image: null, tag: null, digest: null, imageId: null };
/** Without this failure, the run would do nothing and report success. */
function onlyStores(services) {
    return new failure/* Failure */.HR('no-target', `The target covers only stores, which are left alone: ${services.join(', ')}`, {
        hint: 'To roll them back, name them in "services". An older version may not read their data',
    });
}
function whyLeftAlone(service, image, from, { databases, stores, jobs, project, named, dropped }) {
    if (databases.has(service))
        return 'it is the database';
    if (image === undefined)
        return 'the target does not include it';
    if (stores.has(service))
        return 'it is a store, and an older version may not read its data; to roll it back as well, name it in "services"';
    // A job that has ended may have been cleaned away, but what awaits it needs it as before.
    const isWanted = named.has(service) || dropped.has(service) || (jobs === 'run' && isJob(service, project));
    if (from === undefined && !isWanted)
        return 'it has no container; to start it as well, name it in "services"';
    if (image.tag === null && image.digest === null && image.imageId === null)
        return 'the target does not name its image';
    return null;
}
/** A container of the target may exist already without running. */
function whyUnchanged(own) {
    const stopped = own.find((container) => !(0,plan_container/* isAtWork */.pG)(container));
    return stopped === undefined
        ? 'it already runs the target'
        : `it already has the target, but is not running: ${stopped.state}`;
}
/** Finds the image by digest, or else by id. Not by tag: on this host it may point to another image. */
function localImage(repository, { digest, imageId }, images) {
    const names = (image) => image.repoDigests.map(image_reference/* referenceOf */.Bz);
    const byDigest = images.find((image) => names(image).some((name) => name?.repository === repository && name.digest === digest && digest !== null));
    return byDigest ?? images.find(({ id }) => imageId !== null && id === imageId);
}
/** Dependencies first, then jobs, so that one that fails has cost nothing; otherwise by name. Compose refuses circles; one would simply be cut here. */
function inOrder(steps, project) {
    const byName = new Map(steps.map((each) => [each.service, each]));
    return startOrder(project).flatMap((name) => byName.get(name) ?? []);
}
/** The proxies that must be reloaded, since they do not notice that a service has new containers. */
function lookedUpOnce(steps, request) {
    return steps.flatMap(({ service: name }) => {
        const service = request.project.services.get(name);
        const own = request.containers.filter((container) => container.service === name);
        const proxies = service === undefined ? [] : lookedUpOnceBy(service, own, request.proxies);
        return proxies.map((proxy) => ({ service: name, proxy }));
    });
}
function schemaCrossed({ wanted, schemaNow }) {
    const then = wanted.record?.schemaSha256 ?? null;
    if (then === null || schemaNow === null)
        return 'unknown';
    return then === schemaNow ? 'no' : 'yes';
}


/***/ }),

/***/ 11569:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   N: () => (/* binding */ isThatImage)
/* harmony export */ });
/* harmony import */ var _releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(9290);
/* harmony import */ var _releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(73408);


/**
 * Whether an image that ran is the one that is wanted. By what identifies both; if nothing does, a tag is enough, unless it
 * moves.
 * @param repository of the wanted image
 */
function isThatImage({ tag, digest, imageId }, known, repository) {
    if (digest !== null && known.digest !== null && digest === known.digest)
        return true;
    if (imageId !== null && known.imageId !== null)
        return imageId === known.imageId;
    if (digest !== null && known.digest !== null)
        return false;
    return (tag !== null &&
        tag === known.tag &&
        !(0,_releases_moving_tag_js__WEBPACK_IMPORTED_MODULE_1__/* .moves */ .V)(tag) &&
        (known.image === null || (0,_releases_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)(known.image)?.repository === repository));
}


/***/ }),

/***/ 6177:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   i: () => (/* binding */ nameWith)
/* harmony export */ });
/** PostgreSQL cuts names off after this many bytes. */
const longestName = 63;
/** Shortens the name by whole characters: if the server cut it, the result could be the very name it must not have. */
function nameWith(name, suffix) {
    const characters = [...name];
    while (new TextEncoder().encode(characters.join('') + suffix).length > longestName)
        characters.pop();
    return characters.join('') + suffix;
}


/***/ }),

/***/ 4033:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Dl: () => (/* binding */ extensionMembers),
/* harmony export */   Gd: () => (/* binding */ tableCount),
/* harmony export */   MH: () => (/* binding */ readFacts)
/* harmony export */ });
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _untrusted_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(51190);


/** UTF-16 units; the same limit as in a manifest. */
const name = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(1024);
const mostOfAll = 1_000_000;
const bigInteger = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .textThat */ .jk)((value) => /^-?\d{1,20}$/.test(value), 'a whole number as text');
const rowsHash = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .textThat */ .jk)((value) => /^\d{1,20}$/.test(value), 'a hash');
const content = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({
    oneIn: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9,
    rows: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9,
    hash: rowsHash,
});
/** Manifests of earlier versions have only the first four fields. */
const tableCount = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({
    schema: name,
    name,
    rows: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9),
    exact: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .bool */ .lc,
    root: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({ schema: name, name })),
    extension: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(name),
    isDumped: (value, place) => value === undefined || (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .bool */ .lc)(value, place),
    unnamed: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({ rows: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9, hash: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(rowsHash) })),
    generates: (value, place) => value !== undefined && (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .bool */ .lc)(value, place),
    content: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(content),
    largestValue: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9),
});
const sequences = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({
    schema: name,
    name,
    value: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(bigInteger),
    increment: bigInteger,
    cycles: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .bool */ .lc,
    extension: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .orNull */ .Xd)(name),
    isDumped: _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .bool */ .lc,
}), mostOfAll);
const relations = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({ schema: name, name }), mostOfAll);
const extensions = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({ name, version: name }), mostOfAll);
/** PostgreSQL is asked for no more than 2,000 characters of an object. */
const extensionMembers = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .shape */ .cW)({ extension: name, objects: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(4096), mostOfAll) }), 10_000);
/**
 * Reads the lines of such a session: a name, a space, and a value or JSON. A table counted with COPY has two lines,
 * `copied {…}` and `COPY rows`. Lines with other names are ignored.
 * @throws Failure `facts-unreadable` if a line is missing or malformed: something else has printed into the session
 */
function readFacts(lines) {
    const pairs = lines.map((line) => {
        const space = line.indexOf(' ');
        return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
    });
    const only = (key, read) => readFact(key, pairs.find(([each]) => each === key)?.[1] ?? '', read);
    return {
        tables: pairs.flatMap(([key, json], at) => {
            if (key === 'table')
                return [readFact(key, json, tableCount)];
            return key === 'copied' ? [{ ...readFact(key, json, tableCount), ...copiedRows(pairs[at + 1]) }] : [];
        }),
        sequencesBefore: only('sequences-before', sequences),
        sequencesAfter: pairs.some(([key]) => key === 'sequences-after') ? only('sequences-after', sequences) : null,
        largeObjects: only('large-objects', _untrusted_js__WEBPACK_IMPORTED_MODULE_1__/* .count */ .U9),
        extensions: only('extensions', extensions),
        members: only('members', extensionMembers),
        emptyViews: only('empty-views', relations),
    };
}
function readFact(key, json, read) {
    try {
        return read(JSON.parse(json), key);
    }
    catch (cause) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('facts-unreadable', `The database's reply about "${key}" cannot be understood`, { cause });
    }
}
function copiedRows(next) {
    const isCounted = next?.[0] === 'COPY' && /^\d+$/.test(next[1]);
    return isCounted ? { rows: Number(next[1]), exact: true } : { rows: null, exact: false };
}


/***/ }),

/***/ 6466:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   R: () => (/* binding */ hidden),
/* harmony export */   Uc: () => (/* binding */ describeError),
/* harmony export */   bv: () => (/* binding */ firstError),
/* harmony export */   mm: () => (/* binding */ wordsFile)
/* harmony export */ });
/* unused harmony exports firstRefusal, failedTable */
// What PostgreSQL's programs print, as postgres-words.sh on the host passes it on.
/** Everything that PostgreSQL said in this run, if it said something; in the backup folder on the host. */
const wordsFile = (backupDir, run) => `${backupDir}/postgres-${run}.log`;
const server = /^(?:.*?[: ])?(?:ERROR|FATAL|PANIC): {2}(.*)$/;
const error = /^(?:.*?[: ])?(?:ERROR|PANIC): {2}(.*)$/;
const program = /^(?:pg_dump|pg_dumpall|pg_restore|psql): (?:\[[a-z() ]+\] )?(?:error|fatal): (.*)$/;
const cutOff = /^(?:.*: )?(server closed the connection unexpectedly|connection to server was lost)/;
/** If one session fails, another may lose the snapshot that it shares with it: that is a consequence. */
const isConsequence = (text) => /^(invalid snapshot identifier|could not import the requested snapshot)/.test(text);
/** An error whose words are hidden. */
const hidden = '…';
/**
 * The first error among these lines, without what stands in front of it: what the server says goes before what a program
 * says, a cause before its consequence, and known words before hidden ones. null if there is none.
 */
function firstError(lines) {
    const matching = (pattern) => lines.flatMap((line) => pattern.exec(line)?.[1]?.trim() ?? []);
    const ofServer = [...matching(error), ...matching(server)];
    const known = ofServer.find((text) => text !== hidden && !isConsequence(text));
    const others = [...matching(cutOff), ...matching(program)].filter((text) => text !== hidden);
    return (known ?? ofServer.find((text) => !isConsequence(text)) ?? others[0] ?? ofServer[0] ?? matching(program)[0] ?? null);
}
/** The first statement that the server refused; null if none was. */
function firstRefusal(lines) {
    return lines.flatMap((line) => error.exec(line)?.[1]?.trim() ?? [])[0] ?? null;
}
/** The table whose rows were being restored when it failed, in quotes; null if pg_restore did not say. */
function failedTable(lines) {
    return lines.flatMap((line) => /COPY failed for table (".+"): (?:ERROR|FATAL): {2}/.exec(line)?.[1] ?? [])[0] ?? null;
}
/** An error for people: its words may be hidden, because they are a function's own, or of a shape that is not known. */
function describeError(text, file) {
    if (text !== hidden)
        return text;
    const where = file === null ? 'they are not kept, since the backup is encrypted' : `they are in ${file} on the host`;
    return `an error whose words may hold data; ${where}`;
}


/***/ }),

/***/ 50141:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  W: () => (/* binding */ checkDumpTools),
  f: () => (/* binding */ readProbe)
});

// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __nccwpck_require__(926);
;// CONCATENATED MODULE: ./build/shared/postgres/refusal.js

/** What PostgreSQL's programs say, and what to do about it. */
const refusals = [
    [/database ".*" does not exist/, 'Correct the input "db-name"'],
    [/role ".*" does not exist/, 'Correct the input "db-user"'],
    [/role ".*" is not permitted to log in/, 'Set "db-user" to a role that may log in'],
    [
        /password authentication failed/,
        'The password in the container\'s variables is not that of the role, or there is no such role. They set it only when the data folder is new: change it with ALTER ROLE, or correct them; or set "db-user"',
    ],
    [
        /no password supplied/,
        'The server wants a password: give it to the container as POSTGRES_PASSWORD, or in a file that POSTGRES_PASSWORD_FILE names and that the user of docker exec can read',
    ],
    [
        /no pg_hba\.conf entry|pg_hba\.conf rejects/,
        'Let the role connect to the database from within the container: a line in pg_hba.conf on the server, then SELECT pg_reload_conf()',
    ],
    [
        /(Peer|Ident|ident) authentication failed/,
        'pg_hba.conf lets a role connect only as the user of the same name: set "db-user" to that of docker exec, or change the line to scram-sha-256',
    ],
    [
        /too many clients|remaining connection slots|too many connections for/,
        'All its connections are taken. See who has them: SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2. Free some, or raise max_connections or the CONNECTION LIMIT',
    ],
    [/starting up|shutting down|in recovery|not yet accepting/, 'Wait until it is up, then run it again'],
    [/not currently accepting connections/, 'ALTER DATABASE … ALLOW_CONNECTIONS true, or correct the input "db-name"'],
    [
        /cannot connect to invalid database/,
        'A DROP DATABASE was interrupted: what is left cannot be used. Drop it, and restore it or correct the input "db-name"',
    ],
    [
        /unsupported startup parameter/,
        'A pooler answers, not PostgreSQL: set "db-service" to the service of the database itself, and let PGHOST in its container lead to no pooler',
    ],
    [
        /could not translate host name/,
        'PGHOST in the container, or the service that PGSERVICE names, has a host that is not known there: correct or remove it',
    ],
    [
        /definition of service .* not found/,
        'PGSERVICE in the container names a service that is in no service file there: correct or remove it',
    ],
    [
        /failed: Permission denied|could not connect to server: Permission denied/,
        'The user of docker exec may not use the socket: see unix_socket_permissions and unix_socket_group, and the rights of its folder; or set user: of the service to one that may',
    ],
    [/permission denied for database/, 'GRANT CONNECT ON DATABASE … TO the role, or set "db-user" to another one'],
    [
        /could not connect|connection to server .* failed: (No such file|Connection refused|Connection timed out|timeout)|timeout expired/,
        'No server answers where the container says that it listens. If "db-service" names another service than the database, correct it. Otherwise, on the host: docker ps; docker logs NAME',
    ],
];
/** What to tell of a session that was refused: the words after FATAL or ERROR, else those of psql itself; a hint only where these are known. */
function refusal(answer) {
    const said = /(?:FATAL|ERROR|PANIC): +(.*?)(?: +(?:DETAIL|HINT|LINE \d+|CONTEXT):| *$)/.exec(answer)?.[1] ??
        /psql: (?:error: )?(.*?)(?:\s+Is the server running|\s*$)/.exec(answer)?.[1];
    const hint = refusals.find(([pattern]) => said !== undefined && pattern.test(said))?.[1];
    return new failure/* Failure */.HR('database-refuses', `The database refused our session${said === undefined ? '' : `: ${said}`}`, {
        hint: hint ?? 'On the host: docker ps; docker logs NAME',
        cause: answer,
    });
}

;// CONCATENATED MODULE: ./build/shared/postgres/probe.js


/** As reach-server.sh looks for them. */
const passwordVariables = [
    'POSTGRES_PASSWORD',
    'POSTGRES_PASSWORD_FILE',
    'POSTGRESQL_PASSWORD',
    'POSTGRESQL_PASSWORD_FILE',
    'POSTGRESQL_POSTGRES_PASSWORD',
    'POSTGRESQL_POSTGRES_PASSWORD_FILE',
    'POSTGRESQL_ADMIN_PASSWORD',
    'POSTGRESQL_ADMIN_PASSWORD_FILE',
];
/**
 * Reads the output of the probe. Its values come from the server: hostile until cleaned.
 * @throws Failure `database-refuses`; `no-pg-dump` if not even psql is there
 */
function readProbe(output) {
    const lines = output.split('\n').map((line) => {
        const space = line.indexOf(' ');
        return [line.slice(0, space), line.slice(space + 1)];
    });
    const value = (name) => lines.find(([key]) => key === name)?.[1];
    const tools = new Set(lines.filter(([name]) => name === 'tool').map(([, tool]) => tool));
    requireTools(tools, ['psql']);
    const answer = value('accepts');
    if (answer === undefined)
        throw refusal(value('refuses') ?? 'no answer');
    return {
        ...readAnswer(answer),
        pgDumpVersion: (value('pg-dump') ?? '').replace(/^pg_dump \([^)]*\) /, ''),
        tools,
        access: {
            place: readPlace(value('place') ?? '', value('instead-of') ?? ''),
            password: passwordVariables.find((variable) => variable === value('password')) ?? null,
        },
        outdatedCollations: readCollations(value('collations') ?? ''),
    };
}
function readPlace(found, instead) {
    const [, port, host] = /^(\d+) (.+)$/.exec(found) ?? [];
    if (port === undefined || host === undefined)
        return null;
    const insteadOf = ['PGHOSTADDR', 'PGSERVICE'].filter((name) => instead.split(' ').includes(name));
    return { host, port, insteadOf };
}
function readCollations(json) {
    try {
        return JSON.parse(json);
    }
    catch {
        return null;
    }
}
/**
 * Checks that the container can dump, and can read a dump. A program that exists may be a wrapper for one that does not,
 * and an older pg_dump refuses a newer server.
 * @throws Failure `no-pg-dump`
 */
function checkDumpTools({ tools, pgDumpVersion, serverVersion }) {
    requireTools(tools, ['pg_dump', 'pg_restore']);
    const [ofProgram, ofServer] = [pgDumpVersion, serverVersion].map((version) => Number.parseInt(version, 10));
    if (ofProgram !== undefined && ofServer !== undefined && ofProgram >= ofServer)
        return;
    throw new failure/* Failure */.HR('no-pg-dump', `pg_dump in the container cannot dump a server of version ${serverVersion}: ${pgDumpVersion}`, {
        hint: 'Run the database in the official image of its version, whose pg_dump matches the server',
    });
}
function requireTools(tools, wanted) {
    const missing = wanted.filter((tool) => !tools.has(tool));
    if (missing.length === 0)
        return;
    throw new failure/* Failure */.HR('no-pg-dump', `The database container has no ${missing.join(' and no ')}`, {
        hint: 'Set "db-service" to the service that runs the official PostgreSQL image',
    });
}
function readAnswer(answer) {
    try {
        return JSON.parse(answer);
    }
    catch {
        throw refusal(answer);
    }
}


/***/ }),

/***/ 93718:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   C: () => (/* binding */ identifier),
/* harmony export */   j: () => (/* binding */ relationName)
/* harmony export */ });
/** As PostgreSQL shows it, quoted where necessary: two relations never have the same. */
function relationName({ schema, name }) {
    const shown = (part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : identifier(part));
    return `${shown(schema)}.${shown(name)}`;
}
/** A name in SQL, whatever it holds. */
function identifier(name) {
    return `"${name.replaceAll('"', '""')}"`;
}


/***/ }),

/***/ 33338:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Mr: () => (/* binding */ factsScripts),
/* harmony export */   kl: () => (/* binding */ replaceScript),
/* harmony export */   yT: () => (/* binding */ insideScript)
/* harmony export */ });
/* unused harmony export drillScript */
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(73024);

// Scripts for the database container and SQL for the server; the programs on the host get them as parameters.
const inside = () => [
    (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__nccwpck_require__.ab + "reach-server.sh", 'utf8'),
    (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__nccwpck_require__.ab + "inside.sh", 'utf8'),
].join('\n');
const load = () => (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__nccwpck_require__.ab + "load-inside.sh", 'utf8');
/** A script that runs the function that its first argument names. */
const program = (...parts) => `${parts.join('\n')}\n"$@"\n`;
/** The script for the container: `probe`, `session`, `dump`, `schema`, `globals`, `settings`, `parse`, `terminate`, `waits`. */
const insideScript = () => program(inside());
/**
 * The same for a restore next to the live database: also `standing`, `missing`, `create_missing`, `drop_created`, `create`, `take_settings`, `mark`,
 * `fill`, `subscriptions`, `analyze`, `after`, `sweep`, `discard`, `exchange`, `exchange_back`.
 */
const replaceScript = () => program(inside(), load(), (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(__nccwpck_require__.ab + "replace-inside.sh", 'utf8'));
/**
 * Statements that read facts about a database. Each answer is a line: a name, a space, a value or JSON. Two sessions of psql: one
 * opens the snapshot with `before` and keeps it open until `after`, the other one counts and hashes in it. They need `lock_wait`.
 */
const factsScripts = () => {
    const read = (url) => (0,node_fs__WEBPACK_IMPORTED_MODULE_0__.readFileSync)(url, 'utf8');
    // A URL for each: the bundler only includes files that are named literally.
    const session = read(__nccwpck_require__.ab + "facts-session.sql");
    const sequences = read(__nccwpck_require__.ab + "facts-sequences.sql");
    const snapshot = read(__nccwpck_require__.ab + "facts-snapshot.sql");
    const tables = read(__nccwpck_require__.ab + "facts-tables.sql");
    const end = read(__nccwpck_require__.ab + "facts-end.sql");
    return {
        facts_before: `${session}\\set moment before\n${sequences}${snapshot}`,
        facts_tables: `${session}${tables}`,
        facts_after: `\\set moment after\n${sequences}${end}`,
    };
};
/**
 * The script for the scratch container of a drill: `room`, `room_below`, `prepare`, `tolerant`, `fill`, `restore`,
 * `session`, `schema`, `silence`, `indexes`, `reader`, `assert`.
 */
const drillScript = () => program(readFileSync(__nccwpck_require__.ab + "drill-inside.sh", 'utf8'), load());


/***/ }),

/***/ 57296:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   LS: () => (/* binding */ hashedText),
/* harmony export */   Sc: () => (/* binding */ isHashed),
/* harmony export */   ig: () => (/* binding */ leftOut),
/* harmony export */   jG: () => (/* binding */ leftOutText),
/* harmony export */   qC: () => (/* binding */ whyLeftOut)
/* harmony export */ });
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(98295);
/* harmony import */ var _relation_name_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(93718);


// What the facts about tables come to, in words for people.
/** Whether its content can be compared. Of an empty table there is none; a sample that holds no row of a table says nothing. */
function isHashed({ content, rows }) {
    return rows === 0 || (content !== null && content.rows > 0);
}
/** What of the content was hashed: `812 tables whole, 3 by a sample of 81,203 rows in all; 2 not hashed`. */
function hashedText(tables) {
    const hashed = tables.filter(isHashed);
    const whole = hashed.filter(({ content }) => content === null || content.oneIn === 1).length;
    const sampled = hashed.length - whole;
    const rows = hashed.reduce((sum, { content }) => sum + (content === null || content.oneIn === 1 ? 0 : content.rows), 0);
    const not = tables.length - hashed.length;
    const parts = [
        ...(whole > 0 ? [`${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .counted */ .hS)(whole, 'table')} whole`] : []),
        ...(sampled > 0 ? [`${sampled} by a sample of ${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .counted */ .hS)(rows, 'row')} in all`] : []),
    ];
    return [parts.join(', '), ...(not > 0 ? [`${not} not hashed`] : [])].filter((part) => part !== '').join('; ');
}
/** Tables whose rows pg_dump leaves out, as they belong to extensions or stand in a schema of PostgreSQL's own; empty ones lose nothing. */
function leftOut(tables) {
    return tables.filter(({ isDumped, rows }) => !isDumped && rows !== 0);
}
/** Why pg_dump leaves something out. @param extension that it belongs to; null or empty if it only stands where nobody else's things are */
const whyLeftOut = (extension) => extension === null || extension === ''
    ? "which stands in a schema of PostgreSQL's own"
    : `which belongs to the extension ${extension}`;
/** `1 row in public.q_mail, which belongs to the extension hstore`. */
function leftOutText(tables) {
    const told = leftOut(tables).map((table) => `${table.rows === null ? 'the rows' : (0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .counted */ .hS)(table.rows, 'row')} in ${(0,_relation_name_js__WEBPACK_IMPORTED_MODULE_1__/* .relationName */ .j)(table)}, ${whyLeftOut(table.extension)}`);
    return (0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .listed */ .KE)(told, 5);
}


/***/ }),

/***/ 59859:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   A: () => (/* binding */ reasonOf),
/* harmony export */   R: () => (/* binding */ inTime)
/* harmony export */ });
/* harmony import */ var node_events__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(78474);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(98295);


/**
 * Waits for an answer from elsewhere, at most `patience` milliseconds, and no longer than until a cancel.
 * @throws Error `no answer within 10 s`; what the work throws; the signal's reason
 */
async function inTime(patience, signal, work) {
    signal.throwIfAborted();
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const givenUp = (0,node_events__WEBPACK_IMPORTED_MODULE_0__.once)(waiting, 'abort').then(() => {
        signal.throwIfAborted();
        throw new Error(`no answer within ${(0,_units_js__WEBPACK_IMPORTED_MODULE_1__/* .formatDuration */ .a3)(patience)}`);
    });
    return Promise.race([work, givenUp]);
}
/**
 * Why something could not be reached, in one line that is never empty. If several addresses of a name were tried: why the first
 * failed.
 */
function reasonOf(error) {
    if (error instanceof AggregateError && error.errors.length > 0)
        return reasonOf(error.errors[0]);
    if (!(error instanceof Error))
        return String(error) || 'no reason was given';
    const [line = ''] = error.message.split('\n');
    if (line.trim() === '')
        return error.cause === undefined ? error.name : reasonOf(error.cause);
    return error.name === 'Error' ? line : `${error.name}: ${line}`;
}


/***/ }),

/***/ 2886:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   O$: () => (/* binding */ volumeKey),
/* harmony export */   f8: () => (/* binding */ compareVolumes)
/* harmony export */ });
/* unused harmony export program */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(77598);
/* harmony import */ var _release_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(56986);


const volumeKey = ({ container, destination }) => `${container} ${destination}`;
const program = {
    name: 'compare-volumes',
    step: 'the comparison of volumes with images',
    scripts: [new URL(/* asset import */ __nccwpck_require__(25887), __nccwpck_require__.b)],
};
/** Compares volumes with what the images of their containers have in the same place. Starts and changes nothing. */
async function compareVolumes(connection, volumes, signal, onLog) {
    const asked = volumes.filter(({ imageId, destination }) => (0,_release_js__WEBPACK_IMPORTED_MODULE_1__/* .isImageId */ .rw)(imageId) && !/[\n\r\0]/.test(destination));
    if (asked.length === 0)
        return new Map();
    const volume = asked.map(({ container, imageId, isAnonymous, destination }) => `${container} ${imageId} ${isAnonymous ? 'anonymous' : 'named'} ${destination}`);
    const run = connection.run(program, { token: (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(8).toString('hex'), volume }, { deadline: 120_000, atEnd: 'end', signal, onLog });
    const records = await run.result;
    return new Map(records.all('volume').flatMap((line) => {
        const [, content, key = ''] = /^(only|also) (.+)$/s.exec(line) ?? [];
        return content === 'only' || content === 'also' ? [[key, content]] : [];
    }));
}


/***/ }),

/***/ 88298:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Mg: () => (/* binding */ demandCompose),
/* harmony export */   Uz: () => (/* binding */ supportsReset)
/* harmony export */ });
/* unused harmony exports checkComposeVersion, noCompose */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);

/** The oldest version in which `--no-recreate` and `--pull never` do what a swap needs. */
const oldest = [2, 20, 0];
/** The oldest version in which an override can remove a fixed name with `!reset`, according to compose's reference. */
const oldestReset = [2, 24, 4];
/**
 * @param version as `docker compose version --short` prints it: `2.26.1-4`, `v2.20.0`
 * @throws Failure `compose-too-old`
 */
function checkComposeVersion(version) {
    if (isAtLeast(oldest, version))
        return;
    throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('compose-too-old', `The host has docker compose ${version.trim().slice(0, 50) || 'in an unknown version'}; 2.20 or newer is needed`, {
        hint: 'On the host, as root: apt-get install docker-compose-plugin (from Docker’s own packages)',
    });
}
/** True if `!reset` in an override removes a fixed name. @param version as above */
function supportsReset(version) {
    return isAtLeast(oldestReset, version);
}
function isAtLeast(needed, version) {
    const [, ...parts] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version.trim()) ?? [];
    const difference = needed.map((part, index) => Number(parts[index] ?? 0) - part).find((each) => each !== 0);
    return (difference ?? 0) >= 0;
}
/**
 * What compose says of the project, by a compose that is new enough.
 * @throws Failure `no-compose`, `compose-too-old`
 */
function demandCompose({ compose }) {
    if (compose === null || 'error' in compose)
        return noCompose(compose?.error ?? '');
    checkComposeVersion(compose.version);
    return compose;
}
/** @throws Failure `no-compose` */
function noCompose(error) {
    throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('no-compose', 'The host has no docker compose', {
        hint: 'On the host, as root: apt-get install docker-compose-plugin. The old docker-compose (with a hyphen) is not enough',
        cause: error,
    });
}


/***/ }),

/***/ 89892:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   V: () => (/* binding */ nameOf)
/* harmony export */ });
/* harmony import */ var _by_text_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(14295);
/* harmony import */ var _image_reference_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(9290);
/* harmony import */ var _moving_tag_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(73408);
/* harmony import */ var _release_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(56986);




/**
 * The tag by which people know an image. Its own comes first, as it is the one that compose uses. Only if that moves, or
 * there is none, another tag of the same repository says more; `latest` is the last resort.
 * @param file the reference in the compose file: its repository counts if the image's own reference is only an id
 */
function nameOf(named, file, images) {
    const own = named.tag;
    if (own !== null && !(0,_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__/* .moves */ .V)(own))
        return own;
    const reference = named.image === null || (0,_release_js__WEBPACK_IMPORTED_MODULE_1__/* .isImageId */ .rw)(named.image) ? file : named.image;
    const repository = (0,_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)(reference)?.repository;
    const others = (images.find(({ id }) => id === named.imageId)?.repoTags ?? [])
        .map(_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)
        .flatMap((name) => (name !== null && name.repository === repository && name.tag !== null ? [name.tag] : []))
        .filter((tag) => tag !== own)
        .toSorted(byUse);
    const best = others[0];
    if (best !== undefined && (!(0,_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__/* .moves */ .V)(best) || own === null || own === 'latest') && best !== 'latest')
        return best;
    return own ?? best ?? null;
}
/** What does not move first, then versions, then what says most. */
function byUse(one, other) {
    const rank = (tag) => (tag === 'latest' ? 3 : (0,_moving_tag_js__WEBPACK_IMPORTED_MODULE_2__/* .moves */ .V)(tag) ? 2 : /^v?\d+\./i.test(tag) ? 0 : 1);
    return rank(one) - rank(other) || other.length - one.length || (0,_by_text_js__WEBPACK_IMPORTED_MODULE_3__/* .byText */ .z)(one, other);
}


/***/ }),

/***/ 9290:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Bc: () => (/* binding */ isDigest),
/* harmony export */   Bz: () => (/* binding */ referenceOf),
/* harmony export */   dz: () => (/* binding */ isTag),
/* harmony export */   o_: () => (/* binding */ parseImageReference)
/* harmony export */ });
/* unused harmony export ImageReference */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);

// Docker's grammar (distribution/reference), rule by rule.
const pathComponent = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathGrammar = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const domainComponent = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registryGrammar = new RegExp(`^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const tagGrammar = /^\w[\w.-]{0,127}$/;
const digestGrammar = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
/** Every registry refuses longer paths. */
const longestPath = 255;
const defaultRegistry = 'docker.io';
const legacyDefaultRegistry = 'index.docker.io';
const officialImages = 'library/';
/** True for a content digest such as `sha256:` and 64 lower-case hex digits (sha384 and sha512 alike). */
function isDigest(text) {
    return digestGrammar.test(text);
}
/** True for a valid tag: at most 128 letters, digits, `_`, `.` or `-`, not starting with `.` or `-`. */
function isTag(text) {
    return tagGrammar.test(text);
}
/** An image reference with Docker's defaults filled in, so that two names of the same image are equal. */
class ImageReference {
    /** Host and port; `docker.io` if none was given. */
    registry;
    /** `library/postgres`, `acme/web`. */
    path;
    /** `latest` if neither tag nor digest was given; null if only a digest was. */
    tag;
    digest;
    constructor(registry, path, tag, digest) {
        this.registry = registry;
        this.path = path;
        this.tag = tag;
        this.digest = digest;
    }
    /** Registry and path: what tags and digests belong to. */
    get repository() {
        return `${this.registry}/${this.path}`;
    }
    /** The full form, which parses to an equal reference. */
    toString() {
        const tag = this.tag === null ? '' : `:${this.tag}`;
        const digest = this.digest === null ? '' : `@${this.digest}`;
        return `${this.repository}${tag}${digest}`;
    }
}
/**
 * Reads a reference as `docker pull` does.
 *
 * @throws Failure `bad-image-reference`
 */
function parseImageReference(text) {
    const { name, tag, digest } = split(text);
    const { registry, path } = locate(name);
    if (!registryGrammar.test(registry))
        refuse(text, 'its registry is not a host name with an optional port');
    if (!pathGrammar.test(path))
        refuse(text, 'its repository is not lower-case words joined by "/", ".", "_" or "-"');
    if (path.length > longestPath)
        refuse(text, `its repository is longer than ${longestPath} characters`);
    if (tag !== null && !isTag(tag))
        refuse(text, 'its tag is not 1 to 128 letters, digits, "_", "." or "-"');
    if (digest !== null && !isDigest(digest))
        refuse(text, 'its digest is not "sha256:" and 64 lower-case hex digits');
    if (tag === null && digest === null) {
        // Docker refuses these, because an image id would otherwise be read as a repository.
        if (/^[a-f0-9]{64}$/.test(text))
            refuse(text, 'it is an image id');
        return new ImageReference(registry, path, 'latest', null);
    }
    return new ImageReference(registry, path, tag, digest);
}
/** null if the text is not a reference, for example because a variable in it is not set. */
function referenceOf(image) {
    if (image === null)
        return null;
    try {
        return parseImageReference(image);
    }
    catch (error) {
        if ((0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error))
            return null;
        throw error;
    }
}
/** Cuts off the digest, then the tag. A colon before the last slash belongs to the registry's port. */
function split(text) {
    const at = text.indexOf('@');
    const digest = at === -1 ? null : text.slice(at + 1);
    const tagged = at === -1 ? text : text.slice(0, at);
    const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
    return colon === -1
        ? { name: tagged, tag: null, digest }
        : { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1), digest };
}
/** The first part is a registry only if it cannot be a user on Docker Hub. */
function locate(name) {
    const slash = name.indexOf('/');
    const first = slash === -1 ? '' : name.slice(0, slash);
    const namesHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
    if (namesHost && first !== defaultRegistry && first !== legacyDefaultRegistry) {
        return { registry: first, path: name.slice(slash + 1) };
    }
    const path = namesHost ? name.slice(slash + 1) : name;
    return { registry: defaultRegistry, path: path.includes('/') ? path : officialImages + path };
}
function refuse(text, why) {
    throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-image-reference', `${JSON.stringify(text.slice(0, 300))} is not an image reference: ${why}`, {
        hint: 'Write it as registry/repository:tag, for example ghcr.io/acme/web:v1.4.2',
    });
}


/***/ }),

/***/ 73408:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   V: () => (/* binding */ moves)
/* harmony export */ });
/** Parts of a tag that have digits but say nothing about when it was built: processors, and pull requests by number. */
const processors = /(?<![a-z0-9])(?:amd64|x86[_-]64|i?[36]86|arm64(?:[/-]?v8)?|aarch64|arm(?:32)?(?:v[5-8])?|ppc64le|s390x|riscv64|loong64)(?![a-z0-9])/g;
const pullRequest = /^(?:pr|mr|pull|merge|pull-request|merge-request)[-_.]?\d{1,7}$/;
/** Seven is the shortest hash that Git prints. */
const commit = /(?<![a-z0-9])g?[0-9a-f]{7,64}(?![a-z0-9])/;
/**
 * Whether a tag is meant to stand for one image after the other: `latest`, `stable`, the name of a branch or of a stage. A
 * version, a date, a build number or a commit is meant to stay. In doubt a tag stays: to point it at another image would
 * make it lie, and what it costs not to is a line that the operator has to change.
 */
function moves(tag) {
    const text = tag.toLowerCase().replace(processors, '');
    if (pullRequest.test(text))
        return true;
    return !/\d/.test(text) && !commit.test(text);
}


/***/ }),

/***/ 56986:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   G4: () => (/* binding */ sameImage),
/* harmony export */   OW: () => (/* binding */ sameRelease),
/* harmony export */   kn: () => (/* binding */ mixedServices),
/* harmony export */   l7: () => (/* binding */ releaseOf),
/* harmony export */   rw: () => (/* binding */ isImageId),
/* harmony export */   tN: () => (/* binding */ isServiceName)
/* harmony export */ });
/* harmony import */ var _by_text_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(14295);
/* harmony import */ var _image_reference_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(9290);


const imageIdGrammar = /^sha256:[a-f0-9]{64}$/;
/** Compose's own grammar of service names. */
const serviceGrammar = /^[a-zA-Z0-9._-]{1,255}$/;
/** True for a name that compose accepts for a service. */
function isServiceName(text) {
    return serviceGrammar.test(text);
}
/** True for the id of an image: `sha256:` and 64 lower-case hex digits. */
function isImageId(text) {
    return imageIdGrammar.test(text);
}
/**
 * What the project runs. If the containers of a service differ (after an update that stopped half-way), the newest one
 * counts; `mixedServices` names such services. Containers without a valid service name are left out.
 */
function releaseOf(containers, images) {
    const imagesById = new Map(images.map((image) => [image.id, image]));
    // fromEntries makes even a service called __proto__ an ordinary entry.
    return Object.fromEntries([...byService(containers)].map(([service, [newest]]) => [
        service,
        runningImage(newest, imagesById.get(newest.imageId)),
    ]));
}
/**
 * Compares by id or by digest, as either may be missing. An image has a digest only once it was pushed or pulled, and may
 * get a second one; its id may change with Docker, and copies of the history leave it out. Unknown values never match.
 */
function sameImage(one, other) {
    return ((one.imageId !== null && one.imageId === other.imageId) || (one.digest !== null && one.digest === other.digest));
}
/** True if both run the same images in the same services. */
function sameRelease(one, other) {
    const counterparts = new Map(Object.entries(other));
    return (Object.keys(one).length === counterparts.size &&
        Object.entries(one).every(([service, image]) => {
            const counterpart = counterparts.get(service);
            return counterpart !== undefined && sameImage(image, counterpart);
        }));
}
/** Services, in order, whose containers run different images. */
function mixedServices(containers) {
    return [...byService(containers)]
        .filter(([, [newest, ...others]]) => others.some((other) => other.imageId !== newest.imageId))
        .map(([service]) => service);
}
/** Sorted by service; within a service the newest container first, and those of the same age by image id. */
function byService(containers) {
    const services = new Map();
    const ordered = containers
        .filter((container) => isServiceName(container.service))
        .toSorted((a, b) => (0,_by_text_js__WEBPACK_IMPORTED_MODULE_1__/* .byText */ .z)(a.service, b.service) || (0,_by_text_js__WEBPACK_IMPORTED_MODULE_1__/* .byText */ .z)(createdAt(b), createdAt(a)) || (0,_by_text_js__WEBPACK_IMPORTED_MODULE_1__/* .byText */ .z)(a.imageId, b.imageId));
    for (const container of ordered) {
        const others = services.get(container.service);
        if (others === undefined)
            services.set(container.service, [container]);
        else
            others.push(container);
    }
    return services;
}
/** Go omits trailing zeros of the fraction. Without the `Z`, times of different lengths still compare correctly as text. */
function createdAt(container) {
    return container.created.replace(/Z$/, '');
}
function runningImage(container, image) {
    const imageId = isImageId(container.imageId) ? container.imageId : null;
    // A container may have been created from an image id, which would parse as a repository called "sha256".
    if (isImageId(container.image))
        return { image: container.image, tag: null, digest: null, imageId };
    const reference = (0,_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)(container.image);
    if (reference === null)
        return { image: null, tag: null, digest: null, imageId };
    return { image: container.image, tag: reference.tag, digest: digestOf(reference, image), imageId };
}
/** An image may have several digests in one repository: takes the one that the reference names, or else the first. */
function digestOf(reference, image) {
    const digests = (image?.repoDigests ?? [])
        .map(_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .referenceOf */ .Bz)
        .filter((known) => known?.repository === reference.repository)
        .map((known) => known?.digest ?? '')
        .filter(_image_reference_js__WEBPACK_IMPORTED_MODULE_0__/* .isDigest */ .Bc)
        .toSorted();
    if (reference.digest !== null && digests.includes(reference.digest))
        return reference.digest;
    return digests[0] ?? null;
}


/***/ }),

/***/ 97718:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Bc: () => (/* binding */ inContainer),
/* harmony export */   il: () => (/* binding */ reachesByItself),
/* harmony export */   wQ: () => (/* binding */ pastedLine)
/* harmony export */ });
/* harmony import */ var _shell_quote_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(61011);

/** The words before a command that is to reach the server: its password is read in the container, and stays there. */
function inContainer({ container, access }, ...options) {
    const { place, password } = access;
    const where = place === null ? [] : ['--env', `PGHOST=${place.host}`, '--env', `PGPORT=${place.port}`];
    const without = place?.insteadOf.flatMap((variable) => ['-u', variable]) ?? [];
    const clean = without.length === 0 ? [] : ['env', ...without];
    const secret = password === null ? [] : ['sh', '-c', `export PGPASSWORD=${expansionOf(password)}; exec "$@"`, 'sh'];
    return ['docker', 'exec', ...options, ...where, container, ...clean, ...secret];
}
/** Whether `docker exec CONTAINER` alone is enough. */
const reachesByItself = ({ access }) => access.place === null && access.password === null;
/** As the container's shell reads it. */
function expansionOf(variable) {
    return variable.endsWith('_FILE') ? `"$(cat "$${variable}")"` : `"$${variable}"`;
}
/** One line to paste into bash. */
function pastedLine(words) {
    return words.map(_shell_quote_js__WEBPACK_IMPORTED_MODULE_0__/* .quoteForShell */ .e).join(' ');
}


/***/ }),

/***/ 64052:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  Dp: () => (/* binding */ createOptions),
  Bh: () => (/* binding */ databaseArgument),
  eu: () => (/* binding */ literal),
  TK: () => (/* binding */ restoreCommands)
});

// EXTERNAL MODULE: ./build/shared/postgres/database-name.js
var database_name = __nccwpck_require__(6177);
// EXTERNAL MODULE: ./build/shared/postgres/relation-name.js
var relation_name = __nccwpck_require__(93718);
// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __nccwpck_require__(29462);
// EXTERNAL MODULE: ./build/shared/shell-quote.js
var shell_quote = __nccwpck_require__(61011);
// EXTERNAL MODULE: ./build/shared/report/in-container.js
var in_container = __nccwpck_require__(97718);
;// CONCATENATED MODULE: ./build/shared/report/pasted-block.js
// Lines of shell that an operator pastes.

const foldAt = 92;
/** In a subshell, so that an error does not end the operator's shell. */
function strictly(commands) {
    return `( set -e -o pipefail\n${commands.map(indented).join('\n')}\n)`;
}
function pipeline(...stages) {
    return stages.map((stage, index) => (index === 0 ? command(stage) : indented(command(stage)))).join(' |\n');
}
function indented(lines) {
    return lines.replaceAll(/^/gm, '  ');
}
/** Quoted words contain no line breaks, so a line can be folded between any two of them. */
function command(words) {
    const lines = [];
    for (const word of words.map(quoteWord)) {
        const last = lines.at(-1);
        if (last === undefined)
            lines.push(word);
        else if (last.length + 1 + word.length <= foldAt)
            lines[lines.length - 1] = `${last} ${word}`;
        else
            lines.push(`    ${word}`);
    }
    return lines.join(' \\\n');
}
/** `--option='a value'` means the same as `'--option=a value'`, and reads better. */
function quoteWord(word) {
    const [option = ''] = /^--[a-z-]+=/.exec(word) ?? [];
    return option + (0,shell_quote/* quoteForShell */.e)(word.slice(option.length));
}

;// CONCATENATED MODULE: ./build/shared/report/restore-command.js






/** The commands that restore a set, whatever the names of its database, user and folders. */
function restoreCommands(manifest, place) {
    const prefix = (0,naming/* parseSetFileName */.Bi)(manifest.file)?.prefix ?? 'backup';
    const files = (0,naming/* setFileNames */.H2)(prefix, manifest.id, manifest);
    const psql = ['psql', '-X', '--quiet', `--username=${place.user}`, `--dbname=${maintenanceOf(manifest)}`];
    const isSealed = manifest.encryption === 'age';
    const cd = isSealed ? [] : [command(['cd', place.folder])];
    const where = isSealed ? whereKeyIs(place) : null;
    const unpacked = (file) => isSealed
        ? [
            ['age', '--decrypt', '--identity', 'key.txt', file],
            ['gzip', '-dc'],
        ]
        : [['zcat', file]];
    const roles = pipeline(...unpacked(files.globals), fed(place, psql));
    // A dump does not include what ALTER DATABASE … SET has set.
    const settings = pipeline(...unpacked(files.settings), fed(place, psql));
    const sql = (statements) => alone(place, [...psql, `--command=${statements}`]);
    const check = command(['sha256sum', '--check', files.sha256]);
    const dump = readDump(manifest, files.dump, place);
    const into = (name, ...before) => pipeline(...dump, restoreInto(manifest, place, name, before));
    const done = (what) => command(['echo', what]);
    const rolesBlock = (0,in_container/* reachesByItself */.il)(place)
        ? [...cd, roles].join(' &&\n')
        : `(\n${[...cd, ...opening(place), roles].map(indented).join('\n')}\n)`;
    const restored = (0,database_name/* nameWith */.i)(manifest.database, '_restored');
    if (livesInOneDatabase(manifest)) {
        const { database } = manifest;
        const [old, failed] = [(0,database_name/* nameWith */.i)(database, '_replaced'), (0,database_name/* nameWith */.i)(database, '_failed')];
        const count = (name) => `count(*) FILTER (WHERE datname = ${literal(name)})`;
        const names = `SELECT ${count(database)}, ${count(old)} FROM pg_database`;
        return {
            where,
            database,
            roles: rolesBlock,
            restore: strictly([
                ...cd,
                ...opening(place),
                check,
                `found=$(${alone(place, [...psql, '-A', '-t', `--command=${names}`])})`,
                `[[ $found = *'|0' ]] || { ${aside(`Nothing was changed. First drop or rename ${old}: an earlier restore left it`)}; exit 1; }`,
                // On a new server there may be none to put aside.
                `[[ $found = 1* ]] || ${alone(place, createDatabase(manifest, place, database))}`,
                // All that can fail does so before the old database is touched.
                alone(place, createDatabase(manifest, place, restored)),
                // The jobs begin as soon as they are restored: until all is there, they can change nothing.
                sql(`ALTER DATABASE ${(0,relation_name/* identifier */.C)(restored)} SET default_transaction_read_only = on`),
                ...exchanged(database, old, restored, sql),
                ...untilDone(`${database} is not complete, and read-only. The old database is ${old}: to bring it back, paste step 3 of the report`),
                into(database, 'env', 'PGOPTIONS=-c default_transaction_read_only=off'),
                sql(`ALTER DATABASE ${(0,relation_name/* identifier */.C)(database)} RESET default_transaction_read_only`),
                settings,
                'trap - EXIT',
                done(`Restored into ${database}; the old database is ${old}`),
            ]),
            swap: null,
            back: strictly([
                ...opening(place),
                ...exchanged(database, failed, old, sql),
                done(`${database} is the old database again; the other one is ${failed}`),
            ]),
        };
    }
    return {
        where,
        database: restored,
        roles: rolesBlock,
        restore: strictly([
            ...cd,
            ...opening(place),
            check,
            alone(place, createDatabase(manifest, place, restored)),
            into(restored),
            done(`Restored into ${restored}`),
        ]),
        swap: strictly([
            ...cd,
            ...opening(place),
            sql(swapNames(manifest.database, (0,database_name/* nameWith */.i)(manifest.database, '_replaced'), restored)),
            settings,
        ]),
        back: null,
    };
}
/** The host has only the public key, so the ciphertext goes to the private one, and what it holds comes back through docker. */
const whereKeyIs = ({ folder }) => `The private key must not go to the host. So run this in bash on the machine that has the key, with age, zstd and docker: copy the files of this backup from ${folder} into a folder there (scp), put the key next to them as key.txt, and cd into it. Point docker at the host: export DOCKER_HOST=ssh://USER@HOST`;
/** The database in which other databases are created and renamed. */
const maintenanceOf = ({ database }) => (database === 'postgres' ? 'template1' : 'postgres');
/**
 * Whether the server takes an extension of the database in no database of another name: pg_cron can be created only in the one
 * that cron.database_name names.
 */
function livesInOneDatabase({ extensions }) {
    return extensions.some(({ name }) => name === 'pg_cron');
}
/**
 * Ends all sessions of the database and exchanges it for another one, which is there for sure: all of it or nothing. Tries it
 * three times, since pg_cron's own session comes back after a second. No session is ended where the names do not allow it.
 */
function exchanged(database, old, next, run) {
    const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ${literal(database)}`;
    const fits = (name) => `(SELECT FROM pg_database WHERE datname = ${literal(name)})`;
    const statements = `${end} AND EXISTS ${fits(next)} AND NOT EXISTS ${fits(old)}; ${swapNames(database, old, next)}`;
    return [
        `exchange() {\n${indented(run(statements))}\n}`,
        'exchange || { sleep 1; exchange; } || { sleep 2; exchange; }',
    ];
}
/** What is said if the block ends before `trap - EXIT`. */
function untilDone(words) {
    return [`incomplete() { ${aside(words)}; }`, 'trap incomplete EXIT'];
}
const aside = (words) => `echo ${(0,shell_quote/* quoteForShell */.e)(words)} >&2`;
/**
 * A value for `--dbname` that means exactly this database, whatever its name: PostgreSQL's programs take a name that
 * looks like a connection string for one.
 */
function databaseArgument(name) {
    if (!name.includes('=') && !/^postgres(ql)?:\/\//.test(name))
        return name;
    return `dbname='${name.replace(/[\\']/g, '\\$&')}'`;
}
/** Gives the lines after it a short name for what leads into the container, where that is long. */
function opening(place) {
    if ((0,in_container/* reachesByItself */.il)(place))
        return [];
    return [`db() { ${command((0,in_container/* inContainer */.Bc)(place, '-i'))} "$@"; }`];
}
/** A command that reads what a pipe gives it. */
function fed(place, words) {
    return [...((0,in_container/* reachesByItself */.il)(place) ? (0,in_container/* inContainer */.Bc)(place, '-i') : ['db']), ...words];
}
/** A command that reads nothing: `-i` would swallow whatever the operator pasted after it. */
function alone(place, words) {
    return (0,in_container/* reachesByItself */.il)(place)
        ? command([...(0,in_container/* inContainer */.Bc)(place), ...words])
        : `${command(['db', ...words])} </dev/null`;
}
/** template0: other templates may already contain something, or have another encoding. */
function createDatabase(manifest, place, name) {
    // By itself it connects to the database postgres, which an earlier try may have left half restored.
    const maintenance = maintenanceOf(manifest) === 'postgres' ? [] : [`--maintenance-db=${maintenanceOf(manifest)}`];
    const options = [`--username=${place.user}`, ...maintenance, '--template=template0', ...createOptions(manifest)];
    return ['createdb', ...options, '--', name];
}
/** Options of createdb for a database like that. */
function createOptions(manifest) {
    return [`--encoding=${manifest.encoding}`, ...localeOptions(manifest)];
}
/** Collation and character types as in the source; otherwise indexes and comparisons would differ. */
function localeOptions(manifest) {
    const { locale, ctype, localeProvider, providerLocale, icuRules, serverVersion } = manifest;
    const libc = ctype === null || ctype === locale ? [`--locale=${locale}`] : [`--lc-collate=${locale}`, `--lc-ctype=${ctype}`];
    if (localeProvider === null || localeProvider === 'libc' || providerLocale === null) {
        // Without this option template0's provider is used, which on another server may be ICU. Older versions do not have it.
        return localeProvider === 'libc' && Number.parseInt(serverVersion, 10) >= 15
            ? ['--locale-provider=libc', ...libc]
            : libc;
    }
    // createdb has this option from version 16 on, and so do databases.
    const rules = localeProvider === 'icu' && icuRules !== null ? [`--icu-rules=${icuRules}`] : [];
    return [`--locale-provider=${localeProvider}`, `--${localeProvider}-locale=${providerLocale}`, ...rules, ...libc];
}
/** The pipeline stages that produce the plain archive or SQL; the first one reads the file. */
function readDump({ encryption, format, compression }, file, place) {
    const program = { zstd: 'zstd', gzip: format === 'custom' ? null : 'gzip', none: null }[compression];
    const decompress = program === null ? [] : [program, '-dc'];
    const isInside = program === 'zstd' && place.zstdOn === 'container';
    // In the container it is a stage of its own, so that the host's pipefail sees its exit code.
    const decompression = isInside ? ['docker', 'exec', '-i', place.container, ...decompress] : decompress;
    if (encryption === 'age') {
        const decryption = ['age', '--decrypt', '--identity', 'key.txt', file];
        return program === null ? [decryption] : [decryption, decompression];
    }
    if (program === null)
        return [['cat', file]];
    return isInside ? [['cat', file], decompression] : [[...decompression, file]];
}
/** psql cannot tell truncated input from complete input, so the checksum before it and pipefail matter. */
function restoreInto({ format }, place, name, before) {
    const into = [`--username=${place.user}`, `--dbname=${databaseArgument(name)}`];
    if (format === 'custom')
        return fed(place, [...before, 'pg_restore', '--exit-on-error', ...into]);
    // Not as a single transaction: the dump has transactions of its own, around large objects.
    const strict = ['-X', '--quiet', '--output=/dev/null', '-v', 'ON_ERROR_STOP=1'];
    return fed(place, [...before, 'psql', ...strict, ...into]);
}
/** One command string is one transaction: both names change, or neither. */
function swapNames(database, old, next) {
    const rename = (from, to) => `ALTER DATABASE ${(0,relation_name/* identifier */.C)(from)} RENAME TO ${(0,relation_name/* identifier */.C)(to)}`;
    return `${rename(database, old)}; ${rename(next, database)}`;
}
/** For a server with any value of standard_conforming_strings. */
function literal(value) {
    const doubled = value.replaceAll("'", "''");
    return value.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}


/***/ }),

/***/ 96004:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  _e: () => (/* binding */ compareSchemas),
  B0: () => (/* binding */ stableSchema),
  VC: () => (/* binding */ stableSchemaHash)
});

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(77598);
;// CONCATENATED MODULE: ./build/shared/report/hide-secrets.js
/**
 * Texts of dumps without the secrets that a schema may hold, as far as they can be recognized: values that follow a name like that
 * of a password (options of user mappings and others, settings, defaults, arguments, JSON), tokens in headers, and connection
 * strings. A dump lists them in SQL that anybody may read who reads a report. More may be hidden than is secret.
 * The same value gets the same number in all of the texts, so that a change can still be seen.
 */
function hideSecrets(...texts) {
    const numbers = new Map();
    const hidden = (value) => {
        const number = numbers.get(value) ?? numbers.size + 1;
        numbers.set(value, number);
        return `(hidden ${number})`;
    };
    const hide = (text) => text
        .replace(connection, (_, before, value) => `${before}'${hidden(value)}'`)
        .replace(inHeader, (_, before, value) => `${before}${hidden(value)}`)
        .replace(namedWithin, (_, before, value) => `${before}${hidden(value)}`)
        .replace(named, (_, before, value) => `${before}'${hidden(value)}'`)
        .replace(inJson, (_, before, value) => `${before}"${hidden(value)}"`)
        .replace(inConnectionString, (_, before, value) => `${before}${hidden(value)}`)
        .replace(inUrl, (_, before, value, at) => `${before}${hidden(value)}${at}`);
    return texts.map(hide);
}
/** A literal as pg_dump writes it: quotes are doubled, and it may go on over lines. A text may have been cut off within. */
const literal = "E?'(?!\\(hidden \\d+\\)')((?:[^']|'')*)(?:'|$)";
/**
 * What options, settings, columns and keys of connection strings are called that hold a secret or lead to one. Bounded, so that
 * no text that was made for it keeps us busy.
 */
const secretName = '(?:[\\w.-]{0,60}(?:pass(?:word|wd|file|phrase|code)?|pwd|secret|token|credentials?|authorization|(?:ssl|private|access|api|account|auth|sa|service|signing|encryption|master|jwt|shared)[_-]?key|sas)[\\w.-]{0,60}|(?:[\\w.-]{0,60}[_.-])?pw)';
/** CREATE SUBSCRIPTION … CONNECTION '…' */
const connection = new RegExp(`(\\bCONNECTION\\s+)${literal}`, 'g');
/** What stands between a name and its value: an option's blank, a setting's TO, a column's type, the signs of an argument. */
const between = '(?:\\s*(?::=|=>|=|,)\\s*|\\s+TO\\s+|\\s+(?:[\\w().," ]{0,60}\\s)?DEFAULT\\s+|\\s+)';
const named = new RegExp(`(\\b${secretName}["']?${between})${literal}`, 'gi');
/** The same within a literal, where quotes are doubled. */
const namedWithin = new RegExp(`(\\b${secretName}["']{0,2}${between})''(?=[^\\s,;)'])([^']*)(?:''|$)`, 'gi');
const inJson = new RegExp(`(\\b${secretName}"\\s*:\\s*)"(?!\\(hidden \\d+\\)")((?:[^"\\\\]|\\\\.)*)(?:"|$)`, 'gi');
const inHeader = /(\b(?:bearer|basic)\s+)([\w.~+/=-]{8,4000})/gi;
/** `password=…` within a text, as functions give it to dblink; with blanks, it may also be a comparison of columns or calls. */
const noValue = '(?!>|=|(?:new|old|excluded)\\.|\\$|null\\b|[\\w.$"]{0,130}\\s*\\(|\'?\\(hidden)';
const inConnectionString = new RegExp(`(\\b${secretName}\\s*=\\s*)${noValue}('{1,2}[^']*'{1,2}|\\{[^}]*(?:\\}|$)|[^\\s'"&;,()]+)`, 'gi');
const inUrl = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@'"]{0,100}:)([^\s@'"]{1,300})(@)/gi;

;// CONCATENATED MODULE: ./build/shared/report/line-difference.js
/** Cells in the table of the comparison: 4 MB of memory. A larger difference is given as one block removed, one added. */
const mostCells = 2_000_000;
/**
 * The lines by which two texts differ, in order: `- ` before a removed line, `+ ` before an added one. The list is the
 * shortest possible, unless the texts differ so much that it simply has all removed lines, then all added ones.
 */
function changedLines(before, after) {
    let start = 0;
    while (start < before.length && start < after.length && before[start] === after[start])
        start += 1;
    let end = 0;
    while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) {
        end += 1;
    }
    const removed = before.slice(start, before.length - end);
    const added = after.slice(start, after.length - end);
    return removed.length * added.length > mostCells ? replaced(removed, added) : shortest(removed, added);
}
function replaced(removed, added) {
    return [...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
}
/** By the longest common subsequence: `common` at (i, j) is its length for the lines from i and from j on. */
function shortest(before, after) {
    const width = after.length + 1;
    const common = new Uint16Array((before.length + 1) * width);
    const at = (i, j) => common[i * width + j] ?? 0;
    for (let i = before.length - 1; i >= 0; i--) {
        for (let j = after.length - 1; j >= 0; j--) {
            common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
        }
    }
    const lines = [];
    let i = 0;
    let j = 0;
    while (i < before.length || j < after.length) {
        if (i < before.length && j < after.length && before[i] === after[j]) {
            i += 1;
            j += 1;
        }
        else if (j === after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
            lines.push(`- ${before[i]}`);
            i += 1;
        }
        else {
            lines.push(`+ ${after[j]}`);
            j += 1;
        }
    }
    return lines;
}

;// CONCATENATED MODULE: ./build/shared/report/schema-changes.js



/** Lines that differ in every run of pg_dump, or between server versions. */
const unstable = /^(\\(un)?restrict |-- Dumped (from|by) |-- (Started|Completed) on )/;
/** pg_dump's comment above each object. A name may contain anything here except line breaks. */
const header = /^-- Name: (.*); Type: (.*?); Schema: (.*); Owner: /;
/**
 * Lines between objects that belong to none of them. pg_dump changes a default before the first object that needs it, so
 * these lines move when objects come and go.
 */
const betweenObjects = /^(-- PostgreSQL database dump( complete)?|--|SET default_(tablespace|table_access_method) = .*)?$/;
/**
 * A schema dump without the lines that differ from run to run, so that equal schemas give equal texts: `schemaSha256` is
 * the hash of this. Line breaks at the end are removed, because a shell variable loses them.
 */
function stableSchema(dump) {
    return dump
        .split('\n')
        .filter((line) => !unstable.test(line))
        .join('\n')
        .trimEnd();
}
/** `schemaSha256` of a manifest. */
function stableSchemaHash(dump) {
    return (0,external_node_crypto_.createHash)('sha256').update(stableSchema(dump)).digest('hex');
}
/**
 * What changed between two outputs of `pg_dump --schema-only`, by object: first the objects in `after`, in that order,
 * then the removed ones. An object that only moved to another place in the dump has not changed. Secrets are hidden.
 */
function compareSchemas(before, after) {
    const [hiddenBefore, hiddenAfter] = hideSecrets(before, after);
    const old = objectsOf(hiddenBefore);
    const present = objectsOf(hiddenAfter);
    const changes = [];
    for (const [key, object] of present) {
        const predecessor = old.get(key);
        if (predecessor === undefined)
            changes.push({ what: 'added', ...object.title, lines: [] });
        else {
            const lines = changedLines(predecessor.lines, object.lines);
            if (lines.length > 0)
                changes.push({ what: 'changed', ...object.title, lines });
        }
    }
    for (const [key, { title }] of old)
        if (!present.has(key))
            changes.push({ what: 'removed', ...title, lines: [] });
    return changes;
}
/** The objects by type, schema and name; objects that share all three count as one. */
function objectsOf(dump) {
    const objects = new Map();
    let current = objectAt(objects, { type: 'SETTINGS', schema: null, name: 'of the dump' });
    for (const line of stableSchema(dump).split('\n')) {
        const [, name, type, schema] = header.exec(line) ?? [];
        if (name !== undefined && type !== undefined && schema !== undefined) {
            current = objectAt(objects, { type, schema: schema === '-' ? null : schema, name });
        }
        else if (!betweenObjects.test(line)) {
            current.lines.push(line);
        }
    }
    return objects;
}
function objectAt(objects, title) {
    const key = JSON.stringify([title.type, title.schema, title.name]);
    const object = objects.get(key) ?? { title, lines: [] };
    objects.set(key, object);
    return object;
}


/***/ }),

/***/ 2668:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   b: () => (/* binding */ givenUp)
/* harmony export */ });
/* harmony import */ var _postgres_relation_name_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(93718);
/* harmony import */ var _units_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(98295);


/**
 * How much data a restore gives up, as far as two manifests know it: printed lines.
 * @param restored the backup that is restored
 * @param newest a later one of the same database; null if there is none
 * @param now on the host's clock
 */
function givenUp(restored, newest, now) {
    const age = `Whatever was written in the last ${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .formatDuration */ .a3)(now.getTime() - Date.parse(restored.startedAt))} is lost`;
    if (newest === null || newest.id === restored.id || newest.database !== restored.database)
        return [age];
    const then = new Map(restored.tables.map((table) => [(0,_postgres_relation_name_js__WEBPACK_IMPORTED_MODULE_1__/* .relationName */ .j)(table), table.rows]));
    const today = new Map(newest.tables.map((table) => [(0,_postgres_relation_name_js__WEBPACK_IMPORTED_MODULE_1__/* .relationName */ .j)(table), table.rows]));
    const changes = [...new Set([...then.keys(), ...today.keys()])].toSorted().flatMap((name) => {
        const [before, after] = [then.get(name), today.get(name)];
        // null: nobody counted.
        if (before === null || after === null || before === after)
            return [];
        if (before === undefined)
            return [`${name} did not exist (${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .counted */ .hS)(after ?? 0, 'row')} now)`];
        if (after === undefined)
            return [`${name} comes back with ${(0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .counted */ .hS)(before, 'row')}`];
        return [`${name} ${after} → ${before} rows`];
    });
    const compared = changes.length === 0 ? 'no table has a different number of rows' : (0,_units_js__WEBPACK_IMPORTED_MODULE_0__/* .listed */ .KE)(changes, 10);
    return [age, `Compared with backup ${newest.id}: ${compared}`];
}


/***/ }),

/***/ 33437:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

__nccwpck_require__.r(__webpack_exports__);
/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   closeGroup: () => (/* binding */ closeGroup),
/* harmony export */   doubtful: () => (/* binding */ doubtful),
/* harmony export */   error: () => (/* binding */ error),
/* harmony export */   failed: () => (/* binding */ failed),
/* harmony export */   group: () => (/* binding */ group),
/* harmony export */   host: () => (/* binding */ host),
/* harmony export */   important: () => (/* binding */ important),
/* harmony export */   info: () => (/* binding */ info),
/* harmony export */   notice: () => (/* binding */ notice),
/* harmony export */   passed: () => (/* binding */ passed),
/* harmony export */   progress: () => (/* binding */ progress),
/* harmony export */   quietly: () => (/* binding */ quietly),
/* harmony export */   success: () => (/* binding */ success),
/* harmony export */   warning: () => (/* binding */ warning)
/* harmony export */ });
/* harmony import */ var node_async_hooks__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(16698);
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(82767);
/* harmony import */ var _clean_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(3581);



// Writes the log that operators read on GitHub. Every text is cleaned here, because any may contain foreign text; colours
// are added after that. There is no terminal, but GitHub shows colours anyway.
/** GitHub cuts an annotation off at 4096 characters. */
const longestAnnotation = 4_000;
let groupIsOpen = false;
/** What was already annotated: saying it again helps nobody. */
const annotated = new Map();
/** Puts everything that `work` logs into a group that can be folded. Groups do not nest: an inner one ends the outer. */
async function group(title, work) {
    closeGroup();
    aloud(() => _actions_core__WEBPACK_IMPORTED_MODULE_1__/* .startGroup */ .Oh((0,_clean_js__WEBPACK_IMPORTED_MODULE_2__/* .cleanLine */ .Ow)(title)));
    groupIsOpen = true;
    try {
        return await work();
    }
    finally {
        closeGroup();
    }
}
/** Ends the open group, so that the following lines are visible without unfolding it. */
function closeGroup() {
    if (groupIsOpen)
        aloud(() => _actions_core__WEBPACK_IMPORTED_MODULE_1__/* .endGroup */ .N4());
    groupIsOpen = false;
}
function info(text) {
    print(text, (line) => line);
}
function success(text) {
    print(text, (line) => green(`✔ ${line}`));
}
/** For a check that passed, failed, or is doubtful; the caller puts a mark into the line. */
function passed(text) {
    print(text, green);
}
function failed(text) {
    print(text, red);
}
function doubtful(text) {
    print(text, yellow);
}
/** Progress of a long step. The caller decides how often to report it. */
function progress(text) {
    print(text, (line) => grey(`… ${line}`));
}
/** Output of the host, marked so that nobody takes it for ours. */
function host(text) {
    print(text, (line) => `${grey('host │')} ${line}`);
}
/** Something important: bold, without an annotation. */
function important(text) {
    print(text, bold);
}
/** An annotation: something failed. GitHub keeps at most 10 of each kind for a step. */
function error(text, title) {
    annotate(_actions_core__WEBPACK_IMPORTED_MODULE_1__/* .error */ .z3, 3, text, title);
}
/** An annotation: something needs attention soon. */
function warning(text, title) {
    annotate(_actions_core__WEBPACK_IMPORTED_MODULE_1__/* .warning */ .$e, 2, text, title);
}
/** An annotation: something worth knowing beyond the log. */
function notice(text, title) {
    annotate(_actions_core__WEBPACK_IMPORTED_MODULE_1__/* .notice */ .lm, 1, text, title);
}
/** Hears what a library prints that should be quiet; null for output that comes from elsewhere. */
const quiet = new node_async_hooks__WEBPACK_IMPORTED_MODULE_0__.AsyncLocalStorage();
let filtered = false;
/**
 * Libraries write each of their steps into our log, and their failures as annotations. Drops everything they print within
 * `work`, except commands that mask a secret. With debug logging, everything is visible.
 * @param heard gets what they print: the only place where some of them say why they failed
 */
function quietly(work, heard = () => { }) {
    if (!filtered)
        filterOutput();
    filtered = true;
    return quiet.run(heard, work);
}
function filterOutput() {
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (chunk, ...rest) => {
        const text = String(chunk);
        const heard = quiet.getStore();
        const isTheirs = heard != null && !text.startsWith('::add-mask::');
        if (isTheirs)
            heard(text);
        return write(isTheirs && !_actions_core__WEBPACK_IMPORTED_MODULE_1__/* .isDebug */ ._o() ? '' : chunk, ...rest);
    };
}
/** Writes our own output, which is never dropped. */
function aloud(write) {
    quiet.run(null, write);
}
function print(text, dress) {
    aloud(() => {
        // In one piece: Node fails ("write EINVAL") with millions of writes that a slow runner has not read yet.
        const lines = (0,_clean_js__WEBPACK_IMPORTED_MODULE_2__/* .cleanLines */ .v3)(text);
        if (lines.length > 0)
            _actions_core__WEBPACK_IMPORTED_MODULE_1__/* .info */ .pq(lines.map(dress).join('\n'));
    });
}
/** @param rank how bad it is: what was only a warning may turn out to be an error, and is then told again */
function annotate(write, rank, text, title) {
    const message = annotation(text);
    if ((annotated.get(message) ?? 0) >= rank)
        return;
    annotated.set(message, rank);
    aloud(() => write(message, annotationTitle(title)));
}
function annotation(text) {
    return (0,_clean_js__WEBPACK_IMPORTED_MODULE_2__/* .cleanLines */ .v3)(text).join('\n').slice(0, longestAnnotation).toWellFormed();
}
function annotationTitle(title) {
    return title === undefined ? {} : { title: (0,_clean_js__WEBPACK_IMPORTED_MODULE_2__/* .cleanLine */ .Ow)(title) };
}
function bold(line) {
    return `\x1b[1m${line}\x1b[0m`;
}
function green(line) {
    return `\x1b[32m${line}\x1b[0m`;
}
function red(line) {
    return `\x1b[31m${line}\x1b[0m`;
}
function yellow(line) {
    return `\x1b[33m${line}\x1b[0m`;
}
function grey(line) {
    return `\x1b[90m${line}\x1b[0m`;
}


/***/ }),

/***/ 54032:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Hh: () => (/* binding */ isTrustedRun),
/* harmony export */   R9: () => (/* binding */ readArtifact),
/* harmony export */   Xi: () => (/* binding */ candidates),
/* harmony export */   cH: () => (/* binding */ readArtifactPage),
/* harmony export */   cI: () => (/* binding */ readRun)
/* harmony export */ });
/* harmony import */ var _untrusted_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(51190);

/** Events that only people with write access to the repository can cause. */
const trustedEvents = ['push', 'workflow_dispatch', 'schedule', 'repository_dispatch', 'release'];
/** Longer archives are not ours: a history has at most this many bytes even before it is packed. */
const longestArchive = 1024 * 1024;
const instant = (value, place) => {
    const read = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .textThat */ .jk)((each) => !Number.isNaN(Date.parse(each)), 'a time')(value, place);
    return Date.parse(read);
};
const digest = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .textThat */ .jk)((value) => /^sha256:[0-9a-f]{64}$/.test(value), 'a digest');
const words = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .text */ .Qq)(1_000);
const artifactShape = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .shape */ .cW)({
    id: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9,
    name: words,
    digest,
    size_in_bytes: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9,
    created_at: instant,
    expires_at: instant,
    expired: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .bool */ .lc,
    workflow_run: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .shape */ .cW)({ id: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9, repository_id: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9, head_repository_id: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9, head_branch: words }),
});
const listShape = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .shape */ .cW)({ total_count: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9, artifacts: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .listOf */ .c3)((value) => value, 1_000) });
const runShape = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .shape */ .cW)({ event: words, head_repository: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .shape */ .cW)({ id: _untrusted_js__WEBPACK_IMPORTED_MODULE_0__/* .count */ .U9 })) });
/** Reads one artifact. @throws Failure `bad-value` if it lacks a field that we need to trust it, such as the digest */
function readArtifact(value) {
    const { workflow_run: run, ...artifact } = artifactShape(value, '');
    return {
        id: artifact.id,
        name: artifact.name,
        digest: artifact.digest,
        bytes: artifact.size_in_bytes,
        createdAt: artifact.created_at,
        expiresAt: artifact.expires_at,
        expired: artifact.expired,
        runId: run.id,
        repositoryId: run.repository_id,
        headRepositoryId: run.head_repository_id,
        headBranch: run.head_branch,
    };
}
/** Reads one page of the list; skips invalid artifacts. @throws Failure `bad-value` if it is not a list */
function readArtifactPage(value) {
    const { total_count: total, artifacts } = listShape(value, '');
    const read = artifacts.flatMap((each) => {
        try {
            return [readArtifact(each)];
        }
        catch {
            return [];
        }
    });
    return { total, artifacts: read };
}
/** Reads what GitHub says about a run. @throws Failure `bad-value` */
function readRun(value) {
    const run = runShape(value, '');
    return { event: run.event, headRepositoryId: run.head_repository?.id ?? -1 };
}
/** The artifacts that can be trusted judging by the list, newest first; the list itself has no order. */
function candidates(artifacts, name, trust) {
    const taken = artifacts.filter((artifact) => artifact.name === name &&
        !artifact.expired &&
        artifact.bytes <= longestArchive &&
        artifact.repositoryId === trust.repositoryId &&
        artifact.headRepositoryId === trust.repositoryId &&
        trust.branches.includes(artifact.headBranch));
    const byId = new Map(taken.map((artifact) => [artifact.id, artifact]));
    return [...byId.values()].toSorted((a, b) => b.createdAt - a.createdAt || b.id - a.id);
}
/** Whether an artifact of that run may be read; not if the run no longer exists. */
function isTrustedRun(run, trust) {
    if (run === null)
        return false;
    return trustedEvents.includes(run.event) && run.headRepositoryId === trust.repositoryId;
}


/***/ }),

/***/ 61823:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  A: () => (/* binding */ identitiesIn)
});

// EXTERNAL MODULE: ./build/shared/sets/age-keys.js
var age_keys = __nccwpck_require__(40908);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(77598);
// EXTERNAL MODULE: ./build/shared/sets/ssh-wrapping.js
var ssh_wrapping = __nccwpck_require__(17939);
;// CONCATENATED MODULE: ./build/shared/sets/ssh-identity.js


/**
 * Reads a private key as ssh-keygen writes it, between `-----BEGIN` and `-----END`.
 * @throws RangeError with what continues a sentence about the input, and never quotes it
 */
function sshIdentity(pem) {
    const key = privateKeyOf(pem);
    const type = key.asymmetricKeyType === 'ed25519' ? 'ssh-ed25519' : 'ssh-rsa';
    const { x = '', n = '', e = '' } = (0,external_node_crypto_.createPublicKey)(key).export({ format: 'jwk' });
    const wire = fields(Buffer.from(type), ...(type === 'ssh-ed25519' ? [bytesOf(x)] : [signed(e), signed(n)]));
    const tag = (0,ssh_wrapping/* sshTag */.tZ)(wire);
    return {
        unwrapFileKey(sealed) {
            const own = sealed.find(({ args }) => args[0] === type && args[1] === tag);
            if (own === undefined)
                return null;
            return type === 'ssh-ed25519' ? openWithEd25519(key, wire, own) : openWithRsa(key, own);
        },
    };
}
function openWithRsa(key, { body }) {
    const padding = external_node_crypto_.constants.RSA_PKCS1_OAEP_PADDING;
    return (0,external_node_crypto_.privateDecrypt)({ key, padding, oaepHash: 'sha256', oaepLabel: Buffer.from(ssh_wrapping/* wrappingLabel */.xc['ssh-rsa']) }, body);
}
function openWithEd25519(key, wire, { args, body }) {
    const seed = bytesOf(key.export({ format: 'jwk' }).d ?? '');
    const own = (0,ssh_wrapping/* x25519Key */.AY)((0,external_node_crypto_.createHash)('sha512').update(seed).digest().subarray(0, 32));
    const share = Buffer.from(args[2] ?? '', 'base64');
    const wrapping = (0,ssh_wrapping/* ed25519WrappingKey */.TH)(own, { other: share, share, recipient: (0,ssh_wrapping/* x25519Point */.N7)(own), wire });
    const decipher = (0,external_node_crypto_.createDecipheriv)('chacha20-poly1305', wrapping, Buffer.alloc(12), { authTagLength: 16 });
    decipher.setAuthTag(body.subarray(-16));
    return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
}
const unsupported = 'has an SSH key of a type that age does not take: only Ed25519 and RSA';
function privateKeyOf(pem) {
    let key;
    try {
        key = pem.startsWith('-----BEGIN OPENSSH ')
            ? (0,external_node_crypto_.createPrivateKey)({ key: openSshKey(pem), format: 'jwk' })
            : (0,external_node_crypto_.createPrivateKey)(pem);
    }
    catch (error) {
        if (error instanceof RangeError)
            throw error;
        throw error.code === 'ERR_MISSING_PASSPHRASE' ? withPassphrase() : damaged();
    }
    if (key.asymmetricKeyType !== 'ed25519' && key.asymmetricKeyType !== 'rsa')
        throw new RangeError(unsupported);
    return key;
}
const withPassphrase = () => new RangeError('has an SSH key with a passphrase: give a copy without one (ssh-keygen -p -N "" -f COPY)');
const damaged = () => new RangeError('has an SSH key that is cut off or misspelled');
/** Reads OpenSSH's own format: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function openSshKey(pem) {
    const base64 = pem.replace(/-----(BEGIN|END) OPENSSH PRIVATE KEY-----/g, '').replaceAll(/\s/g, '');
    const file = Buffer.from(base64, 'base64');
    const magic = 'openssh-key-v1\0';
    if (file.toString('latin1', 0, magic.length) !== magic)
        throw damaged();
    const outer = new Fields(file.subarray(magic.length));
    if (outer.next().toString('latin1') !== 'none')
        throw withPassphrase();
    outer.next();
    outer.next();
    if (outer.number() !== 1)
        throw damaged();
    outer.next();
    const inner = new Fields(outer.next());
    // The same number twice, to see whether it was decrypted.
    const [one, other] = [inner.number(), inner.number()];
    if (one !== other)
        throw damaged();
    const type = inner.next().toString('latin1');
    if (type === 'ssh-ed25519') {
        const x = inner.next();
        const pair = inner.next();
        // The private half comes first. Node takes none of another length.
        return { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url'), d: pair.toString('base64url', 0, 32) };
    }
    if (type !== 'ssh-rsa')
        throw new RangeError(unsupported);
    const [n, e, d, qi, p, q] = [inner.next(), inner.next(), inner.next(), inner.next(), inner.next(), inner.next()];
    const [dp, dq] = [p, q].map((prime) => numberOf(d) % (numberOf(prime) - 1n));
    const numbers = { n, e, d, p, q, qi, dp: bytesFrom(dp ?? 0n), dq: bytesFrom(dq ?? 0n) };
    return {
        kty: 'RSA',
        ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, unsigned(value)])),
    };
}
/** Fields of an SSH key, each after its length. */
class Fields {
    #bytes;
    #at = 0;
    constructor(bytes) {
        this.#bytes = bytes;
    }
    number() {
        if (this.#at + 4 > this.#bytes.length)
            throw damaged();
        this.#at += 4;
        return this.#bytes.readUInt32BE(this.#at - 4);
    }
    next() {
        const length = this.number();
        if (this.#at + length > this.#bytes.length)
            throw damaged();
        this.#at += length;
        return this.#bytes.subarray(this.#at - length, this.#at);
    }
}
function fields(...values) {
    return Buffer.concat(values.flatMap((value) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(value.length);
        return [length, value];
    }));
}
const bytesOf = (base64) => Buffer.from(base64, 'base64url');
const numberOf = (bytes) => BigInt(`0x${bytes.toString('hex') || '0'}`);
function bytesFrom(value) {
    const hex = value.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
/** SSH writes numbers with a sign, JWK without. */
const unsigned = (bytes) => bytesFrom(numberOf(bytes)).toString('base64url');
function signed(base64) {
    const bytes = bytesOf(base64);
    return ((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]);
}

;// CONCATENATED MODULE: ./build/shared/sets/age-identities.js


/**
 * The private keys to decrypt with: a file as `age-keygen` writes it, or just its last line; or an SSH key as `ssh-keygen` does.
 * @throws RangeError with what continues a sentence about the input, and never quotes it
 */
function identitiesIn(text) {
    const ssh = [];
    const rest = text.replaceAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, (pem) => {
        ssh.push(sshIdentity(pem));
        return '';
    });
    if (rest.includes('PRIVATE KEY-----'))
        throw new RangeError('has an SSH key that is cut off: give all of its lines');
    const lines = (0,age_keys/* keyLines */.rg)(rest);
    for (const { line, number } of lines) {
        const problem = (0,age_keys/* problemOfAge */.YV)(line, 'AGE-SECRET-KEY-');
        if (problem !== null)
            throw new RangeError(`${problem} (line ${number})`);
    }
    if (lines.length + ssh.length === 0)
        throw new RangeError('has no key');
    return [...lines.map(({ line }) => line), ...ssh];
}


/***/ }),

/***/ 40908:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   YV: () => (/* binding */ problemOfAge),
/* harmony export */   rg: () => (/* binding */ keyLines),
/* harmony export */   uB: () => (/* binding */ recipientsIn)
/* harmony export */ });
/* harmony import */ var _ssh_wrapping_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(17939);

// Keys of age as people write them: one a line, with comments.
/** Only the key of a Bech32 text matters here, but a slip in one letter must not pass: nobody could ever decrypt the backup. */
const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** 32 bytes are 52 letters, and the checksum is six. */
const keyLetters = 58;
/**
 * The public keys to encrypt to, without comments: age's own (`age1…`) and SSH keys (`ssh-ed25519`, `ssh-rsa`).
 * @throws RangeError with what continues a sentence about the input
 */
function recipientsIn(text) {
    const lines = keyLines(text);
    for (const { line, number } of lines) {
        const problem = line.startsWith('age1') ? problemOfAge(line, 'age') : problemOfSsh(line);
        if (problem !== null)
            throw new RangeError(`${problem} (line ${number})`);
    }
    if (lines.length === 0)
        throw new RangeError('has no recipient');
    // What follows an SSH key is a comment, which often names a person.
    return [...new Set(lines.map(({ line }) => line.split(/\s+/).slice(0, 2).join(' ')))];
}
/** Those that are neither empty nor a comment. */
function keyLines(text) {
    return text
        .split(/\r\n|\n/)
        .map((line, index) => ({ line: line.trim(), number: index + 1 }))
        .filter(({ line }) => line !== '' && !line.startsWith('#'));
}
/** null if it is a good one. */
function problemOfAge(key, name) {
    const isPublic = name === 'age';
    if (isPublic && /^age1[a-z0-9]+1/.test(key)) {
        return 'has a recipient that not every age knows: only keys of age itself (age1 and 58 letters) and of SSH are taken';
    }
    if (!key.startsWith(`${name}1`))
        return isPublic ? 'has a line that is not a key' : 'has a line that is not a private age key';
    const data = key.slice(name.length + 1);
    const values = [...data.toLowerCase()].map((letter) => letters.indexOf(letter));
    const isOneCase = data === (isPublic ? data.toLowerCase() : data.toUpperCase());
    if (!isOneCase || values.length !== keyLetters || values.includes(-1))
        return 'has a key that is cut off or misspelled';
    return checksum(name.toLowerCase(), values) === 1 ? null : 'has a key that is misspelled: its checksum is wrong';
}
/** As BIP 173 computes it; 1 if it is right. */
function checksum(name, values) {
    const codes = [...name].map((character) => character.charCodeAt(0));
    const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values];
    return all.reduce((sum, value) => {
        const mixed = ((sum & 0x1ffffff) << 5) ^ value;
        return generator.reduce((next, term, bit) => ((sum >>> (25 + bit)) & 1 ? next ^ term : next), mixed);
    }, 1);
}
/** Bytes of the modulus of the shortest RSA key that age takes, of 2048 bits. */
const shortestModulus = 256;
function problemOfSsh(line) {
    if (line.startsWith('AGE-SECRET-KEY-'))
        return 'has a private key: give the public one, which begins with age1';
    const [type = '', base64 = ''] = line.split(/\s+/);
    if (type !== 'ssh-ed25519' && type !== 'ssh-rsa') {
        return /^(ssh-|ecdsa-|sk-)/.test(type)
            ? `has a key of the type ${type}, which age does not take: only ssh-ed25519 and ssh-rsa`
            : 'has a line that is not a key: give one public key per line, starting with age1, ssh-ed25519 or ssh-rsa';
    }
    const fields = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? (0,_ssh_wrapping_js__WEBPACK_IMPORTED_MODULE_0__/* .sshFields */ .Oy)(Buffer.from(base64, 'base64')) : null;
    const [name, ...numbers] = fields ?? [];
    if (name?.toString('latin1') !== type)
        return 'has an SSH key that is cut off or misspelled';
    if (type === 'ssh-ed25519') {
        return numbers.length === 1 && numbers[0]?.length === 32 ? null : 'has an SSH key that is cut off or misspelled';
    }
    // A leading zero keeps the modulus positive.
    if (numbers.length !== 2)
        return 'has an SSH key that is cut off or misspelled';
    return (numbers[1]?.length ?? 0) > shortestModulus
        ? null
        : 'has an RSA key of less than 2048 bits, which age does not take';
}


/***/ }),

/***/ 43373:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Ns: () => (/* binding */ verifiedSetsOf),
/* harmony export */   XM: () => (/* binding */ pathOf),
/* harmony export */   ll: () => (/* binding */ newestFirst),
/* harmony export */   vq: () => (/* binding */ catalogueOf),
/* harmony export */   wG: () => (/* binding */ pathsOf)
/* harmony export */ });
/* harmony import */ var _by_text_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(14295);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _layout_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(81256);
/* harmony import */ var _naming_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(29462);
/* harmony import */ var _read_manifest_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(3450);





/** What the rollback folder holds besides sets. */
const rollbackRecords = /^rollback\/(deployment_tags\.log|history\.jsonl|HOLD|(compose|transactions)(\/.+)?)$/;
/**
 * Sorts the files that the survey found into sets and others.
 *
 * @param files every file in these folders.
 * @param manifestTexts by path, the parts of the `*.manifest.json` files that make up a summary. Untrusted.
 */
function catalogueOf(files, manifestTexts) {
    const copies = new Map();
    const failed = new Set();
    const partial = [];
    const foreign = [];
    for (const file of files) {
        const place = placeOf(file);
        if (place === 'partial')
            partial.push(file);
        else if (place === 'foreign')
            foreign.push(file);
        else if (place === 'record')
            continue;
        else if (place.folder === 'failed')
            failed.add(place.id);
        else {
            const key = `${place.folder}/${place.id}`;
            const copy = copies.get(key) ?? { ...place, files: [] };
            copy.files.push(file);
            copies.set(key, copy);
        }
    }
    const sets = new Map();
    for (const copy of [...copies.values()].toSorted(byFolder)) {
        const manifestFile = copy.files.find((file) => (0,_naming_js__WEBPACK_IMPORTED_MODULE_2__/* .parseSetFileName */ .Bi)(bareName(file.path))?.part === 'manifest');
        // The manifest is put into place last, so files without one are not a set.
        if (manifestFile === undefined)
            foreign.push(...copy.files);
        else {
            const manifestText = manifestTexts.get(manifestFile.path);
            add(sets, judge(copy, manifestText), manifestText);
        }
    }
    return {
        sets: [...sets.values()].toSorted((a, b) => newestFirst(a.id, b.id)),
        failed: [...failed].toSorted(newestFirst),
        partial,
        foreign,
    };
}
/** The verified sets of one database, newest first. */
function verifiedSetsOf(database, sets) {
    return sets.filter((set) => set.state === 'verified').filter((set) => set.database === database);
}
/** The paths of the folders that hold a set, relative to the backup directory, in the order of `folders`. */
function pathsOf({ id, folders }) {
    return folders.map((folder) => (0,_layout_js__WEBPACK_IMPORTED_MODULE_1__/* .placeIn */ .VV)(folder, id));
}
/** The first of those places. */
function pathOf(set) {
    return pathsOf(set)[0] ?? 'daily';
}
/** Compares ids. An id is a time, so sorting the text sorts by time. */
function newestFirst(a, b) {
    return (0,_by_text_js__WEBPACK_IMPORTED_MODULE_4__/* .byText */ .z)(b, a);
}
function bareName(path) {
    return path.slice(path.lastIndexOf('/') + 1);
}
/** A name counts only in its own folder: a `prerollback_` file in daily is foreign. */
function placeOf({ path }) {
    if (path.split('/').some(_naming_js__WEBPACK_IMPORTED_MODULE_2__/* .isPartialName */ .$9))
        return 'partial';
    if (rollbackRecords.test(path))
        return 'record';
    const bare = bareName(path);
    const parsed = (0,_naming_js__WEBPACK_IMPORTED_MODULE_2__/* .parseSetFileName */ .Bi)(bare);
    const folder = _layout_js__WEBPACK_IMPORTED_MODULE_1__/* .allFolders */ .zl.find((known) => path.startsWith(`${known}/`));
    if (parsed === null || folder === undefined)
        return 'foreign';
    const { prefix, id } = parsed;
    const expected = `${(0,_layout_js__WEBPACK_IMPORTED_MODULE_1__/* .placeIn */ .VV)(folder, id)}/${bare}`;
    return prefix === (0,_layout_js__WEBPACK_IMPORTED_MODULE_1__/* .prefixIn */ .Is)(folder) && path === expected ? { folder, prefix, id } : 'foreign';
}
function judge(copy, manifestText) {
    const broken = (reason, manifest) => ({
        state: 'broken',
        id: copy.id,
        database: manifest?.database ?? null,
        manifest,
        folders: [copy.folder],
        reason,
    });
    if (manifestText === undefined)
        return broken('its manifest could not be read', null);
    const manifest = manifestOrReason(manifestText);
    if (typeof manifest === 'string')
        return broken(`its manifest ${manifest}`, null);
    if (manifest.id !== copy.id)
        return broken(`its manifest belongs to ${manifest.id}`, manifest);
    const { dump } = (0,_naming_js__WEBPACK_IMPORTED_MODULE_2__/* .setFileNames */ .H2)(copy.prefix, copy.id, manifest);
    if (manifest.file !== dump)
        return broken(`its manifest names ${manifest.file} instead of ${dump}`, manifest);
    const file = copy.files.find((found) => bareName(found.path) === dump);
    if (file === undefined)
        return broken(`${dump} is missing`, manifest);
    if (file.bytes !== manifest.sizeBytes) {
        const size = file.bytes === 0 ? 'is empty' : `has ${file.bytes} bytes`;
        return broken(`${dump} ${size}, but its manifest says ${manifest.sizeBytes}`, manifest);
    }
    return { state: 'verified', id: copy.id, database: manifest.database, manifest, folders: [copy.folder] };
}
function manifestOrReason(text) {
    try {
        return (0,_read_manifest_js__WEBPACK_IMPORTED_MODULE_3__/* .readSummary */ .L_)(text);
    }
    catch (error) {
        if ((0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error))
            return error.message;
        throw error;
    }
}
/** Copies with the same manifest and the same verdict are one set in several folders. */
function add(sets, set, manifestText) {
    const key = JSON.stringify([set.id, set.state === 'broken' ? set.reason : null, manifestText ?? null]);
    const known = sets.get(key);
    if (known === undefined)
        sets.set(key, set);
    else
        known.folders.push(...set.folders);
}
function byFolder(a, b) {
    return _layout_js__WEBPACK_IMPORTED_MODULE_1__/* .allFolders */ .zl.indexOf(a.folder) - _layout_js__WEBPACK_IMPORTED_MODULE_1__/* .allFolders */ .zl.indexOf(b.folder);
}


/***/ }),

/***/ 76902:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   QC: () => (/* binding */ goodBackup),
/* harmony export */   RT: () => (/* binding */ lastGoodIn),
/* harmony export */   xS: () => (/* binding */ factsOf)
/* harmony export */ });
/* unused harmony export databaseIn */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _postgres_probe_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(50141);
/* harmony import */ var _catalogue_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(43373);
/* harmony import */ var _naming_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(29462);




/** What the database says of itself; null if it does not answer. */
function factsOf({ probe }) {
    if (probe === null || 'error' in probe)
        return null;
    try {
        return (0,_postgres_probe_js__WEBPACK_IMPORTED_MODULE_1__/* .readProbe */ .f)(probe.output);
    }
    catch (error) {
        if ((0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error))
            return null;
        throw error;
    }
}
/**
 * The database's name, also if the database is lost: that is when its backups matter most.
 * @param given by the workflow; null: none
 */
function databaseIn(seen, catalogue, given) {
    const newest = catalogue.sets.find((set) => set.state === 'verified')?.database ?? null;
    return factsOf(seen)?.database ?? given ?? newest;
}
/** The newest verified backup that a survey saw, and of which database. */
function lastGoodIn(seen, given) {
    const { sets } = seen;
    if (sets === null || 'error' in sets)
        return { database: factsOf(seen)?.database ?? given, lastGood: 'unknown' };
    const catalogue = (0,_catalogue_js__WEBPACK_IMPORTED_MODULE_2__/* .catalogueOf */ .vq)(sets.files, sets.manifests);
    const database = databaseIn(seen, catalogue, given);
    const newest = database === null ? undefined : (0,_catalogue_js__WEBPACK_IMPORTED_MODULE_2__/* .verifiedSetsOf */ .Ns)(database, catalogue.sets)[0];
    return { database, lastGood: newest === undefined ? 'none' : goodBackup(newest.id) };
}
/** A backup that is verified, by its id. */
function goodBackup(id) {
    const takenAt = (0,_naming_js__WEBPACK_IMPORTED_MODULE_3__/* .startOf */ .GH)(id);
    return takenAt === null ? 'unknown' : { id, takenAt };
}


/***/ }),

/***/ 81256:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Is: () => (/* binding */ prefixIn),
/* harmony export */   VV: () => (/* binding */ placeIn),
/* harmony export */   Z: () => (/* binding */ allTiers),
/* harmony export */   aI: () => (/* binding */ folderOfTier),
/* harmony export */   i5: () => (/* binding */ layoutLines),
/* harmony export */   lt: () => (/* binding */ homeOf),
/* harmony export */   zl: () => (/* binding */ allFolders)
/* harmony export */ });
const shelves = {
    daily: { folder: 'daily', prefix: 'backup', place: 'flat' },
    weekly: { folder: 'weekly', prefix: 'backup', place: 'flat' },
    monthly: { folder: 'monthly', prefix: 'backup', place: 'flat' },
    predeployment: { folder: 'predeployment', prefix: 'backup', place: 'nested' },
    prerollback: { folder: 'rollback', prefix: 'prerollback', place: 'flat' },
};
/** Holds the last dump that failed its verification. */
const failed = { folder: 'failed', prefix: 'failed', place: 'flat' };
const allTiers = Object.keys(shelves);
const allFolders = [...allTiers.map(folderOfTier), failed.folder];
/** The folder that holds the sets of a tier. */
function folderOfTier(tier) {
    return shelves[tier].folder;
}
/** The tier that a set of this kind is put into first. */
function homeOf(kind) {
    return shelves[kind === 'prerollback' ? 'prerollback' : 'daily'];
}
/** The prefix of the file names in a folder. */
function prefixIn(folder) {
    return shelfOf(folder).prefix;
}
/** The path of a set's files in a folder, relative to the backup directory. */
function placeIn(folder, id) {
    return shelfOf(folder).place === 'nested' ? `${folder}/${id}` : folder;
}
/** The layout for programs on the host: `FOLDER PREFIX flat|nested|aside`, one line each. */
const layoutLines = [
    ...Object.values(shelves).map(({ folder, prefix, place }) => `${folder} ${prefix} ${place}`),
    `${failed.folder} ${failed.prefix} aside`,
];
function shelfOf(folder) {
    return Object.values(shelves).find((shelf) => shelf.folder === folder) ?? failed;
}


/***/ }),

/***/ 29462:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   $9: () => (/* binding */ isPartialName),
/* harmony export */   $W: () => (/* binding */ backupIdAt),
/* harmony export */   Bi: () => (/* binding */ parseSetFileName),
/* harmony export */   GH: () => (/* binding */ startOf),
/* harmony export */   H2: () => (/* binding */ setFileNames),
/* harmony export */   MN: () => (/* binding */ dumpExtension),
/* harmony export */   "if": () => (/* binding */ isBackupId)
/* harmony export */ });
const idGrammar = /^(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})$/;
const dumpExtensions = ['dump.zst', 'dump', 'sql.gz', 'sql.zst', 'sql'];
/** The files beside the dump, and how their names end. */
const sidecarEndings = {
    manifest: 'manifest.json',
    report: 'report.txt',
    schema: 'schema.sql.gz',
    globals: 'globals.sql.gz',
    settings: 'settings.sql.gz',
    sha256: 'sha256',
    md5: 'md5',
    proof: 'proof.jsonl',
    reason: 'reason.txt',
};
/**
 * Those that are encrypted with the dump. The others say what it is, and must be read without a key. The report of a plain set says
 * more than that: a runner encrypts it too.
 */
const sealedParts = new Set(['schema', 'globals', 'settings', 'report']);
const isSealed = (part, { encryption, sealedFrom }) => encryption === 'age' && sealedParts.has(part) && (part !== 'report' || sealedFrom != null);
/** The id of a backup that started at this time: `YYYYMMDD_HHMMSS`, UTC, whole seconds. Years 0000 to 9999. */
function backupIdAt(start) {
    const [date = '', time = ''] = start.toISOString().split('T');
    return `${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}
/** When the backup started; null if the text is not an id. A date that does not exist, such as 20260230, is not one. */
function startOf(id) {
    const parts = idGrammar.exec(id);
    if (parts === null)
        return null;
    const [, year, month, day, hour, minute, second] = parts;
    const start = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    // The date parser turns 30 February into a day in March, and 24:00 into the next day.
    return Number.isNaN(start.getTime()) || backupIdAt(start) !== id ? null : start;
}
/** True for a `YYYYMMDD_HHMMSS` that is a real date and time. */
function isBackupId(text) {
    return startOf(text) !== null;
}
/** The extension of a dump, without a leading dot. The gzip of a custom dump is inside the archive, so it has no `.gz`. */
function dumpExtension({ format, compression, encryption }) {
    const outer = { zstd: '.zst', gzip: format === 'custom' ? '' : '.gz', none: '' }[compression];
    return `${format === 'custom' ? 'dump' : 'sql'}${outer}${encryption === 'age' ? '.age' : ''}`;
}
/** The names of all files of a set: letters, digits, `_` and `.` only. */
function setFileNames(prefix, id, encoding) {
    const sidecars = Object.entries(sidecarEndings).map(([part, ending]) => {
        return [part, `${prefix}_${id}.${ending}${isSealed(part, encoding) ? '.age' : ''}`];
    });
    return { ...Object.fromEntries(sidecars), dump: `${prefix}_${id}.${dumpExtension(encoding)}` };
}
/** Reads a bare file name; null if it is not ours. */
function parseSetFileName(name) {
    const [, prefix, id = '', ending = ''] = /^(backup|prerollback|failed)_(\d{8}_\d{6})\.(.+)$/.exec(name) ?? [];
    if (!isBackupId(id))
        return null;
    const part = partOf(ending);
    return part === null ? null : { prefix: prefix, id, part };
}
/** True for the name of a file or folder that a run did not finish; the next run removes it. */
function isPartialName(name) {
    return /^\.partial-\d{8}_\d{6}/.test(name);
}
function partOf(ending) {
    for (const [part, known] of Object.entries(sidecarEndings))
        if (ending === known)
            return part;
    const plain = ending.replace(/\.age$/, '');
    for (const part of sealedParts)
        if (plain === sidecarEndings[part])
            return part;
    return dumpExtensions.some((known) => plain === known) ? 'dump' : null;
}


/***/ }),

/***/ 3450:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Ev: () => (/* binding */ longestManifest),
/* harmony export */   L_: () => (/* binding */ readSummary),
/* harmony export */   WI: () => (/* binding */ readManifest),
/* harmony export */   s9: () => (/* binding */ isSettingName)
/* harmony export */ });
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _postgres_facts_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(4033);
/* harmony import */ var _releases_image_reference_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(9290);
/* harmony import */ var _releases_release_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(56986);
/* harmony import */ var _untrusted_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(51190);
/* harmony import */ var _naming_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(29462);






/** UTF-16 units; room for `mostRelations` tables, each with a sequence and names of 63 characters. */
const longestManifest = 128 * 1024 * 1024;
/** UTF-16 units. PostgreSQL limits names to 63 bytes, but it can be built with another limit. */
const name = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .text */ .Qq)(1024);
const line = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .text */ .Qq)(4096);
/** PostgreSQL sets no limit, but createdb gets them as an argument, and Linux gives one 128 KiB. */
const rules = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => Buffer.byteLength(value) <= 131_000, 'ICU rules of at most 131,000 bytes');
const mostRelations = 200_000;
const backupId = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)(_naming_js__WEBPACK_IMPORTED_MODULE_5__/* .isBackupId */ ["if"], 'a backup id');
const instant = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) && !Number.isNaN(Date.parse(value)), 'a time in ISO 8601 and UTC');
const bigInteger = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => /^-?\d{1,20}$/.test(value), 'a whole number as text');
const hex = (digits) => (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => value.length === digits && /^[a-f0-9]+$/.test(value), `${digits} lower-case hex digits`);
const url = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => value.length <= 2048 && /^https?:\/\/[!-~]+$/.test(value), 'an http(s) address');
const sequence = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({
    schema: name,
    name,
    before: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(bigInteger),
    after: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(bigInteger),
    increment: bigInteger,
    cycles: (value, place) => value !== undefined && (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .bool */ .lc)(value, place),
    extension: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(name),
    isDumped: (value, place) => value === undefined || (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .bool */ .lc)(value, place),
});
const runningImage = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({
    image: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(line),
    tag: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .text */ .Qq)(128)),
    digest: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)(_releases_image_reference_js__WEBPACK_IMPORTED_MODULE_2__/* .isDigest */ .Bc, 'a digest')),
    imageId: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)(_releases_release_js__WEBPACK_IMPORTED_MODULE_3__/* .isImageId */ .rw, 'an image id')),
});
const check = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({
    name,
    result: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('passed', 'failed', 'could-not-check'),
    detail: line,
    ms: _untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .milliseconds */ .Rz,
});
/** A setting as PostgreSQL names it, with the library before it: `cron.database_name`. */
const isSettingName = (text) => /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/i.test(text) && text.length <= 200;
const summaryFields = {
    version: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)(1),
    id: backupId,
    kind: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('scheduled', 'predeployment', 'prerollback'),
    environment: name,
    database: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => value !== '' && value.length <= 1024 && !value.includes('\0'), 'a database name'),
    startedAt: instant,
    finishedAt: instant,
    serverVersion: name,
    pgDumpVersion: name,
    encoding: name,
    locale: name,
    ctype: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(name),
    localeProvider: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('libc', 'icu', 'builtin')),
    providerLocale: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(name),
    icuRules: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(rules),
    bootstrapRole: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(name),
    serverSettings: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .mapOf */ .A7)(isSettingName, line, 200)),
    dumpWarnings: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .listOf */ .c3)(line, 100)),
    format: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('custom', 'plain'),
    compression: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('zstd', 'gzip', 'none'),
    encryption: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .oneOf */ .yL)('none', 'age'),
    file: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => (0,_naming_js__WEBPACK_IMPORTED_MODULE_5__/* .parseSetFileName */ .Bi)(value)?.part === 'dump', 'the bare name of a dump'),
    sizeBytes: _untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .count */ .U9,
    dumpBytes: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .count */ .U9),
    sha256: hex(64),
    md5: hex(32),
    sealedFrom: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({ sizeBytes: _untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .count */ .U9, sha256: hex(64), md5: hex(32) })),
    largeObjects: _untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .count */ .U9,
    schemaSha256: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(hex(64)),
    schemaChangedSince: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(backupId),
    release: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .mapOf */ .A7)(_releases_release_js__WEBPACK_IMPORTED_MODULE_3__/* .isServiceName */ .tN, runningImage, 1000),
    runUrl: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(url),
    commit: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .textThat */ .jk)((value) => /^[a-f0-9]{7,64}$/.test(value), 'a commit')),
    actor: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(name),
    checks: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .listOf */ .c3)(check, 1000),
};
const summary = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)(summaryFields);
const manifest = (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({
    ...summaryFields,
    tables: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .listOf */ .c3)(_postgres_facts_js__WEBPACK_IMPORTED_MODULE_1__/* .tableCount */ .Gd, mostRelations),
    sequences: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .listOf */ .c3)(sequence, mostRelations),
    extensions: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .listOf */ .c3)((0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .shape */ .cW)({ name, version: name }), 10_000),
    members: (0,_untrusted_js__WEBPACK_IMPORTED_MODULE_4__/* .orNull */ .Xd)(_postgres_facts_js__WEBPACK_IMPORTED_MODULE_1__/* .extensionMembers */ .Dl),
});
/**
 * Reads a manifest from the host, which may hold anything. Fields unknown to this version are dropped.
 *
 * @throws Failure `bad-manifest`; its message continues a sentence that begins with the file's name.
 */
function readManifest(json) {
    return read(manifest, json);
}
/** Reads only the summary, whether the long lists are there or not. @throws Failure as `readManifest` */
function readSummary(json) {
    return read(summary, json);
}
function read(reader, json) {
    if (json.length > longestManifest)
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-manifest', 'is too large for a manifest');
    const value = parse(json);
    refuseOtherVersions(value);
    try {
        return reader(value, '');
    }
    catch (error) {
        if ((0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error))
            throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-manifest', `is not a manifest: ${error.message}`);
        throw error;
    }
}
function parse(json) {
    try {
        return JSON.parse(json);
    }
    catch (error) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-manifest', 'is not JSON', { cause: error });
    }
}
/** Checked before anything else: a later version may look entirely different. */
function refuseOtherVersions(value) {
    const version = value?.version;
    if (typeof version === 'number' && version !== 1) {
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-manifest', `has version ${version}; this release of the action reads version 1`);
    }
}


/***/ }),

/***/ 6646:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   KY: () => (/* binding */ listedSums),
/* harmony export */   Mm: () => (/* binding */ sidesOf),
/* harmony export */   eZ: () => (/* binding */ namesOf)
/* harmony export */ });
/* unused harmony exports program, readSets, judgeReading, filesOf */
/* harmony import */ var _catalogue_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(43373);
/* harmony import */ var _naming_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(29462);


const program = {
    name: 'read-sets',
    step: 'reading the backups',
    scripts: [__nccwpck_require__.ab + "read-sets.sh"],
};
/** Reads every file of these sets from the disk, and compares it with the checksums of its set. */
async function readSets(connection, request) {
    const files = request.sets.flatMap((set) => {
        const first = pathOf(set);
        return filesOf(namesOf(set)).flatMap((name) => pathsOf(set).map((folder) => ({ file: `${folder}/${name}`, firstName: `${first}/${name}` })));
    });
    const dumps = new Set(request.sets.map((set) => `${pathOf(set)}/${namesOf(set).dump}`));
    const parameters = {
        backup_dir: request.backupDir,
        lists: request.sets.flatMap((set) => {
            const { sha256, md5 } = namesOf(set);
            return [`${pathOf(set)}/${sha256}`, `${pathOf(set)}/${md5}`];
        }),
        files: files.map(({ file }) => file),
        first_names: files.map(({ firstName }) => firstName),
    };
    const { result } = connection.run(program, parameters, {
        deadline: request.timeout,
        atEnd: 'end',
        signal: request.signal,
        onLog: request.onLog,
        onProgress: (_, path) => {
            if (dumps.has(path))
                request.onSet(path);
        },
    });
    const reading = readRecords(await result);
    return request.sets.map((set) => judgeReading(set, reading));
}
function readRecords(records) {
    const pair = (value, separator) => {
        const at = value.indexOf(separator);
        return [value.slice(0, at), value.slice(at + 1)];
    };
    return {
        sums: new Map([
            ...records.all('sum').map((value) => {
                const [sum, path] = pair(value, ' ');
                return [path, sum];
            }),
            ...records.all('unread').map((path) => [path, null]),
        ]),
        lists: new Map(records.all('list').map((value) => pair(value, '\n'))),
    };
}
/** Compares each file with its checksum lists and the manifest: it must agree with all that name it. */
function judgeReading(set, { sums, lists }) {
    const names = namesOf(set);
    const [folder = 'daily', ...others] = pathsOf(set);
    const files = filesOf(names);
    const sha256 = lists.get(`${folder}/${names.sha256}`);
    const md5 = lists.get(`${folder}/${names.md5}`);
    const faults = [];
    if (sha256 === undefined)
        faults.push(`${names.sha256} is missing`);
    if (md5 === undefined)
        faults.push(`${names.md5} is missing`);
    const listed = listedSums(sha256 ?? '');
    for (const name of files) {
        const sum = sums.get(`${folder}/${name}`) ?? null;
        const expected = listed.get(name);
        if (sum === null && expected === undefined && wasNotMade(name, set))
            continue;
        if (sum === null)
            faults.push(`${name} could not be read`);
        else if (sha256 !== undefined && expected === undefined)
            faults.push(`${names.sha256} does not list ${name}`);
        else if (expected !== undefined && sum !== expected)
            faults.push(`${name} does not match ${names.sha256}`);
        if (name === names.dump && sum !== null && sum !== set.manifest.sha256)
            faults.push(`${name} does not match the manifest`);
    }
    // Hard links are one file and are read once. After the folders were copied they are separate files, and each was read.
    for (const path of others.flatMap((other) => files.map((name) => `${other}/${name}`))) {
        const sum = sums.get(path);
        if (sum === undefined)
            continue;
        const isSame = sum === sums.get(`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`);
        if (sum === null)
            faults.push(`${path} could not be read`);
        else if (!isSame)
            faults.push(`${path} differs from the file in ${folder}`);
    }
    if (md5 !== undefined && listedSums(md5).get(names.dump) !== set.manifest.md5)
        faults.push(`${names.md5} and the manifest disagree on ${names.dump}`);
    return { id: set.id, files: files.length, faults };
}
const allSides = ['schema', 'globals', 'settings'];
/** What was taken beside the dump. A dump counts even if some of that failed; its manifest says what is there. */
function sidesOf({ manifest: { checks } }) {
    return allSides.filter((side) => checks.some(({ name, result }) => name === side && result === 'passed'));
}
function wasNotMade(name, set) {
    const names = namesOf(set);
    const side = allSides.find((part) => names[part] === name);
    return side !== undefined && !sidesOf(set).includes(side);
}
/** Reads lines as `sha256sum` writes them: sum, a space, a space or an asterisk, name. */
function listedSums(text) {
    const lines = text.split('\n').map((line) => /^([0-9a-f]+) [ *](.+)$/.exec(line));
    return new Map(lines.flatMap((match) => (match === null ? [] : [[match[2] ?? '', match[1] ?? '']])));
}
/** The file names of a set. */
function namesOf({ manifest }) {
    return (0,_naming_js__WEBPACK_IMPORTED_MODULE_1__/* .setFileNames */ .H2)((0,_naming_js__WEBPACK_IMPORTED_MODULE_1__/* .parseSetFileName */ .Bi)(manifest.file)?.prefix ?? 'backup', manifest.id, manifest);
}
/** The files that its checksum lists name. */
function filesOf({ dump, schema, globals, settings, manifest, report }) {
    return [dump, schema, globals, settings, manifest, report];
}


/***/ }),

/***/ 17939:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   AY: () => (/* binding */ x25519Key),
/* harmony export */   N7: () => (/* binding */ x25519Point),
/* harmony export */   Oy: () => (/* binding */ sshFields),
/* harmony export */   TH: () => (/* binding */ ed25519WrappingKey),
/* harmony export */   tZ: () => (/* binding */ sshTag),
/* harmony export */   xc: () => (/* binding */ wrappingLabel)
/* harmony export */ });
/* unused harmony export unpadded */
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(77598);

/** What age's header says of a key beside its name. */
const wrappingLabel = {
    'ssh-ed25519': 'age-encryption.org/v1/ssh-ed25519',
    'ssh-rsa': 'age-encryption.org/v1/ssh-rsa',
};
/** Tells a key in a header from others. @param wire the public key as SSH writes it */
function sshTag(wire) {
    return unpadded((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createHash)('sha256').update(wire).digest().subarray(0, 4));
}
/** The private key of X25519 with these 32 bytes. */
const x25519Key = (scalar) => (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPrivateKey)({ key: Buffer.concat([x25519Header, scalar]), format: 'der', type: 'pkcs8' });
/** What stands before the 32 bytes of such a key in PKCS #8. */
const x25519Header = Buffer.from('302e020100300506032b656e04220420', 'hex');
const x25519Point = (privateKey) => Buffer.from((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPublicKey)(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url');
function multiply(privateKey, point) {
    const jwk = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
    return (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.diffieHellman)({ privateKey, publicKey: (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.createPublicKey)({ key: jwk, format: 'jwk' }) });
}
/**
 * The key that wraps a file's key for an Ed25519 key, which is used for X25519, on the same curve in another form.
 * @param own one side's private key
 * @param other the other side's point
 * @param share the point that stands in the header
 * @param recipient the point of the key that it is encrypted to
 * @param wire that key as SSH writes it
 */
function ed25519WrappingKey(own, { other, share, recipient, wire }) {
    const info = wrappingLabel['ssh-ed25519'];
    const tweak = x25519Key(Buffer.from((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.hkdfSync)('sha256', Buffer.alloc(0), wire, info, 32)));
    const shared = multiply(tweak, multiply(own, other));
    return Buffer.from((0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.hkdfSync)('sha256', shared, Buffer.concat([share, recipient]), info, 32));
}
/** Base64 as age's header has it. */
const unpadded = (bytes) => bytes.toString('base64').replaceAll('=', '');
/** The fields of an SSH key, each after its length; null if it does not end where the last one does. */
function sshFields(key) {
    const fields = [];
    for (let at = 0; at < key.length;) {
        if (at + 4 > key.length)
            return null;
        const end = at + 4 + key.readUInt32BE(at);
        if (end > key.length)
            return null;
        fields.push(key.subarray(at + 4, end));
        at = end;
    }
    return fields;
}


/***/ }),

/***/ 75173:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   aD: () => (/* binding */ demandReadable),
/* harmony export */   dy: () => (/* binding */ wholeManifest)
/* harmony export */ });
/* unused harmony export program */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _packed_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(83310);
/* harmony import */ var _survey_survey_sets_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(80847);
/* harmony import */ var _catalogue_js__WEBPACK_IMPORTED_MODULE_3__ = __nccwpck_require__(43373);
/* harmony import */ var _read_manifest_js__WEBPACK_IMPORTED_MODULE_4__ = __nccwpck_require__(3450);
/* harmony import */ var _read_sets_js__WEBPACK_IMPORTED_MODULE_5__ = __nccwpck_require__(6646);






const program = {
    name: 'whole-manifest',
    step: 'reading a manifest',
    scripts: [new URL(/* asset import */ __nccwpck_require__(97094), __nccwpck_require__.b)],
};
/** One manifest with its lists of tables and sequences; a survey leaves them out. @throws Failure `manifest-unreadable` */
async function wholeManifest(connection, backupDir, set, { signal, onLog }) {
    const file = `${backupDir}/${(0,_catalogue_js__WEBPACK_IMPORTED_MODULE_3__/* .pathOf */ .XM)(set)}/${(0,_read_sets_js__WEBPACK_IMPORTED_MODULE_5__/* .namesOf */ .eZ)(set).manifest}`;
    const { result } = connection.run(program, { file, longest: String(_read_manifest_js__WEBPACK_IMPORTED_MODULE_4__/* .longestManifest */ .Ev) }, {
        deadline: 120_000,
        atEnd: 'end',
        signal,
        onLog,
    });
    try {
        return (0,_read_manifest_js__WEBPACK_IMPORTED_MODULE_4__/* .readManifest */ .WI)((0,_packed_js__WEBPACK_IMPORTED_MODULE_1__/* .unpack */ .l)((await result).get('manifest'), _read_manifest_js__WEBPACK_IMPORTED_MODULE_4__/* .longestManifest */ .Ev) ?? '');
    }
    catch (error) {
        if (!(0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error, 'bad-manifest', 'manifest-unreadable'))
            throw error;
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('manifest-unreadable', `The manifest of ${set.id} cannot be read in full: ${error.message}`, {
            hint: `Do not rely on ${set.id}. Take a backup now, and look at ${file} on the host`,
            cause: error,
        });
    }
}
/**
 * Refuses to publish a manifest that later runs could not read: its set would lie there and never count.
 * @param text the manifest as it will be written
 * @throws Failure `manifest-unreadable`
 */
function demandReadable(text) {
    const refuse = (why, cause) => new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('manifest-unreadable', `The manifest of this backup could not be read back: it ${why}`, {
        hint: 'Nothing was published; earlier backups are unchanged. Report this: the database or the project is larger than the action supports',
        cause,
    });
    try {
        (0,_read_manifest_js__WEBPACK_IMPORTED_MODULE_4__/* .readManifest */ .WI)(text);
    }
    catch (error) {
        throw (0,_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .isFailure */ .N6)(error) ? refuse(error.message, error) : error;
    }
    const before = Buffer.byteLength(text.slice(0, text.indexOf('\n  "tables": ')));
    if (before > _survey_survey_sets_js__WEBPACK_IMPORTED_MODULE_2__/* .longestHead */ .tz)
        throw refuse(`has ${before} bytes before its tables and sequences`);
    const behind = Buffer.byteLength(text.slice(text.indexOf('\n  "largeObjects": ')));
    if (behind > _survey_survey_sets_js__WEBPACK_IMPORTED_MODULE_2__/* .longestTail */ .$2)
        throw refuse(`has ${behind} bytes besides its tables and sequences`);
}


/***/ }),

/***/ 61011:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   e: () => (/* binding */ quoteForShell)
/* harmony export */ });
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/;
/** Characters that do not show: controls, bidi overrides, zero-width characters, separators, unassigned code points. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Would be a workflow command; our log breaks it up. A command that is printed for copying must not contain it. */
const workflowCommand = /::|##\[/;
/**
 * Quotes a text as one argument for bash: not at all if that is safe, else in single quotes, or in bash's `$'…'` if it
 * has characters that cannot be seen or copied. The result is one line.
 *
 * @throws Failure `unquotable` for text with a NUL, which no argument can hold
 */
function quoteForShell(text) {
    if (text.includes('\0'))
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('unquotable', 'A text with a NUL byte cannot be passed to a command');
    if (invisible.test(text) || workflowCommand.test(text))
        return `$'${[...text].map(inDollarQuotes).join('')}'`;
    return bare.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
/** Bytes instead of \u, whose meaning depends on the shell's locale. `!` too: bash may expand it from its history. */
function inDollarQuotes(character) {
    if (character === "'" || character === '\\')
        return `\\${character}`;
    if (!invisible.test(character) && !'#:!'.includes(character))
        return character;
    return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}


/***/ }),

/***/ 20676:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   GF: () => (/* binding */ composeLines),
/* harmony export */   Kb: () => (/* binding */ projectFolder),
/* harmony export */   Pq: () => (/* binding */ readComposeCall),
/* harmony export */   y$: () => (/* binding */ envFilesOf),
/* harmony export */   ys: () => (/* binding */ absolute)
/* harmony export */ });
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(76760);

/** The lines by which programs on the host call compose: see compose_command in project-state.sh. */
function composeLines(call) {
    const { files = [], envFiles = [], projectDirectory = null, profiles = [], variables = [] } = call;
    return [
        ...files.map((file) => `file ${file}`),
        ...envFiles.map((file) => `env-file ${file}`),
        ...(projectDirectory === null ? [] : [`project-directory ${projectDirectory}`]),
        ...profiles.map((profile) => `profile ${profile}`),
        ...variables.map(({ name, value }) => `variable ${name}=${value}`),
    ];
}
/** Reads such lines. */
function readComposeCall(lines) {
    const after = (kind) => lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
    return {
        files: after('file'),
        envFiles: after('env-file'),
        projectDirectory: after('project-directory')[0] ?? null,
        profiles: after('profile'),
        variables: after('variable').map((line) => {
            const at = line.indexOf('=');
            return { name: line.slice(0, at), value: line.slice(at + 1) };
        }),
    };
}
/** A path in the deploy folder, or an absolute one. */
function absolute(path, deployDir) {
    return (0,node_path__WEBPACK_IMPORTED_MODULE_0__.isAbsolute)(path) ? path : (0,node_path__WEBPACK_IMPORTED_MODULE_0__.join)(deployDir, path);
}
/** The folder of the project, from which compose reads relative paths. */
function projectFolder({ projectDirectory, files }, deployDir) {
    return absolute(projectDirectory ?? (0,node_path__WEBPACK_IMPORTED_MODULE_0__.dirname)(files[0] ?? ''), deployDir);
}
/** The env files that compose reads; compose does without its own one if that does not exist. */
function envFilesOf(call, deployDir) {
    if (call.envFiles.length > 0)
        return call.envFiles.map((file) => absolute(file, deployDir));
    return [(0,node_path__WEBPACK_IMPORTED_MODULE_0__.join)(projectFolder(call, deployDir), '.env')];
}


/***/ }),

/***/ 80847:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   $2: () => (/* binding */ longestTail),
/* harmony export */   AP: () => (/* binding */ readSets),
/* harmony export */   bc: () => (/* binding */ demandSets),
/* harmony export */   tz: () => (/* binding */ longestHead)
/* harmony export */ });
/* unused harmony exports demandFolderIds, joined */
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);
/* harmony import */ var _host_backup_folder_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(53542);


/**
 * How many bytes of a manifest the host reads: at most `longestHead` from the beginning, up to the lists of tables and
 * sequences, and `longestTail` at the end, for what follows these lists.
 */
const longestHead = 16_384;
const longestTail = 262_144;
/** For callers that need the sets. @throws Failure `survey-incomplete` */
function demandSets(sets) {
    if (sets === null)
        throw new Error('The survey was not asked to look at the backups');
    if ('error' in sets)
        throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('survey-incomplete', sets.error);
    return sets;
}
/** The ids of the backup folder; none if it has none. @throws Failure `folder-id-damaged` */
function demandFolderIds({ folderIds }, backupDir) {
    if (folderIds === null)
        throw folderIdDamaged(backupDir);
    return folderIds;
}
/** null if the survey was not asked for it; an error if not everything could be examined. */
function readSets(records) {
    const state = records.find('sets-state');
    const error = records.find('sets-error');
    if (state === undefined)
        return null;
    if (error !== undefined)
        return { error };
    const files = records.all('file').map((value) => {
        const space = value.indexOf(' ');
        return { bytes: Number(value.slice(0, space)), path: value.slice(space + 1) };
    });
    return {
        state,
        files,
        othersUnnamed: Number(records.find('others-unnamed') ?? 0),
        manifests: readManifests(records),
        folderIds: records.find('folder-ids') === 'damaged' ? null : records.lines('folder-ids'),
    };
}
/** Both texts have each manifest under one of its names; the links list its other names. */
function readManifests(records) {
    const heads = sectionsOf(records.find('manifest-heads') ?? '');
    const tails = sectionsOf(records.find('manifest-tails') ?? '');
    const manifests = new Map();
    const byInode = new Map();
    for (const link of (records.find('manifest-links') ?? '').split('\n')) {
        const [inode = '', path = ''] = link.split(' ');
        if (!byInode.has(inode))
            byInode.set(inode, joined(heads.get(path) ?? null, tails.get(path) ?? null));
        const text = byInode.get(inode) ?? null;
        if (text !== null)
            manifests.set(path, text);
    }
    return manifests;
}
/**
 * Splits the output of `head -v` or `tail -v` for several files, by name. If a name occurs twice, the content of a file
 * imitates a header: then both are dropped, since nobody can tell which is which.
 */
function sectionsOf(text) {
    const sections = new Map();
    const [, ...parts] = text.split(/^==> (.*) <==$/m);
    for (let at = 0; at + 1 < parts.length; at += 2) {
        const [name = '', content = ''] = parts.slice(at, at + 2);
        sections.set(name, sections.has(name) ? null : content.slice(1));
    }
    return sections;
}
/**
 * Joins the parts before and after the long lists into a manifest without them, which is JSON again: the list of tables
 * begins a line, and `largeObjects` is the first field after the lists.
 */
function joined(head, tail) {
    if (head === null)
        return null;
    const lists = head.search(/^ {2}"tables": \[/m);
    if (lists >= 0)
        return tail === null ? null : head.slice(0, lists) + tail;
    return head.length < longestHead ? head : null;
}


/***/ }),

/***/ 31766:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  zE: () => (/* binding */ outcomeMarks),
  CB: () => (/* binding */ transactionFiles),
  cO: () => (/* binding */ transactionMark)
});

// EXTERNAL MODULE: ./build/shared/failure.js
var failure = __nccwpck_require__(926);
// EXTERNAL MODULE: ./build/shared/survey/compose-call.js
var compose_call = __nccwpck_require__(20676);
;// CONCATENATED MODULE: ./build/shared/transaction/address.js
/** The health-url as plan lines for the host's scripts. bash itself can ask over http; for https the host needs curl. */
function addressLines(url) {
    const lines = [['health_url', url.href]];
    if (url.protocol !== 'http:')
        return lines;
    return [
        ...lines,
        ['health_host', url.hostname.replace(/^\[|\]$/g, '')],
        ['health_port', url.port || '80'],
        ['health_path', `${url.pathname}${url.search}`],
        ['health_name', url.host],
    ];
}

;// CONCATENATED MODULE: ./build/shared/transaction/transaction-files.js



/** Placeholder in override files for the transaction's id, which the host fills in. */
const transactionMark = '@transaction@';
/** The placeholders for what only the host knows when it writes the history. */
const outcomeMarks = (token) => ({
    at: `${token}-at`,
    verdict: `${token}-verdict`,
    duration: `${token}-duration`,
    downtime: `${token}-downtime`,
});
/** The files of a transaction's folder, by name. */
function transactionFiles(request) {
    const { outcome, override, revert, planJson } = request;
    const files = new Map([
        ['plan.tsv', planLines(request)],
        ['plan.json', planJson],
        ['override.yml', override],
        ['revert.yml', revert],
    ]);
    for (const [ending, { record, line }] of Object.entries(outcome.endings)) {
        files.set(`outcome/${ending}.json`, record);
        files.set(`outcome/${ending}.log`, line);
    }
    for (const [service, archive] of request.inlineFiles)
        files.set(`files.${service}.tar.base64`, archive.toString('base64'));
    if (outcome.hold !== null)
        files.set('outcome/hold', outcome.hold);
    return files;
}
/** One line per value: a key, a tab and the value. */
function planLines(request) {
    const seconds = (ms) => String(Math.ceil(ms / 1_000));
    const { healthUrl } = request;
    const lines = [
        ['project', request.project],
        ['deploy_dir', request.deployDir],
        ...(0,compose_call/* composeLines */.GF)(request.compose).map((line) => ['compose', line]),
        ['project_state', request.projectState],
        ...(request.stopTimeout === null ? [] : [['stop_timeout', seconds(request.stopTimeout)]]),
        ['health_timeout', seconds(request.healthTimeout)],
        ['stable_for', seconds(request.stableFor)],
        ...(request.maxDowntime === null ? [] : [['max_downtime', String(request.maxDowntime)]]),
        ...(healthUrl === null ? [] : addressLines(healthUrl)),
        ['on_failure', request.onFailure],
        ['blame', request.blame ? 'target' : 'none'],
        ['settings', request.settings],
        ['hold', String(request.outcome.hold !== null)],
        ['lock_wait', seconds(request.lockWait)],
        ['holder', request.holder],
        ['history_id', request.historyId],
        ['token', request.outcome.token],
        ...(request.database === null ? [] : databaseLines(request.database)),
        ...request.proxies.map((proxy) => ['proxy', proxy]),
        ...request.lookedUpOnce.map(({ service, proxy }) => ['looked_up_once', service, proxy]),
        ...request.services.map(({ service, strategy, targetImageId, retag, fixedName }) => [
            'service',
            service,
            strategy,
            targetImageId,
            retag ?? '-',
            fixedName ?? '-',
        ]),
    ];
    return lines.map((line) => `${line.map(checked).join('\t')}\n`).join('');
}
function databaseLines({ container, user, access, name, restored, aside, ...limits }) {
    const { place, password } = access;
    const lines = [
        ['database', name],
        ['database_container', container],
        ['database_user', user],
        ['database_restored', restored],
        ['database_aside', aside],
        ['database_limit', String(limits.connectionLimit)],
        ['database_restored_limit', String(limits.restoredLimit)],
        ...(place === null ? [] : placeLines(place)),
        ...(password === null ? [] : [['database_password', password]]),
    ];
    return lines;
}
const placeLines = ({ host, port }) => [
    ['database_host', host],
    ['database_port', port],
];
/** Refuses characters that would be read as a new line or column. */
function checked(value) {
    if (/[\t\n\r\0]/.test(value) || value === '') {
        throw new failure/* Failure */.HR('bad-value', `${JSON.stringify(value.slice(0, 100))} cannot be written into a transaction's plan`, {
            hint: 'Use paths and names without tabs and line breaks',
        });
    }
    return value;
}


/***/ }),

/***/ 73053:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   p: () => (/* binding */ failureTypedAs)
/* harmony export */ });
/* unused harmony export typedAs */
/* harmony import */ var node_os__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(48161);
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(926);


/** The advice with the user of the host who types its commands, where it says only that they are typed on the host. */
function typedAs(user, advice) {
    return advice.replace(/\b[Oo]n the host(?=(?:, run)?: )/g, (where) => `${where}, as ${user}`);
}
/**
 * The same for what a failure says to do. What is raised on the way need not know who is logged in.
 * @param ssh null where the runner is the host
 */
function failureTypedAs(ssh, error) {
    if (!(0,_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .isFailure */ .N6)(error) || error.hint === undefined)
        return error;
    const user = ssh?.user ?? runnersUser();
    const hint = user === null ? error.hint : typedAs(user, error.hint);
    return hint === error.hint ? error : new _failure_js__WEBPACK_IMPORTED_MODULE_1__/* .Failure */ .HR(error.code, error.message, { hint, cause: error.cause });
}
/** null where the system has no name for it, as in a container that runs under any number. */
function runnersUser() {
    try {
        return (0,node_os__WEBPACK_IMPORTED_MODULE_0__.userInfo)().username;
    }
    catch {
        return null;
    }
}


/***/ }),

/***/ 98295:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   CE: () => (/* binding */ formatRate),
/* harmony export */   DB: () => (/* binding */ parseSize),
/* harmony export */   E9: () => (/* binding */ parseDuration),
/* harmony export */   KE: () => (/* binding */ listed),
/* harmony export */   a3: () => (/* binding */ formatDuration),
/* harmony export */   bn: () => (/* binding */ allOf),
/* harmony export */   hS: () => (/* binding */ counted),
/* harmony export */   z3: () => (/* binding */ formatBytes)
/* harmony export */ });
const durationUnits = { s: 1_000, m: 60_000, h: 3_600_000 };
const sizeUnits = {
    '': 1,
    B: 1,
    kB: 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    KiB: 2 ** 10,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
    TiB: 2 ** 40,
};
/**
 * `90s`, `5m` or `2h` in milliseconds.
 * @throws RangeError whose message continues "it …"
 */
function parseDuration(text) {
    return parseQuantity(text, durationUnits, 'is not a duration such as 90s, 5m or 2h');
}
/**
 * `1GiB`, `512MiB`, `10GB` or plain bytes, in bytes.
 * @throws RangeError whose message continues "it …"
 */
function parseSize(text) {
    return parseQuantity(text, sizeUnits, 'is not a size such as 512MiB, 10GB or 1048576');
}
function parseQuantity(text, units, reason) {
    const [, digits, unit] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
    const factor = unit === undefined || !Object.hasOwn(units, unit) ? undefined : units[unit];
    if (digits === undefined || factor === undefined)
        throw new RangeError(reason);
    const quantity = Number(digits) * factor;
    if (!Number.isSafeInteger(quantity))
        throw new RangeError('is too large');
    return quantity;
}
/** Bytes for people: `812 B`, `1.2 GiB`. */
function formatBytes(bytes) {
    const units = ['KiB', 'MiB', 'GiB', 'TiB'];
    if (Math.abs(bytes) < 1024)
        return `${Math.round(bytes)} B`;
    let amount = bytes / 1024;
    let unit = 0;
    // Round before comparing: otherwise 1023.97 KiB would print as "1024.0 KiB".
    while (Math.abs(Number(amount.toFixed(1))) >= 1024 && unit < units.length - 1) {
        amount /= 1024;
        unit += 1;
    }
    return `${amount.toFixed(1)} ${units[unit]}`;
}
/** Milliseconds for people: `340 ms`, `12.4 s`, `2 min 13 s`, `1 h 02 min`. */
function formatDuration(ms) {
    if (Math.round(ms) < 1_000)
        return `${Math.round(ms)} ms`;
    const tenths = Math.round(ms / 100);
    if (tenths < 600)
        return `${(tenths / 10).toFixed(1)} s`;
    const seconds = Math.round(ms / 1_000);
    if (seconds < 3_600)
        return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
    const minutes = Math.round(seconds / 60);
    return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}
/** A rate for people: `84.0 MiB/s`. */
function formatRate(bytesPerSecond) {
    return `${formatBytes(bytesPerSecond)}/s`;
}
function twoDigits(n) {
    return String(n).padStart(2, '0');
}
/** With the verb: `no table is`, `the only table is`, `all 25 tables are`. */
function allOf(count, thing, [one, many]) {
    if (count === 0)
        return `no ${thing} ${one}`;
    return count === 1 ? `the only ${thing} ${one}` : `all ${counted(count, thing)} ${many}`;
}
/** `1 set`, `3 sets`, `12,000 sets`. */
function counted(count, thing) {
    return `${count.toLocaleString('en-US')} ${thing}${count === 1 ? '' : 's'}`;
}
/** The first items in one line, and how many more there are: `a, b, and 3 more`. @param total if `items` is only a part */
function listed(items, most, { separator = ', ', total = items.length } = {}) {
    const rest = total - Math.min(most, items.length);
    const shown = items.slice(0, most).join(separator);
    return rest > 0 ? `${shown}${separator}and ${rest} more` : shown;
}


/***/ }),

/***/ 51190:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   A7: () => (/* binding */ mapOf),
/* harmony export */   Qq: () => (/* binding */ text),
/* harmony export */   Rz: () => (/* binding */ milliseconds),
/* harmony export */   U9: () => (/* binding */ count),
/* harmony export */   Xd: () => (/* binding */ orNull),
/* harmony export */   c3: () => (/* binding */ listOf),
/* harmony export */   cW: () => (/* binding */ shape),
/* harmony export */   jk: () => (/* binding */ textThat),
/* harmony export */   lc: () => (/* binding */ bool),
/* harmony export */   yL: () => (/* binding */ oneOf)
/* harmony export */ });
/* harmony import */ var _failure_js__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(926);

/** A string of at most `longest` UTF-16 units, without NUL (PostgreSQL, bash and C strings cannot contain it). */
function text(longest) {
    return (value, place) => {
        if (typeof value !== 'string')
            return refuse(place, 'is not text');
        if (value.length > longest)
            return refuse(place, `is longer than ${longest} characters`);
        return value.includes('\0') ? refuse(place, 'contains a NUL byte') : value;
    };
}
/** A string that `accepts` accepts. */
function textThat(accepts, what) {
    return (value, place) => (typeof value === 'string' && accepts(value) ? value : refuse(place, `is not ${what}`));
}
/** A whole number from 0 to 2^53 - 1. */
const count = (value, place) => Number.isSafeInteger(value) && value >= 0 ? value : refuse(place, 'is not a count');
/** A number of milliseconds, not negative, whole or not. */
const milliseconds = (value, place) => typeof value === 'number' && value >= 0 && Number.isFinite(value) ? value : refuse(place, 'is not a duration');
const bool = (value, place) => typeof value === 'boolean' ? value : refuse(place, 'is not true or false');
/** Exactly one of the values. */
function oneOf(...values) {
    return (value, place) => values.find((known) => known === value) ?? refuse(place, `is not one of ${values.map(String).join(', ')}`);
}
/** The value, or null; a missing field counts as null. */
function orNull(read) {
    return (value, place) => (value === null || value === undefined ? null : read(value, place));
}
/** An array of at most `most` items. */
function listOf(read, most) {
    return (value, place) => {
        if (!Array.isArray(value))
            return refuse(place, 'is not a list');
        if (value.length > most)
            return refuse(place, `has more than ${most} items`);
        return value.map((item, index) => read(item, `${place}[${index}]`));
    };
}
/** An object of at most `most` entries with any keys that `isKey` accepts, even `__proto__`. */
function mapOf(isKey, read, most) {
    return (value, place) => {
        const entries = Object.entries(objectAt(value, place));
        if (entries.length > most)
            return refuse(place, `has more than ${most} entries`);
        return Object.fromEntries(entries.map(([key, item]) => {
            if (!isKey(key))
                return refuse(place, 'has a name that is not allowed');
            return [key, read(item, `${place}.${key}`)];
        }));
    };
}
/** An object with these fields; others are dropped. */
function shape(fields) {
    return (value, place) => {
        const object = objectAt(value, place);
        const own = Object.entries(fields).map(([field, read]) => [
            field,
            read(object[field], place === '' ? field : `${place}.${field}`),
        ]);
        return Object.fromEntries(own);
    };
}
function objectAt(value, place) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
        return refuse(place, 'is not an object');
    return value;
}
function refuse(place, why) {
    throw new _failure_js__WEBPACK_IMPORTED_MODULE_0__/* .Failure */ .HR('bad-value', place === '' ? `it ${why}` : `"${place}" ${why}`);
}


/***/ }),

/***/ 27187:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {


// EXPORTS
__nccwpck_require__.d(__webpack_exports__, {
  m: () => (/* binding */ exec),
  H: () => (/* binding */ getExecOutput)
});

// EXTERNAL MODULE: external "string_decoder"
var external_string_decoder_ = __nccwpck_require__(13193);
// EXTERNAL MODULE: external "os"
var external_os_ = __nccwpck_require__(70857);
// EXTERNAL MODULE: external "events"
var external_events_ = __nccwpck_require__(24434);
;// CONCATENATED MODULE: external "child_process"
const external_child_process_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("child_process");
// EXTERNAL MODULE: external "path"
var external_path_ = __nccwpck_require__(16928);
// EXTERNAL MODULE: ./node_modules/@actions/io/lib/io.js
var io = __nccwpck_require__(88701);
// EXTERNAL MODULE: ./node_modules/@actions/io/lib/io-util.js
var io_util = __nccwpck_require__(90);
;// CONCATENATED MODULE: external "timers"
const external_timers_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("timers");
;// CONCATENATED MODULE: ./node_modules/@actions/exec/lib/toolrunner.js
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};







/* eslint-disable @typescript-eslint/unbound-method */
const IS_WINDOWS = process.platform === 'win32';
/*
 * Class for running command line tools. Handles quoting and arg parsing in a platform agnostic way.
 */
class ToolRunner extends external_events_.EventEmitter {
    constructor(toolPath, args, options) {
        super();
        if (!toolPath) {
            throw new Error("Parameter 'toolPath' cannot be null or empty.");
        }
        this.toolPath = toolPath;
        this.args = args || [];
        this.options = options || {};
    }
    _debug(message) {
        if (this.options.listeners && this.options.listeners.debug) {
            this.options.listeners.debug(message);
        }
    }
    _getCommandString(options, noPrefix) {
        const toolPath = this._getSpawnFileName();
        const args = this._getSpawnArgs(options);
        let cmd = noPrefix ? '' : '[command]'; // omit prefix when piped to a second tool
        if (IS_WINDOWS) {
            // Windows + cmd file
            if (this._isCmdFile()) {
                cmd += toolPath;
                for (const a of args) {
                    cmd += ` ${a}`;
                }
            }
            // Windows + verbatim
            else if (options.windowsVerbatimArguments) {
                cmd += `"${toolPath}"`;
                for (const a of args) {
                    cmd += ` ${a}`;
                }
            }
            // Windows (regular)
            else {
                cmd += this._windowsQuoteCmdArg(toolPath);
                for (const a of args) {
                    cmd += ` ${this._windowsQuoteCmdArg(a)}`;
                }
            }
        }
        else {
            // OSX/Linux - this can likely be improved with some form of quoting.
            // creating processes on Unix is fundamentally different than Windows.
            // on Unix, execvp() takes an arg array.
            cmd += toolPath;
            for (const a of args) {
                cmd += ` ${a}`;
            }
        }
        return cmd;
    }
    _processLineBuffer(data, strBuffer, onLine) {
        try {
            let s = strBuffer + data.toString();
            let n = s.indexOf(external_os_.EOL);
            while (n > -1) {
                const line = s.substring(0, n);
                onLine(line);
                // the rest of the string ...
                s = s.substring(n + external_os_.EOL.length);
                n = s.indexOf(external_os_.EOL);
            }
            return s;
        }
        catch (err) {
            // streaming lines to console is best effort.  Don't fail a build.
            this._debug(`error processing line. Failed with error ${err}`);
            return '';
        }
    }
    _getSpawnFileName() {
        if (IS_WINDOWS) {
            if (this._isCmdFile()) {
                return process.env['COMSPEC'] || 'cmd.exe';
            }
        }
        return this.toolPath;
    }
    _getSpawnArgs(options) {
        if (IS_WINDOWS) {
            if (this._isCmdFile()) {
                let argline = `/D /S /C "${this._windowsQuoteCmdArg(this.toolPath)}`;
                for (const a of this.args) {
                    argline += ' ';
                    argline += options.windowsVerbatimArguments
                        ? a
                        : this._windowsQuoteCmdArg(a);
                }
                argline += '"';
                return [argline];
            }
        }
        return this.args;
    }
    _endsWith(str, end) {
        return str.endsWith(end);
    }
    _isCmdFile() {
        const upperToolPath = this.toolPath.toUpperCase();
        return (this._endsWith(upperToolPath, '.CMD') ||
            this._endsWith(upperToolPath, '.BAT'));
    }
    _windowsQuoteCmdArg(arg) {
        // for .exe, apply the normal quoting rules that libuv applies
        if (!this._isCmdFile()) {
            return this._uvQuoteCmdArg(arg);
        }
        // otherwise apply quoting rules specific to the cmd.exe command line parser.
        // the libuv rules are generic and are not designed specifically for cmd.exe
        // command line parser.
        //
        // for a detailed description of the cmd.exe command line parser, refer to
        // http://stackoverflow.com/questions/4094699/how-does-the-windows-command-interpreter-cmd-exe-parse-scripts/7970912#7970912
        // need quotes for empty arg
        if (!arg) {
            return '""';
        }
        // determine whether the arg needs to be quoted
        const cmdSpecialChars = [
            ' ',
            '\t',
            '&',
            '(',
            ')',
            '[',
            ']',
            '{',
            '}',
            '^',
            '=',
            ';',
            '!',
            "'",
            '+',
            ',',
            '`',
            '~',
            '|',
            '<',
            '>',
            '"'
        ];
        let needsQuotes = false;
        for (const char of arg) {
            if (cmdSpecialChars.some(x => x === char)) {
                needsQuotes = true;
                break;
            }
        }
        // short-circuit if quotes not needed
        if (!needsQuotes) {
            return arg;
        }
        // the following quoting rules are very similar to the rules that by libuv applies.
        //
        // 1) wrap the string in quotes
        //
        // 2) double-up quotes - i.e. " => ""
        //
        //    this is different from the libuv quoting rules. libuv replaces " with \", which unfortunately
        //    doesn't work well with a cmd.exe command line.
        //
        //    note, replacing " with "" also works well if the arg is passed to a downstream .NET console app.
        //    for example, the command line:
        //          foo.exe "myarg:""my val"""
        //    is parsed by a .NET console app into an arg array:
        //          [ "myarg:\"my val\"" ]
        //    which is the same end result when applying libuv quoting rules. although the actual
        //    command line from libuv quoting rules would look like:
        //          foo.exe "myarg:\"my val\""
        //
        // 3) double-up slashes that precede a quote,
        //    e.g.  hello \world    => "hello \world"
        //          hello\"world    => "hello\\""world"
        //          hello\\"world   => "hello\\\\""world"
        //          hello world\    => "hello world\\"
        //
        //    technically this is not required for a cmd.exe command line, or the batch argument parser.
        //    the reasons for including this as a .cmd quoting rule are:
        //
        //    a) this is optimized for the scenario where the argument is passed from the .cmd file to an
        //       external program. many programs (e.g. .NET console apps) rely on the slash-doubling rule.
        //
        //    b) it's what we've been doing previously (by deferring to node default behavior) and we
        //       haven't heard any complaints about that aspect.
        //
        // note, a weakness of the quoting rules chosen here, is that % is not escaped. in fact, % cannot be
        // escaped when used on the command line directly - even though within a .cmd file % can be escaped
        // by using %%.
        //
        // the saving grace is, on the command line, %var% is left as-is if var is not defined. this contrasts
        // the line parsing rules within a .cmd file, where if var is not defined it is replaced with nothing.
        //
        // one option that was explored was replacing % with ^% - i.e. %var% => ^%var^%. this hack would
        // often work, since it is unlikely that var^ would exist, and the ^ character is removed when the
        // variable is used. the problem, however, is that ^ is not removed when %* is used to pass the args
        // to an external program.
        //
        // an unexplored potential solution for the % escaping problem, is to create a wrapper .cmd file.
        // % can be escaped within a .cmd file.
        let reverse = '"';
        let quoteHit = true;
        for (let i = arg.length; i > 0; i--) {
            // walk the string in reverse
            reverse += arg[i - 1];
            if (quoteHit && arg[i - 1] === '\\') {
                reverse += '\\'; // double the slash
            }
            else if (arg[i - 1] === '"') {
                quoteHit = true;
                reverse += '"'; // double the quote
            }
            else {
                quoteHit = false;
            }
        }
        reverse += '"';
        return reverse.split('').reverse().join('');
    }
    _uvQuoteCmdArg(arg) {
        // Tool runner wraps child_process.spawn() and needs to apply the same quoting as
        // Node in certain cases where the undocumented spawn option windowsVerbatimArguments
        // is used.
        //
        // Since this function is a port of quote_cmd_arg from Node 4.x (technically, lib UV,
        // see https://github.com/nodejs/node/blob/v4.x/deps/uv/src/win/process.c for details),
        // pasting copyright notice from Node within this function:
        //
        //      Copyright Joyent, Inc. and other Node contributors. All rights reserved.
        //
        //      Permission is hereby granted, free of charge, to any person obtaining a copy
        //      of this software and associated documentation files (the "Software"), to
        //      deal in the Software without restriction, including without limitation the
        //      rights to use, copy, modify, merge, publish, distribute, sublicense, and/or
        //      sell copies of the Software, and to permit persons to whom the Software is
        //      furnished to do so, subject to the following conditions:
        //
        //      The above copyright notice and this permission notice shall be included in
        //      all copies or substantial portions of the Software.
        //
        //      THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
        //      IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
        //      FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
        //      AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
        //      LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING
        //      FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
        //      IN THE SOFTWARE.
        if (!arg) {
            // Need double quotation for empty argument
            return '""';
        }
        if (!arg.includes(' ') && !arg.includes('\t') && !arg.includes('"')) {
            // No quotation needed
            return arg;
        }
        if (!arg.includes('"') && !arg.includes('\\')) {
            // No embedded double quotes or backslashes, so I can just wrap
            // quote marks around the whole thing.
            return `"${arg}"`;
        }
        // Expected input/output:
        //   input : hello"world
        //   output: "hello\"world"
        //   input : hello""world
        //   output: "hello\"\"world"
        //   input : hello\world
        //   output: hello\world
        //   input : hello\\world
        //   output: hello\\world
        //   input : hello\"world
        //   output: "hello\\\"world"
        //   input : hello\\"world
        //   output: "hello\\\\\"world"
        //   input : hello world\
        //   output: "hello world\\" - note the comment in libuv actually reads "hello world\"
        //                             but it appears the comment is wrong, it should be "hello world\\"
        let reverse = '"';
        let quoteHit = true;
        for (let i = arg.length; i > 0; i--) {
            // walk the string in reverse
            reverse += arg[i - 1];
            if (quoteHit && arg[i - 1] === '\\') {
                reverse += '\\';
            }
            else if (arg[i - 1] === '"') {
                quoteHit = true;
                reverse += '\\';
            }
            else {
                quoteHit = false;
            }
        }
        reverse += '"';
        return reverse.split('').reverse().join('');
    }
    _cloneExecOptions(options) {
        options = options || {};
        const result = {
            cwd: options.cwd || process.cwd(),
            env: options.env || process.env,
            silent: options.silent || false,
            windowsVerbatimArguments: options.windowsVerbatimArguments || false,
            failOnStdErr: options.failOnStdErr || false,
            ignoreReturnCode: options.ignoreReturnCode || false,
            delay: options.delay || 10000
        };
        result.outStream = options.outStream || process.stdout;
        result.errStream = options.errStream || process.stderr;
        return result;
    }
    _getSpawnOptions(options, toolPath) {
        options = options || {};
        const result = {};
        result.cwd = options.cwd;
        result.env = options.env;
        result['windowsVerbatimArguments'] =
            options.windowsVerbatimArguments || this._isCmdFile();
        if (options.windowsVerbatimArguments) {
            result.argv0 = `"${toolPath}"`;
        }
        return result;
    }
    /**
     * Exec a tool.
     * Output will be streamed to the live console.
     * Returns promise with return code
     *
     * @param     tool     path to tool to exec
     * @param     options  optional exec options.  See ExecOptions
     * @returns   number
     */
    exec() {
        return __awaiter(this, void 0, void 0, function* () {
            // root the tool path if it is unrooted and contains relative pathing
            if (!io_util/* isRooted */.Qh(this.toolPath) &&
                (this.toolPath.includes('/') ||
                    (IS_WINDOWS && this.toolPath.includes('\\')))) {
                // prefer options.cwd if it is specified, however options.cwd may also need to be rooted
                this.toolPath = external_path_.resolve(process.cwd(), this.options.cwd || process.cwd(), this.toolPath);
            }
            // if the tool is only a file name, then resolve it from the PATH
            // otherwise verify it exists (add extension on Windows if necessary)
            this.toolPath = yield io/* which */.K7(this.toolPath, true);
            return new Promise((resolve, reject) => __awaiter(this, void 0, void 0, function* () {
                this._debug(`exec tool: ${this.toolPath}`);
                this._debug('arguments:');
                for (const arg of this.args) {
                    this._debug(`   ${arg}`);
                }
                const optionsNonNull = this._cloneExecOptions(this.options);
                if (!optionsNonNull.silent && optionsNonNull.outStream) {
                    optionsNonNull.outStream.write(this._getCommandString(optionsNonNull) + external_os_.EOL);
                }
                const state = new ExecState(optionsNonNull, this.toolPath);
                state.on('debug', (message) => {
                    this._debug(message);
                });
                if (this.options.cwd && !(yield io_util/* exists */.t2(this.options.cwd))) {
                    return reject(new Error(`The cwd: ${this.options.cwd} does not exist!`));
                }
                const fileName = this._getSpawnFileName();
                const cp = external_child_process_namespaceObject.spawn(fileName, this._getSpawnArgs(optionsNonNull), this._getSpawnOptions(this.options, fileName));
                let stdbuffer = '';
                if (cp.stdout) {
                    cp.stdout.on('data', (data) => {
                        if (this.options.listeners && this.options.listeners.stdout) {
                            this.options.listeners.stdout(data);
                        }
                        if (!optionsNonNull.silent && optionsNonNull.outStream) {
                            optionsNonNull.outStream.write(data);
                        }
                        stdbuffer = this._processLineBuffer(data, stdbuffer, (line) => {
                            if (this.options.listeners && this.options.listeners.stdline) {
                                this.options.listeners.stdline(line);
                            }
                        });
                    });
                }
                let errbuffer = '';
                if (cp.stderr) {
                    cp.stderr.on('data', (data) => {
                        state.processStderr = true;
                        if (this.options.listeners && this.options.listeners.stderr) {
                            this.options.listeners.stderr(data);
                        }
                        if (!optionsNonNull.silent &&
                            optionsNonNull.errStream &&
                            optionsNonNull.outStream) {
                            const s = optionsNonNull.failOnStdErr
                                ? optionsNonNull.errStream
                                : optionsNonNull.outStream;
                            s.write(data);
                        }
                        errbuffer = this._processLineBuffer(data, errbuffer, (line) => {
                            if (this.options.listeners && this.options.listeners.errline) {
                                this.options.listeners.errline(line);
                            }
                        });
                    });
                }
                cp.on('error', (err) => {
                    state.processError = err.message;
                    state.processExited = true;
                    state.processClosed = true;
                    state.CheckComplete();
                });
                cp.on('exit', (code) => {
                    state.processExitCode = code;
                    state.processExited = true;
                    this._debug(`Exit code ${code} received from tool '${this.toolPath}'`);
                    state.CheckComplete();
                });
                cp.on('close', (code) => {
                    state.processExitCode = code;
                    state.processExited = true;
                    state.processClosed = true;
                    this._debug(`STDIO streams have closed for tool '${this.toolPath}'`);
                    state.CheckComplete();
                });
                state.on('done', (error, exitCode) => {
                    if (stdbuffer.length > 0) {
                        this.emit('stdline', stdbuffer);
                    }
                    if (errbuffer.length > 0) {
                        this.emit('errline', errbuffer);
                    }
                    cp.removeAllListeners();
                    if (error) {
                        reject(error);
                    }
                    else {
                        resolve(exitCode);
                    }
                });
                if (this.options.input) {
                    if (!cp.stdin) {
                        throw new Error('child process missing stdin');
                    }
                    cp.stdin.end(this.options.input);
                }
            }));
        });
    }
}
/**
 * Convert an arg string to an array of args. Handles escaping
 *
 * @param    argString   string of arguments
 * @returns  string[]    array of arguments
 */
function argStringToArray(argString) {
    const args = [];
    let inQuotes = false;
    let escaped = false;
    let arg = '';
    function append(c) {
        // we only escape double quotes.
        if (escaped && c !== '"') {
            arg += '\\';
        }
        arg += c;
        escaped = false;
    }
    for (let i = 0; i < argString.length; i++) {
        const c = argString.charAt(i);
        if (c === '"') {
            if (!escaped) {
                inQuotes = !inQuotes;
            }
            else {
                append(c);
            }
            continue;
        }
        if (c === '\\' && escaped) {
            append(c);
            continue;
        }
        if (c === '\\' && inQuotes) {
            escaped = true;
            continue;
        }
        if (c === ' ' && !inQuotes) {
            if (arg.length > 0) {
                args.push(arg);
                arg = '';
            }
            continue;
        }
        append(c);
    }
    if (arg.length > 0) {
        args.push(arg.trim());
    }
    return args;
}
class ExecState extends external_events_.EventEmitter {
    constructor(options, toolPath) {
        super();
        this.processClosed = false; // tracks whether the process has exited and stdio is closed
        this.processError = '';
        this.processExitCode = 0;
        this.processExited = false; // tracks whether the process has exited
        this.processStderr = false; // tracks whether stderr was written to
        this.delay = 10000; // 10 seconds
        this.done = false;
        this.timeout = null;
        if (!toolPath) {
            throw new Error('toolPath must not be empty');
        }
        this.options = options;
        this.toolPath = toolPath;
        if (options.delay) {
            this.delay = options.delay;
        }
    }
    CheckComplete() {
        if (this.done) {
            return;
        }
        if (this.processClosed) {
            this._setResult();
        }
        else if (this.processExited) {
            this.timeout = (0,external_timers_namespaceObject.setTimeout)(ExecState.HandleTimeout, this.delay, this);
        }
    }
    _debug(message) {
        this.emit('debug', message);
    }
    _setResult() {
        // determine whether there is an error
        let error;
        if (this.processExited) {
            if (this.processError) {
                error = new Error(`There was an error when attempting to execute the process '${this.toolPath}'. This may indicate the process failed to start. Error: ${this.processError}`);
            }
            else if (this.processExitCode !== 0 && !this.options.ignoreReturnCode) {
                error = new Error(`The process '${this.toolPath}' failed with exit code ${this.processExitCode}`);
            }
            else if (this.processStderr && this.options.failOnStdErr) {
                error = new Error(`The process '${this.toolPath}' failed because one or more lines were written to the STDERR stream`);
            }
        }
        // clear the timeout
        if (this.timeout) {
            clearTimeout(this.timeout);
            this.timeout = null;
        }
        this.done = true;
        this.emit('done', error, this.processExitCode);
    }
    static HandleTimeout(state) {
        if (state.done) {
            return;
        }
        if (!state.processClosed && state.processExited) {
            const message = `The STDIO streams did not close within ${state.delay / 1000} seconds of the exit event from process '${state.toolPath}'. This may indicate a child process inherited the STDIO streams and has not yet exited.`;
            state._debug(message);
        }
        state._setResult();
    }
}
//# sourceMappingURL=toolrunner.js.map
;// CONCATENATED MODULE: ./node_modules/@actions/exec/lib/exec.js
var exec_awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


/**
 * Exec a command.
 * Output will be streamed to the live console.
 * Returns promise with return code
 *
 * @param     commandLine        command to execute (can include additional args). Must be correctly escaped.
 * @param     args               optional arguments for tool. Escaping is handled by the lib.
 * @param     options            optional exec options.  See ExecOptions
 * @returns   Promise<number>    exit code
 */
function exec(commandLine, args, options) {
    return exec_awaiter(this, void 0, void 0, function* () {
        const commandArgs = argStringToArray(commandLine);
        if (commandArgs.length === 0) {
            throw new Error(`Parameter 'commandLine' cannot be null or empty.`);
        }
        // Path to tool to execute should be first arg
        const toolPath = commandArgs[0];
        args = commandArgs.slice(1).concat(args || []);
        const runner = new ToolRunner(toolPath, args, options);
        return runner.exec();
    });
}
/**
 * Exec a command and get the output.
 * Output will be streamed to the live console.
 * Returns promise with the exit code and collected stdout and stderr
 *
 * @param     commandLine           command to execute (can include additional args). Must be correctly escaped.
 * @param     args                  optional arguments for tool. Escaping is handled by the lib.
 * @param     options               optional exec options.  See ExecOptions
 * @returns   Promise<ExecOutput>   exit code, stdout, and stderr
 */
function getExecOutput(commandLine, args, options) {
    return exec_awaiter(this, void 0, void 0, function* () {
        var _a, _b;
        let stdout = '';
        let stderr = '';
        //Using string decoder covers the case where a mult-byte character is split
        const stdoutDecoder = new external_string_decoder_.StringDecoder('utf8');
        const stderrDecoder = new external_string_decoder_.StringDecoder('utf8');
        const originalStdoutListener = (_a = options === null || options === void 0 ? void 0 : options.listeners) === null || _a === void 0 ? void 0 : _a.stdout;
        const originalStdErrListener = (_b = options === null || options === void 0 ? void 0 : options.listeners) === null || _b === void 0 ? void 0 : _b.stderr;
        const stdErrListener = (data) => {
            stderr += stderrDecoder.write(data);
            if (originalStdErrListener) {
                originalStdErrListener(data);
            }
        };
        const stdOutListener = (data) => {
            stdout += stdoutDecoder.write(data);
            if (originalStdoutListener) {
                originalStdoutListener(data);
            }
        };
        const listeners = Object.assign(Object.assign({}, options === null || options === void 0 ? void 0 : options.listeners), { stdout: stdOutListener, stderr: stdErrListener });
        const exitCode = yield exec(commandLine, args, Object.assign(Object.assign({}, options), { listeners }));
        //flush any remaining characters
        stdout += stdoutDecoder.end();
        stderr += stderrDecoder.end();
        return {
            exitCode,
            stdout,
            stderr
        };
    });
}
//# sourceMappingURL=exec.js.map

/***/ }),

/***/ 19783:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   s: () => (/* binding */ getProxyUrl)
/* harmony export */ });
/* unused harmony export checkBypass */
function getProxyUrl(reqUrl) {
    const usingSsl = reqUrl.protocol === 'https:';
    if (checkBypass(reqUrl)) {
        return undefined;
    }
    const proxyVar = (() => {
        if (usingSsl) {
            return process.env['https_proxy'] || process.env['HTTPS_PROXY'];
        }
        else {
            return process.env['http_proxy'] || process.env['HTTP_PROXY'];
        }
    })();
    if (proxyVar) {
        try {
            return new DecodedURL(proxyVar);
        }
        catch (_a) {
            if (!proxyVar.startsWith('http://') && !proxyVar.startsWith('https://'))
                return new DecodedURL(`http://${proxyVar}`);
        }
    }
    else {
        return undefined;
    }
}
function checkBypass(reqUrl) {
    if (!reqUrl.hostname) {
        return false;
    }
    const reqHost = reqUrl.hostname;
    if (isLoopbackAddress(reqHost)) {
        return true;
    }
    const noProxy = process.env['no_proxy'] || process.env['NO_PROXY'] || '';
    if (!noProxy) {
        return false;
    }
    // Determine the request port
    let reqPort;
    if (reqUrl.port) {
        reqPort = Number(reqUrl.port);
    }
    else if (reqUrl.protocol === 'http:') {
        reqPort = 80;
    }
    else if (reqUrl.protocol === 'https:') {
        reqPort = 443;
    }
    // Format the request hostname and hostname with port
    const upperReqHosts = [reqUrl.hostname.toUpperCase()];
    if (typeof reqPort === 'number') {
        upperReqHosts.push(`${upperReqHosts[0]}:${reqPort}`);
    }
    // Compare request host against noproxy
    for (const upperNoProxyItem of noProxy
        .split(',')
        .map(x => x.trim().toUpperCase())
        .filter(x => x)) {
        if (upperNoProxyItem === '*' ||
            upperReqHosts.some(x => x === upperNoProxyItem ||
                x.endsWith(`.${upperNoProxyItem}`) ||
                (upperNoProxyItem.startsWith('.') &&
                    x.endsWith(`${upperNoProxyItem}`)))) {
            return true;
        }
    }
    return false;
}
function isLoopbackAddress(host) {
    const hostLower = host.toLowerCase();
    return (hostLower === 'localhost' ||
        hostLower.startsWith('127.') ||
        hostLower.startsWith('[::1]') ||
        hostLower.startsWith('[0:0:0:0:0:0:0:1]'));
}
class DecodedURL extends URL {
    constructor(url, base) {
        super(url, base);
        this._decodedUsername = decodeURIComponent(super.username);
        this._decodedPassword = decodeURIComponent(super.password);
    }
    get username() {
        return this._decodedUsername;
    }
    get password() {
        return this._decodedPassword;
    }
}
//# sourceMappingURL=proxy.js.map

/***/ }),

/***/ 90:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   Ck: () => (/* binding */ mkdir),
/* harmony export */   H8: () => (/* binding */ IS_WINDOWS),
/* harmony export */   Qh: () => (/* binding */ isRooted),
/* harmony export */   rm: () => (/* binding */ rm),
/* harmony export */   t2: () => (/* binding */ exists),
/* harmony export */   vr: () => (/* binding */ tryGetExecutablePath)
/* harmony export */ });
/* unused harmony exports chmod, copyFile, lstat, open, readdir, rename, rmdir, stat, symlink, unlink, readlink, UV_FS_O_EXLOCK, READONLY, isDirectory, getCmdPath */
/* harmony import */ var fs__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(79896);
/* harmony import */ var path__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(16928);
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};


const { chmod, copyFile, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, symlink, unlink } = fs__WEBPACK_IMPORTED_MODULE_0__.promises;
// export const {open} = 'fs'
const IS_WINDOWS = process.platform === 'win32';
/**
 * Custom implementation of readlink to ensure Windows junctions
 * maintain trailing backslash for backward compatibility with Node.js < 24
 *
 * In Node.js 20, Windows junctions (directory symlinks) always returned paths
 * with trailing backslashes. Node.js 24 removed this behavior, which breaks
 * code that relied on this format for path operations.
 *
 * This implementation restores the Node 20 behavior by adding a trailing
 * backslash to all junction results on Windows.
 */
function readlink(fsPath) {
    return __awaiter(this, void 0, void 0, function* () {
        const result = yield fs.promises.readlink(fsPath);
        // On Windows, restore Node 20 behavior: add trailing backslash to all results
        // since junctions on Windows are always directory links
        if (IS_WINDOWS && !result.endsWith('\\')) {
            return `${result}\\`;
        }
        return result;
    });
}
// See https://github.com/nodejs/node/blob/d0153aee367422d0858105abec186da4dff0a0c5/deps/uv/include/uv/win.h#L691
const UV_FS_O_EXLOCK = 0x10000000;
const READONLY = fs__WEBPACK_IMPORTED_MODULE_0__.constants.O_RDONLY;
function exists(fsPath) {
    return __awaiter(this, void 0, void 0, function* () {
        try {
            yield stat(fsPath);
        }
        catch (err) {
            if (err.code === 'ENOENT') {
                return false;
            }
            throw err;
        }
        return true;
    });
}
function isDirectory(fsPath_1) {
    return __awaiter(this, arguments, void 0, function* (fsPath, useStat = false) {
        const stats = useStat ? yield stat(fsPath) : yield lstat(fsPath);
        return stats.isDirectory();
    });
}
/**
 * On OSX/Linux, true if path starts with '/'. On Windows, true for paths like:
 * \, \hello, \\hello\share, C:, and C:\hello (and corresponding alternate separator cases).
 */
function isRooted(p) {
    p = normalizeSeparators(p);
    if (!p) {
        throw new Error('isRooted() parameter "p" cannot be empty');
    }
    if (IS_WINDOWS) {
        return (p.startsWith('\\') || /^[A-Z]:/i.test(p) // e.g. \ or \hello or \\hello
        ); // e.g. C: or C:\hello
    }
    return p.startsWith('/');
}
/**
 * Best effort attempt to determine whether a file exists and is executable.
 * @param filePath    file path to check
 * @param extensions  additional file extensions to try
 * @return if file exists and is executable, returns the file path. otherwise empty string.
 */
function tryGetExecutablePath(filePath, extensions) {
    return __awaiter(this, void 0, void 0, function* () {
        let stats = undefined;
        try {
            // test file exists
            stats = yield stat(filePath);
        }
        catch (err) {
            if (err.code !== 'ENOENT') {
                // eslint-disable-next-line no-console
                console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
            }
        }
        if (stats && stats.isFile()) {
            if (IS_WINDOWS) {
                // on Windows, test for valid extension
                const upperExt = path__WEBPACK_IMPORTED_MODULE_1__.extname(filePath).toUpperCase();
                if (extensions.some(validExt => validExt.toUpperCase() === upperExt)) {
                    return filePath;
                }
            }
            else {
                if (isUnixExecutable(stats)) {
                    return filePath;
                }
            }
        }
        // try each extension
        const originalFilePath = filePath;
        for (const extension of extensions) {
            filePath = originalFilePath + extension;
            stats = undefined;
            try {
                stats = yield stat(filePath);
            }
            catch (err) {
                if (err.code !== 'ENOENT') {
                    // eslint-disable-next-line no-console
                    console.log(`Unexpected error attempting to determine if executable file exists '${filePath}': ${err}`);
                }
            }
            if (stats && stats.isFile()) {
                if (IS_WINDOWS) {
                    // preserve the case of the actual file (since an extension was appended)
                    try {
                        const directory = path__WEBPACK_IMPORTED_MODULE_1__.dirname(filePath);
                        const upperName = path__WEBPACK_IMPORTED_MODULE_1__.basename(filePath).toUpperCase();
                        for (const actualName of yield readdir(directory)) {
                            if (upperName === actualName.toUpperCase()) {
                                filePath = path__WEBPACK_IMPORTED_MODULE_1__.join(directory, actualName);
                                break;
                            }
                        }
                    }
                    catch (err) {
                        // eslint-disable-next-line no-console
                        console.log(`Unexpected error attempting to determine the actual case of the file '${filePath}': ${err}`);
                    }
                    return filePath;
                }
                else {
                    if (isUnixExecutable(stats)) {
                        return filePath;
                    }
                }
            }
        }
        return '';
    });
}
function normalizeSeparators(p) {
    p = p || '';
    if (IS_WINDOWS) {
        // convert slashes on Windows
        p = p.replace(/\//g, '\\');
        // remove redundant slashes
        return p.replace(/\\\\+/g, '\\');
    }
    // remove redundant slashes
    return p.replace(/\/\/+/g, '/');
}
// on Mac/Linux, test the execute bit
//     R   W  X  R  W X R W X
//   256 128 64 32 16 8 4 2 1
function isUnixExecutable(stats) {
    return ((stats.mode & 1) > 0 ||
        ((stats.mode & 8) > 0 &&
            process.getgid !== undefined &&
            stats.gid === process.getgid()) ||
        ((stats.mode & 64) > 0 &&
            process.getuid !== undefined &&
            stats.uid === process.getuid()));
}
// Get the path of cmd.exe in windows
function getCmdPath() {
    var _a;
    return (_a = process.env['COMSPEC']) !== null && _a !== void 0 ? _a : `cmd.exe`;
}
//# sourceMappingURL=io-util.js.map

/***/ }),

/***/ 88701:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __nccwpck_require__) => {

/* harmony export */ __nccwpck_require__.d(__webpack_exports__, {
/* harmony export */   K7: () => (/* binding */ which),
/* harmony export */   U$: () => (/* binding */ mkdirP),
/* harmony export */   Yz: () => (/* binding */ rmRF)
/* harmony export */ });
/* unused harmony exports cp, mv, findInPath */
/* harmony import */ var assert__WEBPACK_IMPORTED_MODULE_0__ = __nccwpck_require__(42613);
/* harmony import */ var path__WEBPACK_IMPORTED_MODULE_1__ = __nccwpck_require__(16928);
/* harmony import */ var _io_util_js__WEBPACK_IMPORTED_MODULE_2__ = __nccwpck_require__(90);
var __awaiter = (undefined && undefined.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};



/**
 * Copies a file or folder.
 * Based off of shelljs - https://github.com/shelljs/shelljs/blob/9237f66c52e5daa40458f94f9565e18e8132f5a6/src/cp.js
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See CopyOptions.
 */
function cp(source_1, dest_1) {
    return __awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        const { force, recursive, copySourceDirectory } = readCopyOptions(options);
        const destStat = (yield ioUtil.exists(dest)) ? yield ioUtil.stat(dest) : null;
        // Dest is an existing file, but not forcing
        if (destStat && destStat.isFile() && !force) {
            return;
        }
        // If dest is an existing directory, should copy inside.
        const newDest = destStat && destStat.isDirectory() && copySourceDirectory
            ? path.join(dest, path.basename(source))
            : dest;
        if (!(yield ioUtil.exists(source))) {
            throw new Error(`no such file or directory: ${source}`);
        }
        const sourceStat = yield ioUtil.stat(source);
        if (sourceStat.isDirectory()) {
            if (!recursive) {
                throw new Error(`Failed to copy. ${source} is a directory, but tried to copy without recursive flag.`);
            }
            else {
                yield cpDirRecursive(source, newDest, 0, force);
            }
        }
        else {
            if (path.relative(source, newDest) === '') {
                // a file cannot be copied to itself
                throw new Error(`'${newDest}' and '${source}' are the same file`);
            }
            yield copyFile(source, newDest, force);
        }
    });
}
/**
 * Moves a path.
 *
 * @param     source    source path
 * @param     dest      destination path
 * @param     options   optional. See MoveOptions.
 */
function mv(source_1, dest_1) {
    return __awaiter(this, arguments, void 0, function* (source, dest, options = {}) {
        if (yield ioUtil.exists(dest)) {
            let destExists = true;
            if (yield ioUtil.isDirectory(dest)) {
                // If dest is directory copy src into dest
                dest = path.join(dest, path.basename(source));
                destExists = yield ioUtil.exists(dest);
            }
            if (destExists) {
                if (options.force == null || options.force) {
                    yield rmRF(dest);
                }
                else {
                    throw new Error('Destination already exists');
                }
            }
        }
        yield mkdirP(path.dirname(dest));
        yield ioUtil.rename(source, dest);
    });
}
/**
 * Remove a path recursively with force
 *
 * @param inputPath path to remove
 */
function rmRF(inputPath) {
    return __awaiter(this, void 0, void 0, function* () {
        if (_io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .IS_WINDOWS */ .H8) {
            // Check for invalid characters
            // https://docs.microsoft.com/en-us/windows/win32/fileio/naming-a-file
            if (/[*"<>|]/.test(inputPath)) {
                throw new Error('File path must not contain `*`, `"`, `<`, `>` or `|` on Windows');
            }
        }
        try {
            // note if path does not exist, error is silent
            yield _io_util_js__WEBPACK_IMPORTED_MODULE_2__.rm(inputPath, {
                force: true,
                maxRetries: 3,
                recursive: true,
                retryDelay: 300
            });
        }
        catch (err) {
            throw new Error(`File was unable to be removed ${err}`);
        }
    });
}
/**
 * Make a directory.  Creates the full path with folders in between
 * Will throw if it fails
 *
 * @param   fsPath        path to create
 * @returns Promise<void>
 */
function mkdirP(fsPath) {
    return __awaiter(this, void 0, void 0, function* () {
        (0,assert__WEBPACK_IMPORTED_MODULE_0__.ok)(fsPath, 'a path argument must be provided');
        yield _io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .mkdir */ .Ck(fsPath, { recursive: true });
    });
}
/**
 * Returns path of a tool had the tool actually been invoked.  Resolves via paths.
 * If you check and the tool does not exist, it will throw.
 *
 * @param     tool              name of the tool
 * @param     check             whether to check if tool exists
 * @returns   Promise<string>   path to tool
 */
function which(tool, check) {
    return __awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // recursive when check=true
        if (check) {
            const result = yield which(tool, false);
            if (!result) {
                if (_io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .IS_WINDOWS */ .H8) {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also verify the file has a valid extension for an executable file.`);
                }
                else {
                    throw new Error(`Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also check the file mode to verify the file is executable.`);
                }
            }
            return result;
        }
        const matches = yield findInPath(tool);
        if (matches && matches.length > 0) {
            return matches[0];
        }
        return '';
    });
}
/**
 * Returns a list of all occurrences of the given tool on the system path.
 *
 * @returns   Promise<string[]>  the paths of the tool
 */
function findInPath(tool) {
    return __awaiter(this, void 0, void 0, function* () {
        if (!tool) {
            throw new Error("parameter 'tool' is required");
        }
        // build the list of extensions to try
        const extensions = [];
        if (_io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .IS_WINDOWS */ .H8 && process.env['PATHEXT']) {
            for (const extension of process.env['PATHEXT'].split(path__WEBPACK_IMPORTED_MODULE_1__.delimiter)) {
                if (extension) {
                    extensions.push(extension);
                }
            }
        }
        // if it's rooted, return it if exists. otherwise return empty.
        if (_io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .isRooted */ .Qh(tool)) {
            const filePath = yield _io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .tryGetExecutablePath */ .vr(tool, extensions);
            if (filePath) {
                return [filePath];
            }
            return [];
        }
        // if any path separators, return empty
        if (tool.includes(path__WEBPACK_IMPORTED_MODULE_1__.sep)) {
            return [];
        }
        // build the list of directories
        //
        // Note, technically "where" checks the current directory on Windows. From a toolkit perspective,
        // it feels like we should not do this. Checking the current directory seems like more of a use
        // case of a shell, and the which() function exposed by the toolkit should strive for consistency
        // across platforms.
        const directories = [];
        if (process.env.PATH) {
            for (const p of process.env.PATH.split(path__WEBPACK_IMPORTED_MODULE_1__.delimiter)) {
                if (p) {
                    directories.push(p);
                }
            }
        }
        // find all matches
        const matches = [];
        for (const directory of directories) {
            const filePath = yield _io_util_js__WEBPACK_IMPORTED_MODULE_2__/* .tryGetExecutablePath */ .vr(path__WEBPACK_IMPORTED_MODULE_1__.join(directory, tool), extensions);
            if (filePath) {
                matches.push(filePath);
            }
        }
        return matches;
    });
}
function readCopyOptions(options) {
    const force = options.force == null ? true : options.force;
    const recursive = Boolean(options.recursive);
    const copySourceDirectory = options.copySourceDirectory == null
        ? true
        : Boolean(options.copySourceDirectory);
    return { force, recursive, copySourceDirectory };
}
function cpDirRecursive(sourceDir, destDir, currentDepth, force) {
    return __awaiter(this, void 0, void 0, function* () {
        // Ensure there is not a run away recursive copy
        if (currentDepth >= 255)
            return;
        currentDepth++;
        yield mkdirP(destDir);
        const files = yield ioUtil.readdir(sourceDir);
        for (const fileName of files) {
            const srcFile = `${sourceDir}/${fileName}`;
            const destFile = `${destDir}/${fileName}`;
            const srcFileStat = yield ioUtil.lstat(srcFile);
            if (srcFileStat.isDirectory()) {
                // Recurse
                yield cpDirRecursive(srcFile, destFile, currentDepth, force);
            }
            else {
                yield copyFile(srcFile, destFile, force);
            }
        }
        // Change the mode for the newly created directory
        yield ioUtil.chmod(destDir, (yield ioUtil.stat(sourceDir)).mode);
    });
}
// Buffered file copy
function copyFile(srcFile, destFile, force) {
    return __awaiter(this, void 0, void 0, function* () {
        if ((yield ioUtil.lstat(srcFile)).isSymbolicLink()) {
            // unlink/re-link it
            try {
                yield ioUtil.lstat(destFile);
                yield ioUtil.unlink(destFile);
            }
            catch (e) {
                // Try to override file permission
                if (e.code === 'EPERM') {
                    yield ioUtil.chmod(destFile, '0666');
                    yield ioUtil.unlink(destFile);
                }
                // other errors = it doesn't exist, no work to do
            }
            // Copy over symlink
            const symlinkFull = yield ioUtil.readlink(srcFile);
            yield ioUtil.symlink(symlinkFull, destFile, ioUtil.IS_WINDOWS ? 'junction' : null);
        }
        else if (!(yield ioUtil.exists(destFile)) || force) {
            yield ioUtil.copyFile(srcFile, destFile);
        }
    });
}
//# sourceMappingURL=io.js.map

/***/ })

/******/ });
/************************************************************************/
/******/ // The module cache
/******/ var __webpack_module_cache__ = {};
/******/ 
/******/ // The require function
/******/ function __nccwpck_require__(moduleId) {
/******/ 	// Check if module is in cache
/******/ 	var cachedModule = __webpack_module_cache__[moduleId];
/******/ 	if (cachedModule !== undefined) {
/******/ 		return cachedModule.exports;
/******/ 	}
/******/ 	// Create a new module (and put it into the cache)
/******/ 	var module = __webpack_module_cache__[moduleId] = {
/******/ 		id: moduleId,
/******/ 		loaded: false,
/******/ 		exports: {}
/******/ 	};
/******/ 
/******/ 	// Execute the module function
/******/ 	var threw = true;
/******/ 	try {
/******/ 		__webpack_modules__[moduleId].call(module.exports, module, module.exports, __nccwpck_require__);
/******/ 		threw = false;
/******/ 	} finally {
/******/ 		if(threw) delete __webpack_module_cache__[moduleId];
/******/ 	}
/******/ 
/******/ 	// Flag the module as loaded
/******/ 	module.loaded = true;
/******/ 
/******/ 	// Return the exports of the module
/******/ 	return module.exports;
/******/ }
/******/ 
/******/ // expose the modules object (__webpack_modules__)
/******/ __nccwpck_require__.m = __webpack_modules__;
/******/ 
/************************************************************************/
/******/ /* webpack/runtime/asset-relocator-loader */
/******/ if (typeof __nccwpck_require__ !== 'undefined') __nccwpck_require__.ab = decodeURIComponent(new URL('.', import.meta.url).pathname).slice(import.meta.url.match(/^file:\/\/\/\w:/) ? 1 : 0, -1) + "/";
/******/ 
/******/ /* webpack/runtime/create fake namespace object */
/******/ (() => {
/******/ 	var getProto = Object.getPrototypeOf ? (obj) => (Object.getPrototypeOf(obj)) : (obj) => (obj.__proto__);
/******/ 	var leafPrototypes;
/******/ 	// create a fake namespace object
/******/ 	// mode & 1: value is a module id, require it
/******/ 	// mode & 2: merge all properties of value into the ns
/******/ 	// mode & 4: return value when already ns object
/******/ 	// mode & 16: return value when it's Promise-like
/******/ 	// mode & 8|1: behave like require
/******/ 	__nccwpck_require__.t = function(value, mode) {
/******/ 		if(mode & 1) value = this(value);
/******/ 		if(mode & 8) return value;
/******/ 		if(typeof value === 'object' && value) {
/******/ 			if((mode & 4) && value.__esModule) return value;
/******/ 			if((mode & 16) && typeof value.then === 'function') return value;
/******/ 		}
/******/ 		var ns = Object.create(null);
/******/ 		__nccwpck_require__.r(ns);
/******/ 		var def = {};
/******/ 		leafPrototypes = leafPrototypes || [null, getProto({}), getProto([]), getProto(getProto)];
/******/ 		for(var current = mode & 2 && value; typeof current == 'object' && !~leafPrototypes.indexOf(current); current = getProto(current)) {
/******/ 			Object.getOwnPropertyNames(current).forEach((key) => (def[key] = () => (value[key])));
/******/ 		}
/******/ 		def['default'] = () => (value);
/******/ 		__nccwpck_require__.d(ns, def);
/******/ 		return ns;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/define property getters */
/******/ (() => {
/******/ 	// define getter functions for harmony exports
/******/ 	__nccwpck_require__.d = (exports, definition) => {
/******/ 		for(var key in definition) {
/******/ 			if(__nccwpck_require__.o(definition, key) && !__nccwpck_require__.o(exports, key)) {
/******/ 				Object.defineProperty(exports, key, { enumerable: true, get: definition[key] });
/******/ 			}
/******/ 		}
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/ensure chunk */
/******/ (() => {
/******/ 	__nccwpck_require__.f = {};
/******/ 	// This file contains only the entry chunk.
/******/ 	// The chunk loading function for additional chunks
/******/ 	__nccwpck_require__.e = (chunkId) => {
/******/ 		return Promise.all(Object.keys(__nccwpck_require__.f).reduce((promises, key) => {
/******/ 			__nccwpck_require__.f[key](chunkId, promises);
/******/ 			return promises;
/******/ 		}, []));
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/get javascript chunk filename */
/******/ (() => {
/******/ 	// This function allow to reference async chunks
/******/ 	__nccwpck_require__.u = (chunkId) => {
/******/ 		// return url for filenames based on template
/******/ 		return "" + chunkId + ".index.js";
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/hasOwnProperty shorthand */
/******/ (() => {
/******/ 	__nccwpck_require__.o = (obj, prop) => (Object.prototype.hasOwnProperty.call(obj, prop))
/******/ })();
/******/ 
/******/ /* webpack/runtime/make namespace object */
/******/ (() => {
/******/ 	// define __esModule on exports
/******/ 	__nccwpck_require__.r = (exports) => {
/******/ 		if(typeof Symbol !== 'undefined' && Symbol.toStringTag) {
/******/ 			Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
/******/ 		}
/******/ 		Object.defineProperty(exports, '__esModule', { value: true });
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/node module decorator */
/******/ (() => {
/******/ 	__nccwpck_require__.nmd = (module) => {
/******/ 		module.paths = [];
/******/ 		if (!module.children) module.children = [];
/******/ 		return module;
/******/ 	};
/******/ })();
/******/ 
/******/ /* webpack/runtime/publicPath */
/******/ (() => {
/******/ 	var scriptUrl;
/******/ 	if (typeof import.meta.url === "string") scriptUrl = import.meta.url
/******/ 	// When supporting browsers where an automatic publicPath is not supported you must specify an output.publicPath manually via configuration
/******/ 	// or pass an empty string ("") and set the __webpack_public_path__ variable from your code to use your own logic.
/******/ 	if (!scriptUrl) throw new Error("Automatic publicPath is not supported in this browser");
/******/ 	scriptUrl = scriptUrl.replace(/#.*$/, "").replace(/\?.*$/, "").replace(/\/[^\/]+$/, "/");
/******/ 	__nccwpck_require__.p = scriptUrl;
/******/ })();
/******/ 
/******/ /* webpack/runtime/import chunk loading */
/******/ (() => {
/******/ 	__nccwpck_require__.b = new URL("./", import.meta.url);
/******/ 	
/******/ 	// object to store loaded and loading chunks
/******/ 	// undefined = chunk not loaded, null = chunk preloaded/prefetched
/******/ 	// [resolve, Promise] = chunk loading, 0 = chunk loaded
/******/ 	var installedChunks = {
/******/ 		792: 0
/******/ 	};
/******/ 	
/******/ 	var installChunk = (data) => {
/******/ 		var {ids, modules, runtime} = data;
/******/ 		// add "modules" to the modules object,
/******/ 		// then flag all "ids" as loaded and fire callback
/******/ 		var moduleId, chunkId, i = 0;
/******/ 		for(moduleId in modules) {
/******/ 			if(__nccwpck_require__.o(modules, moduleId)) {
/******/ 				__nccwpck_require__.m[moduleId] = modules[moduleId];
/******/ 			}
/******/ 		}
/******/ 		if(runtime) runtime(__nccwpck_require__);
/******/ 		for(;i < ids.length; i++) {
/******/ 			chunkId = ids[i];
/******/ 			if(__nccwpck_require__.o(installedChunks, chunkId) && installedChunks[chunkId]) {
/******/ 				installedChunks[chunkId][0]();
/******/ 			}
/******/ 			installedChunks[ids[i]] = 0;
/******/ 		}
/******/ 	
/******/ 	}
/******/ 	
/******/ 	__nccwpck_require__.f.j = (chunkId, promises) => {
/******/ 			// import() chunk loading for javascript
/******/ 			var installedChunkData = __nccwpck_require__.o(installedChunks, chunkId) ? installedChunks[chunkId] : undefined;
/******/ 			if(installedChunkData !== 0) { // 0 means "already installed".
/******/ 	
/******/ 				// a Promise means "currently loading".
/******/ 				if(installedChunkData) {
/******/ 					promises.push(installedChunkData[1]);
/******/ 				} else {
/******/ 					if(true) { // all chunks have JS
/******/ 						// setup Promise in chunk cache
/******/ 						var promise = import("./" + __nccwpck_require__.u(chunkId)).then(installChunk, (e) => {
/******/ 							if(installedChunks[chunkId] !== 0) installedChunks[chunkId] = undefined;
/******/ 							throw e;
/******/ 						});
/******/ 						var promise = Promise.race([promise, new Promise((resolve) => (installedChunkData = installedChunks[chunkId] = [resolve]))])
/******/ 						promises.push(installedChunkData[1] = promise);
/******/ 					}
/******/ 				}
/******/ 			}
/******/ 	};
/******/ 	
/******/ 	// no prefetching
/******/ 	
/******/ 	// no preloaded
/******/ 	
/******/ 	// no external install chunk
/******/ 	
/******/ 	// no on chunks loaded
/******/ })();
/******/ 
/************************************************************************/
var __webpack_exports__ = {};

// EXTERNAL MODULE: external "node:fs"
var external_node_fs_ = __nccwpck_require__(73024);
// EXTERNAL MODULE: ./build/shared/untrusted.js
var untrusted = __nccwpck_require__(51190);
;// CONCATENATED MODULE: ./build/shared/runner/context.js


/** Reads the GITHUB_* variables of the runner. @param payload of the event; {} if there is none */
function context_workflowContext(environment = process.env, payload = readPayload(environment['GITHUB_EVENT_PATH'])) {
    const read = (name) => environment[name] || null;
    const server = read('GITHUB_SERVER_URL');
    const repository = read('GITHUB_REPOSITORY');
    const runId = read('GITHUB_RUN_ID');
    const event = read('GITHUB_EVENT_NAME');
    const refName = read('GITHUB_REF_NAME');
    const actionRepository = read('GITHUB_ACTION_REPOSITORY');
    return {
        repository,
        repositoryId: read('GITHUB_REPOSITORY_ID'),
        // A scheduled run is always on the main branch, and its event does not name the branch.
        defaultBranch: defaultBranchIn(payload) ?? (event === 'schedule' ? refName : null),
        refName,
        runId,
        runAttempt: read('GITHUB_RUN_ATTEMPT'),
        runUrl: server && repository && runId ? `${server}/${repository}/actions/runs/${runId}` : null,
        runsUrl: server && repository && isPlain(`${server}/${repository}`) ? `${server}/${repository}/actions/runs/` : null,
        workflowUrl: server && repository ? workflowUrl(server, repository, read('GITHUB_WORKFLOW_REF')) : null,
        actor: read('GITHUB_ACTOR'),
        commit: read('GITHUB_SHA'),
        event,
        actionIssuesUrl: server && actionRepository ? `${server}/${actionRepository}/issues` : null,
    };
}
/** Nothing in it that would end a link in Markdown. */
function isPlain(url) {
    return /^https?:\/\/[\w.:-]+(?:\/[\w.-]+)+$/.test(url);
}
/** `GITHUB_WORKFLOW_REF` is `owner/name/.github/workflows/rollback.yml@refs/heads/main`. */
function workflowUrl(server, repository, ref) {
    const [, file] = /\/\.github\/workflows\/([\w.-]+)@/.exec(ref?.startsWith(`${repository}/`) ? ref : '') ?? [];
    const url = `${server}/${repository}/actions/workflows/${file}`;
    return file !== undefined && isPlain(url) ? url : null;
}
const readEvent = (0,untrusted/* shape */.cW)({ repository: (0,untrusted/* orNull */.Xd)((0,untrusted/* shape */.cW)({ default_branch: (0,untrusted/* orNull */.Xd)((0,untrusted/* text */.Qq)(1_000)) })) });
function defaultBranchIn(payload) {
    try {
        return readEvent(payload, '').repository?.default_branch || null;
    }
    catch {
        return null;
    }
}
function readPayload(path) {
    try {
        return JSON.parse((0,external_node_fs_.readFileSync)(path ?? '', 'utf8'));
    }
    catch {
        return {};
    }
}

// EXTERNAL MODULE: ./build/shared/units.js
var units = __nccwpck_require__(98295);
;// CONCATENATED MODULE: ./build/shared/notify/text.js

// A notice as text for people: the verdict first, then why, then what to do.
const words = {
    success: 'OK',
    warning: 'WARNING',
    incomplete: 'INCOMPLETE',
    failure: 'FAILED',
    cancelled: 'CANCELLED',
};
/** A subject that fits on the screen of a phone. */
const longestHeadline = 200;
/** In one line: `FAILED: backup of prod, database shop, last good backup 51 h 03 min old`. */
function headlineOf(notice) {
    const { verdict, environment, database, backup } = notice;
    const line = [
        `${words[verdict]}: ${workOf(notice)} of ${environment ?? 'an unknown environment'}`,
        ...(database === null ? [] : [`database ${database}`]),
        ...(backup === null ? [] : [(0,units/* formatBytes */.z3)(backup.sizeBytes)]),
        lastGoodText(notice),
    ].join(', ');
    return line.length <= longestHeadline ? line : `${line.slice(0, longestHeadline - 1).toWellFormed()}…`;
}
/** Everything below the headline. */
function bodyOf(notice) {
    const { outcome, advice, remarks } = notice;
    return [
        outcome,
        ...(advice.length === 0 ? [] : [`What to do: ${advice.join('\n')}`]),
        ...(remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join('\n')]),
        rowsOf(notice)
            .map(([label, value]) => `${label}: ${value}`)
            .join('\n'),
    ].join('\n\n');
}
function textOf(notice) {
    return `${headlineOf(notice)}\n\n${bodyOf(notice)}\n`;
}
/** The same for a mail program. It loads nothing from elsewhere. */
function htmlOf(notice) {
    const { verdict, outcome, advice, remarks, run } = notice;
    const colour = verdict === 'success' ? '#1a7f37' : verdict === 'warning' ? '#9a6700' : '#cf222e';
    const row = ([label, value]) => {
        const text = value === run.url ? `<a href="${escaped(value)}">${escaped(value)}</a>` : escaped(value);
        return `<tr><td style="padding:2px 12px 2px 0;color:#57606a">${escaped(label)}</td><td>${text}</td></tr>`;
    };
    return [
        '<!doctype html><html><body style="font-family:sans-serif;font-size:14px">',
        `<h2 style="color:${colour};font-size:17px">${escaped(headlineOf(notice))}</h2>`,
        `<p>${escaped(outcome)}</p>`,
        ...(advice.length === 0 ? [] : [`<p><b>What to do:</b> ${advice.map(escaped).join('<br>')}</p>`]),
        ...(remarks.length === 0 ? [] : [`<ul>${remarks.map((remark) => `<li>${escaped(remark)}</li>`).join('')}</ul>`]),
        `<table style="border-collapse:collapse;font-size:14px">${rowsOf(notice).map(row).join('')}</table>`,
        '</body></html>',
    ].join('\n');
}
function rowsOf(notice) {
    const { database, backup, offsite, restored, code, recoveryMs, startedAt, finishedAt, run, environment } = notice;
    return [
        ...row('Environment', environment),
        ...row('Database', database),
        ...row('Backup', backup && `${backup.id}, ${(0,units/* formatBytes */.z3)(backup.sizeBytes)}, ${backup.file}`),
        ...row('SHA-256', backup?.sha256),
        ...row('Off-site copy', offsite && `${offsite.uri}${offsite.copied ? '' : ' is missing'}`),
        ...row('Last good backup', lastGoodDetail(notice)),
        ...row('Restored', restored && `${restored.id}${restored.copy === null ? '' : `, from ${restored.copy}`}`),
        ...row('Recovered in', recoveryMs === null ? null : (0,units/* formatDuration */.a3)(recoveryMs)),
        ...row('Error', code),
        ...row('Took', (0,units/* formatDuration */.a3)(finishedAt.getTime() - startedAt.getTime())),
        ...row('Finished', finishedAt.toISOString()),
        ...row('Started by', run.actor && run.event && `${run.actor} (${run.event})`),
        ...row('Run', run.url),
    ];
}
function row(label, value) {
    return value ? [[label, value]] : [];
}
/** Whole seconds, not negative: the clock of the host may be a little ahead. */
function ageSeconds({ lastGood, finishedAt }) {
    if (typeof lastGood === 'string')
        return null;
    return Math.max(0, Math.round((finishedAt.getTime() - lastGood.takenAt.getTime()) / 1_000));
}
function lastGoodText(notice) {
    const { lastGood } = notice;
    if (lastGood === 'none')
        return 'no good backup';
    if (lastGood === 'unknown')
        return 'age of the last good backup unknown';
    return `last good backup ${(0,units/* formatDuration */.a3)((ageSeconds(notice) ?? 0) * 1_000)} old`;
}
function lastGoodDetail(notice) {
    const { lastGood } = notice;
    if (lastGood === 'none')
        return 'there is none';
    if (lastGood === 'unknown')
        return 'unknown: this run has not looked at the backups';
    return `${lastGood.id}, ${(0,units/* formatDuration */.a3)((ageSeconds(notice) ?? 0) * 1_000)} old`;
}
/** `backup-action` makes a backup, `verify-action` a verification. */
function workOf({ action }) {
    const verb = action.replace(/-action$/, '');
    return verb === 'verify' ? 'verification' : verb;
}
function escaped(text) {
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

;// CONCATENATED MODULE: ./build/shared/notify/documents.js

// A notice as JSON for programs: what a webhook gets (docs/notices.md), and what an auditor keeps (docs/evidence.md). Fields
// are only ever added within a version.
/** The body of the webhook's POST. */
function webhookDocument(notice) {
    const [title, message] = [headlineOf(notice), bodyOf(notice)];
    return JSON.stringify({
        schema: 'atlasia-notice/1',
        // The names under which chat services look for text.
        title,
        message,
        text: `${title}\n\n${message}`,
        ...factsOf(notice),
        outputs: notice.outputs,
    });
}
/**
 * What was checked in a run, how and with which result.
 * @param limit in bytes: beyond it, details are cut first, then the checks that passed are counted instead of listed
 */
function evidenceDocument(notice, limit) {
    const write = (checks, omittedChecks) => JSON.stringify({
        schema: 'atlasia-evidence/1',
        ...factsOf(notice),
        recoveryMs: notice.recoveryMs,
        checks,
        omittedChecks,
        outputs: notice.outputs,
    });
    const { checks } = notice;
    const brief = checks.map((check) => ({ ...check, detail: shortened(check.detail) }));
    const bad = brief.filter(({ result }) => result !== 'passed');
    const attempts = [
        [checks, 0],
        [brief, 0],
        [bad, brief.length - bad.length],
        [[], brief.length],
    ];
    const texts = attempts.map(([listed, omitted]) => write(listed, omitted));
    return texts.find((text) => Buffer.byteLength(text) <= limit) ?? '';
}
const longestDetail = 120;
const shortened = (text) => text.length <= longestDetail ? text : `${text.slice(0, longestDetail - 1).toWellFormed()}…`;
function factsOf(notice) {
    const { lastGood, startedAt, finishedAt } = notice;
    return {
        verdict: notice.verdict,
        action: notice.action,
        environment: notice.environment,
        database: notice.database,
        outcome: notice.outcome,
        error: notice.code,
        advice: notice.advice,
        remarks: notice.remarks,
        backup: notice.backup,
        lastGoodBackup: {
            state: typeof lastGood === 'string' ? lastGood : 'known',
            id: typeof lastGood === 'string' ? null : lastGood.id,
            ageSeconds: ageSeconds(notice),
        },
        offsite: notice.offsite,
        restored: notice.restored,
        startedAt: startedAt.toISOString(),
        finishedAt: finishedAt.toISOString(),
        durationMs: finishedAt.getTime() - startedAt.getTime(),
        run: notice.run,
    };
}

// EXTERNAL MODULE: ./build/shared/failure.js
var shared_failure = __nccwpck_require__(926);
// EXTERNAL MODULE: ./build/shared/reaching.js
var reaching = __nccwpck_require__(59859);
// EXTERNAL MODULE: ./build/shared/clean.js
var shared_clean = __nccwpck_require__(3581);
;// CONCATENATED MODULE: ./build/shared/notify/notice.js

/** Outputs that are too long, or say again what a notice says elsewhere. */
const leftOut = ['results', 'evidence'];
const longestText = 1_000;
const mostRemarks = 10;
const mostAdvice = 20;
/** @param hide replaces what is secret, wherever it occurs */
function noticeOf(frame, report, ending, hide) {
    const clean = (text) => shown(hide(text));
    const { failure } = ending;
    const remarks = report.remarks.slice(0, mostRemarks).map(clean);
    if (report.remarks.length > mostRemarks)
        remarks.push(`and ${report.remarks.length - mostRemarks} more: see the log`);
    return {
        ...frame,
        ...report,
        environment: frame.environment === null ? null : clean(frame.environment),
        outputs: Object.fromEntries(Object.entries(frame.outputs)
            .filter(([name]) => !leftOut.includes(name))
            .map(([name, value]) => [name, hide(value)])),
        database: report.database === null ? null : clean(report.database),
        backup: report.backup === null ? null : { ...report.backup, file: hide(report.backup.file) },
        offsite: report.offsite === null ? null : { ...report.offsite, uri: hide(report.offsite.uri) },
        restored: report.restored === null
            ? null
            : { ...report.restored, copy: report.restored.copy && hide(report.restored.copy) },
        checks: report.checks.map((check) => ({ ...check, detail: clean(check.detail) })),
        verdict: verdictOf(report, ending),
        outcome: clean(report.outcome ?? failure?.message ?? 'It came to its end'),
        remarks,
        code: failure?.code ?? null,
        advice: (0,shared_clean/* cleanLines */.v3)(failure?.hint ?? '')
            .slice(0, mostAdvice)
            .map(clean),
    };
}
/** Whether nobody needs to do anything: then a ping reports success. Before a deployment, `incomplete` does not fail the step. */
function isGood({ verdict }) {
    return verdict === 'success' || verdict === 'warning';
}
function verdictOf({ verdict }, { exitCode, isCancelled }) {
    if (isCancelled)
        return 'cancelled';
    if (verdict === 'incomplete')
        return 'incomplete';
    return exitCode === 0 ? verdict : 'failure';
}
/**
 * Foreign text as one line that is only text in a mail, a chat or a page: without markup, and without links that programs would
 * make clickable.
 */
function shown(text) {
    return (0,shared_clean/* cleanLine */.Ow)(text, longestText)
        .replaceAll('://', '[:]//')
        .replace(/<(?=[!@#/A-Za-z])/g, '‹');
}

;// CONCATENATED MODULE: ./build/shared/notify/mail.js




/** Milliseconds, for all of it. */
const patience = 20_000;
/** Longer than ours, so that a server that falls silent is reported in the same words at every stage. */
const librarysPatience = patience + 5_000;
/**
 * Sends the notice. A server that does not offer the TLS that is asked for gets no mail.
 * @throws Error with the reason in one line; also if only some get it
 */
async function sendMail(mailing, notice, signal) {
    const { server, from, to } = mailing;
    const transport = await transportTo(server);
    try {
        const delivery = await (0,reaching/* inTime */.R)(patience, signal, transport.sendMail({
            from,
            to,
            subject: headlineOf(notice),
            text: textOf(notice),
            html: htmlOf(notice),
            // Keeps out-of-office replies away.
            headers: { 'Auto-Submitted': 'auto-generated' },
            disableFileAccess: true,
            disableUrlAccess: true,
        }));
        if (delivery.rejected.length > 0)
            throw new Error(`it refuses ${delivery.rejected.join(', ')}; the others got the mail`);
    }
    catch (error) {
        const { code = '' } = error;
        const what = refusals[code] === undefined ? '' : ` ${refusals[code]}`;
        throw new Error(`${server.host}:${server.port}${what}: ${(0,reaching/* reasonOf */.A)(error)}`);
    }
    finally {
        transport.close();
    }
}
/** Whether this run is to be mailed. */
function wantsMail({ on }, notice) {
    return on === 'always' || !isGood(notice);
}
/**
 * Connects to the server and logs in, with the TLS that is asked for, without sending mail.
 *
 * @throws Failure `mail-unusable`
 */
async function reachMailServer(server, signal) {
    const transport = await transportTo(server);
    try {
        await inTime(patience, signal, transport.verify());
    }
    catch (error) {
        signal.throwIfAborted();
        const { code = '' } = error;
        throw new Failure('mail-unusable', `${server.host}:${server.port} ${refusals[code] ?? 'cannot be reached'}: ${reasonOf(error)}`, {
            hint: remedies[code] ??
                'Correct "smtp-url", and check that the network of the runner allows the connection: many networks block port 25',
        });
    }
    finally {
        transport.close();
    }
}
async function transportTo({ host, port, tls, login }) {
    const { createTransport } = await __nccwpck_require__.e(/* import() */ 739).then(__nccwpck_require__.bind(__nccwpck_require__, 16739));
    return createTransport({
        host,
        port,
        secure: tls === 'implicit',
        requireTLS: tls !== 'none',
        ignoreTLS: tls === 'none',
        // Log in even if the server does not ask for it: then it rejects the login, and we find out.
        ...(login !== null && { auth: { user: login.user, pass: login.password }, forceAuth: true }),
        dnsTimeout: librarysPatience,
        connectionTimeout: librarysPatience,
        greetingTimeout: librarysPatience,
        socketTimeout: librarysPatience,
    });
}
/** What the server did, by the codes of the library. */
const refusals = {
    EAUTH: 'rejects the login',
    ETLS: 'does not offer TLS',
    EENVELOPE: 'refuses the mail',
    EMESSAGE: 'refuses the mail',
};
const remedies = {
    EAUTH: 'Correct name and password in "smtp-url"; write characters such as @ and : as %40 and %3A there',
    ETLS: 'Use smtps:// with its port, usually 465, or a server that supports STARTTLS. A relay of your own network that needs no login may have smtp://host:25?tls=none',
};

;// CONCATENATED MODULE: ./build/shared/notify/ping.js




/** Servers of one's own keep 10 kB of a ping, by default. */
const longestBody = 9_000;
/** Tells a watcher, such as healthchecks.io, that the run has begun. @throws Error with the reason in one line */
async function pingStart(address, route) {
    await ping(address, '/start', '', route);
}
/** Tells it how the run ended, with the notice as the body. @throws Error with the reason in one line */
async function pingEnd(address, notice, route) {
    await ping(address, isGood(notice) ? '' : '/fail', textOf(notice), route);
}
async function ping(address, event, text, route) {
    const url = new URL(address);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${event}`;
    const body = Buffer.from(text).subarray(0, longestBody).toString('utf8');
    const { post } = await __nccwpck_require__.e(/* import() */ 540).then(__nccwpck_require__.bind(__nccwpck_require__, 87540));
    const answer = await post({ url, body, headers: { 'content-type': 'text/plain; charset=utf-8' } }, route);
    // healthchecks.io answers 200 also where it has dropped the ping.
    const [, dropped] = /^OK \((not found|rate limited)\)/.exec(answer) ?? [];
    if (dropped !== undefined)
        throw new Error(`it answers "${dropped}"`);
}
/** Connects to its server, without sending a ping: that would report a run that did not happen. @throws Failure `ping-unreachable` */
async function reachPing(address, proxyFor, signal) {
    try {
        const { reachServer } = await __nccwpck_require__.e(/* import() */ 682).then(__nccwpck_require__.bind(__nccwpck_require__, 55682));
        await reachServer(address, proxyFor, signal);
    }
    catch (error) {
        signal.throwIfAborted();
        throw new Failure('ping-unreachable', reasonOf(error), {
            hint: 'Correct "healthcheck-url", and check that the network of the runner allows the connection',
        });
    }
}

// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __nccwpck_require__(77598);
;// CONCATENATED MODULE: ./build/shared/notify/webhook.js




/** Posts the notice. A further try has the same delivery id. @throws Error with the reason in one line */
async function callWebhook({ url, secret }, notice, route) {
    const body = webhookDocument(notice);
    const headers = {
        'content-type': 'application/json',
        'x-atlasia-delivery': (0,external_node_crypto_.randomUUID)(),
        ...(secret !== null && { 'x-atlasia-signature-256': signatureOf(body, secret) }),
    };
    const { post } = await __nccwpck_require__.e(/* import() */ 540).then(__nccwpck_require__.bind(__nccwpck_require__, 87540));
    await post({ url, body, headers }, route);
}
/** As GitHub signs its webhooks: `sha256=` and the HMAC of the body's bytes. */
function signatureOf(body, secret) {
    return `sha256=${(0,external_node_crypto_.createHmac)('sha256', secret).update(body).digest('hex')}`;
}
/** Connects to its server, without sending anything. @throws Failure `webhook-unreachable` */
async function reachWebhook({ url }, proxyFor, signal) {
    try {
        const { reachServer } = await __nccwpck_require__.e(/* import() */ 682).then(__nccwpck_require__.bind(__nccwpck_require__, 55682));
        await reachServer(url, proxyFor, signal);
    }
    catch (error) {
        signal.throwIfAborted();
        throw new Failure('webhook-unreachable', reasonOf(error), {
            hint: 'Correct "webhook-url", and check that the network of the runner allows the connection',
        });
    }
}

// EXTERNAL MODULE: external "node:path"
var external_node_path_ = __nccwpck_require__(76760);
// EXTERNAL MODULE: external "node:os"
var external_node_os_ = __nccwpck_require__(48161);
// EXTERNAL MODULE: ./build/node_modules/@actions/core/lib/core.js + 6 modules
var lib_core = __nccwpck_require__(82767);
;// CONCATENATED MODULE: ./build/shared/runner/private-folder.js





const prefix = 'atlasia-';
const state = 'private-folders';
/**
 * Longest path of a unix socket in the folder, in bytes. The system's limit is 104 including the NUL; ssh first creates the
 * socket under a name that is 17 bytes longer, then renames it.
 */
const longestSocketPath = 85;
const longestSocketName = '/control'.length;
const made = [];
/**
 * Creates a private folder and records it for the post-step, which removes it if the step is killed.
 * @throws Failure `no-private-folder`
 */
function makePrivateFolder() {
    const path = makeFolder();
    made.push(path);
    lib_core/* saveState */.LZ(state, JSON.stringify(made));
    return { path, remove: () => removePrivateFolder(path) };
}
/** For the post-step: the folders that the main step recorded. */
function recordedFolders() {
    const recorded = core.getState(state);
    return recorded === '' ? [] : JSON.parse(recorded);
}
/**
 * Ends our processes that name the folder on their command line (like an ssh master, by its socket), then removes it.
 * Does nothing if it no longer exists.
 * @returns whether there was anything to do
 * @throws Failure `not-our-folder` for a path that `makePrivateFolder` cannot have created
 */
function removePrivateFolder(path) {
    if (!isOurName(path))
        throw notOurs(path);
    const ended = endProcessesNaming(path);
    const folder = (0,external_node_fs_.lstatSync)(path, { throwIfNoEntry: false });
    if (folder === undefined)
        return ended > 0;
    // lstat, because somebody may have replaced it by a link to another folder.
    if (!folder.isDirectory() || folder.uid !== process.getuid?.())
        throw notOurs(path);
    (0,external_node_fs_.rmSync)(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    return true;
}
function makeFolder() {
    const parent = allowedParents().find((folder) => Buffer.byteLength((0,external_node_path_.join)(folder, `${prefix}XXXXXX`)) + longestSocketName <= longestSocketPath);
    if (parent === undefined) {
        throw new shared_failure/* Failure */.HR('no-private-folder', 'The path of the folder for temporary files is too long for a socket in it', {
            hint: 'Set TMPDIR for this step to a folder with a path of fewer than 60 characters',
        });
    }
    try {
        // mkdtemp gives it mode 0700.
        return (0,external_node_fs_.mkdtempSync)((0,external_node_path_.join)(parent, prefix));
    }
    catch (cause) {
        throw new shared_failure/* Failure */.HR('no-private-folder', `Cannot create a folder in ${parent} on the runner`, { cause });
    }
}
/** The job's own folder, which the runner empties; the system's folder if the path of that is too long. */
function allowedParents() {
    const runnerTemp = process.env['RUNNER_TEMP'];
    return (runnerTemp ? [runnerTemp, (0,external_node_os_.tmpdir)()] : [(0,external_node_os_.tmpdir)()]).map((folder) => (0,external_node_path_.resolve)(folder));
}
function isOurName(path) {
    return allowedParents().includes((0,external_node_path_.dirname)(path)) && /^atlasia-[A-Za-z0-9]{6}$/.test((0,external_node_path_.basename)(path));
}
function notOurs(path) {
    return new shared_failure/* Failure */.HR('not-our-folder', `${path} was not removed: it is not a private folder of this action`);
}
/** Returns how many it ended. The folder's name is random, so a process that names it was started for it. */
function endProcessesNaming(path) {
    let ended = 0;
    for (const pid of processIds()) {
        if (pid === process.pid || !commandLine(pid).includes(path))
            continue;
        try {
            process.kill(pid, 'SIGKILL');
            ended += 1;
        }
        catch {
            // It has ended meanwhile, or is not ours.
        }
    }
    return ended;
}
function processIds() {
    try {
        return (0,external_node_fs_.readdirSync)('/proc').map(Number).filter(Number.isInteger);
    }
    catch {
        return [];
    }
}
function commandLine(pid) {
    try {
        return (0,external_node_fs_.readFileSync)(`/proc/${pid}/cmdline`, 'utf8');
    }
    catch {
        return '';
    }
}

// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __nccwpck_require__(38522);
;// CONCATENATED MODULE: ./build/shared/runner/single-file-zip.js

/** Why an archive cannot be used: it is not an archive, or contains something unexpected. */
class UnusableArchive extends Error {
}
/**
 * The content of a zip archive that contains one regular file and nothing else. Unpacks at most `limit` bytes, whatever the
 * archive says about itself.
 * @throws UnusableArchive
 */
async function readSingleFileZip(archive, limit) {
    const { fromBufferPromise } = await __nccwpck_require__.e(/* import() */ 663).then(__nccwpck_require__.t.bind(__nccwpck_require__, 20663, 19));
    try {
        const zip = await fromBufferPromise(archive);
        const { value: entry } = await zip.eachEntry().next();
        if (entry === undefined || zip.entryCount !== 1 || !isPlainFile(entry))
            throw new UnusableArchive('does not contain exactly one regular file');
        const pieces = [];
        let bytes = 0;
        for await (const piece of await zip.openReadStreamPromise(entry)) {
            bytes += piece.length;
            if (bytes > limit)
                throw new UnusableArchive(`is larger than ${limit / 1024 / 1024} MiB`);
            pieces.push(piece);
        }
        const content = Buffer.concat(pieces);
        // The library does not check this.
        if ((0,external_node_zlib_.crc32)(content) !== entry.crc32)
            throw new Error('The content does not match its checksum');
        return content;
    }
    catch (error) {
        throw error instanceof UnusableArchive ? error : new UnusableArchive('is not a readable archive', { cause: error });
    }
}
function isPlainFile({ fileName, externalFileAttributes, }) {
    // The Unix file type; 0 if unknown.
    const type = (externalFileAttributes >>> 16) & 0o170000;
    return !fileName.includes('/') && (type === 0 || type === 0o100000);
}

;// CONCATENATED MODULE: ./build/shared/runner/artifact-store.js





/** The one file in an artifact of the history. */
const historyFile = 'history.jsonl';
/** Limit in bytes, packed and unpacked; anything longer is not ours. */
const artifact_store_longestText = 1024 * 1024;
/** GitHub's maximum for public repositories, in days. */
const longestRetention = 90;
/**
 * Downloads the text of an artifact of any run. Checks the digest, and that the artifact has one file. Fetches and unpacks
 * at most 1 MiB.
 * @param digest `sha256:<hex>` of the archive
 * @throws Error that says what is wrong with the artifact, or one from GitHub
 */
async function downloadText(api, { id, digest }) {
    return textIn(await api.archive(id, artifact_store_longestText), id, digest);
}
/** @param archive null if it is longer than 1 MiB */
async function textIn(archive, id, digest) {
    if (archive === null)
        throw new Error(`The artifact ${id} is larger than ${artifact_store_longestText / 1024 / 1024} MiB`);
    if (`sha256:${(0,external_node_crypto_.createHash)('sha256').update(archive).digest('hex')}` !== digest)
        throw new Error(`The artifact ${id} does not match its digest`);
    try {
        return (await readSingleFileZip(archive, artifact_store_longestText)).toString('utf8');
    }
    catch (error) {
        throw error instanceof UnusableArchive ? new Error(`The artifact ${id} ${error.message}`) : error;
    }
}
/**
 * Stores the text as an artifact of this run.
 * @param merge returns the text to store if this run has already stored `other` under this name: artifacts cannot be changed
 * @returns the artifact's id
 */
async function uploadText(name, text, merge) {
    try {
        return await upload(name, text);
    }
    catch (error) {
        if (!isTaken(error))
            throw error;
        return await replace(name, merge, error);
    }
}
/** @param taken GitHub's words that the name is taken */
async function replace(name, merge, taken) {
    const { DefaultArtifactClient } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(371), __nccwpck_require__.e(458)]).then(__nccwpck_require__.bind(__nccwpck_require__, 67458));
    const client = new DefaultArtifactClient();
    const found = await client.getArtifact(name).catch((error) => {
        // Then it is not ours to replace, and GitHub meant something else.
        throw error instanceof Error && error.name === 'ArtifactNotFoundError' ? taken : error;
    });
    const other = await ownText(found.artifact);
    await client.deleteArtifact(name);
    return upload(name, merge(other));
}
/** Downloads an artifact of this run. It needs no token, but only the library can do it, and it leaves the archive packed. */
async function ownText({ id, size, digest = '' }) {
    if (size > artifact_store_longestText)
        return textIn(null, id, digest);
    const { DefaultArtifactClient } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(371), __nccwpck_require__.e(458)]).then(__nccwpck_require__.bind(__nccwpck_require__, 67458));
    return inFolder(async (folder) => {
        await new DefaultArtifactClient().downloadArtifact(id, { path: folder, skipDecompress: true });
        const [file = ''] = (0,external_node_fs_.readdirSync)(folder);
        const path = (0,external_node_path_.join)(folder, file);
        return textIn((0,external_node_fs_.statSync)(path).size > artifact_store_longestText ? null : (0,external_node_fs_.readFileSync)(path), id, digest);
    });
}
/** Stores the text as the one file of an artifact of this run. @returns the artifact's id */
async function upload(name, text, fileName = historyFile) {
    const { DefaultArtifactClient } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(371), __nccwpck_require__.e(458)]).then(__nccwpck_require__.bind(__nccwpck_require__, 67458));
    return inFolder(async (folder) => {
        const file = (0,external_node_path_.join)(folder, fileName);
        (0,external_node_fs_.writeFileSync)(file, text);
        const allowed = Number(process.env['GITHUB_RETENTION_DAYS']) || longestRetention;
        const { id } = await new DefaultArtifactClient().uploadArtifact(name, [file], folder, {
            retentionDays: Math.min(longestRetention, allowed),
        });
        if (id === undefined)
            throw new Error('GitHub did not return an id for the artifact');
        return id;
    });
}
/** Whether the name is taken. The library shows this only in the text of its error. */
function isTaken(error) {
    return error instanceof Error && /\(409\)/.test(error.message);
}
async function inFolder(work) {
    const folder = makePrivateFolder();
    try {
        return await work(folder.path);
    }
    finally {
        folder.remove();
    }
}

// EXTERNAL MODULE: ./build/shared/advice.js
var advice = __nccwpck_require__(49790);
// EXTERNAL MODULE: ./build/shared/runner/log.js
var log = __nccwpck_require__(33437);
;// CONCATENATED MODULE: ./build/shared/runner/job-summary.js





/** GitHub drops a summary of more than 1 MiB entirely. */
const longestSummary = 900 * 1024;
const longestCode = 64 * 1024;
const mostRows = 500;
const signs = { good: '✅', attention: '⚠️', bad: '❌' };
/** The headline: how the run ended. */
function verdict(kind, text) {
    return block(`## ${signs[kind]} ${(0,shared_clean/* cleanMarkdown */.nw)(text)}`);
}
function heading(text) {
    return block(`### ${(0,shared_clean/* cleanMarkdown */.nw)(text)}`);
}
function paragraph(text) {
    return block(prose(text));
}
/** What to do: words as paragraphs, and the commands among them in blocks that can be copied. */
function job_summary_advice(text) {
    return text.split('\n').flatMap(adviceLine);
}
/** Where the failure is explained. */
function explained(code) {
    return block(`[What ${(0,shared_clean/* markdownCode */.D9)(code)} means, and what else helps](${explanation(code)})`);
}
/** The page of our documentation that explains a failure. */
function explanation(code) {
    return `https://github.com/atlasia/actions/blob/v1/docs/troubleshooting.md#${code}`;
}
/** A link to the form of this run's workflow, under "Run workflow"; the mere words if the run does not say which it is. */
function ownForm() {
    const { workflowUrl } = context_workflowContext(process.env, {});
    return block(workflowUrl === null ? '**Run workflow**' : `[**Run workflow**](${workflowUrl})`);
}
/** Names the button to press, where a release is not well. */
function job_summary_button() {
    const { runsUrl } = workflowContext(process.env, {});
    const actions = runsUrl === null ? '**Actions**' : `[**Actions**](${runsUrl.replace(/\/runs\/$/, '')})`;
    return block(`To go back to the last good release: under ${actions}, start the workflow that has rollback-action. With the box ${markdownCode('confirm')} empty, it only shows what it would do.`);
}
/** What to write into which box of a form. */
function boxes(introduction, values) {
    return [
        block(`${ownForm()}: ${prose(introduction)}`),
        table(['Box', 'What to write'], values.map(([box, value]) => [{ code: box }, { code: value }])),
    ];
}
/** Facts with their names. The first one takes the place of the head, which GitHub shows even if it is empty. */
function facts(rows) {
    const [first, ...rest] = rows.map(([name, value]) => [cell(name), cell(value)]);
    if (first === undefined)
        throw new Error('A table of facts without any');
    return block([first, [':---', ':---'], ...rest].map(tableLine).join('\n'));
}
/** Shows at most 500 rows, and how many more there are. */
function table(head, rows) {
    if (head.includes(''))
        throw new Error('A column of a table has no name');
    const lines = [
        head.map(shared_clean/* cleanMarkdown */.nw),
        head.map(() => '---'),
        ...rows.slice(0, mostRows).map((row) => row.map(cell)),
    ];
    const rest = rows.length - mostRows;
    return block(lines.map(tableLine).join('\n') + (rest > 0 ? `\n\n… and ${rest} more rows` : ''));
}
/** A block of code, or a diagram if `language` is `mermaid`. Leaves out the middle of a long text. */
function codeBlock(text, language = '') {
    const code = withoutMiddle((0,shared_clean/* cleanLines */.v3)(text).join('\n'));
    const fence = (0,shared_clean/* codeFence */.d6)(code);
    return block(`${fence}${language}\n${code}\n${fence}`);
}
/** Blocks folded away under a title. */
function details(title, blocks) {
    // The title is inside HTML, where Markdown's escapes have no effect.
    const summary = (0,shared_clean/* cleanLine */.Ow)(title).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    return block(`<details><summary>${summary}</summary>\n\n${blocks.join('\n\n')}\n\n</details>`);
}
/** The blocks as one text of at most `limit` bytes. Ends with a note if some did not fit. */
function renderSummary(blocks, limit = longestSummary) {
    const note = '\n_The summary ends here because it is longer than GitHub allows. The log is complete._\n';
    let text = '';
    for (const each of blocks) {
        if (Buffer.byteLength(text + each + note) + 2 > limit)
            return text + note;
        text += `${each}\n\n`;
    }
    return text;
}
/** Adds the blocks to the job summary. If it cannot be written, the log says so; that does not fail the run. */
function writeSummary(blocks) {
    isWritten = true;
    const file = process.env['GITHUB_STEP_SUMMARY'];
    if (!file)
        return;
    try {
        (0,external_node_fs_.appendFileSync)(file, renderSummary(blocks));
    }
    catch (error) {
        log.info(`Could not write the job summary: ${error}`);
    }
}
let isWritten = false;
/** Whether this step has written one. A failure that came before must write its own. */
function hasSummary() {
    return isWritten;
}
function block(markdown) {
    return markdown;
}
function cell(value) {
    if (typeof value !== 'object')
        return prose(String(value));
    if ('code' in value)
        return (0,shared_clean/* markdownCode */.D9)(value.code);
    return (0,advice/* partsOf */.C)(value.advice)
        .map((part) => ('command' in part ? (0,shared_clean/* markdownCode */.D9)(part.command) : prose(part.text, true)))
        .join('');
}
/** Words that only lead from one command to the next. */
const between = /^(; |, then |,? and then )$/;
function adviceLine(line) {
    const blocks = [];
    let commands = [];
    const flush = () => {
        if (commands.length > 0)
            blocks.push(codeBlock(commands.join('\n'), 'bash'));
        commands = [];
    };
    for (const part of (0,advice/* partsOf */.C)(line)) {
        if ('command' in part)
            commands.push(part.command);
        else if (commands.length === 0 || !between.test(part.text)) {
            flush();
            const words = part.text.replace(/^[.,;]? (?=\S)|^\.$/, '').trimEnd();
            if (words !== '')
                blocks.push(paragraph(words));
        }
    }
    flush();
    return blocks;
}
/** Cleaned text in which addresses of runs of this very repository can be clicked, and no others. */
function prose(text, isPart = false) {
    const { runsUrl } = context_workflowContext(process.env, {});
    const clean = (words) => (isPart ? keepingEnds(words) : (0,shared_clean/* cleanMarkdown */.nw)(words));
    if (runsUrl === null || !text.includes(runsUrl))
        return clean(text);
    const parts = (0,shared_clean/* cleanLine */.Ow)(text).split(new RegExp(`(${escapedForPattern(runsUrl)}\\d+(?:/attempts/\\d+)?)(?![\\w/])`));
    return parts.map((part, index) => (index % 2 === 1 ? `<${part}>` : keepingEnds(part))).join('');
}
/** Cleaning trims, but these are parts of a sentence. */
function keepingEnds(text) {
    const [, before = '', words = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
    return `${before === '' ? '' : ' '}${(0,shared_clean/* cleanMarkdown */.nw)(words)}${after === '' ? '' : ' '}`;
}
function escapedForPattern(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
function tableLine(cells) {
    return `| ${cells.join(' | ')} |`;
}
function withoutMiddle(code) {
    if (code.length <= longestCode)
        return code;
    const half = longestCode / 2;
    return `${code.slice(0, half).toWellFormed()}\n…\n${code.slice(-half).toWellFormed()}`;
}

;// CONCATENATED MODULE: ./build/shared/runner/failure-report.js




/** In words how a step ended that did not end well; null for one that did. */
function wordsOf({ action, exitCode, error, cancelledBy }) {
    if (exitCode === 0)
        return null;
    if ((0,shared_failure/* isFailure */.N6)(error))
        return { code: error.code, message: error.message, hint: error.hint ?? null };
    if (cancelledBy !== null)
        return { code: 'cancelled', message: `the runner stopped ${action} (${cancelledBy})`, hint: null };
    const where = context_workflowContext().actionIssuesUrl ?? 'the issues of the repository that has this action';
    return {
        code: 'defect',
        message: `Internal error in ${action}: ${messageOf(error)}`,
        hint: `please report this log at ${where}`,
    };
}
/** Reports a step that did not end well: one annotation with the verdict, then in the log what to do and the cause. */
function reportEnding(ending) {
    const { action, error, cancelledBy } = ending;
    const words = wordsOf(ending);
    if (words === null)
        return;
    if (cancelledBy !== null)
        log.error(`Cancelled: ${words.message}`, `${action} cancelled`);
    else if ((0,shared_failure/* isFailure */.N6)(error))
        log.error(words.message, `${action} failed: ${words.code}`);
    else
        log.error(words.message, `${action} failed`);
    if ((0,shared_failure/* isFailure */.N6)(error))
        tellDetails(error);
    else if (cancelledBy === null)
        tellDefect(error, words);
    else if (error instanceof Error && error.name !== 'AbortError')
        tellCauses(error);
}
/** The job summary of a step that failed before the action could write its own: its inputs are bad, say. */
function summarizeEnding(ending) {
    const words = wordsOf(ending);
    if (words === null || hasSummary())
        return;
    const { code, message, hint } = words;
    const how = code === 'cancelled' ? 'was cancelled' : code === 'bad-input' ? 'did nothing' : 'failed';
    writeSummary([
        verdict('bad', `${ending.action} ${how}: ${code}`),
        paragraph(message),
        ...(hint === null ? [] : [heading('What to do'), ...job_summary_advice(hint)]),
        ...((0,shared_failure/* isFailure */.N6)(ending.error) ? [explained(ending.error.code)] : []),
    ]);
}
function tellDefect(error, { hint }) {
    if (error instanceof Error && error.stack !== undefined)
        log.info(error.stack);
    if (error instanceof Error)
        tellCauses(error.cause);
    log.important(`What to do: ${hint}`);
}
function tellDetails(failure) {
    if (failure.hint !== undefined)
        log.important(`What to do: ${failure.hint}`);
    tellCauses(failure.cause);
    log.info(`More about it: ${explanation(failure.code)}`);
}
/** Prints an error and its chain of causes. */
function tellCauses(cause) {
    for (let each = cause; each !== undefined && each !== null && each !== '';) {
        log.info(`Cause: ${messageOf(each)}`);
        each = each instanceof Error ? each.cause : undefined;
    }
}
function messageOf(error) {
    if (error instanceof Error)
        return error.message === '' ? error.name : error.message;
    return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error));
}

// EXTERNAL MODULE: external "node:timers/promises"
var promises_ = __nccwpck_require__(58500);
;// CONCATENATED MODULE: ./build/shared/runner/library-words.js

/**
 * What GitHub said, in a line that one of its libraries printed: each refusal before it tries again, or before it gives up
 * without an error. null for any other line.
 */
function refusalIn(printed) {
    const [, tried] = /^Attempt \d+ of \d+ failed with error: (.+)\. Retrying request in \d+ ms/.exec(printed) ?? [];
    const [, warned] = /^::(?:warning|error)::(?:Failed to save: )?(.+)/.exec(printed) ?? [];
    // What it then prints for users is a guess: that another job may be creating the same cache.
    const [, reserving] = /^::debug::Failed to reserve cache: (?:Error: )?(.+)/.exec(printed) ?? [];
    const refusal = tried ?? warned ?? reserving;
    return refusal === undefined ? null : (0,shared_clean/* cleanLine */.Ow)(refusal, 300);
}
/** Listens to a library for the last refusal. */
class Refusals {
    last = null;
    hear = (printed) => {
        this.last = refusalIn(printed) ?? this.last;
    };
}

;// CONCATENATED MODULE: ./build/shared/runner/github-patience.js





/** Milliseconds: a rollback must not wait for GitHub. */
const github_patience_patience = 20_000;
/** Why artifacts cannot be had where GitHub is one's own. */
const unsupported = 'GitHub Enterprise Server does not support them';
/** Waits for GitHub, at most 20 s. @param failed what to return where it did not do it, and why not */
async function limited(work, failed) {
    const refusals = new Refusals();
    try {
        return await answered(github_patience_patience, (0,log.quietly)(work, refusals.hear));
    }
    catch (error) {
        return failed(whyNot(error, refusals.last));
    }
}
/** GitHub did not do it in time. */
class Late extends Error {
}
/** Gives up after `ms` milliseconds. The work itself goes on: the libraries cannot be stopped. */
function answered(ms, work) {
    const late = (0,promises_.setTimeout)(ms, null, { ref: false }).then(() => {
        throw new Late(`within ${ms / 1_000} s`);
    });
    return Promise.race([work, late]);
}
/** Why GitHub did not do it, in its own words. @param refusal what it last said to a library that went on asking */
function whyNot(error, refusal = null) {
    if (error instanceof Late) {
        return refusal === null
            ? `GitHub did not answer ${error.message}`
            : `GitHub did not do it ${error.message}; its last answer: ${refusal}`;
    }
    if (error instanceof Error && error.name === 'GHESNotSupportedError')
        return unsupported;
    // By its name: the library takes longer to load than all of an action.
    if (!(error instanceof Error && error.name === 'HttpClientError'))
        return (0,shared_clean/* cleanLine */.Ow)((0,reaching/* reasonOf */.A)(error), 300);
    const { statusCode: status } = error;
    const reason = (0,shared_clean/* cleanLine */.Ow)(error.message, 300) || 'nothing';
    const needs = status === 403 || status === 404 ? '. Reading them needs "permissions: actions: read" in the job' : '';
    return `GitHub refused with ${status}; it said: ${reason}${needs}`;
}

// EXTERNAL MODULE: ./node_modules/@actions/http-client/lib/proxy.js
var proxy = __nccwpck_require__(19783);
;// CONCATENATED MODULE: ./build/shared/runner/proxy.js

/** The proxy for an address, by HTTPS_PROXY and NO_PROXY, as GitHub's own libraries read them; null: none. */
function proxyFor(url) {
    return (0,proxy/* getProxyUrl */.s)(url) ?? null;
}

;// CONCATENATED MODULE: ./build/shared/runner/secrets.js

/** The runner masks a secret wherever it occurs: a shorter one would shred the log and hide nothing. */
const shortestMask = 4;
const masked = new Set();
/** Masks a value in the log from here on: a secret, or what is derived from one, such as the password within a URL. */
function mask(secret) {
    // Line by line: the runner compares lines, and given the whole text, it would also mask its short lines.
    for (const line of secret.split(/\r?\n/).map((each) => each.trim())) {
        if (line.length < shortestMask)
            continue;
        lib_core/* setSecret */.Pq(line);
        masked.add(line);
    }
}
/** A text without what was masked, for ways out that the runner does not look at: mail, webhooks, artifacts. */
function withoutSecrets(text) {
    const longestFirst = [...masked].toSorted((a, b) => b.length - a.length);
    return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

;// CONCATENATED MODULE: ./build/shared/runner/set-outputs.js

/**
 * Sets every output of the step.
 * @throws Error if the runner's file cannot be written, RangeError for a number that is not finite
 */
function setOutputs(outputs) {
    for (const [name, value] of Object.entries(outputs))
        lib_core/* setOutput */.uH(name, outputText(value));
}
/** The text of a value in an output. */
function outputText(value) {
    if (value === null || value === undefined)
        return '';
    if (typeof value !== 'number')
        return String(value);
    if (!Number.isFinite(value))
        throw new RangeError(`An output cannot be ${value}`);
    // BigInt, because a large number would become 1e+21.
    return BigInt(Math.round(value)).toString();
}

;// CONCATENATED MODULE: ./build/shared/runner/notices.js














/** Limits in bytes: GitHub keeps 1 MB of outputs for a whole job. */
const longestOutput = 64 * 1024;
const longestArtifact = 900 * 1024;
/** Milliseconds that the ping of the beginning may still take at the end, so that it does not arrive after that of the end. */
const patienceForStart = 1_000;
const nobody = {
    pingUrl: null,
    mailServer: null,
    mailing: null,
    webhook: null,
    evidence: 'none',
    environment: null,
    database: null,
};
/** Tells of one run of an action: its beginning once, and its end once through each channel. */
class Notices {
    /** What the run has come to know; the action adds to it as it goes. */
    story;
    #startedAt = new Date();
    #tell;
    #untilEnd = new AbortController();
    #addressed = nobody;
    #start = Promise.resolve();
    /** @param tell says what the story comes to; pure */
    constructor(story, tell) {
        this.story = story;
        this.#tell = tell;
    }
    /** Reads the inputs of the action, then tells that the run has begun. If inputs are bad, only the end will be told. */
    begin(readInputs) {
        const inputs = readInputs((addressed) => {
            this.#addressed = addressed;
        });
        const { pingUrl } = this.#addressed;
        if (pingUrl !== null)
            this.#start = this.#pingStart(pingUrl);
        return inputs;
    }
    prepare(ending, outputs) {
        try {
            outputs.evidence = evidenceDocument(this.#notice(ending, outputs), longestOutput);
        }
        catch (error) {
            log.warning(`Could not put the evidence together: ${(0,reaching/* reasonOf */.A)(error)}`);
        }
    }
    async tell(ending, outputs, signal) {
        const { pingUrl, mailing, webhook, evidence } = this.#addressed;
        const notice = this.#notice(ending, outputs);
        const route = { proxyFor: proxyFor, signal };
        const sending = [
            ...(pingUrl === null ? [] : [warnUnless('the ping', pingUrl.host, this.#pingEnd(pingUrl, notice, route))]),
            ...(webhook === null ? [] : [warnUnless('the webhook', webhook.url.host, callWebhook(webhook, notice, route))]),
            ...(mailing === null || !wantsMail(mailing, notice)
                ? []
                : [warnUnless('the mail', null, sendMail(mailing, notice, signal))]),
            ...(evidence === 'none' ? [] : [storeEvidence(notice)]),
        ];
        await Promise.all(sending);
    }
    #notice(ending, outputs) {
        const report = this.#tell(this.story, outputs, ending);
        return noticeOf({
            action: ending.action,
            environment: this.#addressed.environment,
            startedAt: this.#startedAt,
            finishedAt: new Date(),
            run: thisRun(),
            outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, outputText(value)])),
        }, { ...report, database: report.database ?? this.#addressed.database }, { exitCode: ending.exitCode, isCancelled: ending.cancelledBy !== null, failure: wordsOf(ending) }, withoutSecrets);
    }
    async #pingStart(url) {
        const { signal } = this.#untilEnd;
        try {
            await pingStart(url, { proxyFor: proxyFor, signal });
        }
        catch (error) {
            // At the end only that counts.
            if (!signal.aborted)
                log.warning(`${url.host} did not accept the start ping: ${(0,reaching/* reasonOf */.A)(error)}`);
        }
    }
    async #pingEnd(url, notice, route) {
        const late = setTimeout(() => this.#untilEnd.abort(new Error('the run has ended')), patienceForStart);
        await this.#start;
        clearTimeout(late);
        await pingEnd(url, notice, route);
    }
}
/** A notice that could not be sent does not fail the run: its work is done. */
async function warnUnless(what, host, sending) {
    try {
        await sending;
        log.info(`Sent ${what}`);
    }
    catch (error) {
        const where = host === null ? '' : ` to ${host}`;
        log.warning(`Could not send ${what}${where}: ${withoutSecrets((0,reaching/* reasonOf */.A)(error))}. This does not change how the run ended`);
    }
}
async function storeEvidence(notice) {
    const { environment, action, finishedAt } = notice;
    // Unique in a run, which may have several such steps.
    const time = finishedAt.toISOString().replaceAll(/[-:.]/g, '');
    const name = `evidence-${environment ?? 'unknown'}-${action.replace(/-action$/, '')}-${time}`;
    const why = await limited(async () => {
        await upload(name, evidenceDocument(notice, longestArtifact), 'evidence.json');
        return null;
    }, (reason) => reason);
    if (why === null)
        log.info(`Stored the evidence as the artifact ${name}`);
    else
        log.warning(`Could not store the evidence as an artifact: ${why}. It is in the output "evidence"`);
}
function thisRun() {
    const { runUrl, repository, runId, runAttempt, event, actor, commit } = context_workflowContext();
    return { url: runUrl, repository, id: runId, attempt: runAttempt, event, actor, commit };
}

;// CONCATENATED MODULE: ./build/shared/runner/run.js





/** The runner waits 7.5 s between SIGINT and SIGTERM. After this time, this wrapper ends the action and undoes the rest. */
const gracePeriod = 6_500;
/** Milliseconds that telling may take: it delays the steps that follow. */
const tellingFor = 45_000;
/** Milliseconds from a cancel to the end of telling: the runner kills what is left after 10 s. */
const tellingAfterCancel = 9_000;
/** Milliseconds to put into words what could not be told in time. */
const lastWords = 300;
/**
 * Runs an action and handles its failures: whatever goes wrong, reports the verdict first, then what to do and the cause,
 * and exits with 1. Exits with 0 only if `action` finished and its outputs were written. Ends the process.
 * @param name as people know the action: `backup-action`
 * @param outputs every declared output, with the value it has if the action fails before setting it
 */
function runAction(name, outputs, action, { telling, grace = gracePeriod } = {}) {
    const cancellation = new AbortController();
    const untilTold = new AbortController();
    const undos = [];
    let cancelledBy = null;
    let ending = false;
    function cancel(signal) {
        if (cancelledBy !== null)
            return;
        cancelledBy = signal;
        setTimeout(() => fail(new shared_failure/* Failure */.HR('cancelled', `${name} did not end in time after ${signal}`)), grace);
        setTimeout(() => untilTold.abort(new Error('the run was cancelled')), tellingAfterCancel);
        cancellation.abort();
    }
    function succeed() {
        if (cancelledBy === null)
            end({ action: name, exitCode: 0, error: undefined, cancelledBy });
        else
            fail(undefined);
    }
    function fail(error) {
        if (ending)
            return;
        // Ends children that were started with this signal.
        cancellation.abort();
        end({ action: name, exitCode: 1, error, cancelledBy });
    }
    function end(first) {
        if (ending)
            return;
        ending = true;
        let how = first;
        const duties = [
            log.closeGroup,
            () => reportEnding(how),
            () => summarizeEnding(how),
            ...undos.reverse(),
            () => telling?.prepare(how, outputs),
            () => setOutputs(outputs),
        ];
        // Do each of these even if another one fails.
        for (const duty of duties) {
            try {
                duty();
            }
            catch (error) {
                reportEnding({ action: name, exitCode: 1, error, cancelledBy: null });
                how = { ...how, exitCode: 1, error: how.error ?? error };
            }
        }
        process.exitCode = how.exitCode;
        if (telling === undefined)
            exit(how.exitCode);
        else
            tellInTime(telling, how).then(() => exit(how.exitCode));
    }
    async function tellInTime(telling, how) {
        setTimeout(() => untilTold.abort(new Error('it took too long')), tellingFor);
        const { signal } = untilTold;
        const late = new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve((0,promises_.setTimeout)(lastWords)));
        });
        try {
            await Promise.race([telling.tell(how, outputs, signal), late]);
        }
        catch (error) {
            log.warning(`Could not report how the run ended: ${error}`);
        }
    }
    function exit(code) {
        // On exit Node drops what is not yet written to a pipe, and the verdict comes last: wait until it is written.
        process.stdout.write('', () => process.exit(code));
    }
    // What our libraries should call instead is no concern of an operator.
    process.noDeprecation = true;
    process.on('SIGINT', cancel);
    process.on('SIGTERM', cancel);
    // Unhandled rejections end up here too.
    process.on('uncaughtException', fail);
    const stopped = () => fail(new Error('The action stopped before it was done, without an error'));
    // Nothing is left that could settle the action.
    process.on('beforeExit', stopped);
    // Gets here first only if a library called exit.
    process.on('exit', stopped);
    const context = { signal: cancellation.signal, outputs, atEnd: (undo) => undos.push(undo) };
    Promise.resolve(context).then(action).then(succeed, fail);
}

// EXTERNAL MODULE: ./build/shared/host/backup-folder.js
var backup_folder = __nccwpck_require__(53542);
;// CONCATENATED MODULE: ./build/shared/plan/text.js
/** The plan as printed lines: what changes, how, and what is left alone. */
function planText(plan) {
    const name = widest(plan.services.map(({ service }) => service));
    const from = widest(plan.services.map((step) => fromIn(step)));
    return [
        targetText(plan),
        ...restoreText(plan),
        ...plan.services.map((step) => `${step.service.padEnd(name)}  ${fromIn(step).padEnd(from)}  →  ${toIn(step)}`),
        ...plan.services.map(({ service, strategy, why }) => `${service.padEnd(name)}  ${howIn[strategy]}: ${why}`),
        ...plan.leftAlone.map(({ service, why }) => `${service} is left alone: ${why}`),
        ...plan.services.flatMap(({ pull }) => (pull === null ? [] : [`To pull: ${pull}`])),
        `Plan ${plan.hash}`,
    ];
}
/** What the rollback goes to. */
function targetText({ services, restore, source }) {
    return services.length === 0 && restore !== null
        ? 'Only the database is restored; the release stays as it is'
        : `The target is ${source}`;
}
function restoreText({ restore }) {
    if (restore === null)
        return [];
    const { backupId, copy, takenAt, database, restarted, costs, givenUp } = restore;
    return [
        `The database "${database}" is replaced by backup ${backupId}${copy === null ? '' : ` from ${copy}`}, taken ${takenAt}`,
        ...costs,
        ...givenUp,
        ...restarted.map(({ service, why }) => `${service} is stopped meanwhile and started again: ${why}`),
    ];
}
/** `Rolled back to web v1`, `Restored "shop" from 20261127_021700`, or both. */
function doneIn({ services, restore }) {
    const tags = services.map((step) => `${step.service} ${step.toName ?? toIn(step)}`).join(', ');
    if (restore === null)
        return `Rolled back to ${tags}`;
    const restored = `estored "${restore.database}" from backup ${restore.backupId}`;
    return services.length === 0 ? `R${restored}` : `Rolled back to ${tags}, and r${restored}`;
}
const howIn = {
    recreate: 'one after the other, with downtime',
    'blue-green': 'new containers start before the old ones stop, without downtime',
    job: 'is run to its end, while everything else goes on',
    'create-only': 'gets a new container, which is not started',
};
/** The image that a service runs now, in short: `v3 (0123456789ab)`. */
function fromIn({ fromName, fromImage }) {
    return imageInShort(fromName, fromImage);
}
/** The target image, in the same form. */
function toIn({ toName, toImage }) {
    return imageInShort(toName, toImage);
}
/** An image by its name and the start of its id. */
function imageInShort(name, { digest, imageId }) {
    const id = (digest ?? imageId ?? '').replace(/^sha256:/, '').slice(0, 12);
    if (name === null)
        return id === '' ? 'unknown' : id;
    return id === '' ? name : `${name} (${id})`;
}
function widest(texts) {
    return Math.max(0, ...texts.map((text) => text.length));
}

// EXTERNAL MODULE: ./build/shared/releases/image-name.js
var image_name = __nccwpck_require__(89892);
// EXTERNAL MODULE: ./build/shared/releases/release.js
var release = __nccwpck_require__(56986);
;// CONCATENATED MODULE: ./build/shared/history/word.js

function imagesOf(release, ignored) {
    return new Map(Object.entries(release).filter(([service]) => !ignored.has(service)));
}
/** The verdicts on releases, the latest first; `unknown` is not a verdict. A release that was rolled back from is bad. */
function wordsOn(records, ignored) {
    return records.toReversed().flatMap((record) => {
        const { event, status, verdict, release, previous } = record;
        return [
            ...(verdict === 'unknown'
                ? []
                : [{ about: imagesOf(release, ignored), word: verdict, record, isLeft: false }]),
            ...(event === 'rollback' && status === 'succeeded' && previous !== null
                ? [{ about: imagesOf(previous, ignored), word: 'bad', record, isLeft: true }]
                : []),
        ];
    });
}
/** They have the same services, each with the same image. */
function sameImages(one, other) {
    return (one.size === other.size &&
        [...one].every(([service, image]) => {
            const counterpart = other.get(service);
            return counterpart !== undefined && (0,release/* sameImage */.G4)(image, counterpart);
        }));
}

;// CONCATENATED MODULE: ./build/shared/history/candidates.js



const candidateColumns = ['Tag', 'Digest', 'Verdict', 'When', 'Record'];
const mostCandidates = 10;
/** Different releases, the newest first, without drills and without what runs. At most ten. */
function candidates({ entries, verdicts, running, ignored, images, environment }) {
    const now = imagesOf(running, ignored);
    const words = wordsOn(verdicts, ignored);
    const found = [];
    for (const { record, source } of entries.toReversed()) {
        const about = imagesOf(record.release, ignored);
        const isOther = [...about].some(([service, image]) => {
            const present = now.get(service);
            return present !== undefined && !isSame(image, present);
        });
        if (record.event === 'drill' || record.environment !== environment || !isOther)
            continue;
        if (found.some((earlier) => isAlike(earlier.about, about)))
            continue;
        const word = words.find((each) => isAlike(each.about, about))?.word;
        // What a copy calls good nobody has to believe.
        const copied = source === 'mirror' && record.verdict === 'bad' ? 'bad' : 'unknown';
        found.push({
            about,
            candidate: {
                tag: joined(about, (image) => (0,image_name/* nameOf */.V)(image, null, images) ?? '-'),
                digest: joined(about, ({ digest, imageId }) => (digest ?? imageId)?.slice(7, 19) ?? '-'),
                verdict: word ?? copied,
                when: record.at,
                id: record.id,
            },
        });
        if (found.length === mostCandidates)
            break;
    }
    return found.map(({ candidate }) => candidate);
}
/** The cells of a table. */
function candidateCells({ tag, digest, verdict, when, id, }) {
    return [tag, digest, verdict, when, id];
}
/** The table as printed lines; empty without candidates. */
function candidateLines(list) {
    if (list.length === 0)
        return [];
    const rows = [[...candidateColumns], ...list.map(candidateCells)];
    const widths = candidateColumns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return rows.map((row) => row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd());
}
function isAlike(one, other) {
    return (one.size === other.size &&
        [...one].every(([service, image]) => {
            const counterpart = other.get(service);
            return counterpart !== undefined && isSame(image, counterpart);
        }));
}
/** Old records may name nothing but a tag. */
function isSame(one, other) {
    const isNameless = [one, other].some(({ digest, imageId }) => digest === null && imageId === null);
    return isNameless ? one.tag === other.tag : (0,release/* sameImage */.G4)(one, other);
}
function joined(images, tell) {
    const texts = [...images].map(([service, image]) => [service, tell(image)]);
    const [first] = texts;
    if (first === undefined)
        return '-';
    return texts.every(([, text]) => text === first[1])
        ? first[1]
        : texts.map(([service, text]) => `${service} ${text}`).join(', ');
}

;// CONCATENATED MODULE: ./build/shared/transaction/timeline.js

/** Characters of a bar. */
const width = 60;
const timeline_signs = { old: '─', down: '×', new: '━', both: '═' };
/**
 * A transaction as lines of text: a bar for each service, from the lock to the end, then a legend. A stretch that is too short
 * for the scale still gets one sign.
 */
function timelineOf(lines) {
    const begin = lines[0]?.at ?? 0;
    const end = Math.max(begin + 1, lines.at(-1)?.at ?? begin);
    const detailsOf = (step) => lines.filter((line) => line.step === step).map(({ detail }) => detail);
    // What stays stopped has nothing to show.
    const stopped = new Set(detailsOf('stays-stopped'));
    const services = [...new Set([...detailsOf('created'), ...detailsOf('stopping')])].filter((service) => !stopped.has(service));
    const name = Math.max(0, ...services.map((service) => service.length));
    // The host's clock may have been set back in the meantime.
    const column = (at) => Math.max(0, Math.min(width - 1, Math.floor(((at - begin) / (end - begin)) * width)));
    const bars = services.map((service) => {
        const bar = new Array(width).fill('old');
        for (const { at, step, detail } of lines) {
            const [of = ''] = detail.split(' ');
            if (of !== service)
                continue;
            const before = bar[column(at)];
            // Blue-green: after `started` the old containers still run too.
            const change = step === 'started' && before === 'both' ? 'both' : changes.get(step);
            if (change !== undefined)
                bar.fill(change, column(at) + (before === 'down' ? 1 : 0));
        }
        return `${service.padEnd(name)}  ${bar.map((state) => timeline_signs[state]).join('')}`;
    });
    const scale = `${' '.repeat(name)}  0 s${(0,units/* formatDuration */.a3)(end - begin).padStart(width - 3)}`;
    return [...bars, scale, '', '─ previous release   × down   ═ both   ━ target'];
}
const changes = new Map([
    ['stopping', 'down'],
    ['starting', 'both'],
    ['started', 'new'],
    ['drained', 'new'],
    ['running', 'both'],
    ['completed', 'new'],
    ['restored', 'old'],
]);

;// CONCATENATED MODULE: ./build/rollback-action/summary-blocks.js





// What the summaries of a rollback have in common, however it ended.
/** What each service runs, what it is to run, and how it gets there. */
function servicesTable(plan) {
    return table(['Service', 'From', 'To', 'How', 'Why'], [
        ...plan.services.map((step) => [step.service, fromIn(step), toIn(step), step.strategy, step.why]),
        ...plan.leftAlone.map(({ service, why }) => [service, '', '', 'left alone', why]),
    ]);
}
/** What happens to the database; or, with `done`, what has happened. */
function restoreBlocks({ restore }, done) {
    if (restore === null)
        return [];
    const { backupId, copy, takenAt, source, database, restarted } = restore;
    const services = restarted.map(({ service, why }) => `${service} (${why})`).join(', ');
    return [
        heading('The database'),
        facts([
            ['Database', database],
            ['Backup', `${backupId}, taken ${takenAt}${source === database ? '' : ` from "${source}"`}`],
            ...(copy === null ? [] : [['Copy', { code: copy }]]),
            ...(done === null ? [] : [['Restored in', (0,units/* formatDuration */.a3)(done.loaded.restoreMs)]]),
            ...(done === null ? [] : [['The old database', { code: done.aside }]]),
            ...(restarted.length === 0 ? [] : [['Stopped meanwhile, and started again', services]]),
        ]),
        ...(done?.givenUp ?? [...restore.costs, ...restore.givenUp]).map(paragraph),
        ...(done === null
            ? []
            : [
                details('Compared with the manifest of the backup', [
                    table(['Check', 'Result'], done.loaded.findings.map(({ name, result, detail }) => [
                        `${result === 'passed' ? '✅' : '⚠️'} ${name}`,
                        detail,
                    ])),
                ]),
            ]),
    ];
}
function notesBlock({ notes }) {
    return notes.length === 0
        ? []
        : [
            details('Notes', [
                table(['Level', 'Note'], notes.map(({ level, text }) => [level, text])),
            ]),
        ];
}
function downtimeOf({ downtimeMs }) {
    return downtimeMs === null ? 'not measured' : (0,units/* formatDuration */.a3)(downtimeMs);
}
function downtimeRows(outcome) {
    return [
        ['Longest downtime', downtimeOf(outcome)],
        ['Failed requests', outcome.failedRequests ?? 'not measured'],
    ];
}
/** The timeline; none if no container was stopped or started. */
function timelineBlocks(lines) {
    if (!lines.some(({ step }) => step === 'stopping' || step === 'starting'))
        return [];
    return [heading('What happened'), codeBlock(timelineOf(lines).join('\n'))];
}
/** The releases to choose from. */
function candidatesBlocks(candidates) {
    if (candidates.length === 0)
        return [];
    const rows = candidates.map(candidateCells).map(([tag, digest, ...rest]) => [tag, { code: digest }, ...rest]);
    return [heading('Other releases in the history'), table(candidateColumns, rows)];
}

;// CONCATENATED MODULE: ./build/rollback-action/failure-summary.js







const noStory = () => ({
    seen: null,
    plan: null,
    carried: null,
    candidates: [],
    backup: null,
    loaded: null,
});
/** How many containers' last words are shown if the failure names no service. */
const mostWords = 3;
/** Summary of a run that failed: why, what to do, and as much as is known of what was planned and what went on. */
function summarizeFailure(error, inputs, outputs, { seen, plan, carried, candidates }) {
    const failure = (0,shared_failure/* isFailure */.N6)(error) ? error : new shared_failure/* Failure */.HR('defect', String(error));
    const foundStopped = carried?.outcome.foundStopped ?? [];
    const state = {
        refused: `${inputs.environment} was not rolled back; ${foundStopped.length === 0 ? 'nothing was stopped' : 'what had stopped was started again'}`,
        reverted: `${inputs.environment} was not rolled back; the previous release is running again`,
        failed: `The rollback of ${inputs.environment} needs manual attention now`,
    }[outputs.status];
    writeSummary([
        verdict('bad', state ?? `${inputs.environment} was not rolled back`),
        paragraph(failure.message),
        ...(failure.hint === undefined ? [] : [heading('What to do'), ...job_summary_advice(failure.hint)]),
        ...(plan !== null ? [heading('The plan'), servicesTable(plan)] : seen !== null ? runningBlocks(seen) : []),
        ...(carried === null ? [] : carriedBlocks(carried, inputs)),
        ...candidatesBlocks(candidates),
        ...(plan === null ? [] : notesBlock(plan)),
        explained(failure.code),
    ]);
}
/** What went on, and what the containers of the target printed last; if none did, what the transaction's commands did. */
function carriedBlocks(carried, { backupDir }) {
    const { id, outcome, lines, log } = carried;
    const timeline = timelineBlocks(lines);
    const words = lastWordsOf(carried).map((each) => ({ ...each, title: `The last lines of ${each.service}` }));
    const said = log.split('\n').filter((line) => line.trim() !== '');
    if (words.length === 0 && said.length > 0)
        words.push({ service: '', title: "The last lines of the transaction's log", lines: said.slice(-15) });
    return [
        facts([
            ['Transaction', { code: (0,backup_folder/* transactionFolder */.ZZ)(backupDir, id) }],
            ...(timeline.length === 0 ? [] : downtimeRows(outcome)),
        ]),
        ...timeline,
        ...words.flatMap(({ title, lines: ends }) => [heading(title), codeBlock(ends.join('\n'))]),
    ];
}
/** Of the services that the failure names; if it names none, of all, but of no more than three. */
function lastWordsOf({ outcome, lastWords }) {
    const text = outcome.failure?.text ?? '';
    // Up to the text that the failure itself quotes from the container.
    const [named = ''] = text.split('Its last output:');
    const words = new Set(named.split(/[\s,.]+/).concat(named.split(/[\s,]+/)));
    const ofFailure = lastWords.filter(({ service }) => words.has(service));
    return (ofFailure.length > 0 ? ofFailure : lastWords).filter(({ lines }) => lines.length > 0).slice(0, mostWords);
}
/** What runs. A plan would say so, but there is none yet. */
function runningBlocks({ containers, images, compose }) {
    if (containers.length === 0)
        return [];
    const known = compose === null || 'error' in compose ? [] : compose.images;
    const rows = Object.entries((0,release/* releaseOf */.l7)(containers, images)).map(([service, image]) => [
        service,
        imageInShort((0,image_name/* nameOf */.V)(image, image.image, known), image),
    ]);
    return [heading('What runs'), table(['Service', 'Runs'], rows)];
}

// EXTERNAL MODULE: external "node:net"
var external_node_net_ = __nccwpck_require__(77030);
;// CONCATENATED MODULE: ./build/shared/runner/grammar.js




/** With more than 2^31 - 1 milliseconds (24.8 days), setTimeout fires at once, so a deadline must be shorter. */
const longestDuration = 24 * 24 * 3_600_000;
/** Free text: names of databases and users may contain quotes, spaces, `$()`, `=` and line breaks. */
const grammar_text = {
    hint: 'Give it without NUL bytes.',
    parse: (value) => matching(value, /^[^\0]*$/, 'contains a NUL byte'),
};
/** Free text on one line, without control characters. */
const line = {
    hint: 'Give one line of text without control characters.',
    parse: (value) => matching(value, /^\P{Cc}*$/u, 'must be one line without control characters'),
};
/** The name of an environment: it is part of the names of artifacts and of commands that are printed. */
const environmentName = {
    hint: 'Give at most 64 letters, digits, ".", "_" and "-", such as prod or staging-2; the first is a letter, a digit or "_".',
    parse: (value) => matching(value, /^(?![.-])[A-Za-z0-9._-]{1,64}$/, 'is not made of at most 64 letters, digits, ".", "_" and "-", or begins with "." or "-"'),
};
/** Booleans as GitHub defines them: `true`, `True`, `TRUE`, `false`, `False`, `FALSE`. */
const grammar_boolean = {
    hint: 'Give true or false.',
    parse(value) {
        if (['true', 'True', 'TRUE'].includes(value))
            return true;
        if (['false', 'False', 'FALSE'].includes(value))
            return false;
        throw new RangeError('is neither true nor false');
    },
};
/** One of these words. */
function choice(...words) {
    return {
        hint: `Give one of: ${words.join(', ')}.`,
        parse(value) {
            const word = words.find((each) => each === value);
            if (word === undefined)
                throw new RangeError(`must be one of ${words.join(', ')}`);
            return word;
        },
    };
}
/** A whole number within bounds, both included. */
function integer({ min, max }) {
    return {
        hint: `Give a whole number from ${min} to ${max}.`,
        parse: (value) => within(Number(matching(value, /^-?\d+$/, 'is not a whole number')), { min, max }, `is not from ${min} to ${max}`),
    };
}
/** A decimal number within bounds, both included: `0.5`. */
function decimal({ min, max }) {
    return {
        hint: `Give a number from ${min} to ${max}.`,
        parse: (value) => within(Number(matching(value, /^\d+(\.\d+)?$/, 'is not a number')), { min, max }, `is not from ${min} to ${max}`),
    };
}
/** How many to keep: `all`, or a whole number from 0 up. */
const allOrNumber = {
    hint: 'Give all, or a whole number from 0 up.',
    parse(value) {
        if (value === 'all')
            return value;
        return within(Number(matching(value, /^\d+$/, 'is neither all nor a whole number')), { min: 0, max: Number.MAX_SAFE_INTEGER }, 'is too large');
    },
};
/** `90s`, `5m`, `2h` in milliseconds, up to 24 days. */
const duration = {
    hint: 'Give a duration such as 90s, 5m or 2h.',
    parse: (value) => within((0,units/* parseDuration */.E9)(value), { min: 0, max: longestDuration }, 'is longer than 24 days'),
};
/** `1GiB`, `512MiB`, `10GB`, plain bytes; in bytes. */
const size = {
    hint: 'Give a size such as 1GiB, 512MiB, 10GB or a number of bytes.',
    parse: units/* parseSize */.DB,
};
/** One value per line; empty lines are ignored. */
function lines(each) {
    return {
        hint: `${each.hint} One per line.`,
        parse: (value) => value
            .split(/\r?\n/)
            .map((entry) => entry.trim())
            .filter((entry) => entry !== '')
            .map((entry) => each.parse(entry)),
    };
}
/** A path on the host that begins with `/`. */
const absolutePath = {
    hint: 'Give an absolute path without "..", such as /opt/app.',
    parse: (value) => main_path(matching(value, /^\//, 'is not an absolute path')),
};
/** A path relative to the folder that the description of the input names. */
const relativePath = {
    hint: 'Give a relative path without "..".',
    parse: (value) => main_path(matching(value, /^(?!\/)/, 'is not a relative path')),
};
/** A path, absolute or relative. */
const anyPath = {
    hint: 'Give a path without "..".',
    parse: main_path,
};
/** A host name or an address; IPv6 without brackets. */
const hostName = {
    hint: 'Give a host name such as db.example.com, or an address such as 192.0.2.7 or 2001:db8::7.',
    parse(value) {
        // No zone (fe80::1%eth0): ssh would expand the %.
        if ((0,external_node_net_.isIPv6)(value) && !value.includes('%'))
            return value;
        return matching(value, /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/, 'is not a host name or address');
    },
};
const grammar_port = integer({ min: 1, max: 65_535 });
/** A web address without a login in it. */
const httpUrl = {
    hint: 'Give an address such as https://example.com/health or http://127.0.0.1:8080/health.',
    parse(value) {
        const url = URL.canParse(value) ? new URL(value) : null;
        if (url === null || !/^https?:$/.test(url.protocol))
            throw new RangeError('is not an http or https address');
        if (url.username !== '' || url.password !== '')
            throw new RangeError('contains a login');
        // The host writes it into a line of curl's configuration.
        if (/["\\\s]/.test(url.href))
            throw new RangeError('contains a quote, a backslash or a space');
        return url;
    },
};
/** Of a service that is given secrets: https, or http to the runner itself. */
const safeUrl = {
    hint: 'Give an address such as https://s3.example.com.',
    parse(value) {
        const url = httpUrl.parse(value);
        if (url.protocol === 'https:' || isLoopback(url))
            return url;
        throw new RangeError('is not an https address: over http, others can read and change what is sent');
    },
};
/** Whether an address is the runner itself. */
function isLoopback({ hostname }) {
    return /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}
/** Bytes. Statements for a database that are longer are likely to be another file, such as a dump. */
const longestSql = 8 * 1024 * 1024;
/** The path of a file with SQL in the workspace; its text, without the byte order mark that some editors put in front. */
const sqlFile = {
    hint: 'Give the path of an SQL file in the workspace, and run actions/checkout before this step.',
    parse(value) {
        const path = (0,external_node_path_.resolve)(process.env['GITHUB_WORKSPACE'] ?? '.', value);
        let text;
        try {
            text = (0,external_node_fs_.statSync)(path).size > longestSql ? null : (0,external_node_fs_.readFileSync)(path, 'utf8');
        }
        catch {
            throw new RangeError('is not a readable file');
        }
        if (text === null)
            throw new RangeError(`is larger than ${(0,units/* formatBytes */.z3)(longestSql)}`);
        if (text.includes('\0'))
            throw new RangeError('is not a text file');
        return text.replace(/^\ufeff/, '');
    },
};
/** A login name on the host. */
const userName = {
    hint: 'Give a login name of letters, digits, "_", "." and "-".',
    parse: (value) => matching(value, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/, 'is not a login name'),
};
/** A service of the compose project. */
const serviceName = {
    hint: 'Give the name of a service as in the compose file.',
    parse: (value) => matching(value, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'is not the name of a service'),
};
/** A compose project, by compose's own rule. */
const projectName = {
    hint: 'Give the name of the project as `docker compose ls` shows it.',
    parse: (value) => matching(value, /^[a-z0-9][a-z0-9_-]{0,127}$/, 'is not the name of a compose project'),
};
/** `user@bastion:port`; user and port are optional; IPv6 in brackets. */
const jumpHost = {
    hint: 'Give user@bastion:port, with an IPv6 address in brackets.',
    parse(value) {
        const [, user, bracketed, bare, portText] = /^(?:([^@]*)@)?(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(value) ?? [];
        const host = bracketed ?? bare;
        if (host === undefined)
            throw new RangeError('does not have the form user@bastion:port');
        return {
            user: user === undefined ? null : userName.parse(user),
            host: hostName.parse(host),
            port: portText === undefined ? null : grammar_port.parse(portText),
        };
    },
};
/** A time zone that this Node knows, such as `UTC` or `Europe/Berlin`. */
const timeZone = {
    hint: 'Give a name from the tz database such as UTC or Europe/Berlin.',
    parse(value) {
        try {
            new Intl.DateTimeFormat('en', { timeZone: value });
        }
        catch {
            throw new RangeError('is not a time zone');
        }
        return value;
    },
};
function main_path(value) {
    matching(value, /^\P{Cc}*$/u, 'contains a control character, such as a line break');
    if (value.split('/').includes('..'))
        throw new RangeError('contains ".."');
    return value;
}
/** The value. @throws RangeError with the reason if the pattern does not match */
function matching(value, pattern, reason) {
    if (!pattern.test(value))
        throw new RangeError(reason);
    return value;
}
function within(value, { min, max }, reason) {
    if (value < min || value > max)
        throw new RangeError(reason);
    return value;
}
const registry = {
    hint: 'Give the name of a registry such as ghcr.io or localhost:5000.',
    parse(value) {
        if (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/.test(value))
            return value;
        throw new RangeError('is not the name of a registry');
    },
};

// EXTERNAL MODULE: ./build/shared/sets/age-keys.js
var age_keys = __nccwpck_require__(40908);
;// CONCATENATED MODULE: ./build/shared/inputs/encryption-inputs.js



/** Reads them from the workflow. Call it within `readInputs`. */
function readEncryptionInputs(input) {
    const encryption = input.withDefault('encrypt', choice('none', 'age'), 'none');
    const given = input.optional('encrypt-to', recipientList);
    const recipients = given === null ? [] : given;
    input.rule(() => checkRecipients(encryption, recipients));
    return { encryption, recipients };
}
const recipientHint = 'Give public keys, one a line: age1… as age-keygen prints it, or ssh-ed25519 and ssh-rsa keys. Lines that begin with # are comments';
/** It may hold a private key by mistake, so its value is never shown. */
const recipientList = {
    hint: recipientHint,
    parse(value) {
        try {
            return (0,age_keys/* recipientsIn */.uB)(value);
        }
        catch (error) {
            if (!(error instanceof RangeError))
                throw error;
            throw new shared_failure/* InputError */.dz('encrypt-to', error.message, recipientHint);
        }
    },
};
/** Either is undefined if it could not be read; that has been reported by then. */
function checkRecipients(encryption, recipients) {
    if (encryption === 'age' && recipients?.length === 0) {
        throw new shared_failure/* InputError */.dz('encrypt-to', 'is required with encrypt: age', recipientHint);
    }
    if (encryption === 'none' && recipients?.length > 0) {
        throw new shared_failure/* InputError */.dz('encrypt-to', 'is given, but nothing is to be encrypted', 'Set "encrypt" to age as well');
    }
}

;// CONCATENATED MODULE: ./build/shared/inputs/dump-inputs.js



/** Reads them from the workflow. Call it within `readInputs`. */
function readDumpInputs(input) {
    const compression = input.withDefault('compression', choice('auto', 'zstd', 'gzip', 'none'), 'auto');
    const compressionLevel = input.optional('compression-level', integer({ min: 1, max: 19 }));
    input.rule(() => checkLevel(compression, compressionLevel));
    return {
        format: input.withDefault('format', choice('custom', 'plain'), 'custom'),
        compression,
        compressionLevel,
        ...readEncryptionInputs(input),
        rowCounts: input.withDefault('row-counts', choice('exact', 'estimate', 'off'), 'exact'),
        timezone: input.withDefault('timezone', timeZone, 'UTC'),
        minFreeSpace: input.withDefault('min-free-space', size, 1024 ** 3),
    };
}
/** A level has a meaning only for a given compressor, and each has its own range. */
function checkLevel(compression, level) {
    if (level === null)
        return;
    if (compression === 'auto' || compression === 'none') {
        throw new shared_failure/* InputError */.dz('compression-level', `has no meaning for compression "${compression}"`, 'Set "compression" to zstd or gzip as well');
    }
    if (compression === 'gzip' && level > 9) {
        throw new shared_failure/* InputError */.dz('compression-level', `is ${level}, but gzip has levels 1 to 9`, 'Give a number from 1 to 9');
    }
}

;// CONCATENATED MODULE: ./build/shared/inputs/history-inputs.js

const copies = {
    hint: 'Give artifact, or artifact,cache; leave it empty to keep the history on the host only.',
    parse(value) {
        const kinds = value.split(',').map((word) => choice('artifact', 'cache').parse(word.trim()));
        // A cache alone would not be a copy, so reject it instead of ignoring it.
        if (!kinds.includes('artifact'))
            throw new RangeError('names only a cache, which is not a copy: it says where the newest artifact is');
        return kinds;
    },
};
/** Reads them from the workflow. Call it within `readInputs`. */
function readHistoryInputs(input) {
    return {
        history: input.withEmpty('history', copies, [], ['artifact', 'cache']),
        githubToken: input.secret('github-token'),
    };
}

;// CONCATENATED MODULE: ./build/shared/inputs/host-inputs.js



/** Reads them from the workflow. Call it within `readInputs`. */
function readHostInputs(input) {
    const deployDir = input.withDefault('deploy-dir', absolutePath, '/opt/atlasia');
    const backupDir = input.withDefault('backup-dir', anyPath, 'backups');
    return {
        ssh: readSsh(input),
        environment: input.withDefault('environment', environmentName, 'prod'),
        deployDir,
        backupDir: host_inputs_inFolder(deployDir, backupDir),
        composeFiles: input.withDefault('compose-file', lines(relativePath), []),
        envFile: input.optional('env-file', anyPath),
        projectName: input.optional('project-name', projectName),
        databaseService: input.optional('db-service', serviceName),
        databaseName: input.optional('db-name', grammar_text),
        databaseUser: input.optional('db-user', grammar_text),
        lockWait: input.withDefault('lock-wait', duration, 5 * 60_000),
        timeout: input.withDefault('timeout', duration, 2 * 3_600_000),
    };
}
/** Makes a path from an input absolute; a relative one is below the deploy folder. Passes on the gap that a bad input left. */
function host_inputs_inFolder(folder, path) {
    if (path === undefined || folder === undefined)
        return path;
    return ((0,external_node_path_.isAbsolute)(path) ? path : (0,external_node_path_.join)(folder, path)).replace(/(.)\/+$/, '$1');
}
function readSsh(input) {
    const host = input.required('host', hostName, 'Give the name or address of the host, or "local"');
    // Read even if unused: reading masks a secret and removes it from the environment of child processes.
    const passphrase = input.secret('ssh-key-passphrase');
    const key = input.secret('ssh-key');
    if (host === 'local')
        return null;
    const port = input.withDefault('port', grammar_port, 22);
    // If one of the two was invalid, the operator has to fill it in.
    const keyscan = `ssh-keyscan${port === 22 ? '' : ` -p ${port ?? 'PORT'}`} ${host ?? 'HOST'}`;
    return {
        host,
        port,
        user: input.withDefault('user', userName, 'deploy'),
        key: input.rule(() => checkKey(key)),
        passphrase,
        knownHosts: input.required('known-hosts', grammar_text, `Run the command below from a place you trust. On the host itself, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must print one of the same fingerprints; then store the lines of the file known_hosts: ${keyscan} > known_hosts; ssh-keygen -lf known_hosts`),
        proxyJump: input.optional('proxy-jump', jumpHost),
    };
}
function checkKey(key) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's expression, not ours
    const hint = 'Store the whole private key file as a secret, and pass it: ssh-key: ${{ secrets.SSH_KEY }}';
    if (key === null) {
        const empty = 'If the secret belongs to an environment, the job must name it: environment: prod. A run from a fork gets no secrets';
        throw new shared_failure/* InputError */.dz('ssh-key', 'is required and was not given', `${hint}. ${empty}`);
    }
    if (/^\s*(ssh-|ecdsa-|sk-)/.test(key))
        throw new shared_failure/* InputError */.dz('ssh-key', 'contains a public key, not a private one', hint);
    if (!key.includes('PRIVATE KEY-----'))
        throw new shared_failure/* InputError */.dz('ssh-key', 'does not contain a private key', hint);
    return key;
}

;// CONCATENATED MODULE: ./build/shared/inputs/notice-inputs.js



/**
 * Reads them from the workflow. Call it within `readInputs`. The addresses are secrets: no message repeats them.
 * @param onRead gets what can be used of them, even if other inputs are bad: people are notified of such a run, too
 */
function readNoticeInputs(input, host, onRead) {
    const ping = input.secret('healthcheck-url');
    const mail = input.secret('smtp-url');
    const hook = input.secret('webhook-url');
    const hookSecret = input.secret('webhook-secret')?.trim() ?? null;
    const mailServer = mail === null ? null : input.rule(() => readMailServer(mail.trim()));
    const notices = {
        pingUrl: ping === null ? null : input.rule(() => readAddress('healthcheck-url', ping.trim())),
        mailServer,
        mailing: readMailing(input, mailServer),
        webhook: input.rule(() => {
            if (hook !== null)
                return { url: readAddress('webhook-url', hook.trim()), secret: hookSecret };
            if (hookSecret === null)
                return null;
            throw new shared_failure/* InputError */.dz('webhook-url', 'is missing, although its secret was given', 'Give both, or neither');
        }),
        evidence: input.withDefault('evidence', choice('none', 'artifact'), 'none'),
    };
    // What could not be read is undefined until `readInputs` throws.
    onRead({ ...usable(notices), environment: host.environment ?? null, database: host.databaseName ?? null });
    return notices;
}
function usable({ pingUrl, mailServer, mailing, webhook, evidence }) {
    return {
        pingUrl: pingUrl ?? null,
        mailServer: mailServer ?? null,
        mailing: mailing?.server && mailing.from && mailing.to ? mailing : null,
        webhook: webhook ?? null,
        evidence: evidence ?? 'none',
    };
}
/** A longer path contains a secret: an id, or a key with a name. */
const shortestPath = 16;
/** Of a ping or a webhook: https, or http to the runner itself. */
function readAddress(name, text) {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^https?:$/.test(url.protocol))
        throw new shared_failure/* InputError */.dz(name, 'is not an https address', 'Give the whole address, as the service shows it');
    mask(url.href);
    // A short word would be masked wherever else it occurs.
    if (url.pathname.length > shortestPath)
        mask(url.pathname.slice(1));
    decoded(url.username, name);
    notice_inputs_masked(url.password, name);
    if (url.protocol === 'http:' && !isLoopback(url))
        throw new shared_failure/* InputError */.dz(name, 'is not an https address', 'Give one that begins with https://: http shows the secret');
    url.hash = '';
    return url;
}
/** Addresses without names. */
const mailAddress = {
    hint: 'Give addresses such as ops@example.org.',
    parse(value) {
        if (/^[^\s@<>()[\]:;,"\\\p{Cc}]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/u.test(value))
            return value;
        throw new RangeError('is not a mail address');
    },
};
const mailAddresses = {
    hint: `${mailAddress.hint} Several are separated by commas, or one per line.`,
    parse(value) {
        const given = lines(mailAddress).parse(value.replaceAll(',', '\n'));
        if (given.length === 0)
            throw new RangeError('names nobody');
        return [...new Set(given)];
    },
};
function readMailing(input, server) {
    const from = input.optional('mail-from', mailAddress);
    const to = input.optional('mail-to', mailAddresses);
    const on = input.withDefault('mail-on', choice('failure', 'always', 'never'), 'failure');
    return input.rule(() => {
        if (server === null) {
            if (from === null && to === null)
                return null;
            throw new shared_failure/* InputError */.dz('smtp-url', 'is missing, although a mail address was given', 'Give the mail server');
        }
        if (on === 'never')
            return null;
        if (to === null) {
            throw new shared_failure/* InputError */.dz('mail-to', 'is missing, although a mail server was given', 'Give the addresses, or mail-on: never');
        }
        // undefined where an input was bad: that is reported already.
        const login = server?.login?.user ?? '';
        const sender = from === null && isAddress(login) ? login : from;
        if (sender === null)
            throw new shared_failure/* InputError */.dz('mail-from', 'is missing, and the login is not a mail address', 'Give the sender');
        return { server, from: sender, to, on };
    });
}
function isAddress(text) {
    try {
        return mailAddress.parse(text) === text;
    }
    catch {
        return false;
    }
}
function readMailServer(text) {
    const name = 'smtp-url';
    const hint = 'Give smtps://user:password@host:465, or smtp://user:password@host:587 for STARTTLS';
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^smtps?:$/.test(url.protocol))
        throw new shared_failure/* InputError */.dz(name, 'is not an smtp or smtps address', hint);
    const { hostname, port, username, password } = url;
    const isOpen = url.search === '?tls=none';
    if (!/^\/?$/.test(url.pathname) || (url.search !== '' && !isOpen) || url.hash !== '' || port === '0') {
        const escaped = 'Write / ? # @ : in a name or password as %2F %3F %23 %40 %3A';
        throw new shared_failure/* InputError */.dz(name, 'continues after the host, or has a character that must be escaped', escaped);
    }
    const host = hostname.replace(/^\[|\]$/g, '');
    if (!isHost(host))
        throw new shared_failure/* InputError */.dz(name, 'names no host', hint);
    if ((username === '') !== (password === ''))
        throw new shared_failure/* InputError */.dz(name, 'has only half a login: a name or a password is missing', hint);
    const isTls = url.protocol === 'smtps:';
    if (isOpen && (isTls || username !== ''))
        throw new shared_failure/* InputError */.dz(name, 'has ?tls=none, but also a login or smtps://', 'Without TLS a password would be seen: remove ?tls=none, or name a server that needs no login, as smtp://host:25?tls=none');
    return {
        host,
        port: port === '' ? (isTls ? 465 : isOpen ? 25 : 587) : Number(port),
        tls: isTls ? 'implicit' : isOpen ? 'none' : 'starttls',
        login: username === '' ? null : { user: decoded(username, name), password: notice_inputs_masked(password, name) },
    };
}
function isHost(host) {
    try {
        return hostName.parse(host) !== '';
    }
    catch {
        return false;
    }
}
function decoded(text, name) {
    try {
        return decodeURIComponent(text);
    }
    catch {
        throw new shared_failure/* InputError */.dz(name, 'has a % that does not begin an escape', 'Write a % in a name or password as %25');
    }
}
/** The whole address is masked already, but a server's answer may contain just the password, escaped or not. */
function notice_inputs_masked(text, name) {
    const plain = decoded(text, name);
    mask(text);
    mask(plain);
    return plain;
}

;// CONCATENATED MODULE: ./build/shared/inputs/registry-inputs.js


/** Without a colon: in HTTP basic authentication, a colon ends the name. */
const loginName = {
    hint: 'Give the name that belongs to the password.',
    parse(value) {
        if (/^[^\s:\p{Cc}]{1,200}$/u.test(value))
            return value;
        throw new RangeError('is not a login name');
    },
};
/** Reads them from the workflow. Call it within `readInputs`. */
function readRegistryInputs(input) {
    return { registry: input.withDefault('registry', registry, 'ghcr.io'), login: readLogin(input) };
}
function readLogin(input) {
    const password = input.secret('registry-password');
    const user = input.optional('registry-username', loginName);
    if (password === null && user === null)
        return null;
    return input.rule(() => {
        if (password === null) {
            throw new shared_failure/* InputError */.dz('registry-password', 'is missing, although a user name was given', "Set the secret that it comes from, or leave out registry-username: then the host's own login is used");
        }
        if (user !== null)
            return { user, password: password.trim() };
        throw new shared_failure/* InputError */.dz('registry-username', 'is missing, although a password was given', 
        // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's expression, not ours
        'Give registry-username: ${{ github.actor }}');
    });
}

// EXTERNAL MODULE: ./build/shared/releases/image-reference.js
var image_reference = __nccwpck_require__(9290);
;// CONCATENATED MODULE: ./build/shared/history/record.js




const idGrammar = /^\d{1,20}-\d{1,6}-[0-9a-f]{8}$/;
const longestLine = 256 * 1024;
/** How many unreadable lines are reported one by one. */
const mostProblems = 3;
/** UTF-16 units. */
const longestReason = 2_000;
/** True for the id of a record. */
function isRecordId(value) {
    return idGrammar.test(value);
}
/** The id of the record that a run will write. @param hex eight random hex digits */
function record_recordId(runId, attempt, hex) {
    return `${runId ?? '0'}-${attempt ?? '0'}-${hex}`;
}
/** Free text on one line. */
const record_line = (longest) => {
    const limited = (0,untrusted/* text */.Qq)(longest);
    return (value, place) => {
        const read = limited(value, place);
        if (/\p{Cc}/u.test(read))
            throw new shared_failure/* Failure */.HR('bad-value', `"${place}" contains a control character`);
        return read;
    };
};
const record_image = (0,untrusted/* textThat */.jk)((value) => {
    // A container may have been created from an image id.
    if ((0,release/* isImageId */.rw)(value))
        return true;
    try {
        return value.length <= 600 && (0,image_reference/* parseImageReference */.o_)(value) !== null;
    }
    catch {
        return false;
    }
}, 'an image reference');
const runningImage = (0,untrusted/* shape */.cW)({
    image: (0,untrusted/* orNull */.Xd)(record_image),
    tag: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)(image_reference/* isTag */.dz, 'a tag')),
    digest: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)(image_reference/* isDigest */.Bc, 'a digest')),
    imageId: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)(release/* isImageId */.rw, 'an image id')),
});
const record_release = (0,untrusted/* mapOf */.A7)(release/* isServiceName */.tN, runningImage, 200);
const hash = (0,untrusted/* textThat */.jk)((value) => /^[0-9a-f]{32}$/.test(value), 'a hash');
const settings = (0,untrusted/* shape */.cW)({
    compose: (0,untrusted/* textThat */.jk)((value) => /^[\w.+~-]{1,50}$/.test(value), 'a version'),
    kept: hash,
    services: (0,untrusted/* mapOf */.A7)(release/* isServiceName */.tN, hash, 200),
});
const backupId = (0,untrusted/* textThat */.jk)((value) => /^\d{8}_\d{6}$/.test(value), 'the id of a backup');
const record = (0,untrusted/* shape */.cW)({
    version: (0,untrusted/* oneOf */.yL)(1),
    id: (0,untrusted/* textThat */.jk)(isRecordId, 'the id of a record'),
    at: (0,untrusted/* textThat */.jk)((value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) && !Number.isNaN(Date.parse(value)), 'a time in ISO 8601 and UTC'),
    environment: record_line(200),
    event: (0,untrusted/* oneOf */.yL)('observed', 'deploy', 'rollback', 'restore', 'check', 'drill'),
    status: (0,untrusted/* oneOf */.yL)('succeeded', 'failed', 'reverted'),
    verdict: (0,untrusted/* oneOf */.yL)('good', 'bad', 'unknown'),
    release: record_release,
    previous: (0,untrusted/* orNull */.Xd)(record_release),
    schemaSha256: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)((value) => /^[0-9a-f]{64}$/.test(value), 'a SHA-256')),
    backupId: (0,untrusted/* orNull */.Xd)(backupId),
    restoredId: (0,untrusted/* orNull */.Xd)(backupId),
    reason: (0,untrusted/* orNull */.Xd)(record_line(longestReason)),
    actor: (0,untrusted/* orNull */.Xd)(record_line(200)),
    runUrl: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)((value) => value.length <= 2_048 && /^https?:\/\/[!-~]+$/.test(value), 'an http(s) address')),
    commit: (0,untrusted/* orNull */.Xd)((0,untrusted/* textThat */.jk)((value) => /^[0-9a-f]{7,64}$/.test(value), 'a commit')),
    settings: (0,untrusted/* orNull */.Xd)(settings),
    durationMs: (0,untrusted/* orNull */.Xd)(untrusted/* milliseconds */.Rz),
    downtimeMs: (0,untrusted/* orNull */.Xd)(untrusted/* milliseconds */.Rz),
});
/** Reads one record. @throws Failure `bad-value` */
function readHistoryRecord(value) {
    return record(value, '');
}
/** The record as a line of the history, without a line break. */
function historyLine(value) {
    return JSON.stringify(value);
}
/**
 * Reads a history. Unreadable lines, such as a last line cut by a power failure, are reported and left out.
 * @returns records in the order of the file, only the last of those with the same id; and a few problems, never a flood
 */
function parseHistory(history) {
    const records = new Map();
    const problems = [];
    let more = 0;
    history.split('\n').forEach((each, index) => {
        if (each.trim() === '')
            return;
        const read = parseRecord(each);
        if (typeof read !== 'string')
            records.set(read.id, read);
        else if (problems.length < mostProblems)
            problems.push(`line ${index + 1} of the history cannot be read: ${read}`);
        else
            more += 1;
    });
    if (more > 0)
        problems.push(`${more} more lines of the history cannot be read`);
    return { records: [...records.values()], problems };
}
/** The record in a line, or why it is not one. */
function parseRecord(text) {
    if (text.length > longestLine)
        return 'it is too long';
    // There may be millions of junk lines: catching a parse error for each would be slow.
    if (!text.trimStart().startsWith('{'))
        return 'it is not JSON';
    try {
        return readHistoryRecord(JSON.parse(text));
    }
    catch (error) {
        return (0,shared_failure/* isFailure */.N6)(error) ? error.message : 'it is not JSON';
    }
}

;// CONCATENATED MODULE: ./build/shared/plan/target.js



/** Reads the input. @throws RangeError whose message completes "Input target …" */
function parseTarget(value) {
    if (value.includes('='))
        return { kind: 'services', images: readServices(value) };
    if ((0,image_reference/* isDigest */.Bc)(value))
        return { kind: 'digest', digest: value };
    if (isRecordId(value))
        return { kind: 'record', id: value };
    if ((0,image_reference/* isTag */.dz)(value))
        return { kind: 'tag', tag: value };
    throw new RangeError('is not a tag, a digest, a list of service=tag, or the id of a record');
}
function readServices(value) {
    const lines = value.split(/[\n,]/).flatMap(readService);
    const twice = lines.find(([service], index) => lines.findIndex(([other]) => other === service) < index);
    if (twice !== undefined)
        throw new RangeError(`names ${twice[0]} twice`);
    return new Map(lines);
}
function readService(line) {
    if (line.trim() === '')
        return [];
    const at = line.indexOf('=');
    const [service, image] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 0 || !(0,release/* isServiceName */.tN)(service))
        throw new RangeError('has a line that is not service=tag');
    if ((0,image_reference/* isDigest */.Bc)(image))
        return [[service, { digest: image }]];
    if ((0,image_reference/* isTag */.dz)(image))
        return [[service, { tag: image }]];
    throw new RangeError(`gives neither a tag nor a digest for ${service}`);
}

;// CONCATENATED MODULE: ./build/shared/runner/input-reader.js




/** How much of a bad value the log shows. */
const shownLength = 80;
/**
 * Reads inputs into the object that `read` returns. Reports every bad input, not just the first, because each attempt costs
 * the operator a run. `read` may throw an InputError itself, for rules about several inputs.
 * @throws InputError for one bad input, Failure `bad-input` for several
 */
function readInputs(read) {
    const problems = [];
    const result = noting(problems, () => read(reader(problems)));
    const [first, ...others] = problems;
    if (first === undefined)
        return result;
    throw others.length === 0 ? first : severalProblems(problems);
}
function reader(problems) {
    const readText = (name) => lib_core/* getInput */.V4(name);
    const parse = (name, grammar, text) => noting(problems, () => parsed(name, grammar, text));
    return {
        required(name, grammar, hint = grammar.hint) {
            const text = readText(name);
            if (text !== '')
                return parse(name, grammar, text);
            return noting(problems, () => {
                throw new shared_failure/* InputError */.dz(name, 'is required and was not given', hint);
            });
        },
        optional(name, grammar) {
            const text = readText(name);
            return text === '' ? null : parse(name, grammar, text);
        },
        withDefault(name, grammar, value) {
            const text = readText(name);
            return text === '' ? value : parse(name, grammar, text);
        },
        withEmpty(name, grammar, empty, value) {
            // The runner uses a declared default only if the workflow does not name the input.
            if (process.env[`INPUT_${name.toUpperCase()}`] === undefined)
                return value;
            const text = readText(name);
            return text === '' ? empty : parse(name, grammar, text);
        },
        secret(name) {
            const secret = lib_core/* getInput */.V4(name, { trimWhitespace: false });
            if (secret.trim() === '')
                return null;
            mask(secret);
            delete process.env[`INPUT_${name.toUpperCase()}`];
            return secret;
        },
        rule: (read) => noting(problems, read),
    };
}
function parsed(name, grammar, text) {
    try {
        return grammar.parse(text);
    }
    catch (error) {
        if (!(error instanceof RangeError))
            throw error;
        throw new shared_failure/* InputError */.dz(name, `${error.message} (given: "${(0,shared_clean/* cleanLine */.Ow)(text, shownLength)}")`, grammar.hint);
    }
}
/**
 * Notes a bad input and continues with undefined in its place. This gap never leaves `readInputs`, which throws the noted
 * errors. Another error that follows from a gap is ignored.
 */
function noting(problems, read) {
    try {
        return read();
    }
    catch (error) {
        if (error instanceof shared_failure/* InputError */.dz)
            problems.push(error);
        else if (problems.length === 0)
            throw error;
        return undefined;
    }
}
function severalProblems(problems) {
    const reasons = problems.map(({ field, reason }) => `"${field}" ${reason}`);
    const hints = problems.map(({ field, hint }) => `${field}: ${hint}`);
    return new shared_failure/* Failure */.HR('bad-input', `${problems.length} inputs cannot be used: ${reasons.join('; ')}`, {
        hint: hints.join('\n'),
    });
}

;// CONCATENATED MODULE: ./build/shared/inputs/offsite-inputs.js


const bucketName = {
    hint: 'Give the name of the bucket alone, such as acme-backups.',
    parse: (value) => matching(value, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not the name of a bucket'),
};
const offsite_inputs_prefix = {
    hint: 'Give folders such as atlasia-backups or backups/shop, without a slash at either end.',
    parse: (value) => matching(value, 
    // Servers and libraries read . and .. as they like.
    /^(?!(.*\/)?\.{1,2}(\/|$))[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/, 'is not a prefix of folders'),
};
const region = {
    hint: 'Give a region such as eu-central-1.',
    parse: (value) => matching(value, /^[a-z0-9][a-z0-9-]{0,62}$/, 'is not a region'),
};
/** As one copies it from the page of a provider: it would become part of every key. */
function demandNoBucket(endpoint, bucket) {
    if (!endpoint?.pathname.replace(/\/+$/, '').endsWith(`/${bucket}`))
        return;
    throw new shared_failure/* InputError */.dz('s3-endpoint', 'ends with the name of the bucket', `Give it without /${bucket}`);
}
/** Reads them from the workflow. Call it within `readInputs`. */
function readOffsiteInputs(input) {
    const bucket = input.optional('s3-bucket', bucketName);
    const place = {
        prefix: input.withDefault('s3-prefix', offsite_inputs_prefix, 'atlasia-backups'),
        region: input.optional('s3-region', region),
        endpoint: input.optional('s3-endpoint', safeUrl),
    };
    return input.rule(() => {
        if (bucket !== null) {
            demandNoBucket(place.endpoint, bucket);
            return { bucket: { bucket, ...place } };
        }
        demandNothing({ region: place.region, endpoint: place.endpoint });
        return { bucket: null };
    });
}
/** Without a bucket, nothing else of it may be given. @param given by name without `s3-`; null for what was not given */
function demandNothing(given) {
    const [name] = Object.entries(given).find(([, value]) => value != null) ?? [];
    if (name === undefined)
        return;
    throw new shared_failure/* InputError */.dz('s3-bucket', `is missing, although "s3-${name}" was given`, 'Give the name of the bucket');
}

// EXTERNAL MODULE: ./build/shared/sets/age-identities.js + 1 modules
var age_identities = __nccwpck_require__(61823);
// EXTERNAL MODULE: ./build/shared/sets/naming.js
var naming = __nccwpck_require__(29462);
;// CONCATENATED MODULE: ./build/rollback-action/restore-inputs.js





const confirmation = 'RESTORE';
const restoreDatabase = {
    hint: 'Give paired for the backup that belongs to the target, the id of a backup such as 20261125_021700, or none.',
    parse(value) {
        if (value === 'none' || value === 'paired' || (0,naming/* startOf */.GH)(value) !== null)
            return value;
        throw new RangeError('is neither none, nor paired, nor the id of a backup');
    },
};
const restore_inputs_sqlFile = {
    ...sqlFile,
    parse(value) {
        const text = sqlFile.parse(value);
        if (text.trim() === '')
            throw new RangeError('is an empty file');
        return text;
    },
};
/** Call it within `readInputs`. @returns null if nothing is to be restored */
function readRestoreInputs(input, beside) {
    const wanted = input.withDefault('restore-database', restoreDatabase, 'none');
    const confirm = input.optional('confirm-restore', line);
    const from = input.withDefault('restore-from', choice('host', 's3'), 'host');
    const environment = input.optional('restore-environment', environmentName);
    const afterSql = input.optional('after-restore-sql', restore_inputs_sqlFile);
    const decryptKey = input.secret('decrypt-key');
    const { bucket } = readOffsiteInputs(input);
    if (wanted === 'none') {
        input.rule(() => demandNoOther({ from, environment, afterSql, decryptKey, bucket, confirm }));
        input.rule(() => restore_inputs_checkKey(decryptKey));
        return null;
    }
    const isAlone = wanted !== 'paired' && beside.isOpen;
    input.rule(() => checkConfirmation(beside.planOnly, confirm));
    input.rule(() => checkSource(from, bucket));
    input.rule(() => checkEnvironment(wanted, from, environment));
    input.rule(() => restore_inputs_checkKey(decryptKey));
    input.rule(() => checkBeside(isAlone, beside));
    return { wanted, isAlone, from, bucket, environment, decryptKey, afterSql };
}
/** Without the restore, an input of it would silently do nothing. */
function demandNoOther({ from, environment, afterSql, decryptKey, bucket, confirm, }) {
    const given = [
        ['restore-from', from === 's3'],
        ['restore-environment', environment !== null],
        ['after-restore-sql', afterSql !== null],
        ['decrypt-key', decryptKey !== null],
        ['s3-bucket', bucket != null],
        ['confirm-restore', confirm !== null],
    ];
    const [name] = given.find(([, isGiven]) => isGiven) ?? [];
    if (name === undefined)
        return;
    throw new shared_failure/* InputError */.dz(name, 'has no effect because "restore-database" is none', 'Set "restore-database" to paired or to the id of a backup, or leave this input out');
}
/** What was written since the backup is given up: nobody should do that with a careless click either. */
function checkConfirmation(planOnly, confirm) {
    if (planOnly || confirm === confirmation)
        return;
    throw new shared_failure/* InputError */.dz('confirm-restore', confirm === null ? 'is required because "restore-database" is given' : `must be "${confirmation}"`, `Write ${confirmation} into the box "confirm-restore" of the form, in capital letters. In a workflow file: confirm-restore: ${confirmation}. To see first what would be given up, tick the box "plan-only". In a workflow file: plan-only: true`);
}
function checkSource(from, bucket) {
    if (bucket === undefined)
        return;
    if (from === 's3' && bucket === null)
        throw new shared_failure/* InputError */.dz('restore-from', 'needs the bucket with the copies', 'Give "s3-bucket" as well');
    if (from === 'host' && bucket !== null)
        throw new shared_failure/* InputError */.dz('s3-bucket', 'has no effect because "restore-from" is host', 'Set restore-from: s3');
}
/** Such as of production, for a copy on the host of staging. */
function checkEnvironment(wanted, from, environment) {
    if (environment == null || wanted === undefined)
        return;
    if (from === 'host')
        throw new shared_failure/* InputError */.dz('restore-environment', 'has no effect because "restore-from" is host', 'On the host, an id names a backup whatever its environment: leave it out, or set restore-from: s3');
    if (wanted === 'paired')
        throw new shared_failure/* InputError */.dz('restore-environment', 'cannot be combined with paired: a release of this environment has its backups in this environment', 'Set "restore-database" to the id of a backup');
}
function restore_inputs_checkKey(key) {
    if (key == null)
        return;
    try {
        (0,age_identities/* identitiesIn */.A)(key);
    }
    catch (error) {
        if (!(error instanceof RangeError))
            throw error;
        throw new shared_failure/* InputError */.dz('decrypt-key', error.message, 'Give the file that age-keygen has written, or just its line AGE-SECRET-KEY-1…, or an SSH key without a passphrase, as a secret');
    }
}
function checkBeside(isAlone, { strategy, compose }) {
    if (strategy === 'blue-green')
        throw new shared_failure/* InputError */.dz('strategy', 'cannot be blue-green together with "restore-database": whatever writes has to stop', 'Leave "strategy" out');
    if (isAlone && compose === 'kept')
        throw new shared_failure/* InputError */.dz('compose', 'has no effect where only the database is restored', 'Leave "compose" out');
}

;// CONCATENATED MODULE: ./build/rollback-action/inputs.js










/** The word that must be typed, and the environments that require it. */
const inputs_confirmation = 'ROLLBACK';
const confirmed = ['prod', 'production'];
const target = {
    hint: 'Leave it empty for the last good release, or give a tag, service=tag lines, a digest, or the id of a record in the history.',
    parse: parseTarget,
};
const planHash = {
    hint: 'Give the hash that a run with plan-only printed.',
    parse(value) {
        if (/^[0-9a-f]{64}$/.test(value))
            return value;
        throw new RangeError('is not 64 lower-case hex digits');
    },
};
/** @throws InputError, or a Failure that lists several */
function readRollbackInputs(onNotices = () => { }) {
    return readInputs((input) => {
        const host = readHostInputs(input);
        readNoticeInputs(input, host, onNotices);
        const planOnly = input.withDefault('plan-only', grammar_boolean, false);
        const confirm = input.optional('confirm', line);
        const chosen = input.withDefault('target', target, { kind: 'last-good' });
        const named = input.optional('services', services);
        const strategy = input.withDefault('strategy', choice('auto', 'recreate', 'blue-green'), 'auto');
        const compose = input.withDefault('compose', choice('current', 'kept'), 'current');
        const isOpen = chosen?.kind === 'last-good' && named === null;
        const restore = readRestoreInputs(input, { planOnly, isOpen, strategy, compose });
        input.rule(() => inputs_checkConfirmation(host.environment, planOnly, confirm));
        return {
            ...host,
            ...readDumpInputs(input),
            ...readHistoryInputs(input),
            target: chosen,
            services: named,
            reason: input.optional('reason', line),
            skipBackup: input.withDefault('skip-backup', grammar_boolean, false),
            keepPrerollback: input.withDefault('keep-prerollback', allOrNumber, 10),
            planOnly,
            expectPlan: input.optional('expect-plan', planHash),
            ...readRegistryInputs(input),
            strategy,
            proxyService: input.optional('proxy-service', serviceName),
            jobs: input.withDefault('jobs', choice('run', 'skip'), 'run'),
            stopTimeout: input.optional('stop-timeout', duration),
            healthTimeout: input.withDefault('health-timeout', duration, 5 * 60_000),
            healthUrl: input.optional('health-url', httpUrl),
            stableFor: input.withDefault('stable-for', duration, 10_000),
            maxDowntime: input.optional('max-downtime', duration),
            onFailure: input.withDefault('on-failure', choice('revert', 'leave'), 'revert'),
            persist: input.withDefault('persist', choice('retag', 'none'), 'retag'),
            compose,
            hold: input.withDefault('hold', grammar_boolean, true),
            restore,
            schemaGuard: input.withDefault('schema-guard', choice('destructive', 'any', 'off'), 'destructive'),
        };
    });
}
/** One per line, or several on a line separated by commas. */
const services = {
    hint: 'Give service names as in the compose file, one per line.',
    parse: (value) => lines(serviceName).parse(value.replaceAll(',', '\n')),
};
/** Nobody should roll production back with one careless click. */
function inputs_checkConfirmation(environment, planOnly, confirm) {
    if (planOnly || !confirmed.includes(environment) || confirm === inputs_confirmation)
        return;
    throw new shared_failure/* InputError */.dz('confirm', confirm === null
        ? `is required because the environment is ${environment}`
        : `must be "${inputs_confirmation}" because the environment is ${environment}`, `Write ${inputs_confirmation} into the box "confirm" of the form, in capital letters. In a workflow file: confirm: ${inputs_confirmation}. To see the plan first, tick the box "plan-only". In a workflow file: plan-only: true`);
}

// EXTERNAL MODULE: ./build/shared/sets/last-good.js
var last_good = __nccwpck_require__(76902);
;// CONCATENATED MODULE: ./build/rollback-action/notice.js



/** A plan, and a target that is running already, are successes, as they are for the workflow. */
function rollbackReport({ seen, plan, carried, backup, loaded }, { status }) {
    const known = seen === null ? null : (0,last_good/* lastGoodIn */.RT)(seen, null);
    const isDone = status === 'rolled-back';
    const problems = [...(isDone ? (loaded?.problems ?? []) : []), ...(carried?.outcome.problems ?? [])];
    const done = plan === null ? 'Rolled back' : doneIn(plan);
    const outcomes = {
        'rolled-back': `${done}${carried === null ? '' : `; longest downtime: ${downtimeOf(carried.outcome)}`}`,
        planned: 'A plan was made, and nothing was changed',
        unchanged: 'The target is already running, and nothing was done',
    };
    return {
        verdict: isDone && problems.length > 0 ? 'incomplete' : 'success',
        outcome: outcomes[status] ?? null,
        remarks: problems,
        database: known?.database ?? null,
        backup: backup === null ? null : { id: backup.id, sizeBytes: backup.sizeBytes, sha256: backup.sha256, file: backup.file },
        lastGood: backup === null ? (known?.lastGood ?? 'unknown') : (0,last_good/* goodBackup */.QC)(backup.id),
        offsite: null,
        checks: [
            ...(backup?.checks ?? []).map((check) => ({ ...check, group: 'backup', severity: 'error' })),
            ...(loaded?.findings ?? []).map(({ name, result, severity, detail, ms }) => {
                return { name, group: 'restore', result, severity, detail, ms };
            }),
        ],
        // What was read is compared with the plan's digest before it counts as restored.
        restored: loaded === null || plan === null || plan.restore === null
            ? null
            : { id: plan.restore.backupId, sha256: plan.restore.sha256, copy: plan.restore.copy },
        recoveryMs: loaded?.restoreMs ?? null,
    };
}

;// CONCATENATED MODULE: ./build/rollback-action/outputs.js
/** Every output with its initial value: what it says if the action fails early. */
const noOutputs = () => ({
    status: 'refused',
    from: null,
    to: null,
    'plan-hash': null,
    'transaction-id': null,
    'backup-id': null,
    'downtime-ms': null,
    'failed-requests': null,
    'duration-ms': null,
    'history-id': null,
    evidence: null,
});

// EXTERNAL MODULE: ./build/shared/by-text.js
var by_text = __nccwpck_require__(14295);
;// CONCATENATED MODULE: ./build/shared/history/audit-line.js


/**
 * The record as a line for people, without its line break:
 * `<time> <event> <status> <verdict> <service>=<tag>@<digest>… by=<actor> run=<url> id=<id>`. Unknown values are a dash.
 */
function auditLine({ at, event, status, verdict, release, actor, runUrl, id }) {
    const services = Object.entries(release)
        .toSorted(([a], [b]) => (0,by_text/* byText */.z)(a, b))
        .map(([service, { tag, digest, imageId }]) => `${service}=${tag ?? '-'}@${digest ?? imageId ?? '-'}`);
    return [at, event, status, verdict, ...services, `by=${word(actor)}`, `run=${word(runUrl)}`, `id=${id}`].join(' ');
}
function word(value) {
    return value === null ? '-' : (0,shared_clean/* cleanLine */.Ow)(value, 300).replace(/\s+/g, '_') || '-';
}

;// CONCATENATED MODULE: ./build/shared/history/host-file.js



const program = {
    name: 'record',
    step: 'the update of the history',
    scripts: [new URL(/* asset import */ __nccwpck_require__(37812), __nccwpck_require__.b), new URL(/* asset import */ __nccwpck_require__(6779), __nccwpck_require__.b)],
};
/** Adds records to the history on the host. @throws Failure `history-unwritable` */
async function appendHistory(connection, addition) {
    await run(connection, '', addition);
}
/** Releases the hold on deployments, and records who did so. @throws Failure `history-unwritable` */
async function releaseHold(connection, addition) {
    await run(connection, 'yes', addition);
}
function recordParameters(records) {
    return {
        record_ids: records.map(({ id }) => id),
        records: records.map(historyLine),
        audit_lines: records.map(auditLine),
    };
}
async function run(connection, releaseFirst, { backupDir, records, onLog }) {
    const parameters = { backup_dir: backupDir, release_hold: releaseFirst, ...recordParameters(records) };
    try {
        await connection.run(program, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result;
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error, 'history-unwritable'))
            throw error;
        throw new shared_failure/* Failure */.HR(error.code, error.message, {
            hint: `Check its owner and the free space: ls -l ${backupDir}/rollback; df -h ${backupDir}`,
            cause: error.cause,
        });
    }
}

;// CONCATENATED MODULE: ./build/shared/history/legacy.js


/** How many of the newest lines are imported: each is written and flushed on its own. */
const mostLines = 200;
/**
 * Imports what the old scripts wrote into deployment_tags.log: `YYYYMMDD_HHMMSS,tag,tag`. They wrote the tag that was being
 * replaced, and the backend's tag into both columns, so these records are shown but never chosen as a target. The same line
 * always becomes the same record. Only the last lines are imported.
 */
function importLegacy(log, environment) {
    const lines = new Set(log.split('\n').map((line) => line.trim()));
    return [...lines].flatMap((line) => readLine(line, environment)).slice(-mostLines);
}
function readLine(line, environment) {
    const [, time, backend = '', frontend = ''] = /^(\d{8}_\d{6}),([^,\s]+),([^,\s]+)$/.exec(line) ?? [];
    const at = time === undefined ? null : isoTime(time);
    if (at === null || !(0,image_reference/* isTag */.dz)(backend) || !(0,image_reference/* isTag */.dz)(frontend))
        return [];
    const hex = (0,external_node_crypto_.createHash)('sha256').update(`${environment}\n${line}`).digest('hex').slice(0, 8);
    const image = (tag) => ({ image: null, tag, digest: null, imageId: null });
    return [
        {
            version: 1,
            id: `0-0-${hex}`,
            at,
            environment,
            event: 'observed',
            status: 'succeeded',
            verdict: 'unknown',
            release: { backend: image(backend), frontend: image(frontend) },
            previous: null,
            schemaSha256: null,
            backupId: null,
            restoredId: null,
            reason: "Imported from the old scripts' log, where the tag may be the one that was replaced",
            actor: null,
            runUrl: null,
            commit: null,
            settings: null,
            durationMs: null,
            downtimeMs: null,
        },
    ];
}
function isoTime(time) {
    const iso = time.replace(/^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6.000Z');
    const date = new Date(iso);
    return Number.isNaN(date.getTime()) || date.toISOString() !== iso ? null : iso;
}

;// CONCATENATED MODULE: ./build/shared/history/union.js


/**
 * Merges the host's history with its copies. Records are only ever added, so copies that were written at the same time
 * complete each other. If host and copy both have an id, the host's record counts.
 * @returns oldest first; records of the same moment by id
 */
function unite(host, mirrors) {
    const entries = new Map();
    const texts = mirrors.flat().toSorted((a, b) => (0,by_text/* byText */.z)(historyLine(a), historyLine(b)));
    for (const record of texts)
        entries.set(record.id, { record, source: 'mirror' });
    for (const record of host)
        entries.set(record.id, { record, source: 'host' });
    return [...entries.values()].toSorted(({ record: a }, { record: b }) => Date.parse(a.at) - Date.parse(b.at) || (0,by_text/* byText */.z)(a.id, b.id));
}
/** How many of the newest records are restored: each is written and flushed on its own. The copies keep the others. */
const mostMended = 500;
/**
 * The records that a host which has lost its history gets back from the copies. A copy may be forged, so what it calls good
 * becomes unknown; what it calls bad stays bad, as it is worse to forget that than to be warned in vain. Tags and digests are kept, as they only work within a repository; ids are dropped, as they may match any image.
 */
function recordsToMend(host, mirrors, environment) {
    if (host.length > 0)
        return [];
    return unite([], mirrors)
        .map(({ record }) => record)
        .filter((record) => record.environment === environment)
        .slice(-mostMended)
        .map((record) => ({
        ...record,
        // They name a file of this host.
        settings: null,
        verdict: record.verdict === 'bad' ? 'bad' : 'unknown',
        release: withoutIds(record.release),
        previous: record.previous === null ? null : withoutIds(record.previous),
    }));
}
/** The release with only its tags and digests. */
function withoutIds(release) {
    return Object.fromEntries(Object.entries(release).map(([service, image]) => [service, { ...image, imageId: null }]));
}
/** The history as one text of at most `limit` bytes. The oldest records are left out if it would be longer. */
function mirrorText(entries, limit) {
    const lines = [];
    let size = 0;
    for (const { record } of entries.toReversed()) {
        const line = `${historyLine(record)}\n`;
        size += Buffer.byteLength(line);
        if (size > limit)
            break;
        lines.unshift(line);
    }
    return lines.join('');
}

;// CONCATENATED MODULE: ./build/shared/history/known-history.js



/** Bytes: the largest copy that is stored as an artifact on GitHub. */
const longestMirror = 1024 * 1024;
/**
 * @param hostText `history.jsonl`; null if it does not exist
 * @param auditTrail `deployment_tags.log`, which may come from the old scripts
 */
function gatherHistory(environment, hostText, auditTrail, mirrorTexts) {
    const { records, problems } = parseHistory(hostText ?? '');
    const mirrors = mirrorTexts.map((text) => parseHistory(text).records);
    const known = new Set(records.map(({ id }) => id));
    const legacy = importLegacy(auditTrail ?? '', environment).filter(({ id }) => !known.has(id));
    return {
        host: records,
        mirrors,
        missing: [...legacy, ...recordsToMend(records, mirrors, environment)],
        problems,
    };
}
/** All that is known, oldest first. */
function entriesOf({ host, mirrors, missing }) {
    return unite([...missing, ...host], mirrors);
}
/** Whether the copies lack a record that the host has or is about to get. If so, a new copy must be stored. */
function copiesLack(knownHistory, added) {
    const copied = new Set(knownHistory.mirrors.flat().map(({ id }) => id));
    return [...knownHistory.missing, ...knownHistory.host, ...added].some(({ id }) => !copied.has(id));
}
/** Stores the whole history, including the records that this run has added. */
async function storeCopies(knownHistory, added, mirror) {
    const host = [...knownHistory.missing, ...knownHistory.host, ...added];
    const textWith = (others) => mirrorText(unite(host, others), longestMirror);
    const merge = (other) => textWith([...knownHistory.mirrors, parseHistory(other).records]);
    return (await mirror.save(textWith(knownHistory.mirrors), merge)).notices;
}

// EXTERNAL MODULE: ./build/shared/host/lock-holder.js
var lock_holder = __nccwpck_require__(39135);
// EXTERNAL MODULE: ./build/shared/survey/compose-call.js
var compose_call = __nccwpck_require__(20676);
;// CONCATENATED MODULE: ./build/shared/releases/kept-compose.js


const keeping = {
    name: 'keep-compose',
    step: 'keeping the compose files',
    scripts: [new URL(/* asset import */ __nccwpck_require__(78188), __nccwpck_require__.b)],
};
const reading = {
    name: 'read-kept',
    step: 'reading the kept compose files',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(37491), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(68303), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(23469), __nccwpck_require__.b),
    ],
};
/**
 * Keeps the compose files and the configuration of a release on the host, beside its history.
 * @param id of the settings: see settings-hash.ts
 * @returns the folder on the host
 * @throws Failure `write-failed`
 */
async function keepCompose(connection, { backupDir, id, config, files, envFiles }, onLog) {
    const parameters = { backup_dir: backupDir, id, config, files, env_files: envFiles };
    return (await connection.run(keeping, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result).get('kept');
}
/** @param directory the folder of the project, absolute @returns null if the host has not kept it */
async function readKept(connection, where, signal, onLog) {
    const { backupDir, deployDir, id, project, directory } = where;
    const env_lines = (0,compose_call/* composeLines */.GF)({ envFiles: where.call.envFiles });
    const parameters = { backup_dir: backupDir, deploy_dir: deployDir, id, project, directory, env_lines };
    try {
        const records = await connection.run(reading, parameters, { deadline: 60_000, atEnd: 'end', signal, onLog }).result;
        const config = records.get('config');
        if (config.trim() === '')
            throw unusable(id);
        return {
            config,
            values: records.find('values') ?? '',
            projectState: records.get('project-state').trim(),
            call: {
                files: [`${backupDir}/rollback/compose/${id}/config.json`],
                envFiles: where.call.envFiles,
                projectDirectory: directory,
                // Which of them are on is not known: services without a container are left alone anyway.
                profiles: ['*'],
                variables: [],
            },
            files: records
                .get('files')
                .split('\n')
                .filter((line) => line !== ''),
        };
    }
    catch (error) {
        if ((0,shared_failure/* isFailure */.N6)(error, 'not-kept'))
            return null;
        throw error;
    }
}
function unusable(id) {
    return new shared_failure/* Failure */.HR('bad-compose-config', `Compose cannot read the configuration that was kept as ${id}`, {
        hint: "Set compose: current, or compare the files in rollback/compose of the backup folder with today's",
    });
}

;// CONCATENATED MODULE: ./build/shared/runner/cache-store.js



// The key of a cache says where the newest artifact is. The content of a cache is never unpacked: any job of the main branch
// can write one, and its files could overwrite files of this job, which has the keys of production.
/** The id of the artifact to which the newest cache points; null if there is none. @param name of the artifact */
async function findPointer(name) {
    const { isFeatureAvailable, restoreCache } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(371), __nccwpck_require__.e(91)]).then(__nccwpck_require__.bind(__nccwpck_require__, 18091));
    if (!isFeatureAvailable())
        return null;
    const key = await restoreCache([storedPath()], prefixOf(name), [prefixOf(name)], { lookupOnly: true });
    return key === undefined ? null : pointerIn(key, name);
}
/**
 * Lets later runs find the artifact at once.
 * @returns false if it could not be saved; true too if the runner has no cache
 * @param run `<run id>-<attempt>`; caches cannot change, so each run has its own
 */
async function savePointer(name, run, artifactId) {
    const { isFeatureAvailable, saveCache } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(371), __nccwpck_require__.e(91)]).then(__nccwpck_require__.bind(__nccwpck_require__, 18091));
    if (!isFeatureAvailable())
        return true;
    const path = storedPath();
    (0,external_node_fs_.mkdirSync)(path, { recursive: true });
    try {
        // The library only warns where it fails.
        return (await saveCache([path], `${prefixOf(name)}${run}-${artifactId}`)) !== -1;
    }
    finally {
        (0,external_node_fs_.rmSync)(path, { recursive: true });
    }
}
/** The artifact's id in the key of a cache; null if the key is not ours. */
function pointerIn(key, name) {
    const prefix = prefixOf(name);
    const id = key.startsWith(prefix) ? /^\d{1,20}-\d{1,6}-(\d{1,15})$/.exec(key.slice(prefix.length))?.[1] : undefined;
    return id === undefined ? null : Number(id);
}
/** Names of artifacts contain no slash, so no environment's prefix is the beginning of another's. */
function prefixOf(name) {
    return `${name}/`;
}
/** GitHub finds a cache only by the same path. All of GitHub's own runners have the same one; others may find nothing. */
function storedPath() {
    return (0,external_node_path_.join)(process.env['RUNNER_TEMP'] ?? (0,external_node_os_.tmpdir)(), 'deployment-history-pointer');
}

// EXTERNAL MODULE: ./build/shared/runner/provenance.js
var provenance = __nccwpck_require__(54032);
;// CONCATENATED MODULE: ./build/shared/runner/history-mirror.js






/** For one of several copies: a slow one must not cost the others. */
const patienceForOne = 10_000;
/** For the cache, which only saves time. */
const patienceForCache = 3_000;
/** How many copies to merge. */
const mostCopies = 10;
/** How many to look at if the newest are not trusted. */
const history_mirror_mostCandidates = 30;
/** Pages of the list to read. GitHub's list has no order, so read all of it. */
const mostPages = 10;
const day = 24 * 3_600_000;
/** The copies of one environment's history, in GitHub's artifacts; a cache says where the newest is. */
function historyMirror(request) {
    return {
        async load() {
            const { kinds, token, workflow } = request;
            if (!kinds.includes('artifact'))
                return { texts: [], notices: [], needsRefresh: false };
            const failed = (why) => ({ texts: [], notices: [`Could not read copies of the history: ${why}`] });
            if (token === null)
                return { ...failed('no "github-token" was given'), needsRefresh: true };
            const trust = trustOf(workflow);
            if (trust === null || workflow.repository === null)
                return { ...failed('the workflow does not name its repository and main branch'), needsRefresh: true };
            const { repository } = workflow;
            return limited(() => loadTrusted({ ...request, token, repository }, trust), (why) => ({ ...failed(advised(why)), needsRefresh: true }));
        },
        async save(text, merge) {
            if (!request.kinds.includes('artifact'))
                return { notices: [] };
            return limited(() => store(request, text, merge), (why) => ({ notices: [`Could not store a copy of the history: ${advised(why)}`] }));
        },
    };
}
/** Whose copies to accept; null if that is unknown: then accept none. */
function trustOf({ repositoryId, defaultBranch, refName }) {
    if (repositoryId === null || !/^\d+$/.test(repositoryId) || defaultBranch === null)
        return null;
    return {
        repositoryId: Number(repositoryId),
        branches: refName === null ? [defaultBranch] : [defaultBranch, refName],
    };
}
async function loadTrusted(request, trust) {
    const { environment, kinds, token, repository } = request;
    const name = `deployment-history-${environment}`;
    const { githubApi } = await Promise.all(/* import() */[__nccwpck_require__.e(779), __nccwpck_require__.e(157)]).then(__nccwpck_require__.bind(__nccwpck_require__, 62157));
    const api = githubApi(repository, token);
    const found = await find(api, name, kinds.includes('cache'));
    const trusted = await firstTrusted(api, (0,provenance/* candidates */.Xi)(found, name, trust), trust);
    const copies = await Promise.allSettled(trusted.map((artifact) => answered(patienceForOne, downloadText(api, artifact))));
    const [newest] = trusted;
    return {
        texts: copies.flatMap((copy) => (copy.status === 'fulfilled' ? [copy.value] : [])),
        notices: copies.flatMap((copy) => copy.status === 'rejected' ? [`Ignored a copy of the history: ${whyNot(copy.reason)}`] : []),
        needsRefresh: newest === undefined || newest.expiresAt < Date.now() + 30 * day,
    };
}
/**
 * Lists the copies. The list has no order, and is long if there are many deployments. If the cache points to the newest
 * copy, the first page is enough: in practice it has the other new ones, which concurrent runs may have written.
 */
async function find(api, name, byCache) {
    const pointer = byCache ? await answered(patienceForCache, findPointer(name)).catch(() => null) : null;
    const newest = pointer === null ? null : await api.artifact(pointer).catch(() => null);
    return newest === null ? api.artifacts(name, mostPages) : [newest, ...(await api.artifacts(name, 1))];
}
/** Looks up the runs of these artifacts, as many at a time as are still needed. */
async function firstTrusted(api, artifacts, trust) {
    const trusted = [];
    const waiting = artifacts.slice(0, history_mirror_mostCandidates);
    while (trusted.length < mostCopies && waiting.length > 0) {
        const asked = waiting.splice(0, mostCopies - trusted.length);
        const runs = await Promise.all(asked.map(({ runId }) => api.run(runId)));
        trusted.push(...asked.filter((_, index) => (0,provenance/* isTrustedRun */.Hh)(runs[index] ?? null, trust)));
    }
    return trusted;
}
async function store({ environment, kinds, workflow }, text, merge) {
    const name = `deployment-history-${environment}`;
    const id = await uploadText(name, text, merge);
    if (!kinds.includes('cache'))
        return { notices: [] };
    const run = `${workflow.runId ?? 0}-${workflow.runAttempt ?? 0}`;
    const refusals = new Refusals();
    const saving = (0,log.quietly)(() => savePointer(name, run, id), refusals.hear);
    const why = await answered(patienceForCache, saving).then((isSaved) => (isSaved ? null : (refusals.last ?? 'the library gave no reason')), (error) => whyNot(error, refusals.last));
    return { notices: why === null ? [] : [`Stored the history, but not the cache that points to it: ${why}`] };
}
function advised(why) {
    if (why !== unsupported)
        return why;
    return `${why}. The history stays on the host; set history: "" to silence this notice`;
}

// EXTERNAL MODULE: external "node:child_process"
var external_node_child_process_ = __nccwpck_require__(31421);
// EXTERNAL MODULE: ./build/shared/host/pour.js
var pour = __nccwpck_require__(64109);
// EXTERNAL MODULE: ./build/shared/host/run-program.js + 4 modules
var run_program = __nccwpck_require__(39614);
;// CONCATENATED MODULE: ./build/shared/host/connection.js



/** Milliseconds without a word from a host that has been silent before: what comes after that must not add up. */
const unheardAgain = 20_000;
/**
 * A connection whose programs run through `access`.
 * @param disconnect called once no program runs any more
 */
function connectionOver(name, access, disconnect = async () => { }) {
    const runs = [];
    let wasSilent = false;
    let wasCancelled = false;
    return {
        name,
        run(program, parameters, asked) {
            const { input } = asked;
            const options = wasSilent ? { ...asked, unheard: unheardAgain } : asked;
            const run = input === undefined
                ? (0,run_program/* runProgram */.mB)(access, program, parameters, options)
                : (0,pour/* runWithInput */.kg)(access, program, parameters, options, input);
            runs.push(run);
            run.result.then(() => {
                wasSilent = false;
            }, (error) => {
                wasSilent ||= (0,shared_failure/* isFailure */.N6)(error, 'host-silent');
                wasCancelled ||= (0,shared_failure/* isFailure */.N6)(error, 'cancelled');
            });
            return run;
        },
        async close() {
            const patience = wasCancelled ? run_program/* patienceAtCancelledClose */.Cr : run_program/* patienceAtClose */.N2;
            await Promise.all(runs.map((run) => run.release(patience)));
            await disconnect();
        },
    };
}
/**
 * The command for the login shell on the host. It starts bash without the user's start files, which reads a script (its
 * length in bytes, then its text) and parameters (their count, then each followed by a NUL: alternating names and values)
 * from stdin. The command itself has no values, line breaks or exclamation marks, so it means the same in every login shell.
 */
const bootstrap = 'exec env -u BASH_ENV bash --noprofile --norc -c \'LC_ALL=C; IFS= read -r n && IFS= read -r -N "$n" s && ' +
    'IFS= read -r c && p=() && while ((c-- > 0)); do IFS= read -r -d "" v || exit 1; p+=("$v"); done && eval "$s"\'';

;// CONCATENATED MODULE: ./build/shared/host/local.js



/** Uses the runner itself as the host: for a self-hosted runner on the machine that runs the application. */
function connectLocally() {
    return connectionOver('this machine', access);
}
const explain = async ({ code, begun, stderr }) => {
    if (!begun && code === 127) {
        return new shared_failure/* Failure */.HR('no-bash', 'bash was not found on this machine', {
            hint: 'Install it: apt-get install bash',
            cause: stderr,
        });
    }
    return new shared_failure/* Failure */.HR('program-lost', `The program ended without a result (exit ${code})`, { cause: stderr });
};
const access = {
    start: () => (0,external_node_child_process_.spawn)('/bin/sh', ['-c', bootstrap], { stdio: 'pipe', detached: true }),
    explain,
    isProgram: true,
};

// EXTERNAL MODULE: external "node:util"
var external_node_util_ = __nccwpck_require__(57975);
;// CONCATENATED MODULE: ./build/shared/host/ssh-config.js

/** Answers ssh's question for the passphrase from a file beside it, so that it never appears on a command line. */
const askpass = '#!/bin/sh\nexec cat -- "$(dirname -- "$0")/passphrase"\n';
/** AES takes a processor half the time of ssh's own first choice, on both ends: a copy of a backup is bounded by that. */
const quickCiphers = 'aes128-gcm@openssh.com,aes256-gcm@openssh.com';
/**
 * The only configuration that ssh reads. Settings of the target host are under its own name; all others apply to a jump
 * host as well. Values come from inputs that were checked against their grammar.
 * @param version what `ssh -V` says
 */
function sshConfig({ host, port, user, proxyJump, passphrase }, folder, version) {
    const file = (name) => `"${(0,external_node_path_.join)(folder, name).replaceAll('%', '%%')}"`;
    return `Host atlasia-host
  HostName ${host}
  Port ${port}
  User ${user}
${proxyJump === null ? '' : `  ProxyJump ${jumpWord(proxyJump)}\n`}
Host *
  User ${user}
  IdentityFile ${file('key')}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${file('known_hosts')}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  CheckHostIP no
  VerifyHostKeyDNS no
  PreferredAuthentications publickey
  PasswordAuthentication no
  KbdInteractiveAuthentication no
  HostbasedAuthentication no
  GSSAPIAuthentication no
  BatchMode ${passphrase === null ? 'yes' : 'no'}
  NumberOfPasswordPrompts 1
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  PermitLocalCommand no
  RequestTTY no
  EscapeChar none
  Compression no
${mayPutFirst(version) ? `  Ciphers ^${quickCiphers}\n` : ''}  ConnectTimeout 15
  ServerAliveInterval 5
  ServerAliveCountMax 3
  LogLevel INFO
`;
}
/** Whether this ssh can put ciphers before its own, which it learned in 8.1: older ones would refuse the whole configuration. */
function mayPutFirst(version) {
    const [, major, minor] = /^OpenSSH_(\d+)\.(\d+)/.exec(version) ?? [];
    return Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 1);
}
/** The jump host in the syntax of ProxyJump. */
function jumpWord({ user, host, port }) {
    return `${user === null ? '' : `${user}@`}${host.includes(':') ? `[${host}]` : host}${port === null ? '' : `:${port}`}`;
}
/**
 * Repairs what copying into a secret does to a private key: carriage returns, indentation, a missing line break at the
 * end. Does not check that it is a key at all; ssh will.
 */
function mendKey(text) {
    const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
    return `${lines.filter((line, at) => line !== '' || isPemHeaderEnd(lines, at)).join('\n')}\n`;
}
/** In the old PEM format, an encrypted key needs the empty line after its headers. */
function isPemHeaderEnd(lines, at) {
    return lines[at - 1]?.startsWith('DEK-Info:') ?? false;
}

// EXTERNAL MODULE: ./build/shared/shell-quote.js
var shell_quote = __nccwpck_require__(61011);
;// CONCATENATED MODULE: ./build/shared/host/ssh-host-keys.js


/**
 * Why ssh does not believe a host, or has no algorithm in common with it; null if that is not what failed.
 * @param place the host that failed: as a sentence begins with it, and within one
 */
function explainHostKey(target, { begins, where }, cause) {
    const failure = (code, message, hint) => new shared_failure/* Failure */.HR(code, message, { hint, cause });
    const algorithms = /no matching ([a-zA-Z ]+) found\. Their offer: ([^\s]+)/.exec(cause);
    if (algorithms !== null)
        return noAlgorithm(begins, algorithms, cause);
    if (/REVOKED HOST KEY DETECTED|marked as revoked/.test(cause)) {
        return failure('host-key-changed', `"known-hosts" marks the key that ${where} presents as revoked (@revoked)`, 'Somebody has taken this key out of use: find out why. Either make a new host key on the host, and store it as "known-hosts", or take the line with @revoked out');
    }
    if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(cause))
        return hostKeyChanged(target, where, cause);
    if (/No \S+ host key is known for|Host key verification failed/.test(cause)) {
        const asked = /host key is known for (\[?[^\s\]]+\]?(?::\d+)?)/.exec(cause)?.[1];
        return failure('host-key-unknown', `The input "known-hosts" has no key for ${asked ?? where}`, `Run the command below from a place you trust. On the host itself, ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub must print one of the same fingerprints; then store the lines of the file known_hosts as "known-hosts": ${keyscan(target)}`);
    }
    return null;
}
function hostKeyChanged(target, where, cause) {
    const presented = /The fingerprint for the (\S+) key sent by the remote host is\s+(\S+?)\.?\s/.exec(`${cause}\n`);
    const expected = fingerprints(target.knownHosts);
    const shown = presented === null ? '' : `. It presented ${presented[2]} (${presented[1]})`;
    const stored = expected.length === 0 ? '' : `; "known-hosts" has ${expected.join(', ')}`;
    return new shared_failure/* Failure */.HR('host-key-changed', `The host key of ${where} does not match "known-hosts": either the host was set up again, or another machine answers in its place${shown}${stored}`, {
        hint: `On the host itself, run: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Only if it shows the fingerprint of the new key, store the lines of the file that this makes as "known-hosts": ${keyscan(target)}`,
        cause,
    });
}
/** Fingerprints of the keys in lines of known_hosts, at most five; names in front of them may be hashed. */
function fingerprints(knownHosts) {
    const keys = Array.from(knownHosts.matchAll(/^\s*(?!#)(?:@\S+\s+)?\S+\s+([a-z0-9@.-]+)\s+([A-Za-z0-9+/]{40,}=*)/gm));
    return keys.slice(0, 5).map(([, type, key = '']) => {
        const hash = (0,external_node_crypto_.createHash)('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
        return `SHA256:${hash} (${type})`;
    });
}
function noAlgorithm(begins, [, kind, offer], cause) {
    const hints = {
        'host key type': `ssh no longer takes host keys with these signatures. On the host, as root, make the usual keys and see which it uses: ssh-keygen -A; sshd -T | grep -iE "^hostkey". Take HostKey and HostKeyAlgorithms that allow only the old ones out of sshd_config, update OpenSSH if it is older than 7.2, and store the new lines as "known-hosts"`,
    };
    const name = kind ?? '';
    return new shared_failure/* Failure */.HR('no-common-algorithm', `${begins} and ssh on this runner have no ${name} in common: it offers only ${offer}`, {
        hint: hints[name] ??
            'On the host, as root, see what is set, take what restricts it out of sshd_config, or update OpenSSH: sshd -T | grep -iE "^(kexalgorithms|ciphers|macs)"',
        cause,
    });
}
/** A command that writes known_hosts and shows its fingerprints. */
function keyscan({ host, port, proxyJump }) {
    const scan = (name, number) => `ssh-keyscan${number === null || number === 22 ? '' : ` -p ${number}`} ${name}`;
    const look = 'ssh-keygen -lf known_hosts';
    if (proxyJump === null)
        return `${scan(host, port)} > known_hosts; ${look}`;
    const login = proxyJump.user === null ? proxyJump.host : `${proxyJump.user}@${proxyJump.host}`;
    const through = `ssh${proxyJump.port === null ? '' : ` -p ${proxyJump.port}`} ${login}`;
    return `(${scan(proxyJump.host, proxyJump.port)}; ${through} ${scan(host, port)}) > known_hosts; ${look}`;
}

;// CONCATENATED MODULE: ./build/shared/host/ssh-jump.js
/** ssh's words that name the host that they are about. The log of a jump host's ssh stands among that of the target's. */
const ssh_jump_naming = [
    /^(?<user>\S+)@(?<host>\S+): Permission denied/m,
    /Could not resolve hostname (?<host>\S+?):? /,
    /connect to host (?<host>\S+) port (?<port>\d+):/,
    /host key is known for \[?(?<host>[^\s\]]+)\]?(?::(?<port>\d+))?/,
    /[Hh]ost key for \[?(?<host>[^\s\]]+)\]?(?::(?<port>\d+))? (?:has changed|is marked as revoked|was revoked)/,
];
/** The login at the jump host if it is the one that failed; null if it is the target, or there is no jump host. */
function failedJump(target, cause) {
    if (target.proxyJump === null)
        return null;
    const { host, port, user } = target.proxyJump;
    const jump = { host, port: port ?? 22, user: user ?? target.user };
    const named = ssh_jump_naming.map((pattern) => pattern.exec(cause)?.groups).find((groups) => groups !== undefined);
    const isNamed = (login) => named !== undefined &&
        named['host'] === login.host &&
        [login.user, undefined].includes(named['user']) &&
        [String(login.port), undefined].includes(named['port']);
    if (isNamed(jump) !== isNamed(target))
        return isNamed(jump) ? jump : null;
    // The target's ssh finds itself without a connection when that of the jump host has ended, and says so last.
    const isWithout = /(Connection closed by UNKNOWN port|kex_exchange_identification: (Connection closed|read))[^\n]*\s*$/.test(cause);
    return isWithout && !/open failed|forwarding failed/.test(cause) ? jump : null;
}

;// CONCATENATED MODULE: ./build/shared/host/ssh-failures.js




/** Finds the cause of ssh's exit 255 from the text on its stderr. Every failure says what to do. */
async function explainSsh(target, exit, diagnoseKey) {
    const { stderr: cause } = exit;
    // Once a program has begun, stderr also has the output of programs on the host: do not match patterns against it.
    if (exit.begun)
        return connectionLost(placeOf(target), cause);
    const forwarding = notForwarded(target, cause);
    if (forwarding !== null)
        return forwarding;
    const jump = failedJump(target, cause);
    const at = jump === null
        ? { ...target, name: target.host, inputs: { host: 'host', port: 'port', user: 'user' } }
        : {
            ...target,
            ...jump,
            name: `The jump host ${jump.host}`,
            inputs: { host: 'proxy-jump', port: 'proxy-jump', user: 'proxy-jump' },
        };
    const hostKey = explainHostKey(target, { begins: `${at.name} port ${at.port}`, where: placeOf(at) }, cause);
    if (hostKey !== null)
        return hostKey;
    return loginRefused(at, cause, diagnoseKey) ?? notReached(at, exit) ?? afterLogin(at, exit);
}
const placeOf = ({ host, port }) => `${host} port ${port}`;
/** The jump host let us in, and no further; null if that is not so. */
function notForwarded(target, cause) {
    if (target.proxyJump === null)
        return null;
    const { host, user } = target.proxyJump;
    const login = user ?? target.user;
    if (/open failed: (administratively prohibited|unknown channel type)/.test(cause)) {
        return new shared_failure/* Failure */.HR('connection-refused', `The jump host ${host} does not let the user "${login}" connect on to ${placeOf(target)}`, {
            hint: `On the jump host, as root: sshd -T -C user=${login} | grep -iE "allowtcpforwarding|permitopen|disableforwarding". And look for restrict, no-port-forwarding and permitopen in ~${login}/.ssh/authorized_keys`,
            cause,
        });
    }
    if (/open failed: connect failed: .*(not known|name resolution)/.test(cause)) {
        return new shared_failure/* Failure */.HR('host-unknown', `The jump host ${host} cannot resolve the name ${target.host}`, {
            hint: 'Check the input "host": it is looked up on the jump host',
            cause,
        });
    }
    return null;
}
/** null if the login was not what failed. A banner of the host may say anything, so only whole lines of ssh count. */
function loginRefused(at, cause, diagnoseKey) {
    const failure = (code, message, hint) => new shared_failure/* Failure */.HR(code, message, { hint, cause });
    const partly = /^Authenticated using "publickey" with partial success.*^\S+@\S+: Permission denied \(([^)]+)\)/ms.exec(cause);
    if (partly !== null) {
        return failure('key-not-enough', `${at.name} accepted the key of the user "${at.user}", but also requires a second method: ${partly[1]}`, `No second method can be given here. On the host, let a key be enough for this user, in sshd_config: Match User ${at.user}, and below it: AuthenticationMethods publickey. Then: systemctl reload ssh`);
    }
    if (/no mutual signature/.test(cause)) {
        return failure('no-common-algorithm', `${at.name} port ${at.port} takes RSA keys only with signatures that ssh no longer makes (ssh-rsa)`, 'Make another key, and add its public half to authorized_keys: ssh-keygen -t ed25519. Or update OpenSSH on the host: since 7.2 it has better signatures');
    }
    if (/^(Received disconnect|Disconnected) from .*Too many authentication failures/m.test(cause)) {
        return failure('key-refused', `${at.name} ended the login of the user "${at.user}" after too many failures, although only one key was offered`, 'On the host, as root, see what it allows and why it refused: sshd -T | grep -iE "maxauthtries|pubkeyaccepted"; journalctl -u ssh -n 20');
    }
    if (/^(\S+@\S+: )?Permission denied( \([^)\n]*\)\.?|, please try again\.)?$|^Load key |incorrect passphrase/m.test(cause))
        return diagnoseKey().then((key) => explainKey(at, cause, key));
    return null;
}
/** null if a connection was made. */
function notReached(at, { stderr: cause }) {
    const failure = (code, message, hint) => new shared_failure/* Failure */.HR(code, message, { hint, cause });
    const { name, port, inputs } = at;
    if (/jumphost loop/.test(cause)) {
        return failure('jump-loop', 'The input "proxy-jump" names the host itself', 'Name the host in between, or leave "proxy-jump" out');
    }
    if (/^ssh: Could not resolve hostname/m.test(cause)) {
        return failure('host-unknown', `The name ${at.host} cannot be resolved`, `Check the input "${inputs.host}"`);
    }
    const reason = /^(?:ssh: connect to host .*|channel \d+: open failed: connect failed|(?=(?:Connection|Operation) timed out))(?::? ?)(Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable)/m.exec(cause)?.[1];
    if (reason === undefined)
        return null;
    if (reason === 'Connection refused') {
        return failure('connection-refused', `${name} port ${port} refused the connection`, `Check the input "${inputs.port}", and on that machine, as root: systemctl status ssh`);
    }
    if (reason.endsWith('timed out')) {
        return failure('connection-timed-out', `${name} port ${port} did not answer`, 'Check that the host is up and that its firewall lets this runner in; the addresses of GitHub-hosted runners change');
    }
    return failure('host-unreachable', `${name} port ${port} cannot be reached`, 'Check the network between runner and host');
}
/** The connection was made, and ended. */
function afterLogin(at, { code, stderr: cause }) {
    const failure = (failed, message, hint) => new shared_failure/* Failure */.HR(failed, message, { hint, cause });
    if (code === 127 || /bash: (not found|command not found|No such file)/i.test(cause)) {
        return failure('no-bash', `bash was not found on ${at.host}`, 'On the host, as root: apt-get install bash');
    }
    if (code !== 255 || accountRefused.test(cause))
        return shellRefused(at, code, cause);
    if (/Exceeded MaxStartups|Not allowed at this time|kex_exchange_identification|banner exchange|ssh_exchange_identification/.test(cause)) {
        const known = /Exceeded MaxStartups/.test(cause)
            ? ': too many logins at once (MaxStartups)'
            : /Not allowed at this time/.test(cause)
                ? ': it refuses this address for a while (PerSourcePenalties)'
                : '';
        return failure('connection-closed', `${at.name} port ${at.port} closed the connection before the login${known}`, 'sshd does so for MaxStartups, for PerSourcePenalties after failed logins, and where hosts.deny or a firewall refuses the address; so does a port that is not sshd. On the host, as root: journalctl -u ssh -n 50');
    }
    return connectionLost(placeOf(at), cause);
}
/** Lines of sshd and PAM; a banner with such words in a sentence is none. */
const accountRefused = /^((WARNING: )?Your (account|password) has expired[.;].*|Password change required but no TTY available\.?|.*[Uu]ser \S+ (is )?not permitted to log in.*)$/m;
/** The login succeeded, and then something else than our program answered. */
function shellRefused({ host, port, user }, code, cause) {
    const failure = (message, hint) => new shared_failure/* Failure */.HR('host-shell', message, { hint, cause });
    if (/[Pp]assword has expired|[Pp]assword change required/.test(cause)) {
        return failure(`The password of ${user} on ${host} has expired, so sshd starts nothing for that user`, `On the host, as root: chage -l ${user}. To let it never expire: chage -M -1 ${user}`);
    }
    if (/account has expired|not permitted to log in/.test(cause)) {
        return failure(`${host} does not let the user ${user} log in now: see what it said`, `On the host, as root: chage -l ${user}; ls /etc/nologin /run/nologin`);
    }
    const gate = /^atlasia-gate: (.+)$/m.exec(cause)?.[1];
    if (gate !== undefined) {
        return new shared_failure/* Failure */.HR('gate-refused', `The gate for this key on ${host} refused: ${gate}`, {
            hint: 'On the host, as root: give it the list of this release, programs.sha256, or correct its configuration: docs/security.md#a-gate-on-the-host',
            cause,
        });
    }
    if (/account is (currently )?not available/.test(cause)) {
        return failure(`The user ${user} on ${host} has no login shell (nologin)`, `On the host, as root: chsh -s /bin/bash ${user}`);
    }
    if (/allows sftp connections only/.test(cause)) {
        return failure(`The user ${user} on ${host} may only use sftp (ForceCommand internal-sftp)`, `On the host, as root: sshd -T -C user=${user} | grep -i forcecommand. Take it out of sshd_config for this user`);
    }
    return failure(`The login shell of ${user} on ${host} did not start our program (exit ${code})`, `Run: ssh -p ${port} ${user}@${host} true. It must print nothing and exit with 0. If it does not, check the start files of that shell, and authorized_keys and sshd_config for a forced command`);
}
function connectionLost(where, cause) {
    return new shared_failure/* Failure */.HR('connection-lost', `The connection to ${where} was lost`, {
        hint: 'Within 60 s, the host ends what was running and removes incomplete files. Run it again',
        cause,
    });
}
function explainKey(target, cause, key) {
    if (key.state === 'wrong-passphrase' && target.passphrase === null) {
        return new shared_failure/* Failure */.HR('passphrase-missing', 'The private key needs a passphrase, but none was given', {
            hint: 'Store it as a secret and pass it as "ssh-key-passphrase"',
            cause,
        });
    }
    if (key.state === 'wrong-passphrase') {
        return new shared_failure/* Failure */.HR('passphrase-wrong', 'The passphrase does not open the private key', {
            hint: 'Check the input "ssh-key-passphrase" against the key in "ssh-key"',
            cause,
        });
    }
    if (key.state === 'unreadable') {
        return new shared_failure/* Failure */.HR('key-unreadable', 'The input "ssh-key" is not a private key that ssh can read', {
            hint: 'Store the whole file as the secret, from "-----BEGIN" to "-----END … PRIVATE KEY-----", with its line breaks',
            cause: key.detail,
        });
    }
    return new shared_failure/* Failure */.HR('key-refused', `${target.name} refused the key for the user "${target.user}"`, {
        hint: `The key offered is ${key.fingerprint}. On the host, as root: ssh-keygen -lf ~${target.user}/.ssh/authorized_keys. If it is there, check the input "${target.inputs.user}", the permissions of ~${target.user}/.ssh, and as root which kinds of keys it takes: sshd -T | grep -i pubkeyaccepted. If it is not there, add it. On the host, as root: install -d -m 0700 -o ${target.user} ~${target.user}/.ssh && echo ${(0,shell_quote/* quoteForShell */.e)(key.publicKey)} >>~${target.user}/.ssh/authorized_keys`,
        cause,
    });
}

;// CONCATENATED MODULE: ./build/shared/host/ssh.js









/** Longer than ConnectTimeout in the configuration, because ssh's own timeout gives a better message. */
const longestConnecting = 40_000;
/**
 * Connects once; all programs run over that connection.
 * @throws Failure for what ssh reported: see ssh-failures.ts
 */
async function connectBySsh(settings, surroundings) {
    const { folder, signal } = surroundings;
    const file = (name) => (0,external_node_path_.join)(folder, name);
    (0,external_node_fs_.writeFileSync)(file('key'), mendKey(settings.key), { mode: 0o600 });
    (0,external_node_fs_.writeFileSync)(file('known_hosts'), `${settings.knownHosts.trim()}\n`, { mode: 0o600 });
    (0,external_node_fs_.writeFileSync)(file('config'), sshConfig(settings, folder, await clientVersion()), { mode: 0o600 });
    if (settings.passphrase !== null) {
        (0,external_node_fs_.writeFileSync)(file('passphrase'), `${settings.passphrase}\n`, { mode: 0o600 });
        (0,external_node_fs_.writeFileSync)(file('askpass'), askpass, { mode: 0o700 });
    }
    const environment = sshEnvironment(folder);
    const base = ['-F', file('config'), '-S', file('control')];
    const explain = (exit) => explainSsh(settings, exit, () => surroundings.diagnoseKey(file('key'), environment));
    // Only at this level does ssh say that a key was accepted and is not enough. Nobody reads it unless the login fails.
    const master = (0,external_node_child_process_.spawn)('ssh', [...base, '-o', 'LogLevel=VERBOSE', '-M', '-N', 'atlasia-host'], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...environment },
    });
    await ready(master, file('control'), explain, signal);
    const access = {
        start: () => (0,external_node_child_process_.spawn)('ssh', [...base, '-T', 'atlasia-host', bootstrap], {
            stdio: 'pipe',
            env: { ...process.env, ...environment },
        }),
        explain,
        isProgram: false,
    };
    return connectionOver(`${settings.user}@${settings.host}`, access, () => end(master));
}
/** What ssh says of itself; nothing if it is not installed, which shows when it is to connect. */
async function clientVersion() {
    return (0,external_node_util_.promisify)(external_node_child_process_.execFile)('ssh', ['-V']).then(({ stderr }) => stderr, () => '');
}
/** Waits until the master has logged in: then its socket exists. */
async function ready(master, socket, explain, signal) {
    let stderr = '';
    let over;
    let missing;
    master.stderr?.setEncoding('utf8').on('data', (text) => {
        stderr = (stderr + text).slice(-20_000);
    });
    master.on('close', (code) => {
        over = { code };
    });
    master.on('error', (error) => {
        missing = error;
    });
    const giveUp = Date.now() + longestConnecting;
    while (!(0,external_node_fs_.existsSync)(socket)) {
        if (missing)
            throw noClient(missing);
        if (over)
            throw await explain({ code: over.code, begun: false, stderr });
        if (signal.aborted || Date.now() > giveUp) {
            await end(master);
            if (signal.aborted)
                throw new shared_failure/* Failure */.HR('cancelled', 'Cancelled while connecting: nothing was done on the host');
            throw await explain({ code: 255, begun: false, stderr: `${stderr}\nConnection timed out` });
        }
        await (0,promises_.setTimeout)(5);
    }
}
async function end(master) {
    if (master.exitCode !== null || master.signalCode !== null || master.pid === undefined)
        return;
    // Wait for 'exit', not 'close': an ssh to a jump host shares the pipes, and may hang.
    const ended = new Promise((resolve) => master.once('exit', resolve));
    master.kill('SIGTERM');
    const killing = setTimeout(() => master.kill('SIGKILL'), 1_000);
    await ended;
    clearTimeout(killing);
}
/** Keeps the runner's agent and terminal out of it. OpenSSH before 8.4 calls askpass only if DISPLAY is set. */
function sshEnvironment(folder) {
    return { SSH_ASKPASS: (0,external_node_path_.join)(folder, 'askpass'), SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none:0', SSH_AUTH_SOCK: '' };
}
function noClient(cause) {
    return new shared_failure/* Failure */.HR('no-ssh-client', 'ssh is not installed on the runner', {
        hint: 'Install it (apt-get install openssh-client), or use a runner that has it, such as ubuntu-latest',
        cause,
    });
}

;// CONCATENATED MODULE: ./build/shared/host/connect.js


/**
 * Connects to the host that the inputs name.
 * @param ssh null: the runner itself is the host
 * @param surroundings called only for SSH
 */
async function connect(ssh, surroundings) {
    return ssh === null ? connectLocally() : connectBySsh(ssh, surroundings());
}

// EXTERNAL MODULE: ./node_modules/@actions/exec/lib/exec.js + 3 modules
var main_exec = __nccwpck_require__(27187);
;// CONCATENATED MODULE: ./build/shared/runner/tool.js


/**
 * Runs a tool without a shell, without standard input and without echoing it in the log. The caller judges the exit code.
 * No input, because @actions/exec does not handle the EPIPE of a tool that has already ended.
 * @throws Failure `tool-missing`, `tool-timed-out`
 */
async function runTool(program, args, { env = {}, timeout = 30_000 } = {}) {
    // @actions/exec can neither end a child nor set a deadline; `timeout` can, and shows it by its exit code.
    const deadline = ['--kill-after=1', String(timeout / 1_000), program, ...args];
    const started = performance.now();
    const result = await (0,main_exec/* getExecOutput */.H)('timeout', deadline, {
        silent: true,
        ignoreReturnCode: true,
        env: { ...inheritedEnvironment(), ...env },
    });
    // A tool that had to be killed takes `timeout` down with it, which then has no exit code of its own.
    const killed = result.exitCode === null && performance.now() - started >= timeout;
    if (result.exitCode === 124 || killed) {
        throw new shared_failure/* Failure */.HR('tool-timed-out', `${program} did not end within ${timeout / 1_000} s on the runner`, {
            cause: result.stderr,
        });
    }
    if (result.exitCode === 127) {
        throw new shared_failure/* Failure */.HR('tool-missing', `${program} is not installed on the runner`, {
            hint: `Install ${program}, or use a runner that has it, such as ubuntu-latest.`,
            cause: result.stderr,
        });
    }
    return result;
}
function inheritedEnvironment() {
    return Object.fromEntries(Object.entries(process.env).filter((entry) => entry[1] !== undefined));
}

;// CONCATENATED MODULE: ./build/shared/runner/key-diagnosis.js


/** Tries a private key without contacting the host: finds out whether it is readable, and its public fingerprint. */
async function diagnoseKey(keyFile, environment) {
    const { exitCode, stdout, stderr } = await runTool('ssh-keygen', ['-y', '-f', keyFile], { env: environment });
    const [publicKey, blob] = /^[a-z0-9@.-]+ ([A-Za-z0-9+/=]+)/.exec(stdout) ?? [];
    if (exitCode === 0 && publicKey !== undefined && blob !== undefined) {
        const digest = (0,external_node_crypto_.createHash)('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
        return { state: 'usable', fingerprint: `SHA256:${digest.replace(/=+$/, '')}`, publicKey };
    }
    return /passphrase/i.test(stderr) ? { state: 'wrong-passphrase' } : { state: 'unreadable', detail: stderr };
}

;// CONCATENATED MODULE: ./build/shared/runner/reach-host.js



/**
 * Connects to the host of the inputs. Keys and sockets stand in a private folder, which is removed however the step ends.
 * @param ssh null: the runner itself is the host
 */
function reachHost(ssh, { signal, atEnd }) {
    return connect(ssh, () => {
        const folder = makePrivateFolder();
        atEnd(folder.remove);
        return { folder: folder.path, diagnoseKey: diagnoseKey, signal };
    });
}

// EXTERNAL MODULE: ./build/shared/typed-as.js
var typed_as = __nccwpck_require__(73053);
;// CONCATENATED MODULE: ./build/shared/history/observation.js



/** What a run says of itself in a record, with what else it knows. */
function runFacts(environment, { runId, runAttempt, actor, runUrl, commit }, known = {}) {
    const id = recordId(runId, runAttempt, randomBytes(4).toString('hex'));
    const unknown = { schemaSha256: null, backupId: null, reason: null };
    return { id, at: new Date(), environment, actor, runUrl, commit, ...unknown, ...known };
}
/**
 * The newest record that says which release is running; null if there is none. Imported lines of the old scripts do not
 * count: they name no image, and may be imported at any time.
 * @param history the host's own, in the order of its file
 */
function newestKnown(history, environment) {
    const newest = history.findLast(({ environment: of, status, event, release }) => of === environment &&
        status === 'succeeded' &&
        event !== 'drill' &&
        event !== 'restore' &&
        Object.values(release).some(({ digest, imageId }) => digest !== null || imageId !== null));
    return newest ?? null;
}
/**
 * The schema that the newest backup saw, as SHA-256; null if no record has one. A backup adds a record when the schema has
 * changed. Drills do not count: a drill records the schema of the backup that it restored, which may be old.
 * @param history the host's own, in the order of its file
 */
function newestSchema(history, environment) {
    const newest = history.findLast(({ environment: of, event, schemaSha256 }) => of === environment && event !== 'drill' && event !== 'restore' && schemaSha256 !== null);
    return newest?.schemaSha256 ?? null;
}
/**
 * The record for a release that was seen running: a new one only if release or schema differ from the newest record, so
 * that the history does not grow by a line each night.
 * @param history the host's own, in the order of its file
 */
function observationOf(release, seen, history) {
    const newest = newestKnown(history, seen.environment);
    if (newest !== null && sameRelease(newest.release, release) && newest.schemaSha256 === seen.schemaSha256) {
        return { record: newest, isNew: false };
    }
    return { record: observed(release, seen, newest?.release ?? null), isNew: true };
}
/** A record of what is running, without a verdict on it. */
function observed(release, seen, previous) {
    const { id, at, environment, schemaSha256, backupId, actor, runUrl, commit, reason } = seen;
    return {
        version: 1,
        id,
        at: at.toISOString(),
        environment,
        event: 'observed',
        status: 'succeeded',
        verdict: 'unknown',
        release,
        previous,
        schemaSha256,
        backupId,
        restoredId: null,
        reason,
        actor,
        runUrl,
        commit,
        settings: seen.settings ?? null,
        durationMs: null,
        downtimeMs: null,
    };
}

// EXTERNAL MODULE: ./build/shared/plan/container.js
var container = __nccwpck_require__(16937);
// EXTERNAL MODULE: ./build/shared/plan/target-image.js
var target_image = __nccwpck_require__(11569);
;// CONCATENATED MODULE: ./build/shared/plan/known-bad.js



/**
 * Looks for the latest word on the target as a whole; if it never ran like that, on each of its images.
 * @param records those whose verdicts count, in the order of the file
 * @param repositoryOf the repository of a service in the compose file
 */
function knownBad(images, records, ignored, repositoryOf) {
    const wanted = [...images].filter(([service]) => !ignored.has(service));
    const isIn = (release, [service, image]) => {
        const known = release.get(service);
        return known !== undefined && (0,target_image/* isThatImage */.N)(image, known, repositoryOf(service));
    };
    const words = wordsOn(records, ignored);
    const isOnAll = ({ about }) => wanted.length > 0 && wanted.every((each) => isIn(about, each));
    const onAll = words.find(isOnAll);
    const latest = onAll !== undefined
        ? [[onAll, wanted.map(named)]]
        : wanted.flatMap((each) => {
            const word = words.find(({ about }) => isIn(about, each));
            return word === undefined ? [] : [[word, [named(each)]]];
        });
    const bad = latest.filter(([{ word }]) => word === 'bad');
    if (bad.length === 0)
        return null;
    const newest = records.findLast(({ event, release }) => {
        const known = new Map(Object.entries(release));
        return event !== 'drill' && wanted.every((each) => isIn(known, each));
    });
    const wasFound = [
        isOnAll,
        ...wanted.map((each) => ({ about }) => isIn(about, each)),
    ].some((isOn) => {
        const own = words.filter(isOn);
        const good = own.findIndex(({ word }) => word === 'good');
        return own.slice(0, good < 0 ? own.length : good).some(({ word, isLeft }) => word === 'bad' && !isLeft);
    });
    return { wasFound, text: bad.map(([word, names]) => describe(word, names)).join('; '), id: newest?.id ?? null };
}
/**
 * A target that was named by tag or digest may be named by mistake, or by somebody who does not know that it was found bad.
 * @throws Failure `target-bad` unless the record's id or the services were given as well
 */
function refuseKnownBad({ knownBad: bad, images }, { kind }, services) {
    if (bad === null || !bad.wasFound || services !== null || kind === 'record' || kind === 'last-good')
        return;
    const byId = bad.id === null ? '' : `give the id of its record as "target": ${bad.id}; or `;
    throw new shared_failure/* Failure */.HR('target-bad', `The target is known to be bad: ${bad.text}`, {
        hint: `Nothing was stopped. If you want it anyway, ${byId}name the services: services: ${[...images.keys()].join(', ')}`,
    });
}
function describe({ record, isLeft }, names) {
    const what = names.join(', ');
    return isLeft
        ? `${what} was rolled back from at ${record.at} (record ${record.id})`
        : `${what} was found bad at ${record.at} (${record.event}, record ${record.id})`;
}
function named([service, { tag, digest, imageId }]) {
    return `${service} ${tag ?? (digest ?? imageId ?? '').slice(7, 19)}`;
}

// EXTERNAL MODULE: ./build/shared/plan/plan-rollback.js + 11 modules
var plan_rollback = __nccwpck_require__(58578);
// EXTERNAL MODULE: ./build/shared/releases/compare-volumes.js
var compare_volumes = __nccwpck_require__(2886);
// EXTERNAL MODULE: ./build/shared/releases/compose-version.js
var compose_version = __nccwpck_require__(88298);
;// CONCATENATED MODULE: ./build/shared/releases/deployed-files.js

/**
 * Demands the compose files from which the containers were created: with others, a rollback would start something that was
 * never deployed.
 * @throws Failure `other-files` that names both
 */
function demandDeployedFiles({ call, otherFiles, missingFiles }, given) {
    if (missingFiles.length > 0 && given.length === 0) {
        throw new shared_failure/* Failure */.HR('other-files', `The containers were started from ${missingFiles.join(', ')}, which cannot be read on the host`, { hint: 'Put the files back, or name those that a deployment uses: compose-file' });
    }
    if (otherFiles.length === 0)
        return;
    throw new shared_failure/* Failure */.HR('other-files', `"compose-file" names ${call.files.join(', ')}, but the containers were started from ${otherFiles.join(', ')}`, {
        hint: 'Leave "compose-file" empty to use those, or give the same ones; or deploy once with the files that you want',
    });
}
/** What to tell of files from which the containers were created, and which the host no longer has; null if there are none. */
function describeMissingFiles({ call, missingFiles, }) {
    if (missingFiles.length === 0)
        return null;
    const used = call.files.length === 0 ? 'no compose file was found' : `${call.files.join(', ')} is used`;
    return `The containers were started from ${missingFiles.join(', ')}, which cannot be read on the host; ${used}`;
}

;// CONCATENATED MODULE: ./build/shared/releases/template-variables.js
// The variables in values of a compose file, as `docker compose config --no-interpolate` leaves them.
/** Two dollars stand for one; a name in braces may go on with an operator, whose text may hold braces in turn. */
const use = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)((?::?[-?+])(?:[^{}]|\{[^{}]*\})*)?\})/g;
/** Every use of a variable in a value, in order. */
function variablesIn(template) {
    return [...template.matchAll(use)].flatMap(([text, dollar, bare, braced]) => {
        const name = bare ?? braced;
        return dollar !== undefined || name === undefined ? [] : [{ name, text }];
    });
}
/** Compose writes each dollar twice, so that its own output can be read again. */
function plain(value) {
    return value.replaceAll('$$', '$');
}
/** What compose makes of a value if none of its variables is set. A default that holds a variable in turn is left as it is. */
function valueIfUnset(template) {
    return template.replace(use, (_text, dollar, _bare, _braced, operator) => dollar === undefined ? (/^:?-(.*)$/s.exec(operator ?? '')?.[1] ?? '') : '$');
}
/** The entries of a map of the compose file, which may be written as a list as well: `NAME=value`, or `NAME` alone. */
function template_variables_entriesOf(section) {
    if (Array.isArray(section)) {
        return Object.fromEntries(section.map(String).map((each) => {
            const at = each.indexOf('=');
            return at < 0 ? [each, null] : [each.slice(0, at), each.slice(at + 1)];
        }));
    }
    if (typeof section !== 'object' || section === null)
        return {};
    return Object.fromEntries(Object.entries(section).map(([name, value]) => [
        name,
        value === null || value === undefined ? null : String(value),
    ]));
}
/** The name if the whole value is one variable, so that it clearly is meant as one; else null. */
function wholeVariable(template) {
    const [first] = variablesIn(template);
    return first !== undefined && first.text === template && first.text.startsWith('${') ? first.name : null;
}
/** What the parts of an image reference may consist of. */
const referencePart = '([\\w./:-]*?)';
/**
 * The values that the variables of an image template must have had, as the reference shows that came of it; null if the
 * reference cannot come from the template.
 */
function valuesBehind(template, reference) {
    const uses = variablesIn(template);
    let pattern = '';
    let at = 0;
    const groups = [];
    for (const { name, text } of uses) {
        const start = template.indexOf(text, at);
        pattern += template_variables_escaped(template.slice(at, start));
        const known = groups.indexOf(name);
        pattern += known < 0 ? referencePart : `\\${known + 1}`;
        if (known < 0)
            groups.push(name);
        at = start + text.length;
    }
    const match = new RegExp(`^${pattern}${template_variables_escaped(template.slice(at))}$`).exec(reference);
    return match === null ? null : new Map(groups.map((name, index) => [name, match[index + 1] ?? '']));
}
function template_variables_escaped(text) {
    return text.replaceAll('$$', '$').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

;// CONCATENATED MODULE: ./build/shared/releases/inline-files.js


/**
 * The inline files of a service.
 * @param config `docker compose config --format json`
 * @param values the same with `x-values`: the variables by name, with an x in front of each that is set; empty if there are none
 * @throws Failure `cannot-swap` if a variable is not set, so that the file would be empty
 */
function inlineFiles(config, values, service) {
    const { configs = {}, secrets = {}, services = {} } = JSON.parse(config);
    const own = Object.hasOwn(services, service) ? services[service] : undefined;
    const known = values.trim() === '' ? {} : JSON.parse(values)['x-values'];
    const read = (references, sources, folder) => (references ?? []).flatMap((reference) => {
        const { source = '', target = source, uid, gid, mode } = reference;
        const content = contentOf(Object.hasOwn(sources, source) ? sources[source] : undefined, known ?? {}, service);
        if (content === null || content === '')
            return [];
        return [
            {
                path: target.startsWith('/') ? target : `${folder}${target}`,
                content,
                mode: mode === undefined ? 0o444 : Number.parseInt(String(mode), typeof mode === 'string' ? 8 : 10),
                uid: Number(uid ?? 0),
                gid: Number(gid ?? 0),
            },
        ];
    });
    return [...read(own?.configs, configs, '/'), ...read(own?.secrets, secrets, '/run/secrets/')];
}
/** null if the file comes from elsewhere. */
function contentOf(source, values, service) {
    if (source?.content !== undefined)
        return plain(source.content);
    const name = source?.environment;
    if (name === undefined)
        return null;
    const value = values[name] ?? '';
    if (value.startsWith('x'))
        return plain(value.slice(1));
    throw new shared_failure/* Failure */.HR('cannot-swap', `${service} has a file that is made from the variable ${name}, which is not set`, {
        hint: `Set ${name} in the env file of compose, with the value that the deployment had`,
    });
}
const inline_files_block = 512;
/** The files as a tar archive (POSIX ustar), which `docker cp` unpacks with owner and mode. @throws Failure `bad-value` */
function tarOf(files) {
    return Buffer.concat([...files.flatMap(entry), Buffer.alloc(2 * inline_files_block)]);
}
function entry({ path, content, mode, uid, gid }) {
    const data = Buffer.from(content);
    const header = Buffer.alloc(inline_files_block);
    const name = path.replace(/^\/+/, '');
    const octal = (value, at, length) => header.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
    const cut = name.length <= 100 ? -1 : name.lastIndexOf('/', 154);
    const [folder, base] = [name.slice(0, Math.max(0, cut)), name.slice(cut + 1)];
    if (Buffer.byteLength(base) > 100 ||
        Buffer.byteLength(folder) > 155 ||
        ![mode, uid, gid].every((each) => each >= 0 && each < 0o10000000)) {
        throw new shared_failure/* Failure */.HR('bad-value', `The file ${path} of a config or secret has a path, owner or mode that does not fit`, {
            hint: 'Give the config or secret a shorter "target", and numbers for "uid", "gid" and "mode"',
        });
    }
    header.write(base, 0);
    header.write(folder, 345);
    octal(mode, 100, 8);
    octal(uid, 108, 8);
    octal(gid, 116, 8);
    octal(data.length, 124, 12);
    octal(0, 136, 12);
    header.write('        0', 148); // the checksum counts as spaces; a plain file
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return [header, data, Buffer.alloc((inline_files_block - (data.length % inline_files_block)) % inline_files_block)];
}

;// CONCATENATED MODULE: ./build/shared/releases/project.js



const mostServices = 500;
const shortText = (0,untrusted/* text */.Qq)(4_096);
/** Compose writes some numbers as text, and leaves out what is not given. */
const anything = (value) => value;
const network = (0,untrusted/* orNull */.Xd)((0,untrusted/* shape */.cW)({
    aliases: (0,untrusted/* orNull */.Xd)((0,untrusted/* listOf */.c3)(shortText, 100)),
    ipv4_address: (0,untrusted/* orNull */.Xd)(shortText),
    ipv6_address: (0,untrusted/* orNull */.Xd)(shortText),
    mac_address: (0,untrusted/* orNull */.Xd)(shortText),
}));
const service = (0,untrusted/* shape */.cW)({
    image: (0,untrusted/* orNull */.Xd)(shortText),
    container_name: (0,untrusted/* orNull */.Xd)(shortText),
    scale: anything,
    deploy: (0,untrusted/* orNull */.Xd)((0,untrusted/* shape */.cW)({ replicas: anything })),
    ports: (0,untrusted/* orNull */.Xd)((0,untrusted/* listOf */.c3)((0,untrusted/* shape */.cW)({ published: anything }), 1_000)),
    networks: (0,untrusted/* orNull */.Xd)((0,untrusted/* mapOf */.A7)((key) => key.length <= 255, network, 200)),
    network_mode: (0,untrusted/* orNull */.Xd)(shortText),
    ipc: (0,untrusted/* orNull */.Xd)(shortText),
    pid: (0,untrusted/* orNull */.Xd)(shortText),
    mac_address: (0,untrusted/* orNull */.Xd)(shortText),
    volumes_from: (0,untrusted/* orNull */.Xd)((0,untrusted/* listOf */.c3)(shortText, 100)),
    pre_start: anything,
    post_start: anything,
    pre_stop: anything,
    post_stop: anything,
    provider: anything,
    models: anything,
    use_api_socket: anything,
    depends_on: (0,untrusted/* orNull */.Xd)((0,untrusted/* mapOf */.A7)(release/* isServiceName */.tN, (0,untrusted/* shape */.cW)({
        restart: (0,untrusted/* orNull */.Xd)(untrusted/* bool */.lc),
        condition: (0,untrusted/* orNull */.Xd)(shortText),
    }), mostServices)),
});
/** Compose does these itself when it starts or stops a container; a start by Docker leaves them out. */
const composeOnly = [
    'pre_start',
    'post_start',
    'pre_stop',
    'post_stop',
    'provider',
    'models',
    'use_api_socket',
];
const project = (0,untrusted/* shape */.cW)({
    name: shortText,
    services: (0,untrusted/* mapOf */.A7)(release/* isServiceName */.tN, service, mostServices),
});
const templates = (0,untrusted/* shape */.cW)({
    services: (0,untrusted/* mapOf */.A7)(release/* isServiceName */.tN, (0,untrusted/* shape */.cW)({
        image: (0,untrusted/* orNull */.Xd)(shortText),
        profiles: (value, place) => (0,untrusted/* orNull */.Xd)((0,untrusted/* listOf */.c3)(shortText, 100))(value, place) ?? [],
    }), mostServices),
});
const networkNames = (0,untrusted/* shape */.cW)({
    networks: (0,untrusted/* orNull */.Xd)((0,untrusted/* mapOf */.A7)((key) => key.length <= 255, (0,untrusted/* orNull */.Xd)((0,untrusted/* shape */.cW)({ name: (0,untrusted/* orNull */.Xd)(shortText), external: anything })), 500)),
});
/** The names on the host of the networks of these services, by key; without those that are not the project's own. */
function networksOf(config, names) {
    const { services } = project_parsed(config, project, '');
    const used = new Set(names.flatMap((name) => Object.keys(services[name]?.networks ?? {})));
    const { networks } = project_parsed(config, networkNames, '');
    return new Map(Object.entries(networks ?? {}).flatMap(([key, network]) => network === null || network.name === null || network.external === true || !used.has(key)
        ? []
        : [[key, network.name]]));
}
/**
 * The services in the output of `docker compose config --format json`, with or without `--no-interpolate`; null if it is not
 * usable.
 */
function project_readServices(json) {
    try {
        return new Map(Object.entries(project_parsed(json, templates, '').services));
    }
    catch (error) {
        if ((0,shared_failure/* isFailure */.N6)(error))
            return null;
        throw error;
    }
}
/**
 * Reads the output of `docker compose config --format json`, and keeps only a few fields.
 * @param template the same with `--no-interpolate`; empty if compose gave none
 * @param check the command with which the operator sees what compose makes of the files
 * @param idle services to leave out
 * @throws Failure `bad-compose-config`, which never quotes the text
 */
function readProject(config, template, check, idle = []) {
    const { name, services } = project_parsed(config, project, check);
    const written = template.trim() === '' ? null : project_parsed(template, templates, check);
    return {
        name,
        services: new Map(Object.entries(services)
            .filter(([each]) => !idle.includes(each))
            .map(([each, facts]) => [
            each,
            {
                name: each,
                image: facts.image,
                imageTemplate: written?.services[each]?.image ?? null,
                containerName: facts.container_name,
                replicas: count(facts.scale) ?? count(facts.deploy?.replicas),
                publishes: (facts.ports ?? []).some(({ published }) => published !== undefined && published !== ''),
                networks: Object.keys(facts.networks ?? {}),
                networkMode: facts.network_mode,
                fixedAddress: facts.mac_address !== null ||
                    Object.values(facts.networks ?? {}).some((at) => at !== null && (at.ipv4_address ?? at.ipv6_address ?? at.mac_address) !== null),
                aliases: Object.values(facts.networks ?? {}).flatMap((at) => at?.aliases ?? []),
                dependsOn: Object.entries(facts.depends_on ?? {}).map(([on, { restart, condition }]) => ({
                    service: on,
                    restart: restart === true,
                    awaitsEnd: condition === 'service_completed_successfully',
                })),
                sharesWith: sharedBy(facts),
                volumesFrom: volumesFrom(facts),
                composeOnly: composeOnly.filter((key) => isGiven(facts[key])),
            },
        ])),
    };
}
function count(value) {
    return /^\d{1,4}$/.test(String(value)) ? Number(value) : null;
}
function project_parsed(json, read, check) {
    try {
        return read(JSON.parse(json), '');
    }
    catch (error) {
        const why = (0,shared_failure/* isFailure */.N6)(error) ? error.message : 'it is not JSON';
        throw new shared_failure/* Failure */.HR('bad-compose-config', `The output of docker compose config is not usable: ${why}`, {
            hint: `To see what compose prints: ${check.replace(' --quiet', '')}`,
        });
    }
}
function sharedBy({ network_mode, ipc, pid }) {
    const modes = [network_mode, ipc, pid].map((mode) => /^service:(.+)$/.exec(mode ?? '')?.[1]);
    return [...new Set(modes.filter((each) => each !== undefined))];
}
function volumesFrom({ volumes_from }) {
    const services = (volumes_from ?? []).filter((from) => !from.startsWith('container:'));
    return [...new Set(services.flatMap((from) => from.split(':')[0] ?? []))];
}
/** Compose prints what is not given as null, or as empty. */
function isGiven(value) {
    if (value === undefined || value === null || value === false)
        return false;
    return typeof value !== 'object' || Object.keys(value).length > 0;
}

;// CONCATENATED MODULE: ./build/shared/releases/service-settings.js

/** By service: the newest container stands for the others. */
function service_settings_settingsDrift({ containers, images }, compose) {
    const settings = new Map(compose.settings.map((each) => [each.id, each]));
    const variables = new Map(images.map((image) => [image.id, image.variables]));
    const oldestFirst = containers.toSorted((a, b) => Date.parse(a.created) - Date.parse(b.created));
    const newest = new Map(oldestFirst.map((container) => [container.service, container]));
    const isUnsetElsewhere = compose.unset.some((each) => each.in === 'elsewhere');
    return new Map([...newest].flatMap(([service, { id, created, imageId }]) => {
        const own = settings.get(id);
        if (own === undefined)
            return [];
        const imageVariables = variables.get(imageId) ?? [];
        return [[service, driftOf({ ...compose, service, created, settings: own, imageVariables, isUnsetElsewhere })]];
    }));
}
/** Docker passes these on by itself, from the settings of its client. */
const proxyVariables = /^(https?|ftp|no|all)_proxy$/i;
/** Compares the settings of one service with its container. */
function driftOf(request) {
    const { service, settings, created, mountedFiles } = request;
    const comparison = new Comparison(request);
    compareEnvironment(comparison, request);
    compareLabels(comparison, settings);
    compareFields(comparison, settings);
    comparePorts(comparison, settings);
    compareVolumes(comparison, request);
    compareConfigs(comparison, request);
    const sources = new Set(settings.mounts.map(({ Source }) => Source));
    const mounted = mountedFiles
        .filter(({ path, changedAt }) => sources.has(path) && changedAt > Date.parse(created))
        .map(({ path }) => path);
    return { service, lost: comparison.lost, changed: comparison.changed, mounted };
}
/** A service as compose would start it, and what of it differs from the container. */
class Comparison {
    now;
    /** With its variables. */
    written;
    lost = [];
    changed = [];
    #unset;
    #envNames;
    #isUnsetElsewhere;
    constructor({ config, template, service, unsetNames, envNames, isUnsetElsewhere }) {
        this.now = fieldsOf(config, service);
        this.written = fieldsOf(template, service);
        this.#unset = new Set(unsetNames);
        this.#envNames = new Set(envNames ?? []);
        this.#isUnsetElsewhere = isUnsetElsewhere;
    }
    /** @param ran what the container has; null for nothing */
    compare(setting, template, value, ran) {
        if (value === ran)
            return;
        const isLost = ran !== null &&
            ran !== '' &&
            (this.isUnset(template) || this.#isDefault(template, value) || this.#isFromFile(setting, template));
        if (isLost)
            this.lose(setting, typeof template === 'string' ? wholeVariable(template) : null);
        else
            this.changed.push(setting);
    }
    lose(setting, variable = null) {
        this.lost.push({ setting, variable });
    }
    isUnset(template) {
        return variablesIn(service_settings_textOf(template)).some(({ name }) => this.#unset.has(name));
    }
    /** Compose does not complain of a variable with a default. It is not set if the value is what comes of that. */
    #isDefault(template, value) {
        const uses = typeof template === 'string' ? variablesIn(template) : [];
        return (uses.length > 0 &&
            uses.every(({ name }) => !this.#envNames.has(name)) &&
            value === valueIfUnset(template));
    }
    /** A value from an env_file, which compose shows without its variables. */
    #isFromFile(setting, template) {
        return template === undefined && setting.startsWith('environment ') && this.#isUnsetElsewhere;
    }
}
function compareEnvironment(comparison, { settings, imageVariables }) {
    const ran = environmentOf(settings);
    const environment = template_variables_entriesOf(comparison.now.environment);
    const templates = template_variables_entriesOf(comparison.written.environment);
    const ofImage = new Set(imageVariables);
    for (const [name, value] of Object.entries(environment)) {
        const template = templates[name];
        // Only a name: the value is that of the shell, if it has one.
        const isPassedOn = template === null && value === null;
        if (isPassedOn && (ran.get(name) ?? '') !== '' && !ofImage.has(name))
            comparison.lose(`environment ${name}`, name);
        else if (!isPassedOn)
            comparison.compare(`environment ${name}`, template, plain(value ?? ''), ran.get(name) ?? null);
    }
    const known = new Set([...Object.keys(environment), ...ofImage]);
    for (const name of ran.keys())
        if (!known.has(name) && !proxyVariables.test(name))
            comparison.changed.push(`environment ${name}`);
}
function compareLabels(comparison, { labels: ran }) {
    const templates = template_variables_entriesOf(comparison.written.labels);
    for (const [name, value] of Object.entries(template_variables_entriesOf(comparison.now.labels)))
        comparison.compare(`label ${name}`, templates[name], plain(value ?? ''), ran?.[name] ?? null);
}
/** Settings that are one text, or a list of words. */
function compareFields(comparison, settings) {
    const { now, written } = comparison;
    const texts = {
        user: settings.user,
        // Docker gives one of twelve hex digits where none was asked for.
        hostname: /^[0-9a-f]{12}$/.test(settings.hostname) ? null : settings.hostname,
        working_dir: settings.workingDir,
    };
    for (const field of ['user', 'hostname', 'working_dir']) {
        const value = now[field];
        if (typeof value === 'string')
            comparison.compare(field, written[field], plain(value), texts[field]);
    }
    for (const field of ['command', 'entrypoint']) {
        const words = now[field];
        if (Array.isArray(words))
            comparison.compare(field, written[field], words.map(plain).join('\0'), (settings[field] ?? []).join('\0') || null);
    }
}
/** How ports and volumes are written differs too much to be compared word by word: they are only where a variable is missing. */
function comparePorts(comparison, settings) {
    const { now, written } = comparison;
    if (comparison.isUnset(written.ports) && publishedIn(now.ports) !== publishedBy(settings))
        comparison.lose('ports');
}
function compareVolumes(comparison, { config, settings }) {
    const { now, written } = comparison;
    if (comparison.isUnset(written.volumes) && !mountsAreThere(now.volumes, settings))
        comparison.lose('volumes');
    // Another volume would be an empty one, or somebody else's data.
    for (const { target, name } of namedVolumes(config, now.volumes)) {
        const mount = settings.mounts.find(({ Destination, Type }) => Destination === target && Type === 'volume');
        if (mount !== undefined && mount.Name !== name)
            comparison.lose(`the volume at ${target}`);
    }
}
function compareConfigs(comparison, { template }) {
    for (const { source = '' } of comparison.now.configs ?? [])
        if (comparison.isUnset(service_settings_contentOf(template, source)))
            comparison.lose(`config ${source}`);
}
function service_settings_textOf(template) {
    return typeof template === 'string' ? template : template === undefined ? '' : JSON.stringify(template);
}
function sectionsOf(json) {
    try {
        return JSON.parse(json);
    }
    catch {
        return {};
    }
}
function namedVolumes(config, volumes) {
    const { volumes: known = {} } = sectionsOf(config);
    return (volumes ?? [])
        .map((volume) => volume)
        .flatMap(({ type, source = '', target = '' }) => {
        const name = known[source]?.name;
        return type !== 'volume' || name === undefined ? [] : [{ target, name }];
    });
}
function service_settings_contentOf(template, source) {
    return sectionsOf(template).configs?.[source]?.content ?? '';
}
function fieldsOf(json, service) {
    const { services = {} } = sectionsOf(json);
    return (Object.hasOwn(services, service) ? services[service] : undefined) ?? {};
}
function environmentOf({ environment }) {
    return new Map((environment ?? []).map((each) => {
        const at = each.indexOf('=');
        return at < 0 ? [each, ''] : [each.slice(0, at), each.slice(at + 1)];
    }));
}
function publishedIn(ports) {
    return (ports ?? [])
        .map((port) => port)
        .map(({ published, target, protocol }) => `${published ?? ''}>${target}/${protocol ?? 'tcp'}`)
        .toSorted()
        .join();
}
function publishedBy({ ports }) {
    return Object.entries(ports ?? {})
        .flatMap(([target, bindings]) => (bindings ?? []).map(({ HostPort }) => `${HostPort}>${target}`))
        .toSorted()
        .join();
}
function mountsAreThere(volumes, { mounts }) {
    return (volumes ?? [])
        .map((volume) => volume)
        .every(({ type, source, target }) => type !== 'bind' || mounts.some((mount) => mount.Destination === target && mount.Source === source));
}

;// CONCATENATED MODULE: ./build/shared/survey/survey-swap.js
/** Of a project without containers. */
const noSwapFacts = { sharers: [], endings: [], oneOffs: [], imageVariables: new Map() };
/** null if the survey did not ask for them. */
function readSwapFacts(records) {
    const since = records.find('docker-since');
    if (since === undefined)
        return null;
    const events = new Map(records.all('end-events').map((line) => {
        const [id = '', ...actions] = line.trim().split(' ');
        return [id, actions];
    }));
    return {
        sharers: records.all('sharer').map((line) => {
            const [name = '', what = '', of = ''] = line.split(' ');
            return { name, what: what, of };
        }),
        endings: records.all('ending').map((json) => {
            const ending = JSON.parse(json);
            return {
                ...ending,
                finishedAt: Date.parse(ending.finishedAt),
                dockerSince: Number(since) * 1_000,
                events: events.get(ending.id) ?? [],
                writes: ending.writes.filter((path) => path !== null),
            };
        }),
        oneOffs: records.all('one-off').map((line) => {
            const [name = '', imageId = ''] = line.split(' ');
            return { name, imageId };
        }),
        imageVariables: new Map(records.all('image-variables').map((json) => {
            const { id, variables } = JSON.parse(json);
            return [id, variables.filter((name) => name !== null)];
        })),
    };
}

;// CONCATENATED MODULE: ./build/shared/history/choice.js


/**
 * The newest release that was found good and is not running; failing that, the newest that ran and was not marked bad.
 * Rolling back from a release marks it bad until it is found good again, so a second rollback goes further back, never forward.
 */
function lastGood({ records, environment, running, ignored }) {
    const ours = records.filter((record) => record.environment === environment);
    const now = imagesOf(running, ignored);
    const others = ours
        .filter(ran)
        .map((record) => ({ record, images: imagesOf(record.release, ignored) }))
        .filter(({ images }) => differs(images, now))
        .toReversed();
    const words = wordsOn(ours, ignored);
    let unmarked = null;
    for (const { record, images } of others) {
        const word = words.find(({ about }) => sameImages(about, images))?.word ?? null;
        if (word === 'good') {
            return { record, why: 'the newest release that was found good and is not running now' };
        }
        if (word === null)
            unmarked ??= record;
    }
    if (unmarked !== null) {
        return { record: unmarked, why: 'the newest other release that ran and was not marked bad; none was found good' };
    }
    return {
        record: null,
        why: whyNone(environment, ours.length, others.map(({ images }) => images)),
    };
}
function ran({ event, status }) {
    return status === 'succeeded' && event !== 'drill';
}
/** Some service in both has a different image, and each such image can be found again. */
function differs(images, now) {
    const others = [...images].filter(([service, image]) => {
        const present = now.get(service);
        return present !== undefined && !(0,release/* sameImage */.G4)(image, present);
    });
    return others.length > 0 && others.every(([, { digest, imageId }]) => digest !== null || imageId !== null);
}
function whyNone(environment, known, others) {
    if (known === 0)
        return `the history on the host has no record of ${environment}`;
    const releases = others.filter((images, index) => others.findIndex((earlier) => sameImages(earlier, images)) === index).length;
    return releases === 0
        ? known === 1
            ? 'the only record on the host is of the release that runs'
            : `none of the ${known} records on the host shows another release of the services that run now`
        : releases === 1
            ? 'the only other release in the history was marked bad or rolled back from'
            : `each of the ${releases} other releases in the history was marked bad or rolled back from`;
}

;// CONCATENATED MODULE: ./build/shared/plan/wanted-release.js




/**
 * Resolves the target for this project.
 * @throws Failure `no-target`, `unknown-service`, `database-service`, `record-unknown`
 */
function wantedRelease(target, context) {
    const wanted = resolveTarget(target, context);
    const repositoryOf = (service) => (0,image_reference/* referenceOf */.Bz)(context.project.services.get(service)?.image ?? null)?.repository;
    // What is chosen from the history is chosen by its verdicts.
    if (target.kind === 'last-good')
        return { ...wanted, knownBad: null };
    // A record that only a copy has counts too, as it can only warn.
    const copied = context.entries.filter(({ record, source }) => source === 'mirror' && record.id === wanted.record?.id);
    const verdicts = [...copied.map(({ record }) => record), ...context.verdicts];
    const identified = new Map([...wanted.images].map(([service, image]) => [service, identify(service, image, context)]));
    return { ...wanted, knownBad: knownBad(identified, verdicts, context.databases, repositoryOf) };
}
/** A tag that the history does not know may name an image that it knows by another, such as `latest`. */
function identify(service, wanted, { project, images }) {
    const { tag, digest, imageId } = wanted;
    const repository = (0,image_reference/* referenceOf */.Bz)(project.services.get(service)?.image ?? null)?.repository;
    if (tag === null || digest !== null || imageId !== null || repository === undefined)
        return wanted;
    const isOwn = (name) => (0,image_reference/* referenceOf */.Bz)(name)?.repository === repository;
    const local = images.find(({ repoTags }) => repoTags.some((name) => isOwn(name) && (0,image_reference/* referenceOf */.Bz)(name)?.tag === tag));
    const own = local?.repoDigests.find(isOwn) ?? null;
    return { tag, digest: (0,image_reference/* referenceOf */.Bz)(own)?.digest ?? null, imageId: local?.id ?? null };
}
function resolveTarget(target, context) {
    const named = context.services === null ? null : new Set(context.services);
    for (const service of named ?? [])
        checkService(service, context);
    switch (target.kind) {
        case 'last-good':
            return ofRecord(context.choice.record ?? noTarget(context), context.choice.why, context, named);
        case 'record': {
            const entry = context.entries.find(({ record }) => record.id === target.id);
            if (entry === undefined)
                throw unknownRecord(target.id, context);
            const whose = entry.source === 'host' ? 'in the history on the host' : 'in a copy of the history (the host does not have it)';
            const { record } = entry;
            return ofRecord(entry.source === 'host' ? record : { ...record, release: withoutIds(record.release) }, `the record ${target.id} ${whose}`, context, named);
        }
        case 'services': {
            for (const service of target.images.keys())
                checkService(service, context);
            const images = [...target.images].filter(([service]) => named === null || named.has(service));
            if (images.length === 0)
                throw speaksOfNone('The input "target"', context);
            return { ...resolve(images, context), record: null, unknown: [] };
        }
        default: {
            const services = servicesAt(context, named);
            return {
                ...resolve(services.map((service) => [service, target]), context),
                record: null,
                unknown: [],
            };
        }
    }
}
/** The services that are named, or else those with an image from the registry. */
function servicesAt({ project, databases, registry }, named) {
    if (named !== null)
        return [...named];
    const services = [...project.services.values()]
        .filter(({ name, image }) => !databases.has(name) && (0,image_reference/* referenceOf */.Bz)(image)?.registry === registry)
        .map(({ name }) => name);
    if (services.length > 0)
        return services;
    throw new shared_failure/* Failure */.HR('no-target', `No service of the project has an image from ${registry}`, {
        hint: 'Name the services in "target", as in web=v41, or set "registry" to where their images come from',
    });
}
/** A tag means the image that last ran here under it, even if the tag has moved since. */
function resolve(images, context) {
    const known = [];
    const resolved = images.map(([service, image]) => {
        if ('digest' in image)
            return [service, { tag: null, digest: image.digest, imageId: null }];
        const earlier = ranAs(service, image.tag, context);
        if (earlier === null)
            return [service, { tag: image.tag, digest: null, imageId: null }];
        known.push(service);
        return [service, { tag: image.tag, digest: earlier.digest, imageId: earlier.imageId }];
    });
    const source = `set by the input "target"${known.length === 0 ? '' : `; for ${known.join(', ')} the image that last ran here under that tag`}`;
    return { images: new Map(resolved), source };
}
function ranAs(service, tag, { history, project }) {
    const repository = (0,image_reference/* referenceOf */.Bz)(project.services.get(service)?.image ?? null)?.repository;
    const earlier = history
        .filter(({ status, event }) => status === 'succeeded' && event !== 'drill')
        .map(({ release }) => release[service])
        .findLast((image) => image !== undefined &&
        image.tag === tag &&
        (image.digest !== null || image.imageId !== null) &&
        (0,image_reference/* referenceOf */.Bz)(image.image)?.repository === repository);
    return earlier ?? null;
}
function ofRecord(record, source, context, named) {
    const { project, databases } = context;
    const wanted = Object.entries(record.release).filter(([service]) => !databases.has(service) && (named === null || named.has(service)));
    const known = wanted.filter(([service]) => project.services.has(service));
    if (known.length === 0)
        throw speaksOfNone(`The record ${record.id}`, context);
    return {
        images: new Map(known.map(([service, { tag, digest, imageId }]) => [service, { tag, digest, imageId }])),
        source: `${source}: ${record.event} of ${record.at}`,
        record,
        unknown: wanted.filter(([service]) => !project.services.has(service)).map(([service]) => service),
    };
}
function checkService(service, { project, databases }) {
    if (databases.has(service)) {
        throw new shared_failure/* Failure */.HR('database-service', `The service "${service}" is the database, which is never rolled back`, {
            hint: 'Leave it out. To go back to earlier data, restore a backup: each has a report with the commands',
        });
    }
    if (!project.services.has(service)) {
        throw new shared_failure/* Failure */.HR('unknown-service', `The compose file has no service "${service}"`, {
            hint: `It has: ${[...project.services.keys()].join(', ')}`,
        });
    }
}
/** Without this failure, the run would do nothing and report success. */
function speaksOfNone(what, { project, databases, services }) {
    const asked = services ?? [...project.services.keys()].filter((service) => !databases.has(service));
    return new shared_failure/* Failure */.HR('no-target', `${what} includes none of the services ${asked.join(', ')}`, {
        hint: 'Set "target" to another release, or correct "services"',
    });
}
function noTarget({ choice, entries }) {
    const releases = entries.filter(({ record }) => record.event !== 'drill');
    const newest = releases.slice(-5).map(({ record: { id, at, event, verdict }, source }) => {
        const words = [event, source === 'host' ? verdict : 'from a copy', at];
        return `${id} (${words.join(', ')})`;
    });
    throw new shared_failure/* Failure */.HR('no-target', `There is nothing to roll back to: ${choice.why}`, {
        hint: `Set "target" to a tag, or to the id of a record${newest.length === 0 ? '' : `. The newest are: ${newest.join('; ')}`}`,
    });
}
function unknownRecord(id, { entries }) {
    const newest = entries.slice(-5).map(({ record }) => record.id);
    return new shared_failure/* Failure */.HR('record-unknown', `The history has no record ${id}`, {
        hint: newest.length === 0 ? 'The history is empty: set "target" to a tag' : `The newest are: ${newest.join(', ')}`,
    });
}

;// CONCATENATED MODULE: ./build/shared/releases/database-services.js
/**
 * The services that are databases. No rollback touches them, and their health says nothing about a release.
 * @param named the input "db-service"
 */
function databaseServices({ candidates }, named) {
    return new Set([...candidates.map(({ service }) => service), ...(named === null ? [] : [named])]);
}

;// CONCATENATED MODULE: ./build/shared/releases/compose-command.js

/** The compose command as an operator would type it, for hints: who types it, where, and with which files. */
function composeCommand({ deployDir, projectName, call }, user) {
    const { files, envFiles, projectDirectory, profiles, variables } = call;
    const words = [
        ...(projectName === null ? [] : ['--project-name', projectName]),
        ...(projectDirectory === null ? [] : ['--project-directory', projectDirectory]),
        ...envFiles.flatMap((file) => ['--env-file', file]),
        ...profiles.flatMap((profile) => ['--profile', profile]),
        ...files.flatMap((file) => ['-f', file]),
    ].map(shell_quote/* quoteForShell */.e);
    const set = variables.map(({ name, value }) => `${name}=${(0,shell_quote/* quoteForShell */.e)(value)}`);
    return `On the host, as ${user}: ${['cd', (0,shell_quote/* quoteForShell */.e)(deployDir), '&&', ...set, 'docker compose', ...words].join(' ')}`;
}

;// CONCATENATED MODULE: ./build/shared/releases/readable-project.js






/**
 * The project as compose reads it from the files on the host.
 * @throws Failure `no-compose`, `compose-too-old`; `bad-compose-config` with compose's own words, as far as they may be told
 */
function readableProject(seen, { deployDir, projectName }) {
    const { call, config, template, idle, words } = (0,compose_version/* demandCompose */.Mg)(seen);
    const check = `${composeCommand({ deployDir, projectName, call }, seen.user)} config --quiet`;
    if (config.trim() !== '')
        return readProject(config, template, check, idle);
    const lines = words
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    if (lines.length === 0) {
        throw new shared_failure/* Failure */.HR('bad-compose-config', 'Compose cannot read the project. What it says may quote secrets from your files, so it stays on the host', { hint: `To see it: ${check}` });
    }
    const remedy = remedyFor(lines.join('\n'), (0,compose_call/* envFilesOf */.y$)(call, deployDir).at(-1) ?? '.env', seen.user);
    throw new shared_failure/* Failure */.HR('bad-compose-config', `Compose cannot read the project: ${lines.join('; ')}`, {
        hint: remedy === null ? `Correct that, then check it. ${check}` : `${remedy}. Then check it. ${check}`,
    });
}
/** What to do about the usual mistakes; null for others, whose message says it. */
function remedyFor(words, variables, user) {
    const [, closed] = /(?:open|stat|read) (\/.+): permission denied/.exec(words) ?? [];
    if (closed !== undefined)
        return `Let ${user} read that file. As root: chown ${user} ${(0,shell_quote/* quoteForShell */.e)(closed)}`;
    const [, missing] = /required variable (\w+) is missing/.exec(words) ?? [];
    if (missing !== undefined)
        return `Set ${missing} in ${variables}: a variable of the deployer's shell is not there later`;
    if (/couldn't find env file/i.test(words))
        return 'Correct "env-file", or put that file there';
    if (/no configuration file provided/.test(words))
        return 'Correct "deploy-dir" or "compose-file"';
    const [, away] = /(?:open|stat|env file) (\/.+?)(?: not found)?: (?:stat|no such)/.exec(words) ?? [];
    if (away !== undefined)
        return `Put ${(0,shell_quote/* quoteForShell */.e)(away)} there, or correct what names it: "compose-file", or the compose file`;
    return null;
}

;// CONCATENATED MODULE: ./build/shared/releases/stores.js

// Sources: the Dockerfiles of the official images. An older server may not open the data folder of a newer one.
const stores = [
    {
        names: ['postgres', 'postgresql', 'postgis', 'timescaledb', 'pgvector', 'citus'],
        variables: ['PG_MAJOR', 'PGDATA'],
        folders: ['/var/lib/postgresql', '/bitnami/postgresql'],
    },
    {
        names: ['mysql', 'mariadb', 'percona', 'singlestore'],
        variables: ['MYSQL_MAJOR', 'MYSQL_SHELL_VERSION', 'MARIADB_MAJOR', 'MARIADB_VERSION', 'PS_VERSION'],
        folders: ['/var/lib/mysql', '/bitnami/mysql', '/bitnami/mariadb'],
    },
    {
        names: ['mongo', 'mongodb', 'ferretdb'],
        variables: ['MONGO_MAJOR', 'MONGO_VERSION'],
        folders: ['/data/db', '/data/configdb', '/bitnami/mongodb'],
    },
    {
        names: ['redis', 'valkey', 'keydb', 'kvrocks'],
        variables: ['REDIS_VERSION', 'REDIS_DOWNLOAD_URL', 'VALKEY_VERSION', 'VALKEY_DOWNLOAD_URL'],
        folders: ['/var/lib/redis', '/var/lib/valkey', '/bitnami/redis', '/bitnami/valkey'],
    },
    {
        names: ['rabbitmq', 'activemq', 'mosquitto', 'emqx', 'nats', 'nsqd'],
        variables: ['RABBITMQ_VERSION', 'RABBITMQ_DATA_DIR', 'NATS_SERVER'],
        folders: ['/var/lib/rabbitmq', '/bitnami/rabbitmq'],
    },
    {
        names: ['kafka', 'zookeeper', 'redpanda'],
        variables: ['KAFKA_HOME', 'ZOO_DATA_DIR'],
        folders: ['/var/lib/kafka', '/var/lib/zookeeper', '/bitnami/kafka', '/bitnami/zookeeper'],
    },
    {
        names: ['elasticsearch', 'opensearch', 'solr', 'meilisearch', 'typesense', 'manticore', 'quickwit'],
        variables: ['OPENSEARCH_HOME', 'SOLR_USER'],
        folders: [
            '/usr/share/elasticsearch/data',
            '/usr/share/opensearch/data',
            '/bitnami/elasticsearch',
            '/var/solr',
            '/meili_data',
        ],
    },
    { names: ['qdrant', 'weaviate', 'milvus'], folders: ['/qdrant/storage'] },
    {
        names: ['clickhouse', 'influxdb', 'questdb', 'victoriametrics'],
        variables: ['INFLUXDB_VERSION', 'INFLUX_CONFIG_PATH', 'CLICKHOUSE_CONFIG'],
        folders: ['/var/lib/clickhouse', '/var/lib/influxdb', '/var/lib/influxdb2'],
    },
    {
        names: ['cassandra', 'scylla', 'couchdb', 'couchbase', 'cockroach', 'cockroachdb', 'yugabyte', 'tidb', 'tikv'],
        variables: ['CASSANDRA_VERSION', 'CASSANDRA_HOME', 'COUCHDB_VERSION'],
        folders: [
            '/var/lib/cassandra',
            '/var/lib/scylla',
            '/opt/couchdb/data',
            '/opt/couchbase/var',
            '/cockroach/cockroach-data',
        ],
    },
    {
        names: ['neo4j', 'arangodb', 'rethinkdb', 'surrealdb', 'memgraph', 'dgraph', 'orientdb', 'ravendb', 'aerospike'],
        variables: ['NEO4J_HOME', 'NEO4J_EDITION', 'ARANGO_VERSION', 'RETHINKDB_PACKAGE_VERSION'],
        folders: ['/var/lib/arangodb3', '/var/lib/neo4j'],
    },
    { names: ['minio', 'seaweedfs'], variables: ['MINIO_ROOT_USER_FILE'], folders: ['/bitnami/minio'] },
    {
        names: ['etcd', 'consul'],
        variables: ['ETCD_VERSION'],
        folders: ['/var/lib/etcd', '/etcd-data', '/bitnami/etcd', '/consul/data', '/vault/file'],
    },
    {
        names: ['mssql', 'db2', 'sqlserver'],
        variables: ['MSSQL_PID'],
        folders: ['/var/opt/mssql', '/opt/oracle/oradata'],
    },
];
/** Stores whose names are ordinary words: an application may have them as well, so that only these are meant. */
const inFull = /(^|\/)(apache\/activemq-artemis|apachepulsar\/pulsar|chromadb\/chroma|dragonflydb\/dragonfly|dxflrs\/garage|gvenzl\/oracle-(free|xe)|hashicorp\/vault|victoriametrics\/victoria-metrics)$/;
/** Words in a name that leave a store what it is: `redis-stack-server`, `shop-mysql-db`. */
const qualifiers = new Set(`server community enterprise oss stack cluster sentinel alpine debian ubuntu custom streaming keeper native standalone db
   database data primary replica master slave leader follower node broker distroless base ha ce ee se xe free management
   delayed xtradb latest local full bundle image docker service main prod production cp jetstream`.split(/\s+/));
/** Words in a name that make it something beside a store, which may well be built on its image: a job that makes dumps. */
const besides = /^(exporters?|express|commander|ui|gui|admin|phpmyadmin|adminer|insights?|backups?|dumps?|clients?|cli|tools?|operators?|metrics|monitor(ing)?|managers?|dashboards?|console|browser|viewer|proxy|router|gateway|bridge|connect(or)?|sync|migrat(e|ion|ions|or)|init|setup|seed(er|s)?|jobs?|cron|loader|imports?|exports?|rest|registry|schema|mirror|maker|pgbouncer|pgpool)$/;
/** Words in the name of an application that uses a store. */
const applications = /^(web|api|app|consumers?|producers?|workers?|agents?|sidecars?|test(s|er)?)$/;
/**
 * The services that keep data which an older version may not be able to read, apart from the databases that are backed up.
 * @param images of services in the compose file, by name: a container may have been created from an id
 */
function storeServices(containers, facts, images = new Map()) {
    const found = containers.filter((container) => {
        const names = [container.image, images.get(container.service) ?? ''];
        const writes = facts.endings.find(({ id }) => id === container.id)?.writes ?? [];
        return isStore(names, facts.imageVariables.get(container.imageId) ?? [], writes);
    });
    return new Set(found.map(({ service }) => service));
}
/**
 * Whether a container is a store, by what is known of it.
 * @param images names of its image
 * @param variables names of those that the image itself sets
 * @param writes the mounted folders in the container that it may write to
 */
function isStore(images, variables, writes) {
    const paths = images.map((image) => (0,image_reference/* referenceOf */.Bz)(image)?.path ?? '');
    const isOneOf = (sign) => stores.some(sign);
    if (isOneOf(({ folders = [] }) => folders.some((folder) => writes.some((path) => isWithin(path, folder)))))
        return true;
    if (paths.some((path) => inFull.test(path)))
        return true;
    if (paths.some((path) => hasWord(path, besides)))
        return false;
    return (isOneOf(({ variables: signs = [] }) => signs.some((sign) => variables.includes(sign))) ||
        paths.some((path) => isNamedAsStore(path) && !hasWord(path, applications)));
}
const storeNames = new Set(stores.flatMap(({ names }) => names));
function hasWord(path, words) {
    return stores_wordsOf(path.split('/').at(-1) ?? '').some((word) => words.test(word));
}
/** Its last word that says anything is the name of a store; of `mysql/server`, the folder says it. */
function isNamedAsStore(path) {
    for (const part of path.split('/').toReversed()) {
        const words = stores_wordsOf(part);
        const telling = words.findLast((word) => !qualifiers.has(word)) ?? words.find((word) => storeNames.has(word));
        if (telling !== undefined)
            return storeNames.has(telling);
    }
    return false;
}
/** `redis7` and `percona-server-8.0` are called by what they are, without the version. */
function stores_wordsOf(part) {
    return part
        .toLowerCase()
        .split(/[-_.]+/)
        .map((word) => (storeNames.has(word) ? word : word.replace(/v?\d+$/, '')))
        .filter((word) => word !== '');
}
function isWithin(path, folder) {
    return path === folder || path.startsWith(`${folder}/`);
}

;// CONCATENATED MODULE: ./build/rollback-action/choices.js









/** @throws Failure as `readableProject` does */
function choicesFrom(seen, compose, knownHistory, inputs) {
    const { environment, registry, services, target } = inputs;
    const { images } = compose;
    const running = (0,release/* releaseOf */.l7)(seen.containers, seen.images);
    const databases = databaseServices(seen, inputs.databaseService);
    const today = readableProject(seen, inputs);
    const stores = storesOf(seen, today, inputs, databases);
    const ignored = new Set([...databases, ...stores]);
    const entries = entriesOf(knownHistory);
    const isOurs = (record) => record.environment === environment;
    const verdicts = [...knownHistory.missing, ...knownHistory.host].filter(isOurs);
    const history = knownHistory.host.filter(isOurs);
    const choice = lastGood({ records: knownHistory.host, environment, running, ignored });
    return {
        running,
        databases,
        stores,
        ignored,
        today,
        history,
        candidates: candidates({ entries, verdicts, running, ignored, images, environment }),
        wantedIn: (project) => inputs.restore?.isAlone === true
            ? whatRuns
            : wantedRelease(target, {
                project,
                databases,
                history,
                entries,
                verdicts,
                images,
                choice,
                services,
                registry,
            }),
    };
}
/** Only the database is restored. */
const whatRuns = {
    images: new Map(),
    source: 'the release that runs: only the database is restored',
    record: null,
    unknown: [],
    knownBad: null,
};
/** The stores that nobody named, neither as a service nor with a tag of its own. */
function storesOf({ containers, swapFacts }, { services }, inputs, databases) {
    const images = new Map([...services.values()].map(({ name, image }) => [name, image]));
    const named = [...(inputs.services ?? []), ...(inputs.target.kind === 'services' ? inputs.target.images.keys() : [])];
    const found = storeServices(containers, swapFacts ?? noSwapFacts, images);
    return new Set([...found].filter((service) => !databases.has(service) && !named.includes(service)));
}

// EXTERNAL MODULE: ./build/shared/canonical-json.js
var canonical_json = __nccwpck_require__(71569);
;// CONCATENATED MODULE: ./build/shared/releases/settings-hash.js




/** @returns null if compose gave no configuration, or the host no key */
function settingsOf({ version, config, template, settingsKey, }) {
    const parsed = parse(config);
    if (parsed === null || settingsKey === null)
        return null;
    const written = parse(template);
    const hash = (value) => (0,external_node_crypto_.createHmac)('sha256', settingsKey).update(value).digest('hex').slice(0, 32);
    const services = Object.entries(parsed.services).map(([service, fields]) => [
        service,
        hash((0,canonical_json/* canonicalJson */.d)({ ...comparable(fields, written?.services[service]), files: filesOf(fields, parsed) })),
    ]);
    return { compose: version.trim(), kept: hash(config), services: Object.fromEntries(services) };
}
/**
 * The settings, if it is certain that the containers were created with them: nothing differs, no file has changed since, and
 * they do not come from a configuration that a rollback has taken from the past.
 * @param ignored databases, which are created once and then kept
 */
function provenSettings({ containers, images }, compose, ignored) {
    const own = containers.filter(({ service }) => !ignored.has(service));
    const drift = [...settingsDrift({ containers: own, images }, compose).values()];
    const newest = Math.max(...own.map(({ created }) => Date.parse(created)));
    const isKept = compose.settings.some(({ labels }) => (labels?.['com.docker.compose.project.config_files'] ?? '').includes('/rollback/compose/'));
    const isSame = drift.every(({ lost, changed }) => lost.length + changed.length === 0);
    return isSame && !isKept && compose.changedAt <= newest ? settingsOf(compose) : null;
}
/**
 * A service without what differs from release to release by itself: its image, and values made from a variable that also
 * makes the tag, such as `VERSION: ${TAG}`. Those are taken as they are written.
 */
function comparable(fields, written) {
    const { image: _, ...rest } = fields;
    const tagVariables = new Set(variablesIn(String(written?.['image'] ?? '')).map(({ name }) => name));
    const asWritten = (section) => {
        const templates = template_variables_entriesOf(written?.[section]);
        return Object.fromEntries(Object.entries(template_variables_entriesOf(rest[section])).map(([name, value]) => {
            const template = templates[name] ?? '';
            const isTag = variablesIn(template).some((use) => tagVariables.has(use.name));
            return [name, isTag ? template : value];
        }));
    };
    return { ...rest, environment: asWritten('environment'), labels: asWritten('labels') };
}
/** What the configs and secrets of a service are made from. */
function filesOf(fields, { configs = {}, secrets = {} }) {
    const of = (section, sources) => (fields[section] ?? []).map(({ source = '' }) => sources[source] ?? null);
    return [of('configs', configs), of('secrets', secrets)];
}
function parse(json) {
    try {
        const value = JSON.parse(json);
        return typeof value.services === 'object' && value.services !== null ? value : null;
    }
    catch {
        return null;
    }
}
function settingsChanged(then, now, service) {
    if (then === null || now === null || then.compose !== now.compose)
        return 'unknown';
    const [before, today] = [then.services[service], now.services[service]];
    if (before === undefined || today === undefined)
        return 'unknown';
    return before === today ? 'no' : 'yes';
}
/** The settings that differ between two configurations of a service, as paths: `healthcheck.test`. Names only. */
function differingSettings(one, other, service) {
    const paths = (json) => {
        const found = new Map();
        const fields = parse(json)?.services[service] ?? {};
        const { image: _, ...rest } = fields;
        const visit = (value, path) => {
            const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
            // Two levels say enough: `environment.COLOUR`, `deploy.resources`.
            if (!isBranch || path.split('.').length === 2)
                found.set(path, (0,canonical_json/* canonicalJson */.d)(value));
            else
                for (const [key, part] of Object.entries(value))
                    visit(part, path === '' ? key : `${path}.${key}`);
        };
        visit(rest, '');
        return found;
    };
    const [before, after] = [paths(one), paths(other)];
    return [...new Set([...before.keys(), ...after.keys()])]
        .filter((path) => before.get(path) !== after.get(path))
        .toSorted();
}

;// CONCATENATED MODULE: ./build/rollback-action/compose-source.js





/** The configuration as it is now. */
function currentSource(compose, deployDir) {
    const { call, config, values, projectState } = compose;
    const files = call.files.map((file) => (0,compose_call/* absolute */.ys)(file, deployDir));
    return {
        call,
        config,
        values,
        projectState,
        settings: settingsOf(compose),
        origin: { files, envFiles: call.envFiles.map((file) => (0,compose_call/* absolute */.ys)(file, deployDir)) },
        files,
        envFiles: (0,compose_call/* envFilesOf */.y$)(call, deployDir),
        version: compose.version,
        keptIn: null,
    };
}
/**
 * The configuration that was kept of the target.
 * @throws Failure `not-kept`
 */
async function keptSource(connection, current, then, project, inputs, signal) {
    const kept = then === null ? null : await read(connection, current, then, project, inputs, signal);
    if (kept === null || then === null) {
        throw new shared_failure/* Failure */.HR('not-kept', 'The host has kept no compose files of the target', {
            hint: 'Set compose: current. They are kept whenever verify-action finds a deployment good, and after a rollback',
        });
    }
    const { call, config, values, projectState, files } = kept;
    const keptIn = `${inputs.backupDir}/rollback/compose/${then.kept}`;
    const origin = { ...current.origin, files };
    return { ...current, call, config, values, projectState, origin, files, settings: then, keptIn };
}
function read(connection, current, then, project, { backupDir, deployDir }, signal) {
    const directory = (0,compose_call/* projectFolder */.Kb)(current.call, deployDir);
    return readKept(connection, { backupDir, deployDir, id: then.kept, project, directory, call: current.call }, signal, log.host);
}
/** How the settings of each service of the target have changed since it ran. */
async function settingsOfTarget(connection, { seen, current, wanted, history, project }, inputs, signal) {
    const changes = [...wanted.images].map(([service, image]) => {
        const images = new Map([[service, image]]);
        const then = settingsWhenRan(history, images);
        const files = filesChangedSince(seen, service, lastSeen(history, images)?.at ?? null);
        const change = settingsChanged(then, current.settings, service);
        return { service, then, change: files.length > 0 ? 'yes' : change, files };
    });
    const then = changes.find(({ change }) => change === 'yes')?.then ?? null;
    const kept = then === null ? null : await read(connection, current, then, project.name, inputs, signal);
    return changes.map(({ service, change, files }) => ({
        service,
        change,
        differing: [
            ...(change === 'yes' && kept !== null ? differingSettings(kept.config, current.config, service) : []),
            ...files.map((file) => `the file ${file}`),
        ],
        isKept: kept !== null,
    }));
}
/** The settings with which these images were last seen; null if the history does not say. */
function settingsWhenRan(history, images) {
    const known = history.filter(({ settings }) => settings !== null);
    return lastSeen(known, images)?.settings ?? null;
}
/** The files that a service mounts and that have changed since a moment. */
function filesChangedSince({ compose, containers }, service, at) {
    if (compose === null || 'error' in compose || at === null)
        return [];
    const ids = new Set(containers.filter((container) => container.service === service).map(({ id }) => id));
    const mounts = compose.settings.filter(({ id }) => ids.has(id)).flatMap((each) => each.mounts);
    const sources = new Set(mounts.map(({ Source }) => Source));
    return compose.mountedFiles
        .filter(({ path, changedAt }) => sources.has(path) && changedAt > Date.parse(at))
        .map(({ path }) => path);
}
/** The last record that has these images. */
function lastSeen(history, images) {
    const isSame = (one, other) => other !== undefined &&
        ((one.digest !== null && one.digest === other.digest) || (one.imageId !== null && one.imageId === other.imageId));
    return history.findLast(({ status, event, release }) => status === 'succeeded' &&
        event !== 'drill' &&
        [...images].every(([service, image]) => isSame(image, release[service])));
}

;// CONCATENATED MODULE: ./build/rollback-action/decide.js



















/**
 * Decides what to do from what the survey found. Changes nothing.
 * @param connection to read what the host has kept
 * @param onCandidates gets the releases that the operator can choose from, also if the target turns out to be none
 */
async function decide(connection, seen, mirrored, inputs, signal, onCandidates) {
    return log.group('Plan', async () => {
        const compose = (0,compose_version/* demandCompose */.Mg)(seen);
        demandDeployedFiles(compose, inputs.composeFiles);
        const missing = describeMissingFiles(compose);
        if (missing !== null)
            log.warning(missing);
        const knownHistory = gatherHistory(inputs.environment, seen.history, seen.auditTrail, mirrored.texts);
        for (const text of [...mirrored.notices, ...knownHistory.problems])
            log.notice(text);
        const choices = choicesFrom(seen, compose, knownHistory, inputs);
        const { databases, ignored, history, today } = choices;
        onCandidates(choices.candidates);
        const current = currentSource(compose, inputs.deployDir);
        const isKept = inputs.compose === 'kept';
        const source = isKept
            ? await keptSource(connection, current, settingsWhenRan(history, choices.wantedIn(today).images), today.name, inputs, signal)
            : current;
        if (source.projectState === null)
            throw projectStateUnknown();
        const project = isKept ? keptProject(source, today) : today;
        const wanted = choices.wantedIn(project);
        const draft = {
            ...factsForPlan(seen, compose, inputs),
            project,
            running: choices.running,
            databases,
            stores: choices.stores,
            wanted,
            settings: isKept
                ? []
                : await settingsOfTarget(connection, { seen, current, wanted, history, project }, inputs, signal),
            drift: isKept ? new Map() : service_settings_settingsDrift(seen, compose),
            newestKnown: newestKnown(knownHistory.host, inputs.environment)?.release ?? null,
            schemaNow: newestSchema(knownHistory.host, inputs.environment),
            projectState: source.projectState,
            dropped: new Set([...project.services.keys()].filter((service) => !today.services.has(service))),
            volumeContents: new Map(),
        };
        const request = {
            ...draft,
            volumeContents: await contentsOfVolumes(connection, (0,plan_rollback/* planRollback */.II)(draft), seen, signal),
        };
        const ground = { seen, wanted, ignored, records: history };
        // Its reading of schemas is a bundle of its own.
        const { guardAfterPull, guardSchema } = await __nccwpck_require__.e(/* import() */ 376).then(__nccwpck_require__.bind(__nccwpck_require__, 75376));
        const schema = await guardSchema(connection, (0,plan_rollback/* planRollback */.II)(request), ground, inputs, signal);
        const swap = (0,plan_rollback/* planRollback */.II)(request, schema);
        const restoring = inputs.restore === null
            ? null
            : await (await __nccwpck_require__.e(/* import() */ 616).then(__nccwpck_require__.bind(__nccwpck_require__, 25616))).planRestore(connection, { seen, plan: swap, wanted, ignored, project, databases, records: knownHistory.host }, { ...inputs, restore: inputs.restore }, signal);
        const plan = restoring?.plan ?? swap;
        // Throws now rather than later.
        for (const { service } of plan.services)
            tarOf(inlineFiles(source.config, source.values, service));
        tellPlan(plan, choices.candidates);
        if (seen.hold !== null)
            log.info('Deployments are already on hold because of an earlier rollback');
        if (!inputs.planOnly)
            refuseKnownBad(wanted, inputs.target, inputs.services);
        if (!inputs.planOnly && schema?.refusal)
            throw schema.refusal;
        const afterPull = (settled) => guardAfterPull(connection, schema, settled, ground, inputs, signal);
        return { plan, knownHistory, compose: source, restoring, afterPull };
    });
}
/** What the survey and the inputs say for the plan, whatever the target is. */
function factsForPlan(seen, compose, inputs) {
    return {
        composeVersion: compose.version,
        containers: seen.containers,
        images: compose.images,
        named: new Set(inputs.services ?? []),
        jobs: inputs.jobs,
        swapFacts: seen.swapFacts ?? noSwapFacts,
        // While databases exchange their names, nothing may write.
        strategy: inputs.restore === null ? inputs.strategy : 'recreate',
        proxyService: inputs.proxyService,
        proxies: compose.proxies,
        healthUrl: inputs.healthUrl,
        persist: inputs.persist,
        envNames: compose.envNames,
        unset: compose.unset,
        envFilePath: (0,compose_call/* envFilesOf */.y$)(compose.call, inputs.deployDir).at(-1) ?? '.env',
        updaters: seen.updaters,
        filesChangedAt: compose.changedAt,
    };
}
/** Of the containers that are swapped. Where nobody can look, volumes are taken over as they are. */
async function contentsOfVolumes(connection, { services }, { containers }, signal) {
    const swapped = new Set(services.map(({ service }) => service));
    const volumes = containers.filter(({ service }) => swapped.has(service)).flatMap(container/* mountedVolumes */.k6);
    return (0,compare_volumes/* compareVolumes */.f8)(connection, volumes, signal, log.host).catch((error) => {
        if (!(0,shared_failure/* isFailure */.N6)(error) || signal.aborted)
            throw error;
        return new Map();
    });
}
function tellPlan(plan, candidates) {
    for (const line of [...planText(plan), ...tableOf(candidates)])
        log.info(line);
    for (const { level, text } of plan.notes) {
        if (level === 'warning')
            log.warning(text);
        else
            log.info(text);
    }
}
/** The project as it was, with the variables for tags as they are written today: those are to be changed. */
function keptProject({ config }, today) {
    const { name, services } = readProject(config, '', 'docker compose config --quiet');
    const written = [...services].map(([service, facts]) => [
        service,
        { ...facts, imageTemplate: today.services.get(service)?.imageTemplate ?? null },
    ]);
    return { name, services: new Map(written) };
}
/** The table of releases to choose from, with its title. */
function tableOf(others) {
    return others.length === 0 ? [] : ['Other releases in the history:', ...candidateLines(others)];
}
function projectStateUnknown() {
    return new shared_failure/* Failure */.HR('survey-incomplete', "Docker could not describe itself, or some of the project's containers", {
        hint: 'See what it says on the host: docker ps --all; docker info. Then run it again',
    });
}

// EXTERNAL MODULE: ./build/shared/failure-codes.js
var failure_codes = __nccwpck_require__(26933);
// EXTERNAL MODULE: ./build/shared/postgres/database-name.js
var database_name = __nccwpck_require__(6177);
;// CONCATENATED MODULE: ./build/rollback-action/endings.js



/**
 * The failure to report when the rollback did not succeed.
 * @param folder the transaction's folder on the host
 */
function endingFailure(outcome, folder, { otherSettings, services, restore }) {
    const not = services.length === 0 ? 'Not restored' : 'Not rolled back';
    const data = restore === null ? '' : ', with its old database,';
    const { ending, left, foundStopped, problems } = outcome;
    const stopped = foundStopped.join(', ');
    const { code, message: why } = failureOf(outcome);
    const evidence = `The containers' logs are in ${folder}/evidence`;
    switch (ending) {
        case 'refused':
            return new shared_failure/* Failure */.HR(code, `${not}: ${why}`, {
                hint: `${refusedHints[code] ?? 'Run it again'}. ${stopped === '' ? 'Nothing was stopped: the previous release is still running' : `What had stopped in the meantime (${stopped}) was started again and checked`}`,
            });
        case 'reverted':
            return new shared_failure/* Failure */.HR(code, `${not}: ${why}`, {
                hint: `The previous release is running again${data} and was checked. ${evidence}. ${revertedHints[code] ?? (otherSettings ? changedSettings : 'Set "target" to another release')}`,
            });
        default:
            if (stopped !== '') {
                return new shared_failure/* Failure */.HR(code, `${not}, and ${stopped} had stopped before the swap and is not well again: ${why}`, {
                    hint: `${problems.join('. ')}. In deploy-dir on the host: docker compose up --detach. The steps are in ${folder}/journal`,
                });
            }
            return new shared_failure/* Failure */.HR(code, `${services.length === 0 ? 'The restore' : 'The target'} failed${left ? ' and was left in place' : ', and not everything could be put back'}: ${why}`, {
                hint: `${problems.map((problem) => `${problem}. `).join('')}On the host: docker ps --all. ${evidence}, the steps are in ${folder}/journal${left && restore !== null ? `. The restored database is in use${code === 'database-silent' ? ', as far as is known' : ''}; the old one is ${(0,database_name/* nameWith */.i)(restore.database, `_before_${folder.slice(-15)}`)}. To swap them back: docs/restore.md, 'Back to the old database'` : ''}`,
            });
    }
}
function failureOf({ failure, dockerRestarted }) {
    const said = failure?.text || failure?.code || 'stuck';
    if (dockerRestarted)
        return new shared_failure/* Failure */.HR('docker-restarted', `Docker was restarted on the host during the rollback. ${said}`);
    // A newer version may have written a code that this one does not know.
    const code = failure?.code ?? 'stuck';
    return (0,failure_codes/* isFailureCode */.s)(code) ? new shared_failure/* Failure */.HR(code, said) : new shared_failure/* Failure */.HR('stuck', `${code}: ${said}`);
}
/** The target may well be good. */
const changedSettings = 'The compose files have changed since the target ran, so it was not marked bad. To go back to those of that time as well: compose: kept';
/** Hints for failures that are not the target's fault. */
const revertedHints = {
    'engine-died': 'Run it again',
    'docker-restarted': 'Run it again',
    'docker-failed': 'See what Docker says in the log, then run it again',
    'stop-failed': 'See what Docker says in the log, then run it again',
    'container-lost': 'Something else changed the containers: find out what, then run it again',
    'job-failed': 'To roll back without running the jobs that other services wait for: jobs: skip',
    'no-answer': 'See which port the target listens on and what its proxy says; the compose file may have changed since it ran',
    'still-starting': 'Raise "health-timeout". With the button of examples/rollback.yml: set the variable HEALTH_TIMEOUT, such as 15m, and run it again',
    'database-busy': 'Find out what the session does: pg_stat_activity. A process that does not end when asked may hang in the kernel, or in an extension',
    'database-silent': 'See why the database server does not answer. On the host: docker ps --all; docker logs NAME; df -h. Then run it again',
    'not-exchanged': 'See what PostgreSQL says in the log of the transaction, then run it again',
    'max-downtime': 'Raise "max-downtime", or leave it empty',
};
const refusedHints = {
    'plan-stale': 'To see what has changed, tick the box "plan-only" of the form (plan-only: true). Then run it again',
    'lock-held': 'Check that run; if it is only slow, raise "lock-wait"',
    'no-answer': 'Publish the port again in the compose file. If it is meant to be gone, first deploy without it, in deploy-dir on the host: docker compose up -d',
    'port-taken': 'If it came with the release that you roll back from, stop it on the host (docker stop, with its name), then run it again',
    'not-created': 'See what docker compose says in the log',
    'disk-full': 'Make room on the disk of "backup-dir", then run it again',
    unfinished: 'Run it again with "target" set to the release you want: it finishes that transaction first, and without "target" it may then go one release further back',
};

// EXTERNAL MODULE: ./build/shared/postgres/scripts.js
var scripts = __nccwpck_require__(33338);
;// CONCATENATED MODULE: ./build/shared/transaction/journal.js
const endings = ['rolled-back', 'reverted', 'refused', 'failed'];
/** Reads a journal. Leaves out an incomplete last line, and any line that is not ours. */
function parseJournal(text) {
    return text
        .split('\n')
        .slice(0, -1)
        .map(parseJournalLine)
        .filter((line) => line !== null);
}
/** null if the text is not a line of a journal. */
function parseJournalLine(text) {
    const [, at, step = '', detail = ''] = /^(\d{1,15})\t([a-z-]+)\t([^\t]*)$/.exec(text) ?? [];
    return at === undefined ? null : { at: Number(at), step, detail };
}
/** Reads the journal as a whole. */
function outcomeOf(lines) {
    const details = (step) => lines.filter((line) => line.step === step).map(({ detail }) => detail);
    const ended = details('ended')[0];
    const failure = details('failure')[0];
    const measurements = lastOfEach(details('measured').map(readMeasurement));
    const gaps = measurements.map(({ gapMs }) => gapMs).filter((gap) => gap !== null);
    return {
        ending: endings.find((known) => known === ended) ?? null,
        failure: failure === undefined ? null : splitFailure(failure),
        left: details('left').length > 0,
        dockerRestarted: details('docker-restarted').length > 0,
        held: details('held').length > 0,
        problems: details('problem'),
        reloaded: [...new Set([...details('reloaded'), ...details('restarted')])],
        foundStopped: [...new Set(details('found-stopped'))],
        measurements,
        downtimeMs: gaps.length === 0 || measurements.some(({ asked }) => asked === 0) ? null : Math.max(...gaps),
        failedRequests: gaps.length === 0 ? null : measurements.reduce((sum, { failed }) => sum + failed, 0),
    };
}
function splitFailure(detail) {
    const space = detail.indexOf(' ');
    return space < 0 ? { code: detail, text: '' } : { code: detail.slice(0, space), text: detail.slice(space + 1) };
}
/** null if the line makes no sense: a cut line must not hide how the transaction ended. */
function readMeasurement(detail) {
    const [, name = '', gap, failed, asked] = /^(\S+) (\d{1,15}|-) (\d{1,15}) (\d{1,15})$/.exec(detail) ?? [];
    if (gap === undefined)
        return null;
    return {
        service: name === '.health-url' ? null : name,
        gapMs: gap === '-' ? null : Number(gap),
        failed: Number(failed),
        asked: Number(asked),
    };
}
/** An engine that took over from a dead one continues the measurement and reports it again: the last report counts. */
function lastOfEach(measurements) {
    const found = measurements.filter((measurement) => measurement !== null);
    return [...new Map(found.map((measurement) => [measurement.service, measurement])).values()];
}

;// CONCATENATED MODULE: ./build/shared/transaction/transaction.js




const resuming = {
    name: 'resume',
    step: 'the restart of the rollback',
    scripts: [new URL(/* asset import */ __nccwpck_require__(67509), __nccwpck_require__.b), new URL(/* asset import */ __nccwpck_require__(38105), __nccwpck_require__.b)],
};
const following = {
    name: 'follow',
    step: 'following the rollback',
    scripts: [new URL(/* asset import */ __nccwpck_require__(89239), __nccwpck_require__.b)],
};
/** These programs only write some files. The engine runs in a session of its own. */
const transaction_short = { deadline: 60_000, atEnd: 'finish' };
/** Restarts the engine of an unfinished transaction that has lost it. */
async function resumeTransaction(connection, backupDir, id, onLog) {
    await connection.run(resuming, { backup_dir: backupDir, id }, { ...transaction_short, onLog }).result;
}
/**
 * Follows a transaction until it has finished or is abandoned.
 * @param linesSeen how many lines of the journal are already known
 * @param onLine called for each further line as it is written
 * @throws Failure if the connection is lost; the transaction carries on
 */
async function followTransaction(connection, backupDir, id, linesSeen, { onLine, onLog, signal, deadline }) {
    const { result } = connection.run(following, { backup_dir: backupDir, id, lines_seen: String(linesSeen) }, {
        deadline,
        atEnd: 'end',
        onLog,
        ...(signal && { signal }),
        onProgress: (name, value) => {
            const line = name === 'journal' ? parseJournalLine(value) : null;
            if (line !== null)
                onLine(line);
        },
    });
    const records = await result;
    return {
        lines: parseJournal(records.find('journal') ?? ''),
        recorded: records.find('recorded') ?? null,
        log: records.find('log') ?? '',
        lastWords: records.all('last-words').map(readLastWords),
        abandoned: records.find('abandoned') !== undefined,
    };
}
const transaction_mostLines = 15;
const transaction_longestLine = 200;
function readLastWords(value) {
    const [service = '', ...lines] = (0,shared_clean/* cleanLines */.v3)(value);
    return { service, lines: lines.slice(-transaction_mostLines).map((line) => (0,shared_clean/* cleanLine */.Ow)(line, transaction_longestLine)) };
}
/** The failure for a transaction whose outcome is unknown because contact to it was lost. */
function stillOpen(backupDir, id, cause) {
    return new shared_failure/* Failure */.HR('outcome-unknown', `Lost contact while the transaction ${id} was running`, {
        hint: `The host finishes it by itself. To see how it ended, run on the host: ${(0,backup_folder/* commandToFollow */.W9)(backupDir, id)}. If its last line does not say "ended", finish it there: ${(0,backup_folder/* commandToEnd */.yo)(backupDir, id)}`,
        cause,
    });
}

// EXTERNAL MODULE: ./build/shared/transaction/transaction-files.js + 1 modules
var transaction_files = __nccwpck_require__(31766);
;// CONCATENATED MODULE: ./build/shared/transaction/start-transaction.js





// What only rollback-action does with transactions. The other actions finish and follow them: a host may let their key do no more.
/** The scripts that make up the engine on the host, in order. */
const engine = [
    new URL(/* asset import */ __nccwpck_require__(65479), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(68303), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(53390), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(93401), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(68318), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(38814), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(39674), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(37812), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(35735), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(14310), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(24721), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(74181), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(88355), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(67334), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(61008), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(1098), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(78336), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(36461), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(91562), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(20423), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(59372), __nccwpck_require__.b),
    new URL(/* asset import */ __nccwpck_require__(20256), __nccwpck_require__.b),
];
const starting = {
    name: 'start',
    step: 'the start of the rollback',
    scripts: [new URL(/* asset import */ __nccwpck_require__(67509), __nccwpck_require__.b), new URL(/* asset import */ __nccwpck_require__(88028), __nccwpck_require__.b)],
};
const aborting = {
    name: 'abort',
    step: 'cancelling the rollback',
    scripts: [new URL(/* asset import */ __nccwpck_require__(64142), __nccwpck_require__.b)],
};
const searching = {
    name: 'find',
    step: 'the search for the rollback',
    scripts: [new URL(/* asset import */ __nccwpck_require__(51681), __nccwpck_require__.b)],
};
/** The engine as it stands in the folder of a transaction, to the byte. */
const engineScript = () => {
    const parts = engine.map((url) => (0,external_node_fs_.readFileSync)(url, 'utf8'));
    // What it runs in the database's container, so that one hash tells all that an engine can do.
    const inside = `inside_script() {\n  cat <<'INSIDE'\n${(0,scripts/* replaceScript */.kl)()}INSIDE\n}`;
    return `${[...parts, inside].join('\n')}\nmain "$@"\n`;
};
/**
 * Starts a transaction, which from then on runs by itself.
 * @returns its id
 */
async function startTransaction(connection, request, onLog) {
    const second = String(Math.floor(request.startedAt.getTime() / 1_000));
    const files = new Map([['engine.sh', engineScript()], ...(0,transaction_files/* transactionFiles */.CB)(request)]);
    const parameters = {
        backup_dir: request.backupDir,
        second,
        file_names: [...files.keys()],
        file_texts: [...files.values()],
    };
    try {
        return (await connection.run(starting, parameters, { ...transaction_short, onLog }).result).get('transaction');
    }
    catch (error) {
        throw (0,shared_failure/* isFailure */.N6)(error, 'disk-full', 'write-failed') ? notWritten(request.backupDir, error) : error;
    }
}
/** In the host's own words. */
function notWritten(backupDir, failure) {
    const isFull = failure.code === 'disk-full';
    const look = isFull ? `df -h ${backupDir}. Make room` : `ls -ld ${backupDir}/rollback; dmesg | tail. Mend that`;
    return new shared_failure/* Failure */.HR(failure.code, `Could not write the transaction to ${backupDir}: ${isFull ? 'its disk is full' : failure.message}`, { hint: `Nothing was stopped. On the host: ${look}, then run it again`, cause: failure });
}
/** Asks a transaction not to begin its swap. If the swap has already begun, the host finishes it. */
async function abortTransaction(connection, backupDir, id, onLog) {
    await connection.run(aborting, { backup_dir: backupDir, id }, { ...transaction_short, onLog }).result;
}
/** Finds the transaction of a run that lost its connection while starting it. @returns its id; null if there is none */
async function findTransaction(connection, backupDir, historyId, onLog) {
    const records = await connection.run(searching, { backup_dir: backupDir, history_id: historyId }, { ...transaction_short, onLog })
        .result;
    return records.find('transaction') ?? null;
}

;// CONCATENATED MODULE: ./build/shared/transaction/unfinished.js






/** How often one run restarts an engine that dies. */
const mostStarts = 3;
/**
 * Milliseconds: the longest session that follows a transaction. A transaction may take hours; ending the session now and then
 * reveals a host that hangs.
 */
const longestSession = 10 * 60_000;
/** Follows a transaction until it has finished, and restarts its engine if nobody carries it. @throws Failure `stuck` */
async function followToTheEnd(connection, backupDir, id, linesSeen, options) {
    let known = linesSeen;
    const onLine = (line) => {
        known += 1;
        options.onLine(line);
    };
    const giveUp = Date.now() + options.deadline;
    const follow = async () => {
        for (;;) {
            const left = giveUp - Date.now();
            const deadline = Math.min(left, longestSession);
            try {
                return await followTransaction(connection, backupDir, id, known, { ...options, deadline, onLine });
            }
            catch (error) {
                // A session may overrun by its grace period. If that would leave no time for another one, this one is the last.
                const isLast = left <= longestSession + run_program/* usualGrace */.B3;
                if (isLast || !(0,shared_failure/* isFailure */.N6)(error, 'deadline'))
                    throw error;
            }
        }
    };
    for (let starts = 0;; starts += 1) {
        const { lines, recorded, log, lastWords } = await follow();
        const outcome = outcomeOf(lines);
        if (outcome.ending !== null)
            return { outcome, lines, recorded, log, lastWords };
        if (starts === mostStarts)
            throw stuck(backupDir, id, log);
        await resumeTransaction(connection, backupDir, id, options.onLog);
    }
}
/**
 * Finishes the transactions that earlier runs have left unfinished.
 * @param unfinished their ids, from a survey that found nobody holding the lock
 */
async function endUnfinished(connection, backupDir, unfinished, options, log) {
    log.warning(`An earlier rollback is unfinished: ${unfinished.join(', ')}. Finishing it first`);
    for (const id of unfinished) {
        await resumeTransaction(connection, backupDir, id, log.host);
        const following = { ...options, onLog: log.host, onLine: () => { } };
        const { outcome } = await followToTheEnd(connection, backupDir, id, 0, following);
        log.important(`Finished the transaction ${id}: ${outcome.ending}`);
    }
}
/** @throws Failure `survey-incomplete` if a journal cannot be read: its transaction may be unfinished */
function demandJournals({ journalsUnreadable }, backupDir) {
    if (!journalsUnreadable)
        return;
    const folder = (0,shell_quote/* quoteForShell */.e)((0,backup_folder/* transactionsFolder */.on)(backupDir));
    throw new shared_failure/* Failure */.HR('survey-incomplete', `Cannot read every journal in ${(0,backup_folder/* transactionsFolder */.on)(backupDir)}`, {
        hint: `A rollback may be unfinished. See which journal that is: ls -l ${folder}/*/journal; dmesg | tail`,
    });
}
function stuck(backupDir, id, log) {
    return new shared_failure/* Failure */.HR('stuck', `The transaction ${id} did not finish`, {
        hint: `On the host: ${(0,backup_folder/* commandToEnd */.yo)(backupDir, id)}. Its log is in the same folder, in the file log`,
        cause: log,
    });
}

;// CONCATENATED MODULE: ./build/rollback-action/progress.js


/** What each journal step means to an operator; `$` stands for the detail. Steps not listed here are not shown. */
const sentences = {
    waiting: 'Waiting for the lock, held by $',
    begin: 'The host has the lock; from here on it no longer needs the runner',
    checked: 'Nothing has changed since the plan was made',
    mended: 'Removed a leftover of docker compose: $',
    created: '$: created the new containers, not started yet',
    stopping: '$: stopping',
    starting: '$: starting the new containers beside the old ones',
    started: '$: started',
    answers: '$: answers',
    exchanging: 'Everything that writes has stopped; the restored database takes its place',
    exchanged: 'The restored database is the live one',
    'exchanged-back': 'The old database is the live one again',
    healthy: 'All swapped services are healthy',
    stable: 'Everything stayed up for $ s',
    'url-answers': 'The health-url answers',
    running: '$: running the job from the target',
    completed: '$: the job has completed',
    'running-again': '$: running the job of the previous release again',
    'stays-stopped': '$: stays stopped, with a container of the target',
    reloaded: '$: its configuration was reloaded, so that it finds the containers behind it',
    restarted: '$: restarted, because it did not answer',
    'found-stopped': '$: has stopped although the swap has not begun; starting it again',
    'started-again': 'What had stopped is running again',
    draining: '$: the old containers are finishing their requests',
    drained: '$: the old containers have stopped',
    commit: 'All checks passed: the rollback is final',
    retagged: "$: the compose file's own reference now points at the target",
    'engine-died': 'The rollback engine on the host died; restarting it',
    reverting: 'Going back to the previous release',
    restored: '$: the previous release is running again',
    reverted: 'The previous release is running again and was checked',
    'docker-restarted': 'Docker was restarted during the rollback',
    left: 'Left as it is because of on-failure: leave',
};
/** Logs the steps of a transaction as they happen, each with the time since the first. */
class TransactionProgress {
    #begin;
    tell({ at, step, detail }) {
        this.#begin ??= at;
        const since = (0,units/* formatDuration */.a3)(at - this.#begin);
        if (step === 'failure')
            log.important(`✘ ${detail.replace(/^[a-z-]+ /, '')} (after ${since})`);
        else if (step === 'problem')
            log.warning(detail);
        else if (step === 'unpublished') {
            const [address = '', service = ''] = detail.split(' ');
            log.warning(`${address} answered before; ${service} does not publish it with the settings that it had then`);
        }
        else if (step === 'disobeyed') {
            log.warning(`${detail} did not stop when asked and was killed after its time to stop. Does its program run behind a shell as PID 1? init: true may help`);
        }
        else if (step === 'measured')
            this.#tellMeasurement(detail);
        else {
            const sentence = sentences[step];
            if (sentence !== undefined)
                log.progress(`${sentence.replace('$', () => subject(step, detail))} (${since})`);
        }
    }
    #tellMeasurement(detail) {
        const [name = '', gap = '', failed = '', asked = ''] = detail.split(' ');
        const what = name === '.health-url' ? 'health-url' : name;
        log.info(asked === '0'
            ? `${what}: stopped measuring downtime: the disk is full`
            : gap === '-'
                ? `${what}: never answered, so its downtime could not be measured`
                : `${what}: longest downtime ${(0,units/* formatDuration */.a3)(Number(gap))}, ${failed} of ${asked} requests failed`);
    }
}
/** The detail of `started` is the service's name and how long it took: only the name is shown. */
function subject(step, detail) {
    return step === 'started' ? (detail.split(' ')[0] ?? '') : detail;
}

;// CONCATENATED MODULE: ./build/rollback-action/carry.js









/** Keep trying to reconnect for this many milliseconds; the host carries on in the meantime. */
const reconnectingFor = 3 * 60_000;
const betweenTries = 3_000;
const mostLosses = 100;
/** The runner gives a cancelled step 7.5 s; our wrapper ends it after 6.5 s. */
const patienceAfterCancel = 4_500;
/**
 * Starts the transaction and follows it until it has finished, over several connections if necessary.
 * @throws Failure `cancelled`, `outcome-unknown`, `stuck`: the host carries on by itself; another one before `onId`: nothing was started
 */
async function carry(connection, carrying) {
    const { request, signal } = carrying;
    const { backupDir } = request;
    const steady = new SteadyConnection(connection, carrying);
    const id = await start(steady, carrying);
    carrying.onId(id);
    const progress = new TransactionProgress();
    let linesSeen = 0;
    const following = steady.use(id, (current) => followToTheEnd(current, backupDir, id, linesSeen, {
        deadline: 24 * 3_600_000,
        onLog: log.host,
        onLine: (line) => {
            linesSeen += 1;
            progress.tell(line);
        },
    }));
    const ended = await Promise.race([following, cancelled(signal).then(() => null)]);
    const followed = ended ?? (await cancel(steady, id, following, carrying));
    return { id, ...followed };
}
async function start(steady, { request }) {
    const { connection } = steady;
    try {
        return await startTransaction(connection, request, log.host);
    }
    catch (error) {
        if (!wasLost(error) && !wasSilent(error))
            throw error;
        // The host may have started it before the connection broke.
        const found = await steady
            .use(null, (current) => findTransaction(current, request.backupDir, request.historyId, log.host))
            .catch((lost) => {
            throw (0,shared_failure/* isFailure */.N6)(lost) ? perhapsStarted(request, lost) : lost;
        });
        if (found === null)
            throw error;
        return found;
    }
}
function perhapsStarted({ backupDir, historyId }, cause) {
    const plans = `${(0,shell_quote/* quoteForShell */.e)((0,backup_folder/* transactionsFolder */.on)(backupDir))}/*/plan.tsv`;
    return new shared_failure/* Failure */.HR('outcome-unknown', 'Lost contact while the rollback was being started', {
        hint: `The host may have started it; if it has, it will finish it by itself. If the following command names no file, nothing was started: run it again. On the host: grep -l ${historyId} ${plans}`,
        cause,
    });
}
/** Before the swap this ends the transaction. After that the host finishes it: nothing may stay half-swapped. */
async function cancel(steady, id, following, { request }) {
    const { backupDir } = request;
    await Promise.race([
        abortTransaction(steady.connection, backupDir, id, log.host).catch(() => { }),
        (0,promises_.setTimeout)(patienceAfterCancel / 2, undefined, { ref: false }),
    ]);
    const unlessLost = following.catch((error) => {
        if ((0,shared_failure/* isFailure */.N6)(error, 'outcome-unknown'))
            return null;
        throw error;
    });
    const ended = await Promise.race([unlessLost, (0,promises_.setTimeout)(patienceAfterCancel / 2, null, { ref: false })]);
    if (ended !== null)
        return ended;
    throw new shared_failure/* Failure */.HR('cancelled', `Cancelled, but the host is still working on transaction ${id} and will finish it`, {
        hint: `To see how it ended, run on the host: ${(0,backup_folder/* commandToFollow */.W9)(backupDir, id)}`,
    });
}
function cancelled(signal) {
    return new Promise((resolve) => {
        if (signal.aborted)
            resolve();
        else
            signal.addEventListener('abort', () => resolve(), { once: true });
    });
}
const lossCodes = [
    'connection-lost',
    'program-lost',
    'host-unreachable',
    'connection-timed-out',
    'connection-refused',
    'connection-closed',
];
function wasLost(error) {
    return (0,shared_failure/* isFailure */.N6)(error, ...lossCodes);
}
/** The host hangs although the connection is up: another connection would not help. */
function wasSilent(error) {
    return (0,shared_failure/* isFailure */.N6)(error, 'host-silent');
}
/** The connection to the host, reopened when it is lost. */
class SteadyConnection {
    connection;
    #carrying;
    constructor(connection, carrying) {
        this.connection = connection;
        this.#carrying = carrying;
    }
    /** @param id for the error message if the connection stays lost; null: it is not known whether anything was started */
    async use(id, work) {
        const { request, signal, reconnect } = this.#carrying;
        const outOfReach = (error) => (id === null ? error : stillOpen(request.backupDir, id, error));
        let lostSince;
        for (let losses = 0;; losses += 1) {
            try {
                return await work(this.connection);
            }
            catch (error) {
                if (wasSilent(error) || (wasLost(error) && signal.aborted))
                    throw outOfReach(error);
                if (!wasLost(error))
                    throw error;
                lostSince ??= Date.now();
                if (losses === mostLosses || Date.now() - lostSince > reconnectingFor)
                    throw outOfReach(error);
                log.progress('Lost the connection; the host carries on. Reconnecting');
            }
            await (0,promises_.setTimeout)(betweenTries, undefined, { signal }).catch(() => { });
            try {
                this.connection = await reconnect();
                lostSince = undefined;
            }
            catch (error) {
                if (!wasLost(error))
                    throw outOfReach(error);
            }
        }
    }
}

;// CONCATENATED MODULE: ./build/rollback-action/hand-over.js



/**
 * Hands the rollback over to the host, which from then on decides, and waits for its end. Of a restore, the copy goes again if the
 * host never began.
 * @throws Failure as `carry` does
 */
async function handOver(connection, carrying, outputs, restoring) {
    const onId = (id) => {
        outputs['transaction-id'] = id;
        log.info(`Transaction ${id}`);
    };
    // Until the host reports the ending, assume the worst.
    outputs.status = 'failed';
    try {
        const carried = await log.group('Swap', () => carry(connection, { ...carrying, onId }));
        // The engine has done so, if it came so far.
        if (carried.outcome.ending === 'refused')
            await restoring?.drop(connection);
        return carried;
    }
    catch (error) {
        if (outputs['transaction-id'] === null && !(0,shared_failure/* isFailure */.N6)(error, 'outcome-unknown')) {
            // Nothing was started that could still need the copy.
            outputs.status = 'refused';
            await restoring?.drop(connection);
        }
        throw error;
    }
}

// EXTERNAL MODULE: ./build/shared/backups/host-checks.js
var host_checks = __nccwpck_require__(79052);
;// CONCATENATED MODULE: ./build/shared/survey/survey-compose.js

/** null if the survey was not asked for it; an error if compose could not be asked. */
function readCompose(records) {
    const error = records.find('compose-error');
    const version = records.find('compose-version');
    if (error !== undefined)
        return { error };
    if (version === undefined)
        return null;
    return {
        version,
        call: (0,compose_call/* readComposeCall */.Pq)(records.all('compose-call')),
        otherFiles: records.lines('compose-deployed'),
        missingFiles: records.lines('compose-missing'),
        config: records.get('compose-config'),
        template: records.get('compose-template'),
        idle: [],
        unset: readUnset(records.get('compose-unset')),
        words: records.get('compose-words'),
        unsetNames: records.lines('compose-unset-names'),
        values: records.find('compose-values') ?? '',
        settingsKey: records.find('settings-key')?.trim() ?? null,
        mountedFiles: records.lines('mounted-files').map((line) => {
            const at = line.indexOf(' ');
            return { path: line.slice(at + 1), changedAt: Number(line.slice(0, at)) * 1_000 };
        }),
        settings: records.all('container-settings').map((json) => JSON.parse(json)),
        changedAt: Number(records.get('compose-changed')) * 1_000,
        envNames: records.find('env-names')?.split('\n') ?? null,
        projectState: records.find('project-state') ?? null,
        images: readLocalImages(records.find('local-images') ?? ''),
        proxies: records.all('proxy').map(readProxy),
    };
}
/** Reads the service and the lines of survey-proxies.sh. */
function readProxy(text) {
    const [service = '', ...lines] = text.split('\n');
    const after = (word) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    return { service, answers: after('answers'), looksUpOnce: lines.includes('unread') ? null : after('looks-up-once') };
}
/** Reads lines `KIND LINE NAME FILE`, as unset_variables prints them. */
function readUnset(text) {
    return text.split('\n').flatMap((each) => {
        const [, kind, digits, word = '', file = ''] = /^(\w+) (\d+) (\S+) (.+)$/.exec(each) ?? [];
        const [line, name] = [Number(digits), word === '-' ? null : word];
        if (kind === 'env')
            return [{ in: 'env-file', file, line, holder: name }];
        if (kind === 'compose')
            return [{ in: 'compose-file', file, line, name }];
        return kind === 'elsewhere' ? [{ in: 'elsewhere' }] : [];
    });
}
/**
 * Reads lines `ID REPOSITORY TAG DIGEST`, one for each name of an image. `<none>` stands for a missing part. An image that
 * was built here and lost its tag to a newer one has no name at all, but a rollback can still use it.
 */
function readLocalImages(text) {
    const images = new Map();
    for (const line of text.split('\n')) {
        const [id = '', repository = '', tag = '', digest = ''] = line.split(' ');
        if (repository === '')
            continue;
        const image = images.get(id) ?? { id, repoTags: [], repoDigests: [] };
        images.set(id, image);
        if (repository === '<none>')
            continue;
        if (tag !== '<none>' && tag !== '')
            image.repoTags.push(`${repository}:${tag}`);
        if (digest !== '<none>' && digest !== '')
            image.repoDigests.push(`${repository}@${digest}`);
    }
    return [...images.values()];
}

// EXTERNAL MODULE: ./build/shared/survey/survey-sets.js
var survey_sets = __nccwpck_require__(80847);
;// CONCATENATED MODULE: ./build/shared/survey/survey-setup.js
/** null if the survey was not asked for it. */
function readSetup(records) {
    if (records.find('open-count') === undefined)
        return null;
    const kills = records.find('kills-sessions');
    return {
        open: records.all('open').map((value) => {
            const [type = '', mode = '', owner = '', ...path] = value.split('|');
            return { type, mode, owner, path: path.join('|') };
        }),
        openCount: records.integer('open-count'),
        unseen: records.all('unseen').flatMap((paths) => paths.split('\n').filter((path) => path !== '')),
        killsSessions: kills ?? null,
        dockerFree: /^\d+$/.test((records.find('docker-free') ?? '').trim()) ? Number(records.find('docker-free')) : null,
        leftHolder: records.find('left-holder') ?? null,
    };
}

;// CONCATENATED MODULE: ./build/shared/survey/survey.js





const survey_program = {
    name: 'survey',
    step: 'the survey of the host',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(8845), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(67888), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(62170), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(93401), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(68318), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(37491), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(68303), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(37289), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(90203), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(38814), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(37083), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(29542), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(41487), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(53390), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(1236), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(99110), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(93721), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(39674), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(7591), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(42774), __nccwpck_require__.b),
    ],
};
/** Surveys the host in one session, without changing anything. */
async function survey(connection, request, signal, onLog) {
    const asked = Date.now();
    const { result } = connection.run(survey_program, {
        deploy_dir: request.deployDir,
        backup_dir: request.backupDir,
        project: request.projectName ?? '',
        service: request.databaseService ?? '',
        database_user: request.databaseUser ?? '',
        database: request.databaseName ?? '',
        inside_script: request.probe,
        with_sets: request.sets ? 'yes' : '',
        with_setup: request.setup ? 'yes' : '',
        with_compose: request.compose === null ? '' : 'yes',
        env_file: request.envFile ?? '',
        compose_files: request.composeFiles,
        compose_extras: (0,compose_call/* composeLines */.GF)(request.compose ?? {}),
        layout: request.layout,
    }, { deadline: 120_000, atEnd: 'end', signal, onLog });
    return readSurvey(await result, asked, Date.now());
}
/** @param asked, answered: milliseconds since 1970 on the runner's clock; the host read its clock in between */
function readSurvey(records, asked, answered) {
    const clock = records.integer('clock');
    const inodes = records.get('free-inodes');
    const docker = records.find('docker');
    const probe = records.find('probe');
    const probeError = records.find('probe-error');
    return {
        clockAhead: clock > answered ? clock - answered : Math.min(0, clock - asked),
        user: records.get('user'),
        bash: records.get('bash'),
        tools: new Set(records.all('tool')),
        deployDir: records.find('deploy-dir') ?? null,
        absent: new Set(records.all('absent')),
        folders: records.all('folder').map(readFolder),
        openParent: records.find('open-parent') ?? null,
        places: records.all('place').map((value) => {
            const [type = '', ...path] = value.split('|');
            return { type, path: path.join('|') };
        }),
        unwritable: records.find('unwritable') ?? null,
        freeBytes: records.integer('free-bytes'),
        freeInodes: /^\d+$/.test(inodes) && inodes !== '0' ? Number(inodes) : null,
        lockHolder: records.find('lock-holder') ?? null,
        sets: (0,survey_sets/* readSets */.AP)(records),
        docker: docker === undefined ? { error: records.find('docker-error') ?? '' } : { version: docker },
        containers: records.all('container').map(readContainer),
        images: records.all('image').map((json) => {
            const image = JSON.parse(json);
            const variables = image.variables.filter((name) => name !== null);
            return { id: image.id, repoDigests: image.repoDigests ?? [], variables };
        }),
        otherProjects: records.lines('projects'),
        updaters: records.all('updater').map((value) => {
            const [name = '', image = ''] = value.split(' ');
            return { name, image };
        }),
        candidates: records.all('candidate').map((value) => {
            const [service = '', state = '', container = ''] = value.split(' ');
            return { service, state, container };
        }),
        compose: readCompose(records),
        swapFacts: readSwapFacts(records),
        history: records.find('history') ?? null,
        auditTrail: records.find('audit-trail') ?? null,
        hold: records.find('hold') ?? null,
        unfinished: records.all('unfinished').filter((id) => /^\d{8}_\d{6}$/.test(id)),
        journalsUnreadable: records.find('journals-unreadable') !== undefined,
        setup: readSetup(records),
        probe: probe !== undefined ? { output: probe } : probeError !== undefined ? { error: probeError } : null,
    };
}
/** In the output of the template, each list ends with a null. */
function readContainer(json) {
    const container = JSON.parse(json);
    const { networks, exposedPorts, volumes } = container;
    const present = (items) => items.filter((item) => item !== null);
    return {
        ...container,
        networks: present(networks),
        exposedPorts: present(exposedPorts),
        volumes: present(volumes),
    };
}
function readFolder(value) {
    const [type = '', mode = '', owner = '', device = '', writable = '', ...path] = value.split('|');
    return { type, mode, owner, device, writable: writable === 'writable', path: path.join('|') };
}

;// CONCATENATED MODULE: ./build/shared/releases/survey-project.js




/**
 * Surveys the host. Surveys it a second time if compose must be told more than its files say: the profiles with which
 * services were started, or a tag that only the deployer's shell had.
 */
async function surveyProject(connection, request, signal, onLog) {
    const look = (compose) => survey(connection, { ...request, compose }, signal, onLog);
    const seen = await look({ profiles: [], variables: [] });
    const extras = extrasFor(seen);
    if (extras === null)
        return seen;
    const again = await look(extras);
    if (again.compose === null || 'error' in again.compose)
        return again;
    return { ...again, compose: { ...again.compose, idle: idleServices(seen, again.compose) } };
}
/** What compose must be told, besides its files, to see the project that is running; null if nothing. */
function extrasFor({ compose, containers }) {
    if (compose === null || 'error' in compose)
        return null;
    const written = project_readServices(compose.template);
    if (written === null)
        return null;
    const known = project_readServices(compose.config);
    const running = new Set(containers.map(({ service }) => service));
    const profiles = [...running].flatMap((service) => {
        const [profile] = written.get(service)?.profiles ?? [];
        return profile === undefined || known?.has(service) === true ? [] : [profile];
    });
    const variables = new Map();
    // The newest container comes last, and so has the last word.
    for (const { service, image } of containers.toSorted((a, b) => Date.parse(a.created) - Date.parse(b.created))) {
        const template = written.get(service)?.image ?? null;
        const rendered = known?.get(service)?.image ?? null;
        // What our own rollbacks create is named by its digest as well.
        const [ran = ''] = image.split('@');
        if (template === null || rendered === ran || (0,image_reference/* referenceOf */.Bz)(ran) === null)
            continue;
        for (const [name, value] of valuesBehind(template, ran) ?? []) {
            // What the env file sets may say something else on purpose.
            if (value !== '' && compose.envNames?.includes(name) !== true)
                variables.set(name, value);
        }
    }
    if (profiles.length === 0 && variables.size === 0)
        return null;
    return {
        profiles: [...new Set(profiles)],
        variables: [...variables].map(([name, value]) => ({ name, value })),
    };
}
/** Services that a profile has brought along although nobody has started them. */
function idleServices({ compose, containers }, { config }) {
    const before = compose === null || 'error' in compose ? null : project_readServices(compose.config);
    const running = new Set(containers.map(({ service }) => service));
    const written = project_readServices(config) ?? new Map();
    return [...written]
        .filter(([service, { profiles }]) => profiles.length > 0 && !running.has(service) && !before?.has(service))
        .map(([service]) => service);
}

// EXTERNAL MODULE: ./build/shared/sets/layout.js
var layout = __nccwpck_require__(81256);
;// CONCATENATED MODULE: ./build/rollback-action/look.js







/** Surveys the host, after finishing whatever an earlier run left unfinished. */
async function look(connection, run) {
    const { inputs, signal } = run;
    return log.group(`Survey of ${connection.name}`, async () => {
        const once = (databaseName = inputs.databaseName) => surveyProject(connection, {
            ...inputs,
            databaseName,
            probe: (0,scripts/* insideScript */.yT)(),
            // Without a backup, the state of the backup folders must not stop the rollback: the guard only asks what is there.
            sets: (!inputs.skipBackup && !inputs.planOnly) || inputs.restore !== null || inputs.schemaGuard !== 'off',
            setup: false,
            layout: layout/* layoutLines */.i5,
        }, signal, log.host);
        const withDatabase = async (found) => {
            if (inputs.restore === null)
                return found;
            const { createDropped } = await __nccwpck_require__.e(/* import() */ 134).then(__nccwpck_require__.bind(__nccwpck_require__, 12134));
            return createDropped(connection, found, inputs, (name) => once(name ?? inputs.databaseName), run);
        };
        const seen = await once();
        (0,host_checks/* judgeHost */.Ii)(seen, inputs);
        demandJournals(seen, inputs.backupDir);
        if (seen.unfinished.length === 0)
            return withDatabase(seen);
        if (seen.lockHolder !== null)
            throw underWay(seen.unfinished, seen.lockHolder);
        if (inputs.planOnly) {
            log.warning(`An earlier rollback is unfinished: ${seen.unfinished.join(', ')}. The next rollback will finish it first`);
            return seen;
        }
        await endUnfinished(connection, inputs.backupDir, seen.unfinished, { deadline: inputs.timeout, signal }, log);
        const again = await once();
        (0,host_checks/* judgeHost */.Ii)(again, inputs);
        return withDatabase(again);
    });
}
function underWay(ids, holder) {
    return new shared_failure/* Failure */.HR('rollback-under-way', `Another rollback is running: ${ids.join(', ')}, by ${holder}`, {
        hint: 'Wait until it has finished. Start this one again only if it did not give you the release you want',
    });
}

// EXTERNAL MODULE: ./build/shared/sets/catalogue.js
var sets_catalogue = __nccwpck_require__(43373);
// EXTERNAL MODULE: ./build/shared/sets/whole-manifest.js
var whole_manifest = __nccwpck_require__(75173);
// EXTERNAL MODULE: ./build/shared/report/schema-changes.js + 2 modules
var schema_changes = __nccwpck_require__(96004);
;// CONCATENATED MODULE: ./build/shared/sets/manifest-text.js
/** What most tables, sequences and sets have in common is left out: a database may have many. Readers put it in again. */
const defaults = new Map([
    ['root', null],
    ['extension', null],
    ['isDumped', true],
    ['unnamed', null],
    ['generates', false],
    ['content', null],
    ['largestValue', null],
    ['cycles', false],
    ['sealedFrom', null],
]);
/** The text of a manifest's file. */
const manifestText = (manifest) => `${JSON.stringify(manifest, withoutDefaults, 2)}\n`;
const withoutDefaults = (key, value) => defaults.has(key) && defaults.get(key) === value ? undefined : value;

// EXTERNAL MODULE: ./build/shared/sets/read-manifest.js
var read_manifest = __nccwpck_require__(3450);
;// CONCATENATED MODULE: ./build/shared/backups/assemble.js






/** The manifest of a verified dump. */
function manifestOf(dump, facts) {
    const schemaSha256 = dump.schemaText === null ? null : (0,schema_changes/* stableSchemaHash */.VC)(dump.schemaText);
    const changed = facts.previous !== null && schemaSha256 !== null && facts.previous.schemaSha256 !== schemaSha256;
    return {
        version: 1,
        id: dump.id,
        kind: facts.kind,
        environment: facts.environment,
        database: facts.database.database,
        startedAt: facts.startedAt.toISOString(),
        finishedAt: facts.finishedAt.toISOString(),
        serverVersion: facts.database.serverVersion,
        pgDumpVersion: facts.database.pgDumpVersion,
        encoding: facts.database.encoding,
        locale: facts.database.locale,
        ctype: facts.database.ctype,
        localeProvider: facts.database.localeProvider,
        providerLocale: facts.database.providerLocale,
        bootstrapRole: facts.database.bootstrapRole,
        ...facts.encoding,
        file: dump.file,
        sizeBytes: dump.sizeBytes,
        dumpBytes: dump.dumpBytes,
        ...dump.sums,
        sealedFrom: null,
        tables: dump.tables,
        sequences: dump.sequences,
        members: dump.members,
        largeObjects: dump.largeObjects,
        // What may be long stands behind the lists, where a survey reads more than before them.
        icuRules: facts.database.icuRules,
        serverSettings: fewSettings(facts.database.serverSettings),
        dumpWarnings: dump.warnings,
        extensions: dump.extensions,
        schemaSha256,
        schemaChangedSince: changed ? (facts.previous?.id ?? null) : null,
        release: facts.release,
        runUrl: facts.runUrl,
        commit: facts.commit,
        actor: facts.actor,
        checks: [...dump.verification, ...dump.sides, ...facts.checks],
    };
}
const mostSettings = 100;
const longestSetting = 500;
/** Only as many as a survey still reads; a library may have any number of settings, as long as anybody likes. */
function fewSettings(settings) {
    const short = Object.entries(settings).filter(([name, value]) => (0,read_manifest/* isSettingName */.s9)(name) && value.length <= longestSetting && !/[\0\n]/.test(value));
    // The server's own settings come first, so that the limit never drops them. Those of a library have a dot in their names.
    return Object.fromEntries(short.toSorted(([a], [b]) => Number(a.includes('.')) - Number(b.includes('.'))).slice(0, mostSettings));
}
/** The files beside the dump that are written here, by bare name: manifest, report and the checksums of all files. */
function sidecarsOf(dump, manifest, report) {
    const names = (0,naming/* setFileNames */.H2)((0,layout/* homeOf */.lt)(manifest.kind).prefix, dump.id, manifest);
    const texts = new Map([
        [names.manifest, manifestText(manifest)],
        [names.report, report],
    ]);
    const sums = new Map([[names.dump, dump.sums]]);
    if (dump.schemaSums)
        sums.set(names.schema, dump.schemaSums);
    if (dump.globalsSums)
        sums.set(names.globals, dump.globalsSums);
    if (dump.settingsSums)
        sums.set(names.settings, dump.settingsSums);
    for (const [name, text] of texts)
        sums.set(name, { sha256: assemble_hash('sha256', text), md5: assemble_hash('md5', text) });
    // In the format that `sha256sum --check` reads.
    const list = (kind) => [...sums].map(([name, sum]) => `${sum[kind]}  ${name}\n`).join('');
    return new Map([...texts, [names.sha256, list('sha256')], [names.md5, list('md5')]]);
}
function assemble_hash(algorithm, text) {
    return (0,external_node_crypto_.createHash)(algorithm).update(text).digest('hex');
}

;// CONCATENATED MODULE: ./build/shared/backups/await-turn.js



// What a run decides about a backup folder holds only as long as no other run changes it. So a run that finds the lock taken
// stands in line; when it is next it looks at the folder again, and takes the lock before anybody else in the line can.
const await_turn_program = {
    name: 'await-turn',
    step: 'waiting for the lock',
    scripts: [new URL(/* asset import */ __nccwpck_require__(3633), __nccwpck_require__.b)],
};
/** Milliseconds that the survey may take once the lock is free. */
const longestLook = 150_000;
/** Milliseconds to wait for the host's word that the turn is free. */
const longestGivingUp = 5_000;
/**
 * Stands in line for the lock of the backup folder, until it is free and this run is next.
 * @param onWait called with who holds the lock, while there is one
 * @throws Failure `lock-held`, `lock-unusable`, `lock-lost`; as any program's
 */
async function awaitTurn(connection, { order, holder, signal }, onWait, onLog) {
    const { backupDir, lockWait, timeout } = order;
    const run = connection.run(await_turn_program, {}, {
        // It has to last until the dump is there; the lock itself is held by then.
        deadline: lockWait + longestLook + lockWait + timeout,
        atEnd: 'linger',
        lock: { path: `${(0,backup_folder/* lockFile */.Ke)(backupDir)}.turn`, wait: lockWait, holder },
        signal,
        onLog,
        onProgress: (name, value) => {
            if (name === 'waiting-for')
                onWait(value);
        },
    });
    const giveUp = async () => {
        await run.release(longestGivingUp);
    };
    try {
        await run.result;
        return { giveUp };
    }
    catch (error) {
        await giveUp();
        if ((0,shared_failure/* isFailure */.N6)(error, 'lock-held'))
            throw (0,lock_holder/* lockHeld */.bh)(error.message, backupDir, lockWait);
        throw error;
    }
}

;// CONCATENATED MODULE: ./build/shared/backups/dump-progress.js

/** Milliseconds. Every line stays in the log for good, so write only a few. */
const betweenLines = 5_000;
/** Also in milliseconds: for a line that says the same as the one before, but for the time. */
const betweenWaits = 30_000;
/** The host looks every few seconds. Until it has not seen the lock for so long, the size of the dump says nothing. */
const longestUnseen = 15_000;
/** Writes the host's progress messages during a dump into the log. */
class DumpProgress {
    #estimate;
    #log;
    #begin = Date.now();
    #lastLine = 0;
    #wait = { text: '', toldAt: 0, seenAt: 0 };
    /** @param estimate expected size of the dump in bytes */
    constructor(estimate, log) {
        this.#estimate = estimate;
        this.#log = log;
    }
    tell(name, value) {
        if (name === 'waiting-for')
            this.#log.progress(`Waiting for the lock, held by ${value}`);
        if (name === 'waiting-for-table')
            this.#waiting(value);
        if (name === 'dumped')
            this.#dumped(Number(value));
    }
    #dumped(bytes) {
        const now = Date.now();
        if (now - this.#wait.seenAt < longestUnseen)
            return;
        if (!Number.isFinite(bytes) || now - this.#lastLine < betweenLines)
            return;
        this.#lastLine = now;
        const rate = (0,units/* formatRate */.CE)(bytes / ((now - this.#begin) / 1_000));
        // The estimate may be too low: above it, a percentage would only confuse.
        const share = bytes < this.#estimate ? `, ${Math.round((100 * bytes) / this.#estimate)} % of the estimate` : '';
        this.#log.progress(`${(0,units/* formatBytes */.z3)(bytes)} written, ${rate}${share}`);
    }
    #waiting(holder) {
        const now = Date.now();
        const text = holder.replace(/ for \d[^),]*/, '');
        const isNews = text !== this.#wait.text || now - this.#wait.toldAt >= betweenWaits;
        if (isNews)
            this.#log.progress(`Waiting for the lock on ${holder}`);
        this.#wait = { text, toldAt: isNews ? now : this.#wait.toldAt, seenAt: now };
    }
}

// EXTERNAL MODULE: ./build/shared/postgres/probe.js + 1 modules
var probe = __nccwpck_require__(50141);
// EXTERNAL MODULE: ./build/shared/backups/find-database.js
var find_database = __nccwpck_require__(96815);
;// CONCATENATED MODULE: ./build/shared/backups/preflight.js





/** Backups grow over time. A dump, once compressed, has less than half the size of its database. */
const growth = 1.2;
const compressedShare = 0.5;
/** For a set's files and their links in every tier, with room to spare. */
const neededInodes = 100;
/**
 * Judges the survey, before anything is written.
 * @throws Failure with the code of the check that failed; `host-not-ready`, which lists them, if several did
 */
function judgeBackupHost(survey, needs) {
    const { failures, collect } = (0,host_checks/* collector */.g7)();
    // Checks that depend on a failed one are skipped.
    const docker = (0,host_checks/* checkHost */.RC)(survey, needs, collect);
    const container = docker && collect(() => (0,find_database/* findDatabase */.X)(survey, needs));
    const database = container && collect(() => (0,find_database/* askedDatabase */.k)(survey));
    if (database)
        collect(() => (0,probe/* checkDumpTools */.W)(database));
    collect(() => checkEncryption(survey, needs));
    const compressor = database && collect(() => chooseCompression(survey, database, needs));
    const previous = compressor && needs.previousBytes(database.database, compressor.encoding);
    const estimate = compressor && estimateOf(database, compressor.encoding, previous ?? null);
    if (estimate !== undefined)
        collect(() => checkSpace(survey, estimate, needs, previous ?? null));
    (0,host_checks/* throwAny */.jg)(failures);
    if (!container || !database || !compressor || estimate === undefined)
        throw new Error('A check failed unseen');
    return { database, container, estimate, ...compressor };
}
/**
 * zstd if available, else gzip. For a custom dump, pg_dump itself does the gzip.
 * @throws Failure `no-compressor`
 */
function chooseCompression(survey, database, { format, compression, encryption }) {
    const inside = (tool) => database.tools.has(tool);
    const wanted = compression === 'auto' ? autoCompression(format, inside('zstd') || survey.tools.has('zstd')) : compression;
    const encoding = { format, compression: wanted, encryption };
    const program = wanted === 'gzip' && format === 'custom' ? 'none' : wanted;
    if (program === 'none' || inside(program))
        return { encoding, where: 'container' };
    if (survey.tools.has(program))
        return { encoding, where: 'host' };
    throw new shared_failure/* Failure */.HR('no-compressor', `Neither the host nor the database container has ${program}`, {
        hint: `On the host, as root: apt-get install ${program}. Or set "compression" to auto`,
    });
}
/**
 * It encrypts on the host: what the database's container holds is plain anyway, and few images have age.
 * @throws Failure `no-age`
 */
function checkEncryption(survey, { encryption }) {
    if (encryption === 'none' || survey.tools.has('age'))
        return;
    throw new shared_failure/* Failure */.HR('no-age', 'age is not installed on the host, so the backup cannot be encrypted there', {
        hint: 'On the host, as root: apt-get install age',
    });
}
/** Plain dumps are what the former scripts made; they stay compressed with gzip as before. */
function autoCompression(format, zstd) {
    return format === 'custom' && zstd ? 'zstd' : 'gzip';
}
/** Bytes that the next backup will probably have. @param previous bytes of the one before, if it is alike; else null */
function estimateOf(database, { compression }, previous) {
    if (previous !== null)
        return Math.ceil(previous * growth);
    return Math.ceil(database.sizeBytes * (compression === 'none' ? 1 : compressedShare));
}
/**
 * @param estimate bytes
 * @param previous bytes of the backup from which that was estimated; null if there was none
 * @throws Failure `no-space`, `no-inodes`
 */
function checkSpace(survey, estimate, { minFreeSpace, backupDir }, previous) {
    const needed = Math.max(estimate, minFreeSpace);
    if (survey.freeBytes < needed) {
        const why = needed === minFreeSpace && minFreeSpace > estimate
            ? 'the input "min-free-space"'
            : previous === null
                ? 'estimated from the size of the database'
                : 'estimated from the previous backup';
        throw new shared_failure/* Failure */.HR('no-space', `The disk of ${backupDir} has ${(0,units/* formatBytes */.z3)(survey.freeBytes)} free; ${(0,units/* formatBytes */.z3)(needed)} needed (${why})`, { hint: `See what fills it: df -h ${backupDir}; docker system df. Nothing was deleted to make room` });
    }
    if (survey.freeInodes !== null && survey.freeInodes < neededInodes) {
        throw new shared_failure/* Failure */.HR('no-inodes', `The disk of ${backupDir} has ${survey.freeInodes} inodes left`, {
            hint: `Remove files that you no longer need: df -i ${backupDir}`,
        });
    }
}

;// CONCATENATED MODULE: ./build/shared/sets/calendar.js

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/**
 * The calendar of an IANA time zone such as `Europe/Berlin`.
 *
 * @throws InputError if the zone is unknown
 */
function calendarIn(timezone) {
    const format = formatIn(timezone);
    const day = (at) => {
        const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
        return `${parts['year']?.padStart(4, '0')}-${parts['month']}-${parts['day']}`;
    };
    return {
        day,
        week: (at) => sundayBefore(day(at)),
        month: (at) => day(at).slice(0, 7),
    };
}
/** `Mon 2026-11-23` for `2026-11-23`. */
function withWeekday(day) {
    return `${weekdays[weekday(day)]} ${day}`;
}
function formatIn(timezone) {
    try {
        return new Intl.DateTimeFormat('en-US', {
            timeZone: timezone,
            calendar: 'iso8601',
            numberingSystem: 'latn',
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
        });
    }
    catch {
        throw new shared_failure/* InputError */.dz('timezone', 'is not a time zone', 'Write it as UTC, Europe/Berlin or America/New_York');
    }
}
/** From here on these are plain dates, computed in UTC, where every day has 24 hours. */
function sundayBefore(day) {
    const sunday = new Date(`${day}T00:00:00Z`);
    sunday.setUTCDate(sunday.getUTCDate() - weekday(day));
    return sunday.toISOString().slice(0, 10);
}
function weekday(day) {
    return new Date(`${day}T00:00:00Z`).getUTCDay();
}

;// CONCATENATED MODULE: ./build/shared/sets/tiers.js




/** The period to which a set belongs in a tier. Each deployment and each rollback is a period of its own. */
function periodOf(tier, id, calendar) {
    // Ids in a catalogue are valid; the epoch only satisfies the type.
    const start = (0,naming/* startOf */.GH)(id) ?? new Date(0);
    switch (tier) {
        case 'daily': {
            const day = calendar.day(start);
            return { key: day, name: withWeekday(day) };
        }
        case 'weekly': {
            const sunday = calendar.week(start);
            return { key: sunday, name: `the week of ${withWeekday(sunday)}` };
        }
        case 'monthly': {
            const month = calendar.month(start);
            return { key: month, name: month };
        }
        case 'predeployment':
        case 'prerollback':
            return { key: id, name: id };
    }
}
/**
 * Which tiers a new verified set enters, in the order of allTiers. A set taken before a rollback enters no other tier.
 * The decision depends on the sets in the folders, never on the day of the week: after a missed Sunday, the next night's
 * backup becomes the weekly one.
 *
 * @param sets all sets on the host; only verified ones of the same database matter.
 * @param timezone IANA name; days begin and end there.
 */
function decideTiers(added, sets, policy, timezone) {
    if (added.kind === 'prerollback') {
        return [{ tier: 'prerollback', enters: true, reason: 'prerollback: taken before a rollback' }];
    }
    const calendar = calendarIn(timezone);
    const earlier = (0,sets_catalogue/* verifiedSetsOf */.Ns)(added.database, sets).filter((set) => set.id !== added.id);
    const firstOfPeriod = (tier) => {
        if (policy[tier] === 0)
            return { tier, enters: false, reason: `${tier}: no, keep-${tier} is 0` };
        const period = periodOf(tier, added.id, calendar);
        const holder = earlier.findLast((set) => set.folders.includes((0,layout/* folderOfTier */.aI)(tier)) && periodOf(tier, set.id, calendar).key === period.key);
        return holder === undefined
            ? { tier, enters: true, reason: `${tier}: first verified backup of ${period.name}` }
            : { tier, enters: false, reason: `${tier}: no, ${holder.id} is already kept for ${period.name}` };
    };
    return [
        { tier: 'daily', enters: true, reason: 'daily: holds every verified backup' },
        firstOfPeriod('weekly'),
        firstOfPeriod('monthly'),
        beforeDeployment(added, policy),
    ];
}
function beforeDeployment(added, policy) {
    const tier = 'predeployment';
    if (added.kind !== 'predeployment')
        return { tier, enters: false, reason: `${tier}: no, this backup was not taken before a deployment` };
    if (policy[tier] === 0)
        return { tier, enters: false, reason: `${tier}: no, keep-${tier} is 0` };
    return { tier, enters: true, reason: `${tier}: taken before a deployment` };
}

;// CONCATENATED MODULE: ./build/shared/sets/retention.js





/** A set may be this far ahead of the clock: of two backups that start in one second, the later one gets a later id. */
const clockSlackMs = 5 * 60 * 1000;
const periodWord = {
    daily: 'day',
    weekly: 'week',
    monthly: 'month',
    predeployment: 'deployment',
    prerollback: 'rollback',
};
/**
 * Decides what to keep. Each tier keeps the newest verified set of each of its last N periods that have one; the newest
 * verified set of all is always kept. Broken sets, sets dated in the future and other databases' sets are neither counted
 * nor deleted.
 *
 * @param sets all sets on the host, including the new one.
 * @returns one decision for each set in each tier, by tier, newest first.
 */
function decidePruning(sets, options) {
    const { database, policy, spared = null } = options;
    const calendar = calendarIn(options.timezone);
    const horizon = options.now.getTime() + clockSlackMs;
    const counted = (0,sets_catalogue/* verifiedSetsOf */.Ns)(database, sets)
        .filter((set) => ((0,naming/* startOf */.GH)(set.id)?.getTime() ?? Number.POSITIVE_INFINITY) <= horizon)
        .toSorted((a, b) => (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id));
    return layout/* allTiers */.Z.flatMap((tier) => {
        const standing = counted.filter((set) => set.folders.includes((0,layout/* folderOfTier */.aI)(tier)));
        const protectedId = protectedIn(tier, counted, standing);
        const decisions = new Map(decideTier(tier, standing, policy[tier], protectedId, calendar));
        return standingIn(tier, sets).map((set) => {
            const decision = isOf(database, set) ? decisions.get(set) : ignored(tier, set);
            if (decision?.action === 'delete' && set.id === spared)
                return { tier, id: set.id, action: 'keep', reason: 'kept: it is about to be restored' };
            return (decision ?? {
                tier,
                id: set.id,
                action: 'keep',
                reason: 'kept: dated in the future (was the clock set back?); not counted',
            });
        });
    });
}
/**
 * The decisions when nothing may be deleted: after a failed run, or when the new backup is suspiciously small.
 *
 * @param why ends the sentence "pruning was skipped: …".
 */
function pruneNothing(sets, database, why) {
    return layout/* allTiers */.Z.flatMap((tier) => standingIn(tier, sets).map((set) => isOf(database, set)
        ? { tier, id: set.id, action: 'keep', reason: `kept: pruning was skipped: ${why}` }
        : ignored(tier, set)));
}
function standingIn(tier, sets) {
    return sets.filter((set) => set.folders.includes((0,layout/* folderOfTier */.aI)(tier))).toSorted((a, b) => (0,sets_catalogue/* newestFirst */.ll)(a.id, b.id));
}
function isOf(database, set) {
    return set.state === 'verified' && set.database === database;
}
function ignored(tier, set) {
    const why = set.state === 'broken' ? `broken, ${set.reason}` : 'belongs to another database';
    return { tier, id: set.id, action: 'ignore', reason: `not counted: ${why}` };
}
/**
 * The set that must stay in a tier whatever the policy says: in daily the newest one there; in another tier the newest
 * verified set of all, if this is the first tier that holds it (its daily copy may be lost).
 */
function protectedIn(tier, counted, standing) {
    if (tier === 'daily')
        return standing[0]?.id ?? null;
    const newest = counted[0];
    const home = layout/* allTiers */.Z.find((candidate) => newest?.folders.includes((0,layout/* folderOfTier */.aI)(candidate)));
    return newest !== undefined && home === tier ? newest.id : null;
}
/** @param standing the counted sets of the tier, newest first. */
function decideTier(tier, standing, keep, protectedId, calendar) {
    const newestOf = new Map();
    return standing.map((set) => {
        const period = periodOf(tier, set.id, calendar);
        const newest = newestOf.get(period.key) ?? set.id;
        newestOf.set(period.key, newest);
        // Periods come newest first, so the number seen so far is the rank of this one.
        const position = { tier, period, newest, rank: newestOf.size, keep };
        return [set, { tier, id: set.id, ...judge(set.id, position, set.id === protectedId) }];
    });
}
function judge(id, position, isProtected) {
    const within = position.keep === 'all' || position.rank <= position.keep;
    if (within && position.newest === id)
        return { action: 'keep', reason: `kept: ${rankAmong(position)}` };
    if (isProtected)
        return { action: 'keep', reason: 'kept: the newest verified backup is never deleted' };
    if (within)
        return { action: 'delete', reason: `deleted: ${position.newest} is a newer backup from ${position.period.name}` };
    if (position.keep === 0)
        return { action: 'delete', reason: `deleted: keep-${position.tier} is 0` };
    return {
        action: 'delete',
        reason: `deleted: ${ordinal(position.rank)} newest ${periodWord[position.tier]}, keep-${position.tier} is ${position.keep}`,
    };
}
const takenBefore = {
    predeployment: 'taken before a deployment',
    prerollback: 'taken before a rollback',
};
function rankAmong({ tier, period, rank, keep }) {
    const what = takenBefore[tier] ?? `newest of ${period.name}`;
    const word = periodWord[tier];
    return keep === 'all' ? `${what}, every ${word} is kept` : `${what}, ${word} ${rank} of ${keep}`;
}
function ordinal(n) {
    const suffix = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
    return `${n}${suffix[new Intl.PluralRules('en', { type: 'ordinal' }).select(n)]}`;
}

;// CONCATENATED MODULE: ./build/shared/backups/publication-plan.js





/** Makes the plan, without touching anything. */
function planPublication(dump, facts, earlier, policy) {
    const size = judgeSize(dump, facts, policy.minSizeRatio);
    const manifest = manifestOf(dump, { ...facts, checks: [size] });
    const problems = [...dump.sides, size]
        .filter(({ result }) => result !== 'passed')
        .map(({ name, detail }) => `${name}: ${detail}`);
    const { id, database, kind } = manifest;
    const tiers = decideTiers({ id, database, kind }, earlier, policy.keep, policy.timezone);
    const entered = tiers.filter(({ enters }) => enters).map(({ tier }) => tier);
    const folders = entered.map(layout/* folderOfTier */.aI);
    const sets = [{ state: 'verified', id, database, manifest, folders }, ...earlier];
    const pruning = problems.length > 0
        ? pruneNothing(sets, database, problems.join('; '))
        : decidePruning(sets, {
            database,
            policy: policy.keep,
            timezone: policy.timezone,
            now: facts.finishedAt,
            spared: policy.spared ?? null,
        });
    return {
        manifest,
        tiers,
        entered,
        pruning,
        deletions: pruning.filter(({ action }) => action === 'delete'),
        problems,
        sets: sets.filter((set) => set.state === 'verified').filter((set) => set.database === database),
    };
}
/** The verified sets of this database once the plan is carried out, newest first, each with the folders that it is still in. */
function setsAfter({ sets, deletions }) {
    const isLeft = (id, folder) => !deletions.some((deletion) => deletion.id === id && folderOfTier(deletion.tier) === folder);
    return sets
        .map((set) => ({ ...set, folders: set.folders.filter((folder) => isLeft(set.id, folder)) }))
        .filter(({ folders }) => folders.length > 0);
}
/** Compares only backups of the same format and compression: others differ in size anyway. */
function judgeSize(dump, { previous, encoding }, ratio) {
    const check = (result, detail) => ({ name: 'size', result, detail, ms: 0 });
    if (previous === null)
        return check('passed', 'the first backup of this database');
    if (previous.format !== encoding.format || previous.compression !== encoding.compression) {
        return check('passed', `not compared: ${previous.id} has another format or compression`);
    }
    const share = previous.sizeBytes === 0 ? 1 : dump.sizeBytes / previous.sizeBytes;
    const comparison = `${(0,units/* formatBytes */.z3)(dump.sizeBytes)}, ${Math.round(share * 100)} % of ${previous.id}`;
    if (share >= ratio)
        return check('passed', comparison);
    return check('failed', `${comparison}: smaller than min-size-ratio ${ratio} allows. Was something deleted?`);
}

// EXTERNAL MODULE: ./build/shared/packed.js
var packed = __nccwpck_require__(83310);
;// CONCATENATED MODULE: ./build/shared/backups/publish.js




const publishing = {
    name: 'publish',
    step: 'the publication',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(37812), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(37289), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(52824), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(8845), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(97656), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(10651), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(63144), __nccwpck_require__.b),
    ],
};
const rejecting = {
    name: 'reject',
    step: 'putting the bad dump aside',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(37289), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(52824), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(10651), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(85360), __nccwpck_require__.b),
    ],
};
const logging = {
    name: 'log-run',
    step: 'the line in the log',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(37289), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(52824), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(3521), __nccwpck_require__.b),
    ],
};
/** The publication is short and must not be interrupted: it goes on even if the runner dies meanwhile. */
const options = ({ onLog }) => ({ deadline: 300_000, atEnd: 'finish', onLog });
/**
 * Publishes a verified set into its tiers, prunes, and writes the line into the log.
 * @throws Failure `lock-lost`, `dump-lost`: nothing was published; `publication-unknown`: it may have been
 */
async function publish(connection, publication) {
    const { sidecars, tiers, deletions } = publication;
    const parameters = {
        ...claimOf(publication),
        troubled_line: publication.troubledLine,
        sidecar_names: [...sidecars.keys()],
        // A manifest may be long, and the host reads parameters byte by byte: pack it.
        sidecar_texts: [...sidecars.values()].map(packed/* pack */.q),
        layout: layout/* layoutLines */.i5,
        tiers: tiers.map(layout/* folderOfTier */.aI),
        deletions: deletions.map(({ tier, id }) => `${(0,layout/* folderOfTier */.aI)(tier)}/${id}`),
        ...recordParameters(publication.records),
    };
    try {
        const records = await connection.run(publishing, parameters, options(publication)).result;
        records.get('published');
        return {
            entered: records.all('entered'),
            dropped: records.all('dropped').length,
            problems: records.all('problem'),
        };
    }
    catch (error) {
        throw wasCutOff(error) ? unknownOutcome(publication, error) : publish_advised(error);
    }
}
const hints = {
    'lock-lost': 'Nothing was published; earlier backups are unchanged. Only a backup may remove or replace .lock and .lock.holder in the backup folder: find out what else does, then run it again',
    'dump-lost': 'Nothing was published; earlier backups are unchanged. Find out what else deletes files in the backup folder, then run it again',
};
function publish_advised(error) {
    if (!(0,shared_failure/* isFailure */.N6)(error) || error.hint !== undefined)
        return error;
    return new shared_failure/* Failure */.HR(error.code, error.message, {
        ...(hints[error.code] && { hint: hints[error.code] }),
        cause: error.cause,
    });
}
/** What the host does after the program was cut off, or the runner has lost touch with it, by the code of the failure. */
const cutOffs = {
    'connection-lost': 'The host finishes on its own. ',
    'program-lost': 'The host finishes on its own. ',
    'host-silent': 'The host may still publish it. ',
    'result-too-large': 'The host finishes on its own. ',
    deadline: '',
    'program-failed': '',
};
function wasCutOff(error) {
    return (0,shared_failure/* isFailure */.N6)(error) && Object.hasOwn(cutOffs, error.code);
}
/** The line of this run's own failure names the id as well, in its message: only one of a publication has the field. */
function unknownOutcome({ id, logFile }, cause) {
    return new shared_failure/* Failure */.HR('publication-unknown', `It is unknown whether the verified backup ${id} was published. ${cause.message}`, {
        hint: `${cutOffs[cause.code]}To see how it ended, run on the host: grep id=${id} ${logFile}. If that prints nothing, the backup was not kept: run it again`,
        cause,
    });
}
/**
 * Moves a dump that failed its verification into the folder `failed`, with the reason. It replaces the one there.
 * @returns its absolute path
 */
async function reject(connection, rejection) {
    const { dump, reason } = rejection;
    const parameters = { ...claimOf(rejection), dump, reason };
    try {
        return (await connection.run(rejecting, parameters, options(rejection)).result).get('rejected');
    }
    catch (error) {
        throw publish_advised(error);
    }
}
/** Only writes the line into the log, for a run that took no backup. */
async function publish_logRun(connection, ending) {
    await connection.run(logging, logOf(ending), options(ending)).result;
}
function claimOf(claim) {
    const { backupDir, id, kind, holder } = claim;
    return { backup_dir: backupDir, id, home: (0,layout/* homeOf */.lt)(kind).folder, taken_by: holder, ...logOf(claim) };
}
function logOf({ logFile, logLine }) {
    return { log_file: logFile, log_line: logLine };
}

// EXTERNAL MODULE: ./build/shared/postgres/relation-name.js
var relation_name = __nccwpck_require__(93718);
// EXTERNAL MODULE: ./build/shared/postgres/table-facts.js
var table_facts = __nccwpck_require__(57296);
;// CONCATENATED MODULE: ./build/shared/report/dump-notes.js


/** What whoever restores a dump should know: rows that are not in it, and what pg_dump warned of. One text each. */
function dumpNotes({ tables, dumpWarnings }) {
    const missing = (0,table_facts/* leftOut */.ig)(tables).length === 0 ? [] : [`Not in this dump: ${(0,table_facts/* leftOutText */.jG)(tables)}`];
    const warnings = dumpWarnings ?? [];
    const warned = warnings.length === 0 ? [] : [`pg_dump warned of ${(0,units/* counted */.hS)(warnings.length, 'thing')}: ${warnings.join('; ')}`];
    return [...missing, ...warned];
}

;// CONCATENATED MODULE: ./build/shared/report/size-chart.js



const mostBars = 14;
const barWidth = 28;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/**
 * Sizes over time as lines of text, the newest last: date (UTC), bar, size, notes. Shows at most the 14 newest.
 *
 * @param minRatio flags the newest if it is smaller than this share of the one before it (0 to 1; 0: never).
 */
function sizeChart(points, minRatio) {
    const shown = points.toSorted((a, b) => (0,by_text/* byText */.z)(a.id, b.id)).slice(-mostBars);
    const largest = Math.max(1, ...shown.map(({ bytes }) => bytes));
    const sizes = shown.map(({ bytes }) => (0,units/* formatBytes */.z3)(bytes));
    const sizeWidth = Math.max(0, ...sizes.map((size) => size.length));
    return shown.map((point, index) => {
        const previous = index === shown.length - 1 ? shown[index - 1] : undefined;
        const notes = [point.kind === 'scheduled' ? '' : point.kind, shrinkage(point, previous, minRatio)];
        const bar = barOf(point.bytes / largest).padEnd(barWidth);
        const line = `${dateOf(point.id)}  ${bar}  ${sizes[index]?.padStart(sizeWidth)}`;
        return [line, ...notes.filter((note) => note !== '')].join('  ');
    });
}
/** "12 % of the previous" if a size is below the limit, else empty. */
function shrinkage(point, previous, minRatio) {
    if (previous === undefined || point.bytes >= previous.bytes * minRatio)
        return '';
    return `! ${Math.floor((100 * point.bytes) / previous.bytes)} % of the previous`;
}
/** A size above 0 always shows at least a sliver. */
function barOf(share) {
    const parts = share === 0 ? 0 : Math.max(1, Math.round(share * barWidth * eighths.length));
    return '█'.repeat(Math.floor(parts / eighths.length)) + eighths[parts % eighths.length];
}
function dateOf(id) {
    return (0,naming/* startOf */.GH)(id)?.toISOString().slice(0, 16).replace('T', ' ') ?? id;
}

;// CONCATENATED MODULE: ./build/shared/report/text-layout.js

/** Columns of a report, which has to fit into a terminal. */
const text_layout_width = 100;
/**
 * One line for each name and its value, the values aligned and folded: `  Size      1.2 GiB`. Names and values may be
 * foreign; they are cleaned here.
 */
function fields(rows) {
    const names = rows.map(([name]) => (0,shared_clean/* cleanLine */.Ow)(name, 40));
    const indent = Math.max(0, ...names.map((name) => name.length)) + 4;
    return rows.flatMap(([, value], row) => folded(`  ${names[row]}`.padEnd(indent), value));
}
/** A text after a lead such as `  - `, folded with a hanging indent. Words too long for a line are split. */
function folded(lead, text) {
    const room = text_layout_width - lead.length;
    const lines = [''];
    for (const word of (0,shared_clean/* cleanLine */.Ow)(text)
        .split(' ')
        .flatMap((long) => pieces(long, room))) {
        const line = lines.at(-1) ?? '';
        if (line === '')
            lines[lines.length - 1] = word;
        else if (line.length + 1 + word.length <= room)
            lines[lines.length - 1] = `${line} ${word}`;
        else
            lines.push(word);
    }
    return lines.map((line, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${line}`.trimEnd());
}
/** One line; if it is too long, its end is cut off. */
function text_layout_shortened(lead, text) {
    return `${lead}${(0,shared_clean/* cleanLine */.Ow)(text, text_layout_width - lead.length)}`.trimEnd();
}
function pieces(word, length) {
    return word.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [word];
}

;// CONCATENATED MODULE: ./build/shared/report/report.js







const kindInWords = {
    scheduled: 'scheduled',
    predeployment: 'before a deployment',
    prerollback: 'before a rollback',
};
const mostTables = 20;
const mostChanges = 20;
const mostChangedLines = 10;
/**
 * The report for people: the verdict first, how to restore last. At most 100 columns wide, except for commands, which are
 * never cut. Ends with a line break.
 */
function reportOf(manifest, facts) {
    const { previous } = facts;
    const sections = [
        ['Backup', backupLines(manifest, facts)],
        ['Checks', checkLines(manifest.checks)],
        ...noteSections(manifest),
        // Whoever finds the report of an encrypted backup need not learn what is in the database.
        ...(manifest.encryption === 'age'
            ? []
            : [[tablesTitle(manifest.tables), tableLines(manifest.tables)]]),
        [`Schema changes${previous === null ? '' : ` since ${previous.id}`}`, changeLines(manifest, facts)],
        ['Release: what ran', releaseLines(manifest.release)],
        ['Tiers', facts.tiers.flatMap(({ reason }) => folded('  ', reason))],
        ['Sizes (UTC)', sizeChart(facts.sizes, facts.minSizeRatio).map((line) => `  ${line}`)],
        ['To restore', restoreLines(facts.restore)],
    ];
    const parts = sections.map(([title, lines]) => [title, ...lines].join('\n'));
    return `${[report_verdict(manifest, facts).join('\n'), ...parts].join('\n\n')}\n`;
}
function report_verdict(manifest, { problems }) {
    const what = `backup ${manifest.id} of "${manifest.database}", ${manifest.environment}`;
    if (problems.length === 0) {
        return [
            ...folded('VERIFIED  ', what),
            manifest.encryption === 'age'
                ? 'The dump was parsed in full before it was encrypted, and its ciphertext was read back from disk,\nthe same to the last byte. Only a restore with the private key proves that it can be restored.'
                : 'The dump was parsed in full, and was read back from disk, the same to the last byte. Only a restore\nproves that it can be restored.',
        ];
    }
    return [
        ...folded('INCOMPLETE  ', what),
        'The dump is verified, but something else went wrong:',
        ...problems.flatMap((problem) => folded('  ! ', problem)),
    ];
}
function backupLines(manifest, { host, folder, previous }) {
    const ms = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
    const before = manifest.dumpBytes === null ? '' : `; ${(0,units/* formatBytes */.z3)(manifest.dumpBytes)} before compression`;
    const extensions = manifest.extensions.map(({ name, version }) => `${name} ${version}`).join(', ');
    return fields([
        [
            'Database',
            `${manifest.database}, PostgreSQL ${manifest.serverVersion}, ${manifest.encoding}, ${manifest.locale}`,
        ],
        ['Kind', kindInWords[manifest.kind]],
        ['Taken', `${timeOf(manifest.startedAt)}, in ${(0,units/* formatDuration */.a3)(ms)}`],
        ['Host', host],
        ['Folder', folder],
        ['Dump', `${manifest.file} (${encodingOf(manifest)}, pg_dump ${manifest.pgDumpVersion})`],
        ['Size', `${(0,units/* formatBytes */.z3)(manifest.sizeBytes)} (${manifest.sizeBytes} bytes)${before}`],
        ['Previous', previous === null ? 'none' : against(previous, manifest.sizeBytes)],
        ['SHA-256', manifest.sha256],
        ['MD5', manifest.md5],
        ['Holds', contentsOf(manifest)],
        ['Extensions', extensions === '' ? 'none' : extensions],
        ['Started by', manifest.actor ?? 'unknown'],
        ['Run', manifest.runUrl ?? 'unknown'],
        ['Commit', manifest.commit ?? 'unknown'],
    ]);
}
function encodingOf({ format, compression, encryption }) {
    const compressed = { zstd: 'zstd', gzip: 'gzip', none: 'not compressed' }[compression];
    return `${format} format, ${compressed}${encryption === 'age' ? ', encrypted for age' : ''}`;
}
function against(previous, bytes) {
    const share = previous.sizeBytes === 0 ? '' : `; this one is ${Math.round((100 * bytes) / previous.sizeBytes)} % of that`;
    return `${(0,units/* formatBytes */.z3)(previous.sizeBytes)} on ${timeOf(previous.startedAt)}${share}`;
}
function contentsOf({ tables, sequences, largeObjects }) {
    return [
        (0,units/* counted */.hS)(tables.length, 'table'),
        (0,units/* counted */.hS)(sequences.length, 'sequence'),
        (0,units/* counted */.hS)(largeObjects, 'large object'),
    ].join(', ');
}
function checkLines(checks) {
    const words = { passed: 'passed', failed: 'FAILED', 'could-not-check': 'NOT CHECKED' };
    const wordWidth = Math.max(0, ...checks.map(({ result }) => words[result].length));
    return fields(checks.map(({ name, result, detail, ms }) => [
        `${words[result].padEnd(wordWidth)}  ${name}`,
        ms > 0 ? `${detail} (${(0,units/* formatDuration */.a3)(ms)})` : detail,
    ]));
}
/** Only if there is something to say. */
function noteSections(manifest) {
    const notes = dumpNotes(manifest);
    return notes.length === 0 ? [] : [['Before you restore it', notes.flatMap((note) => folded('  ! ', note))]];
}
function tablesTitle(tables) {
    const known = tables.filter(({ rows }) => rows !== null);
    if (known.length === 0)
        return `Tables: ${tables.length}, rows not counted`;
    const rows = known.reduce((sum, table) => sum + (table.rows ?? 0), 0);
    const how = known.every(({ exact }) => exact) ? "counted in the dump's own snapshot" : 'some of it estimated';
    return `Tables: ${tables.length}, with ${grouped(rows)} rows, ${how}`;
}
/** The largest first; tables of equal size by name. */
function tableLines(tables) {
    const ordered = tables
        .map((table) => ({ ...table, title: (0,shared_clean/* cleanLine */.Ow)((0,relation_name/* relationName */.j)(table), 70) }))
        .toSorted((a, b) => (b.rows ?? -1) - (a.rows ?? -1) || (0,by_text/* byText */.z)(a.title, b.title));
    const shown = ordered.slice(0, mostTables);
    const counts = shown.map(({ rows, exact }) => (rows === null ? '-' : `${exact ? '' : '~'}${grouped(rows)}`));
    const countWidth = Math.max(0, ...counts.map((count) => count.length));
    const lines = shown.map(({ title }, index) => `  ${counts[index]?.padStart(countWidth)}  ${title}`);
    return ordered.length > shown.length ? [...lines, `  and ${ordered.length - shown.length} more`] : lines;
}
function changeLines(manifest, { previous, schemaChanges }) {
    if (previous === null)
        return ['  This is the first backup.'];
    if (manifest.schemaSha256 !== null && manifest.schemaSha256 === previous.schemaSha256)
        return ['  None.'];
    if (schemaChanges === null) {
        const isChanged = manifest.schemaSha256 !== null && previous.schemaSha256 !== null;
        return [
            isChanged
                ? '  It has changed. The two texts were not compared.'
                : '  Unknown: the schemas could not be compared.',
        ];
    }
    if (schemaChanges.length === 0)
        return ['  None, except in the order of the objects or the settings around them.'];
    const lines = schemaChanges.slice(0, mostChanges).flatMap(({ what, type, schema, name, lines: changed }) => {
        const rest = changed.length - mostChangedLines;
        return [
            ...folded(`  ${what.padEnd(7)}  `, `${type} ${schema === null ? '' : `${schema}.`}${name}`),
            ...changed.slice(0, mostChangedLines).map((line) => text_layout_shortened('             ', line)),
            ...(rest > 0 ? [`             and ${(0,units/* counted */.hS)(rest, 'more line')}`] : []),
        ];
    });
    const rest = schemaChanges.length - mostChanges;
    return rest > 0 ? [...lines, `  and ${(0,units/* counted */.hS)(rest, 'more object')}`] : lines;
}
function releaseLines(release) {
    const services = Object.entries(release).map(([service, { image, digest, imageId }]) => {
        const name = image ?? 'unknown';
        if (digest !== null)
            return [service, `${name} ${digest}`];
        return [service, `${name}, no digest${imageId === null ? '' : `, image ${imageId}`}`];
    });
    return services.length === 0 ? ['  Unknown.'] : fields(services);
}
const whyInPlace = 'pg_cron works only in the database of this name. So this is no rehearsal: it replaces the live database. First stop the application; see "pg_cron" in docs/restore.md';
/** Commands consist of quoted words without invisible characters, so they are printed as they are. */
function restoreLines(restore) {
    const steps = [
        ['On a new server, first create the roles (without passwords; set those with ALTER ROLE)', restore.roles],
        ...(restore.swap === null
            ? [
                [`In place of the old database, which is kept under another name: ${whyInPlace}`, restore.restore],
                ['To bring the old database back, once step 2 has put it aside. It drops nothing', restore.back ?? ''],
            ]
            : [
                ['Into a new, empty database; existing databases are not touched', restore.restore],
                ['In place of the old database, which is kept under another name: first stop the application', restore.swap],
            ]),
    ];
    return [
        ...folded('  ', restore.where ??
            'If the set is no longer in the folder named here, use the folder in which you found this report.'),
        ...steps.flatMap(([what, commands], index) => ['', ...folded(`  ${index + 1}. `, what), commands]),
    ];
}
function timeOf(iso) {
    return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
function grouped(n) {
    return n.toLocaleString('en-US');
}

// EXTERNAL MODULE: ./build/shared/report/restore-command.js + 1 modules
var restore_command = __nccwpck_require__(64052);
;// CONCATENATED MODULE: ./build/shared/backups/report-facts.js



/** The report beside the dump. */
function reportText(reportFacts) {
    const { publicationPlan, place, previous, hostName, minSizeRatio } = reportFacts;
    return reportOf(publicationPlan.manifest, {
        problems: publicationPlan.problems,
        host: hostName,
        folder: place.folder,
        previous,
        schemaChanges: schemaChangesIn(reportFacts),
        tiers: publicationPlan.tiers,
        sizes: sizesIn(reportFacts),
        minSizeRatio,
        restore: (0,restore_command/* restoreCommands */.TK)(publicationPlan.manifest, place),
    });
}
/** The sizes of all verified sets of the database, including the new one. */
function sizesIn({ publicationPlan }) {
    return publicationPlan.sets.map(({ id, manifest }) => ({ id, bytes: manifest.sizeBytes, kind: manifest.kind }));
}
/** null if there is nothing to compare. */
function schemaChangesIn({ dump, previous, publicationPlan }) {
    const { schemaText, previousSchemaText } = dump;
    if (schemaText === null || previousSchemaText === null)
        return null;
    return previous?.schemaSha256 === publicationPlan.manifest.schemaSha256
        ? []
        : (0,schema_changes/* compareSchemas */._e)(previousSchemaText, schemaText);
}

;// CONCATENATED MODULE: ./build/shared/backups/log-line.js
/**
 * One line without its line break: `2026-11-23T02:17:09Z backup succeeded id=… bytes=…`. Values are bare, or in double
 * quotes with JSON's escapes, so no value can break the line or hide in it. Unknown values are left out.
 */
function logLine(outcome) {
    const fields = {
        id: outcome.id,
        kind: outcome.kind,
        environment: outcome.environment,
        database: outcome.database,
        file: outcome.file,
        bytes: outcome.bytes,
        sha256: outcome.sha256,
        ms: Math.round(outcome.durationMs),
        tiers: outcome.tiers.length === 0 ? null : outcome.tiers.join(','),
        kept: outcome.kept,
        deleted: outcome.deleted,
        by: outcome.actor,
        run: outcome.runUrl,
        error: outcome.problem?.code ?? null,
        message: outcome.problem?.message ?? null,
    };
    const known = Object.entries(fields).filter(([, value]) => value !== null);
    const time = outcome.endedAt.toISOString().replace(/\.\d+Z$/, 'Z');
    return [`${time} backup ${outcome.status}`, ...known.map(([key, value]) => `${key}=${quoted(String(value))}`)].join(' ');
}
/** Escapes invisible characters too: a terminal that shows the log must not obey them. */
function quoted(value) {
    if (/^[A-Za-z0-9_.,:/@+-]+$/.test(value))
        return value;
    return JSON.stringify(value.slice(0, 1000)).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapedUnits);
}
function escapedUnits(character) {
    return [...Array(character.length).keys()]
        .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
        .join('');
}

;// CONCATENATED MODULE: ./build/shared/backups/run-line.js



// The line that a run leaves in the log on the host.
/** How many sets of the database are kept in at least one tier. */
const keptSets = ({ pruning }) => new Set(pruning.filter(({ action }) => action === 'keep').map(({ id }) => id)).size;
/** Of a run that failed; `known` is what it found out before. */
function run_line_failureLine(run, error, known) {
    const problem = (0,shared_failure/* isFailure */.N6)(error) ? error : new shared_failure/* Failure */.HR('defect', String(error));
    return lineOf(run, { problem: { code: problem.code, message: problem.message }, ...known });
}
/** Of a run that kept a verified backup. */
function successLine(run, publicationPlan) {
    const { manifest, problems, entered, deletions } = publicationPlan;
    return lineOf(run, {
        status: problems.length === 0 ? 'succeeded' : 'incomplete',
        id: manifest.id,
        database: manifest.database,
        file: `${(0,layout/* homeOf */.lt)(manifest.kind).folder}/${manifest.file}`,
        bytes: manifest.sizeBytes,
        sha256: manifest.sha256,
        tiers: entered,
        kept: keptSets(publicationPlan),
        deleted: deletions.length,
        problem: problems.length === 0 ? null : { code: 'incomplete', message: problems.join('; ') },
    });
}
function lineOf({ order, workflow, startedAt }, known) {
    const endedAt = new Date();
    return logLine({
        endedAt,
        status: 'failed',
        id: null,
        kind: order.kind,
        environment: order.environment,
        database: order.databaseName,
        file: null,
        bytes: null,
        sha256: null,
        durationMs: endedAt.getTime() - startedAt.getTime(),
        tiers: [],
        kept: null,
        deleted: null,
        actor: workflow.actor,
        runUrl: workflow.runUrl,
        problem: null,
        ...known,
    });
}

;// CONCATENATED MODULE: ./build/shared/postgres/dump-warnings.js

const mostWarnings = 20;
const longestWarning = 500;
/**
 * The warnings among the lines that pg_dump printed, each once, with its details and without hints: `there are circular foreign-key
 * constraints on this table: nodes`. Before version 14 pg_dump puts details into lines without a name.
 */
function dumpWarnings(lines) {
    const warnings = [];
    for (const line of lines) {
        const [, kind, text = ''] = /^pg_dump: (warning|detail|hint|error): (.*)$/.exec(line) ?? [];
        if (kind === 'warning')
            warnings.push(text);
        else if (kind === 'detail' && warnings.length > 0)
            warnings.push(`${warnings.pop()} ${text}`);
    }
    const times = new Map();
    for (const warning of warnings)
        times.set(warning, (times.get(warning) ?? 0) + 1);
    const shown = [...times]
        .slice(0, mostWarnings)
        .map(([warning, count]) => (0,shared_clean/* cleanLine */.Ow)(count === 1 ? warning : `${warning} (${count} times)`, longestWarning));
    const rest = times.size - shown.length;
    return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}

// EXTERNAL MODULE: ./build/shared/postgres/facts.js
var postgres_facts = __nccwpck_require__(4033);
;// CONCATENATED MODULE: ./build/shared/postgres/locks.js



const locks_read = (0,untrusted/* shape */.cW)({
    schema: (0,untrusted/* text */.Qq)(300),
    table: (0,untrusted/* text */.Qq)(300),
    granted: untrusted/* bool */.lc,
    pid: (0,untrusted/* orNull */.Xd)(untrusted/* count */.U9),
    application: (0,untrusted/* orNull */.Xd)((0,untrusted/* text */.Qq)(300)),
    state: (0,untrusted/* orNull */.Xd)((0,untrusted/* text */.Qq)(100)),
    gid: (0,untrusted/* orNull */.Xd)((0,untrusted/* text */.Qq)(300)),
    database: (0,untrusted/* text */.Qq)(300),
    seconds: (0,untrusted/* orNull */.Xd)(untrusted/* count */.U9),
});
/** null if a line makes no sense: a lock is only shown. */
function readLock(line) {
    try {
        return locks_read(JSON.parse(line), 'lock');
    }
    catch (error) {
        if (error instanceof SyntaxError || (0,shared_failure/* isFailure */.N6)(error, 'bad-value'))
            return null;
        throw error;
    }
}
/** `public.orders, held by pid 123 (psql, idle in transaction for 2 m)` */
function describeLock(lock) {
    const { schema, table, granted, pid, application, state, gid, seconds } = lock;
    const time = seconds === null ? '' : ` for ${(0,units/* formatDuration */.a3)(Math.max(0, seconds) * 1_000)}`;
    const place = `${schema}.${table}`;
    if (gid !== null)
        return `${place}, held by the prepared transaction "${gid}"${time}`;
    if (pid === null)
        return `${place}, held by a prepared transaction: see pg_prepared_xacts`;
    const facts = [application || null, state === null ? null : `${state}${time}`].filter((fact) => fact !== null);
    const who = `pid ${pid}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
    return granted ? `${place}, held by ${who}` : `${place}, behind ${who}, which waits for an exclusive lock itself`;
}
/** How to end whoever holds it: a statement for psql, behind where to type it. */
function endLock({ pid, gid, database }) {
    if (gid !== null)
        return `in psql, in the database ${database} (COMMIT PREPARED instead keeps its work): ROLLBACK PREPARED '${gid.replaceAll("'", "''")}';`;
    return `in psql: ${pid === null ? 'SELECT gid, prepared FROM pg_prepared_xacts;' : `SELECT pg_terminate_backend(${pid});`}`;
}

// EXTERNAL MODULE: ./build/shared/postgres/printed-errors.js
var printed_errors = __nccwpck_require__(6466);
;// CONCATENATED MODULE: ./build/shared/history/hold.js




const keys = ['reason', 'since', 'run', 'by', 'from', 'to', 'id'];
/** The text of the file HOLD: `key=value` lines. */
function holdText(hold) {
    return keys
        .filter((key) => hold[key] !== null)
        .map((key) => `${key}=${(0,shared_clean/* cleanLine */.Ow)(hold[key] ?? '', 1_000)}\n`)
        .join('');
}
/** Reads the file. Any file named HOLD is a hold, even one made by hand, whatever it contains. */
function parseHold(text) {
    const values = new Map(text.split('\n').map((line) => {
        const at = line.indexOf('=');
        return at < 0 ? ['', ''] : [line.slice(0, at).trim(), (0,shared_clean/* cleanLine */.Ow)(line.slice(at + 1), 1_000)];
    }));
    return Object.fromEntries(keys.map((key) => [key, values.get(key) || null]));
}
/** The hold in one sentence. */
function describeHold({ reason, since, run }) {
    return [
        since === null ? 'deployments are on hold' : `deployments have been on hold since ${since}`,
        ...(reason === null ? [] : [`reason: ${reason}`]),
        ...(run === null ? [] : [`see ${run}`]),
    ].join('; ');
}
/** The failure of a backup for a deployment while deployments are on hold. */
function onHold(why, backupDir) {
    return new shared_failure/* Failure */.HR('on-hold', `Refusing the backup for a deployment: ${why}`, {
        hint: `A deployment would undo the rollback. Once its cause is fixed, tick the box "release-hold" when you start the deployment (release-hold: true in a workflow file), or on the host: rm ${(0,shell_quote/* quoteForShell */.e)((0,backup_folder/* holdFile */.Ym)(backupDir))}`,
    });
}

;// CONCATENATED MODULE: ./build/shared/backups/dump-advice.js

const readAll = (user) => `On PostgreSQL 14 and newer: GRANT pg_read_all_data TO ${(0,relation_name/* identifier */.C)(user)}; before that: GRANT USAGE and SELECT on it. Or set "db-user" to a superuser`;
const damaged = "PostgreSQL found damaged data, which pg_dump cannot read. Copy the server's data folder before you do anything else. Then drill an earlier backup (verify-action, checks: drill), and see docs/restore.md";
const tooLong = 'A row has more than 1 GB as text, where bytea takes twice its size, and pg_dump cannot write it. Find the table in the log, and in it the longest values with octet_length(); store these as large objects, or in several rows';
const advices = [
    [/^canceling statement due to (lock|statement) timeout|^could not obtain lock/, () => '', 'table-locked'],
    [
        /^permission denied for large object/,
        (user) => `Only its owner, and whoever was granted it, may read a large object: GRANT SELECT ON LARGE OBJECT … TO ${(0,relation_name/* identifier */.C)(user)}. Or set "db-user" to a superuser`,
    ],
    [/^permission denied/, readAll],
    [
        /row-level security policy/,
        (user) => `Policies hide rows of that table from ${(0,relation_name/* identifier */.C)(user)}, so it cannot dump all of them: ALTER ROLE ${(0,relation_name/* identifier */.C)(user)} BYPASSRLS. Or set "db-user" to a superuser`,
    ],
    [
        /^out of shared memory/,
        () => "The server's table of locks is full; each table that is dumped takes one. Raise max_locks_per_transaction: ALTER SYSTEM SET max_locks_per_transaction = 1024; then restart the database",
    ],
    [
        /^could not fork/,
        () => 'The database server ran out of memory. On the host: docker stats --no-stream; docker logs NAME',
    ],
    [
        /^out of memory/,
        () => `The database server ran out of memory. On the host: docker stats --no-stream; docker logs NAME. If the DETAIL in the log is "Cannot enlarge string buffer": ${tooLong}`,
    ],
    [
        /^invalid memory alloc request size/,
        () => `${tooLong}. If no value is that long, it is damaged: see docs/restore.md`,
    ],
    [
        /No space left on device/,
        () => 'The disk that the database server itself writes to is full, temporary files included: docker system df; df -h',
    ],
    [
        /^(missing chunk number|unexpected chunk|invalid page in block|page verification failed|could not read block|compressed .* is corrupt|found xm|could not access status of transaction|MultiXactId)/,
        () => damaged,
    ],
    [
        /^invalid byte sequence for encoding/,
        () => 'A table, a column or something else has a name that is not in UTF-8, which SQL_ASCII allows: in a session with client_encoding = SQL_ASCII, give it another one with ALTER … RENAME',
    ],
    [
        /^invalid value for parameter "client_encoding"/,
        () => 'PostgreSQL cannot convert the encoding of this database to UTF-8, in which a backup tells names (MULE_INTERNAL). Dump it by hand, or move it into a database of another encoding',
    ],
    [
        /^cache lookup failed|^relation with OID|^could not open relation with OID/,
        () => 'Something was dropped or changed while it was dumped: run it again when no migration runs. If it says the same again, the catalogue of the database is damaged',
    ],
    [
        /^(server closed the connection|connection to server was lost|terminating connection|the database system is)/,
        () => 'The server ended the session. To see why, on the host: docker ps --all; docker logs NAME',
    ],
    [
        /^(sorry, too many clients|remaining connection slots|too many connections)/,
        () => 'A backup takes up to seven connections at a time: raise max_connections, or the limit of the role or the database',
    ],
    [
        /^(could not access file|could not load library|could not open extension)/,
        () => "The database's image lacks a library that the database uses",
    ],
];
/** null if it is not known what helps. @param error as `firstError` finds it */
function adviseDump(error, user) {
    const found = advices.find(([said]) => said.test(error));
    if (found === undefined)
        return null;
    const [, advise, code] = found;
    return { hint: advise(user), ...(code === undefined ? {} : { code }) };
}

;// CONCATENATED MODULE: ./build/shared/backups/take-failures.js








/** null if what PostgreSQL says is not kept. */
const take_failures_logOf = ({ backupDir, startedAt, encoding }) => encoding.encryption === 'age' ? null : (0,printed_errors/* wordsFile */.mm)(backupDir, (0,naming/* backupIdAt */.$W)(startedAt));
/**
 * Fails the backup if the session that counts the rows ended with an error.
 * @throws Failure `dump-failed`, to which `translate` adds the error
 */
function demandCounts(records, lines) {
    if (records.find('facts-incomplete') === undefined || (0,printed_errors/* firstError */.bv)(lines) === null)
        return;
    throw new shared_failure/* Failure */.HR('dump-failed', 'The rows could not be counted');
}
/**
 * Turns a failure that the host named into advice for the operator.
 * @param lines what the programs said
 * @param lock who was last seen to hold a lock on a table
 */
function translate(error, lines, lock, request) {
    if (!(0,shared_failure/* isFailure */.N6)(error))
        return error;
    const { backupDir, lockWait, user } = request;
    const log = lines.join('\n');
    if (error.code === 'on-hold')
        return onHold(describeHold(parseHold(error.message)), backupDir);
    if (error.code === 'lock-held')
        return (0,lock_holder/* lockHeld */.bh)(error.message, backupDir, request.lock.wait);
    const serverError = ['dump-failed', 'no-snapshot'].includes(error.code) ? (0,printed_errors/* firstError */.bv)(lines) : null;
    const known = serverError === null ? null : adviseDump(serverError, user);
    if (known?.code === 'table-locked')
        return tableLocked(lock, lockWait, log);
    const advice = error.hint ?? known?.hint ?? takeHints[error.code] ?? 'Run it again';
    const kept = take_failures_logOf(request);
    const message = serverError === null ? error.message : `${error.message}: ${(0,printed_errors/* describeError */.Uc)(serverError, kept)}`;
    const more = serverError === null || kept === null ? '' : `. All that PostgreSQL said is in ${kept} on the host`;
    return new shared_failure/* Failure */.HR(error.code, message, {
        hint: `${advice.startsWith('Earlier') || advice.startsWith('No backup') ? '' : 'Earlier backups are unchanged. '}${advice}${more}`,
        cause: error.cause ?? log,
    });
}
/** @param lock who was last seen to hold one, or to want one */
function tableLocked(lock, lockWait, cause) {
    const waited = `A table stayed locked for ${(0,units/* formatDuration */.a3)(lockWait)}, so it could not be dumped`;
    const list = "SELECT l.pid, relation::regclass, application_name, state, state_change FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE mode = 'AccessExclusiveLock'; SELECT * FROM pg_prepared_xacts";
    return new shared_failure/* Failure */.HR('table-locked', lock === null ? waited : `${waited}: ${describeLock(lock)}`, {
        hint: lock === null
            ? `Earlier backups are unchanged. Find out who holds it; a line without pid is a prepared transaction: ${list}. If that is only slow, raise "lock-wait"`
            : `Earlier backups are unchanged. If that is only slow, raise "lock-wait". If nobody will end it, ${endLock(lock)}`,
        cause,
    });
}
const takeHints = {
    'disk-full': 'Earlier backups are unchanged, and the unfinished dump is removed. Make room: df -h; docker system df',
    'dump-failed': 'Earlier backups are unchanged. See the log',
    'dump-interrupted': 'Earlier backups are unchanged. Check on the host whether the database was restarted: docker ps; docker logs NAME',
    'encryption-failed': 'Earlier backups are unchanged. If age refuses a key, correct "encrypt-to". If it was ended, check whether memory ran out: dmesg | tail',
    'compressor-failed': 'Earlier backups are unchanged. Check whether memory ran out: dmesg | tail',
    'lock-unusable': 'Check who owns the backup folder',
    'facts-unreadable': 'Earlier backups are unchanged. Something else, such as a wrapper around psql, prints into the session: see the log',
    'sets-changed': 'No backup was taken. Find out what else changes the backup folder, then run it again',
};

;// CONCATENATED MODULE: ./build/shared/backups/verification.js



/** The first bytes of a pg_dump archive and of the compression formats. Plain text has none. */
const magics = { zstd: '28 b5 2f fd', gzip: '1f 8b', custom: '50 47 44 4d 50', age: '61 67 65 2d 65' };
/** Even the dump of an empty database has more bytes. */
const smallestDump = 200;
/** Judges a dump. It is verified if every check passed. */
function judgeDump(evidence) {
    return [
        { name: 'dump', result: 'passed', detail: 'every stage exited with 0', ms: evidence.dumpMs },
        judgeMagic(evidence),
        judgeDisk(evidence),
        judgeParsing(evidence),
        judgeTables(evidence),
        judgeCounts(evidence),
    ];
}
const allPassed = (checks) => checks.every(({ result }) => result === 'passed');
function judgeMagic({ encoding: { format, compression, encryption }, magic, sizeBytes }) {
    const expected = encryption === 'age'
        ? magics.age
        : compression === 'zstd'
            ? magics.zstd
            : format === 'custom'
                ? magics.custom
                : compression === 'gzip'
                    ? magics.gzip
                    : '';
    if (sizeBytes < smallestDump)
        return failed('file', `only ${sizeBytes} bytes long`);
    if (!magic.trim().startsWith(expected))
        return failed('file', `begins with ${magic.trim()} instead of ${expected}`);
    const sealed = encryption === 'age' ? ', encrypted' : '';
    return passed('file', `${sizeBytes} bytes of ${compression === 'none' ? format : `${format}, ${compression}`}${sealed}`);
}
/** The disk holds what the parser was given, if both have the checksum of the stream. */
function judgeDisk({ encoding: { encryption }, streamSha256, diskSha256, readMs }) {
    const subject = encryption === 'age' ? 'the ciphertext was ' : '';
    return /^[a-f0-9]{64}$/.test(diskSha256) && streamSha256 === diskSha256
        ? passed('disk', `${subject}read back from disk in full, with the same SHA-256 as the stream`, readMs)
        : failed('disk', `the bytes on disk have the SHA-256 ${diskSha256}, but the stream had ${streamSha256}`, readMs);
}
function judgeParsing({ encoding: { format, encryption }, stages }) {
    const exits = new Map([...stages.matchAll(/^(list|decompress|read|exit) (\d+)$/gm)].map(([, stage, code]) => [stage, code]));
    const needed = ['decompress', 'read', ...(format === 'custom' ? ['list'] : [])];
    const good = needed.every((stage) => exits.get(stage) === '0') && !exits.has('exit');
    if (!good) {
        const ends = [...exits]
            .filter(([stage]) => stage !== 'exit')
            .map(([stage, code]) => `${stage} exited with ${code}`)
            .join(', ');
        return failed('read-back', `could not be parsed in full while it was written: ${ends || 'no program could read it'}`);
    }
    const how = format === 'custom' ? 'pg_restore read every entry' : "it ends with pg_dump's last line";
    return passed('read-back', `parsed in full while it was written${encryption === 'age' ? ', before it was encrypted' : ''}: ${how}`);
}
function judgeTables({ encoding: { format }, databaseEncoding, contents, stages, tables }) {
    const alike = asListed(databaseEncoding);
    const { names, count } = format === 'custom' ? entriesOfArchive(alike(contents)) : entriesOfPlain(alike(stages));
    const dumped = tables.filter(({ isDumped }) => isDumped);
    const missing = dumped.filter(({ schema, name }) => !names.has(alike(`${onOneLine(schema)} ${onOneLine(name)}`)));
    if (missing.length > 0) {
        const names = (0,units/* listed */.KE)(missing.map(relation_name/* relationName */.j), 5);
        return failed('tables', `not in the dump: ${missing.length} of ${(0,units/* counted */.hS)(dumped.length, 'table')}: ${names}`);
    }
    // Some names are the same with a space between schema and table.
    if (count < dumped.length)
        return failed('tables', `in the dump: only ${count} of ${(0,units/* counted */.hS)(dumped.length, 'table')}`);
    return passed('tables', dumped.length === 0 ? 'the database has no tables' : `${(0,units/* allOf */.bn)(dumped.length, 'table', ['is', 'are'])} in the dump`);
}
/** `… TABLE DATA schema name owner`: each may contain spaces, so the table may be any beginning that ends at a space. */
function entriesOfArchive(contents) {
    const names = new Set();
    let count = 0;
    for (const line of contents.split('\n')) {
        const rest = /^\d+; \d+ \d+ TABLE DATA (.*)$/.exec(line)?.[1];
        if (rest === undefined)
            continue;
        count += 1;
        for (let space = rest.indexOf(' '); space >= 0; space = rest.indexOf(' ', space + 1)) {
            names.add(rest.slice(0, space));
        }
    }
    return { names, count };
}
function entriesOfPlain(stages) {
    const entries = stages.matchAll(/^entry -- Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: /gm);
    const names = Array.from(entries, ([, name, schema]) => `${schema} ${name}`);
    return { names: new Set(names), count: names.length };
}
/**
 * How names are compared. A dump has them in the encoding of the database, and has been read here as if that were UTF-8: where it is
 * another, all characters that are not ASCII count as equal.
 */
const asListed = (databaseEncoding) => (text) => databaseEncoding === 'UTF8' ? text : text.replaceAll(/\P{ASCII}+/gu, '\uFFFD');
/** pg_dump writes a name into a comment this way. */
const onOneLine = (name) => name.replaceAll(/[\r\n]/g, ' ');
function judgeCounts({ factsComplete, rowCounts, tables }) {
    if (!factsComplete)
        return failed('counts', 'the session that counts the rows ended too early');
    if (rowCounts === 'exact')
        return passed('counts', countedIn(tables));
    return passed('counts', `rows not counted (row-counts: ${rowCounts})`);
}
/** facts-tables.sql explains why some tables are not counted. */
function countedIn(tables) {
    const exact = tables.filter(({ exact }) => exact).length;
    const hashed = (0,table_facts/* hashedText */.LS)(tables.filter(({ isDumped }) => isDumped));
    const counts = `rows of ${(0,units/* counted */.hS)(exact, 'table')} counted in the dump's snapshot${hashed === '' ? '' : `; content hashed: ${hashed}`}`;
    if (exact === tables.length)
        return counts;
    return `${counts}; ${tables.length - exact} not counted, because counting could run other roles' code with this user's rights: to count them too, set "db-user" to a superuser`;
}
const passed = (name, detail, ms = 0) => ({ name, result: 'passed', detail, ms });
const failed = (name, detail, ms = 0) => ({ name, result: 'failed', detail, ms });

;// CONCATENATED MODULE: ./build/shared/backups/take.js










/** Limits in bytes for a text that the host sends packed. Comparing a text takes many times its size in memory. */
const take_longestText = 256 * 1024 * 1024;
const longestCompared = 64 * 1024 * 1024;
const take_program = {
    name: 'take',
    step: 'the dump',
    scripts: [
        new URL(/* asset import */ __nccwpck_require__(8845), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(97656), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(79329), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(5216), __nccwpck_require__.b),
        new URL(/* asset import */ __nccwpck_require__(27416), __nccwpck_require__.b),
    ],
};
/** zstd: the fastest level, at which one core keeps up with pg_dump. gzip: the level that the former scripts used. */
const usualLevel = { zstd: 1, gzip: 6, none: 0 };
/**
 * Takes a dump in one snapshot, parses it while it is written, and reads the file back from disk. Does not publish it yet.
 * @throws Failure `lock-held`, `disk-full`, `dump-failed`, `table-locked`, `compressor-failed`, `dump-interrupted`, …
 */
async function take(connection, request) {
    const { encoding } = request;
    const said = [];
    const locks = new LockWatch(request.onProgress);
    const run = connection.run(take_program, {
        backup_dir: request.backupDir,
        // What PostgreSQL says may quote rows, and the log would not be encrypted.
        words_log: encoding.encryption === 'age' ? '' : (0,printed_errors/* wordsFile */.mm)(request.backupDir, (0,naming/* backupIdAt */.$W)(request.startedAt)),
        home: (0,layout/* homeOf */.lt)(request.kind).folder,
        started: String(Math.floor(request.startedAt.getTime() / 1_000)),
        container: request.container,
        user: request.user,
        database: request.database,
        server_host: request.access.place?.host ?? '',
        server_port: request.access.place?.port ?? '',
        password_from: request.access.password ?? '',
        format: encoding.format,
        compression: encoding.compression,
        level: String(request.level ?? usualLevel[encoding.compression]),
        where: request.where,
        extension: (0,naming/* dumpExtension */.MN)(encoding),
        table_wait: String(request.lockWait),
        row_counts: request.rowCounts,
        encryption: encoding.encryption,
        recipients: request.recipients,
        inside_script: (0,scripts/* insideScript */.yT)(),
        ...(0,scripts/* factsScripts */.Mr)(),
        previous_schema: request.previousSchema ?? '',
        expected_sets_state: request.setsState,
        in_turn: request.isInTurn ? 'yes' : '',
        refuse_on_hold: request.kind === 'predeployment' ? 'yes' : '',
        layout: layout/* layoutLines */.i5,
    }, {
        deadline: request.timeout,
        atEnd: 'linger',
        lock: request.lock,
        signal: request.signal,
        onLog: (line) => {
            if (line.startsWith('pg_dump: '))
                said.push(line);
            request.onLog(line);
        },
        onProgress: (name, value) => locks.tell(name, value),
    });
    try {
        const records = await run.result;
        demandCounts(records, run.lastLines());
        return { dump: readDump(records, request, dumpWarnings(said)), release: run.release };
    }
    catch (error) {
        await run.release();
        throw translate(error, run.lastLines(), locks.last, request);
    }
}
/** Passes progress on, and remembers who held locks on tables. */
class LockWatch {
    last = null;
    #onProgress;
    constructor(onProgress) {
        this.#onProgress = onProgress;
    }
    tell(name, value) {
        if (name !== 'waits-during' && name !== 'waits-after') {
            this.#onProgress(name, value);
            return;
        }
        const lock = readLock(value);
        if (lock === null)
            return;
        if (name === 'waits-during') {
            this.last = lock;
            this.#onProgress('waiting-for-table', describeLock(lock));
        }
        else {
            this.last ??= lock;
        }
    }
}
/** The warning when a held dump was released but the host did not confirm it. */
function lockMayStay(backupDir) {
    return `The host did not confirm in time that it released the lock; the next run may find it taken. To see who holds it, run on the host: cat ${backupDir}/.lock.holder`;
}
function readDump(records, { kind, encoding, databaseEncoding, rowCounts }, warnings) {
    const text = (name, longest = take_longestText) => (0,packed/* unpack */.l)(records.find(name) ?? '', longest);
    const facts = (0,postgres_facts/* readFacts */.MH)([...records.all('fact'), ...(text('facts') ?? '').split('\n')]);
    const sizeBytes = records.integer('size');
    const id = records.get('id');
    const bytes = /^bytes (\d+)$/m.exec(records.get('verify'))?.[1];
    return {
        id,
        file: (0,naming/* setFileNames */.H2)((0,layout/* homeOf */.lt)(kind).prefix, id, encoding).dump,
        sizeBytes,
        dumpBytes: encoding.compression === 'none' ? sizeBytes : bytes === undefined ? null : Number(bytes),
        sums: { sha256: records.get('sha256'), md5: records.get('md5') },
        tables: facts.tables,
        sequences: sequenceRanges(facts.sequencesBefore, facts.sequencesAfter ?? []),
        largeObjects: facts.largeObjects,
        extensions: facts.extensions,
        members: facts.members,
        warnings,
        schemaText: text('schema-text'),
        previousSchemaText: text('previous-schema-text', longestCompared),
        schemaSums: readSums(records, 'schema'),
        globalsSums: readSums(records, 'globals'),
        settingsSums: readSums(records, 'settings'),
        verification: judgeDump({
            encoding,
            databaseEncoding,
            sizeBytes,
            magic: records.get('magic'),
            streamSha256: records.get('stream-sha256'),
            diskSha256: records.get('sha256'),
            stages: records.get('verify'),
            contents: text('contents') ?? '',
            tables: facts.tables,
            factsComplete: records.find('facts-incomplete') === undefined && facts.sequencesAfter !== null,
            rowCounts,
            dumpMs: records.integer('dump-ms'),
            readMs: records.integer('read-ms'),
        }),
        sides: [
            sideCheck(records, 'schema', 'pg_dump --schema-only, in the same snapshot'),
            sideCheck(records, 'globals', 'roles and their settings, without passwords'),
            sideCheck(records, 'settings', 'owner, grants and settings of the database'),
        ],
    };
}
function sideCheck(records, name, what) {
    const outcome = records.get(name);
    return outcome === 'taken'
        ? { name, result: 'passed', detail: what, ms: 0 }
        : {
            name,
            result: 'failed',
            detail: (0,printed_errors/* firstError */.bv)(outcome.split('\n')) ??
                (outcome.slice(0, 1_000) || 'it failed without a message, or its output is empty'),
            ms: 0,
        };
}
function readSums(records, name) {
    const [sha256, md5] = records.find(`${name}-sums`)?.split(' ') ?? [];
    return sha256 === undefined || md5 === undefined ? null : { sha256, md5 };
}
/** Only sequences that existed before and after the dump: others may not be in the snapshot. */
function sequenceRanges(before, after) {
    const key = ({ schema, name }) => JSON.stringify([schema, name]);
    const later = new Map(after.map((sequence) => [key(sequence), sequence]));
    return before.flatMap((sequence) => {
        const end = later.get(key(sequence));
        if (end === undefined)
            return [];
        const { value, ...rest } = sequence;
        return [{ ...rest, before: value, after: end.value }];
    });
}

;// CONCATENATED MODULE: ./build/shared/backups/verified-backup.js



















/**
 * Takes a backup. The lock is free again when it returns.
 * @throws Failure if there is no verified backup, or if that is unknown: `publication-unknown`
 */
async function takeVerifiedBackup(connection, run, steps, log) {
    const { ready, held, attempt } = await takeUnderLock(connection, run, steps, log);
    try {
        await demandVerified(connection, held.dump, attempt, log);
        const kept = await log.group('Publish and prune', () => publishBackup(connection, ready, held.dump, attempt, steps.recordsOf, log));
        steps.onPublished(kept);
        return kept;
    }
    finally {
        if (!(await held.release()))
            log.warning(lockMayStay(run.order.backupDir));
    }
}
/** No backup is in the way of the one that is next in the line. Others, such as a person who deletes sets, may be a few times. */
const mostAttempts = 5;
/**
 * Takes a dump under the lock. What was decided from a survey holds only if no other run has published or deleted a backup since:
 * so a run that finds the lock taken, or the backups changed, stands in line, and surveys again when it is next. It gets a new id
 * as well: otherwise newer data would get an older one.
 */
async function takeUnderLock(connection, run, steps, log) {
    const { backupDir, lockWait } = run.order;
    const attempt = async (current, inTurn) => {
        const ready = await lookAtHost(connection, run.order, steps, log);
        const lock = { path: (0,backup_folder/* lockFile */.Ke)(backupDir), wait: inTurn ? lockWait : 0, holder: run.holder };
        const held = await log.group('Dump and read back from disk', () => takeDump(connection, ready, current, { lock, isInTurn: inTurn }, log));
        return { ready, held, attempt: current };
    };
    try {
        return await attempt(run, false);
    }
    catch (error) {
        const isInVain = (0,shared_failure/* isFailure */.N6)(error, 'sets-changed') || ((0,shared_failure/* isFailure */.N6)(error, 'lock-held') && lockWait > 0);
        if (!isInVain)
            throw error;
    }
    const turn = await awaitTurn(connection, run, (holder) => log.progress(`Waiting for the lock, held by ${holder}`), log.host);
    try {
        for (let count = 2;; count += 1) {
            try {
                return await attempt({ ...run, startedAt: new Date() }, true);
            }
            catch (error) {
                if (!(0,shared_failure/* isFailure */.N6)(error, 'sets-changed') || count === mostAttempts)
                    throw error;
                log.progress('Something changed the backups without taking the lock: surveying again');
            }
        }
    }
    finally {
        await turn.giveUp();
    }
}
function lookAtHost(connection, order, { look, onReady }, log) {
    return log.group(`Survey of ${connection.name}`, async () => {
        const seen = await look();
        const ready = judgeSurvey(seen, order);
        onReady(seen);
        tellSurvey(seen, ready, log);
        return ready;
    });
}
/** @throws Failure `survey-incomplete`, or as judgeBackupHost does */
function judgeSurvey(seen, order) {
    const sets = (0,survey_sets/* demandSets */.bc)(seen.sets);
    const catalogue = (0,sets_catalogue/* catalogueOf */.vq)(sets.files, sets.manifests);
    refusePlain(order, catalogue);
    const newest = (database) => (0,sets_catalogue/* verifiedSetsOf */.Ns)(database, catalogue.sets)[0] ?? null;
    const host = judgeBackupHost(seen, {
        ...order,
        previousBytes: (database, { format, compression }) => {
            const manifest = newest(database)?.manifest;
            return manifest?.format === format && manifest.compression === compression ? manifest.sizeBytes : null;
        },
    });
    return {
        host,
        catalogue,
        release: (0,release/* releaseOf */.l7)(seen.containers, seen.images),
        previous: newest(host.database.database),
        zstdOn: seen.tools.has('zstd') ? 'host' : 'container',
        setsState: sets.state,
    };
}
/** Whoever encrypts backups does not expect a plain one, least of all from a rollback in a hurry. @throws Failure `plain-refused` */
function refusePlain({ kind, encryption }, { sets }) {
    const sealed = sets.find(({ manifest }) => manifest?.encryption === 'age');
    if (kind !== 'prerollback' || encryption === 'age' || sealed === undefined)
        return;
    throw new shared_failure/* Failure */.HR('plain-refused', `The backups of this host are encrypted, such as ${sealed.id}, and this one would not be`, {
        hint: 'Give this step "encrypt" and "encrypt-to" as in backup-action.',
    });
}
function tellSurvey(seen, { host, catalogue }, log) {
    const { database, container, encoding } = host;
    log.success(`Service ${container.service} runs PostgreSQL ${database.serverVersion} and accepts connections`);
    const { place } = database.access;
    if (place !== null)
        log.info(`Reached at ${place.host}, port ${place.port}, as its postmaster.pid says`);
    log.info(`Database "${database.database}", ${(0,units/* formatBytes */.z3)(database.sizeBytes)}, as user "${database.user}"`);
    log.info(`${(0,units/* formatBytes */.z3)(seen.freeBytes)} free, about ${(0,units/* formatBytes */.z3)(host.estimate)} needed`);
    log.info(`Format ${encoding.format}, compression ${encoding.compression}, done in the ${host.where}`);
    if (encoding.encryption === 'age') {
        log.info('Encrypted on the host by age before anything is written, so the host cannot read it either');
    }
    else if (catalogue.sets.some(({ manifest }) => manifest?.encryption === 'age')) {
        log.warning('Other backups on this host are encrypted, and this one is not: give "encrypt" and "encrypt-to" here as well');
    }
}
/** Takes the dump under the lock, which is held until it is released. */
async function takeDump(connection, ready, run, turn, log) {
    const { order, signal, startedAt } = run;
    const { host, previous, setsState } = ready;
    const { backupDir } = order;
    const progress = new DumpProgress(host.estimate, log);
    const held = await take(connection, {
        backupDir,
        kind: order.kind,
        startedAt,
        container: host.container.id,
        user: host.database.user,
        database: host.database.database,
        databaseEncoding: host.database.encoding,
        access: host.database.access,
        encoding: host.encoding,
        where: host.where,
        recipients: order.recipients,
        level: order.compressionLevel,
        rowCounts: order.rowCounts,
        lockWait: order.lockWait,
        timeout: order.timeout,
        ...turn,
        previousSchema: previous !== null && previous.manifest.encryption === 'none' && host.encoding.encryption === 'none'
            ? schemaFile(backupDir, previous)
            : null,
        setsState,
        signal,
        onLog: log.host,
        onProgress: (name, value) => progress.tell(name, value),
    });
    for (const check of [...held.dump.verification, ...held.dump.sides])
        log.info(checkLine(check));
    return held;
}
function schemaFile(backupDir, set) {
    const prefix = (0,naming/* parseSetFileName */.Bi)(set.manifest.file)?.prefix ?? 'backup';
    return `${backupDir}/${(0,sets_catalogue/* pathOf */.XM)(set)}/${(0,naming/* setFileNames */.H2)(prefix, set.id, set.manifest).schema}`;
}
function checkLine({ name, result, detail, ms }) {
    const mark = { passed: '✔', failed: '✘', 'could-not-check': '?' }[result];
    return `${mark} ${name}: ${detail}${ms > 0 ? ` (${(0,units/* formatDuration */.a3)(ms)})` : ''}`;
}
/** Puts aside a dump that failed a check, and logs the run on the host. @throws Failure `not-verified`; with a cause if it could not */
async function demandVerified(connection, dump, run, log) {
    if (allPassed(dump.verification))
        return;
    const failed = dump.verification.filter(({ result }) => result !== 'passed');
    const reason = failed.map(({ name, detail }) => `${name}: ${detail}`).join('\n');
    const isOfBytes = failed.some(({ name }) => ['file', 'disk', 'read-back'].includes(name));
    const next = isOfBytes ? "Run it again; if it fails again, check the host's disk and memory" : 'Run it again';
    const failure = (whereItIs, cause) => new shared_failure/* Failure */.HR('not-verified', `The dump failed its verification and does not count as a backup: ${reason}`, {
        hint: `Earlier backups are unchanged. ${whereItIs}. ${next}`,
        cause,
    });
    const line = run_line_failureLine(run, failure(''), { id: dump.id, bytes: dump.sizeBytes, sha256: dump.sums.sha256 });
    const rejection = { ...ending(run, log), holder: run.holder, id: dump.id, dump: dump.file, reason, logLine: line };
    let aside;
    try {
        aside = await reject(connection, rejection);
    }
    catch (error) {
        // Report why the dump is bad, even if it could not be put aside.
        throw failure('The failed dump could not be put aside', error);
    }
    throw failure(`The failed dump was put aside: ${aside}`);
}
/** Plans the publication of a verified dump, and publishes it into its tiers. */
async function publishBackup(connection, { host, catalogue, release, previous, zstdOn }, dump, run, recordsOf, log) {
    const { order, startedAt, holder, workflow } = run;
    const { kind, environment } = order;
    const { runUrl, commit, actor } = workflow;
    const known = { kind, environment, database: host.database, encoding: host.encoding, release };
    const manifestFacts = { ...known, previous: previous?.manifest ?? null, startedAt, finishedAt: new Date() };
    const publicationPlan = planPublication(dump, { ...manifestFacts, runUrl, commit, actor }, catalogue.sets, order);
    const { manifest, entered, deletions } = publicationPlan;
    const home = (0,layout/* homeOf */.lt)(kind).folder;
    const facts = {
        publicationPlan,
        dump,
        previous: previous?.manifest ?? null,
        place: {
            folder: `${order.backupDir}/${home}`,
            container: host.container.name,
            access: host.database.access,
            user: host.database.user,
            zstdOn,
        },
        hostName: connection.name,
        minSizeRatio: order.minSizeRatio,
    };
    const sidecars = sidecarsOf(dump, manifest, reportText(facts));
    (0,whole_manifest/* demandReadable */.aD)(sidecars.get((0,naming/* setFileNames */.H2)((0,layout/* homeOf */.lt)(kind).prefix, dump.id, manifest).manifest) ?? '');
    const published = await publish(connection, {
        ...ending(run, log),
        holder,
        id: dump.id,
        sidecars,
        tiers: entered.filter((tier) => (0,layout/* folderOfTier */.aI)(tier) !== home),
        deletions,
        records: recordsOf(manifest),
        logLine: successLine(run, publicationPlan),
        troubledLine: successLine(run, {
            ...publicationPlan,
            problems: ['a step after the publication failed: see the run'],
        }),
    });
    for (const { reason } of publicationPlan.tiers)
        log.info(reason);
    for (const { tier, id, reason } of publicationPlan.pruning)
        log.info(`${(0,layout/* folderOfTier */.aI)(tier)}/${id} ${reason}`);
    return { facts, published, problems: [...publicationPlan.problems, ...published.problems] };
}
/** Writes a failed run, or one that failed after a backup was kept, into the log on the host. */
async function logFailure(connection, run, error, log, known = {}) {
    await logRun(connection, { ...ending(run, log), logLine: failureLine(run, error, known) });
}
const ending = ({ order }, log) => ({
    backupDir: order.backupDir,
    kind: order.kind,
    logFile: order.logFile,
    onLog: log.host,
});

;// CONCATENATED MODULE: ./build/rollback-action/prerollback-backup.js




/**
 * The order for the backup before a rollback. It has a tier of its own and leaves the other tiers alone.
 * @param spared the backup that is restored then, if one is: it may be the oldest of that tier
 */
function backupOrder(inputs, spared) {
    return {
        ...inputs,
        kind: 'prerollback',
        keep: { daily: 'all', weekly: 'all', monthly: 'all', predeployment: 'all', prerollback: inputs.keepPrerollback },
        // A bad release may have deleted data: a small backup must not block the rollback.
        minSizeRatio: 0,
        spared,
        logFile: `${inputs.backupDir}/backup.log`,
    };
}
/** The whole backup is one step of a rollback: one group, and of what it finds only what matters there. */
const asOneStep = { ...log, group: (_title, work) => work(), success: () => { }, info: () => { } };
/**
 * Takes the backup as backup-action does, and reads it back before anything is stopped.
 * @param seen what the survey found; the host is surveyed again if other backups arrived in the meantime
 * @param order as `backupOrder` makes it
 * @throws Failure with the remedy; nothing was stopped
 */
async function takePrerollbackBackup(connection, seen, run, lookAgain) {
    let latest = seen;
    const look = async () => {
        const view = latest ?? (await lookAgain());
        latest = undefined;
        return view;
    };
    return log.group('Backup before the rollback', async () => {
        const kept = await takeVerifiedBackup(connection, run, { look, onReady: () => { }, recordsOf: () => [], onPublished: () => { } }, asOneStep).catch((error) => {
            throw withoutBackup(error);
        });
        const { publicationPlan, place } = kept.facts;
        const { manifest } = publicationPlan;
        const { id, sizeBytes, sha256, schemaSha256, file, checks } = manifest;
        const path = `${place.folder}/${file}`;
        log.success(`Backup ${id} is verified: ${(0,units/* formatBytes */.z3)(sizeBytes)}, ${path}`);
        for (const problem of kept.problems)
            log.warning(`Backup ${id}: ${problem}`);
        return { id, sizeBytes, sha256, file: path, schemaSha256, checks, manifest };
    });
}
/** The hint also names the way around; whether to take it is the operator's choice. */
function withoutBackup(error) {
    if (!(0,shared_failure/* isFailure */.N6)(error) || error.code === 'cancelled')
        return error;
    return new shared_failure/* Failure */.HR(error.code, `Could not take the backup before the rollback: ${error.message}`, {
        hint: `Nothing was stopped. ${error.hint ?? ''}\nIf the rollback cannot wait, tick the box "skip-backup" of the form. In a workflow file: skip-backup: true`,
        cause: error.cause,
    });
}

;// CONCATENATED MODULE: ./build/shared/releases/keep-images.js


/** Of so many of the newest different releases, the history's images keep their names. */
const keptReleases = 10;
/** How many ids the host is given, the newest first: older ones lost their names in earlier runs. */
const mostReleased = 500;
/**
 * Decides from the history, so that the names do not become more and more.
 * @param now ids of images to keep in any case
 * @param releases those of the history, the newest last
 */
function keptImages(backupDir, now, releases) {
    const different = new Map();
    for (const release of releases.toReversed()) {
        const ids = Object.values(release).flatMap(({ imageId }) => imageId ?? []);
        if (ids.length > 0)
            different.set(ids.toSorted().join(), ids);
    }
    const newest = new Set([...now, ...[...different.values()].slice(0, keptReleases).flat()]);
    const older = [...different.values()].flat().filter((id) => !newest.has(id));
    return {
        keeper: (0,external_node_crypto_.createHash)('sha256').update(backupDir).digest('hex').slice(0, 8),
        kept: [...new Set(now)],
        released: [...new Set(older)].slice(0, mostReleased),
    };
}
/** The images that lose their only name when the next release comes: those whose tag moves, or that have none. */
function losingTheirName(release) {
    const losing = Object.values(release).filter(({ tag }) => tag === null || moves(tag));
    return [...new Set(losing.flatMap(({ imageId }) => imageId ?? []))];
}
const keep_images_program = {
    name: 'keep-images',
    step: 'the protection of images',
    scripts: [new URL(/* asset import */ __nccwpck_require__(3653), __nccwpck_require__.b), new URL(/* asset import */ __nccwpck_require__(1924), __nccwpck_require__.b)],
};
/** Gives and takes the names. @returns ids that could not be given one */
async function keepImages(connection, { keeper, kept, released }, onLog) {
    const run = connection.run(keep_images_program, { keeper, kept, released }, { deadline: 60_000, atEnd: 'end', onLog });
    return (await run.result).all('not-kept');
}

;// CONCATENATED MODULE: ./build/shared/releases/registry-words.js

/** The first that fits counts. Each is looked for in a text without the names that people choose. */
const registry_words_words = [
    ['full', /no space left on device|disk quota exceeded/i],
    ['helper', /docker-credential-|error getting credentials|error (?:storing|saving) credentials/i],
    [
        'docker',
        /permission denied while trying|dial unix .*permission denied|cannot connect to the docker daemon|is the docker daemon running|docker endpoint|context "[^"]*": /i,
    ],
    ['busy', /toomanyrequests|too many requests|rate limit|rate exceeded/i],
    [
        'wrong-platform',
        /no matching manifest for|no match for platform|does not (?:match|provide) the specified platform/i,
    ],
    [
        'refused',
        /unauthorized|\bdenied\b|forbidden|authentication required|authorization failed|no basic auth|incorrect username|insufficient[_ ]scope/i,
    ],
    ['missing', /manifest[_ ]unknown|no such manifest|name[_ ]unknown|\bnot found\b|repository does not exist/i],
    [
        'unreachable',
        /connection (?:refused|reset|timed out)|no such host|no route to host|timeout|timed out|deadline exceeded|dial tcp|network is unreachable|\bEOF\b|TLS handshake|server misbehaving|no answer within/i,
    ],
];
/** The status of an HTTP answer, in the ways in which Docker, containerd and registries write it. */
const registry_words_status = /(?:status(?: code)?(?: from [A-Z]+ request to)?|HTTP(?:\/\d(?:\.\d)?)?(?: status)?(?: code)?|error parsing HTTP|response status)[:\s]+(\d{3})\b|\b([45]\d\d) (?:[A-Z][a-z]+(?:[ -][A-Z][a-z]+)*)/;
const byStatus = {
    401: 'refused',
    403: 'refused',
    404: 'missing',
    429: 'busy',
};
/** What the text means; null if it says nothing that is known. @param names references that the text may quote */
function registryWord(said, names) {
    const text = withoutNames(said, names);
    const [, one, other] = registry_words_status.exec(text) ?? [];
    const code = one ?? other;
    const word = registry_words_words.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
    // A full disk or a missing helper is the host's own affair, whatever a status says.
    if (word === 'full' || word === 'helper' || code === undefined)
        return word;
    return byStatus[code] ?? (code.startsWith('5') ? 'broken' : word);
}
/** The text without addresses and without what people have named: a tag may be called `denied`, or contain 403. */
function withoutNames(said, names) {
    let text = said.replaceAll(/(?:https?|tcp|unix):\/\/[^\s"']+/g, ' ');
    for (const name of names.flatMap(partsOf).toSorted((one, other) => other.length - one.length)) {
        text = text.replaceAll(name, ' ');
    }
    return text
        .replaceAll(/(?:manifest tagged by|Tag:|tag=|Name:|name=)\s*"?[\w./:@-]+"?/g, ' ')
        .replaceAll(/\blookup \S+( on \S+)?:/g, ' ');
}
/** A reference in every form in which it may be quoted. A tag on its own is left, as it may be an ordinary word. */
function partsOf(name) {
    const reference = (0,image_reference/* referenceOf */.Bz)(name);
    if (reference === null)
        return name === '' ? [] : [name];
    const { repository, path, registry, tag, digest } = reference;
    const familiar = path.replace(/^library\//, '');
    const bodies = [repository, path, ...(registry === 'docker.io' ? [familiar] : [])];
    const ends = [...(tag === null ? [] : [`:${tag}`]), ...(digest === null ? [] : [`@${digest}`])];
    return [
        name,
        ...bodies.flatMap((body) => ends.map((end) => body + end)),
        // A short name such as `denied` is quoted in few places; on its own it may be the registry's word.
        ...bodies.filter((body) => body.includes('/')),
        ...(familiar.includes('/') ? [] : [`for ${familiar},`, `for ${familiar} `]),
        ...(digest === null ? [] : [digest]),
        registry,
    ];
}

;// CONCATENATED MODULE: ./build/shared/releases/pull.js





const pull_program = {
    name: 'pull',
    step: 'the image pull',
    scripts: [
        __nccwpck_require__.ab + "open-parent.sh",
        __nccwpck_require__.ab + "login.sh",
        __nccwpck_require__.ab + "keep.sh",
        __nccwpck_require__.ab + "pull.sh",
    ],
};
/**
 * Pulls the missing images and checks every image. Touches nothing that is running.
 * @throws Failure `image-missing`, `registry-refused`, `registry-busy`, `registry-unreachable`, `disk-full`, `pull-failed`
 */
async function pullImages(connection, request) {
    const { registry, login, pulls, images, keep } = request;
    const account = { registry, user: login?.user ?? '', password: login?.password ?? '' };
    const parameters = { ...account, pulls, images, ...keep };
    const run = connection.run(pull_program, parameters, {
        deadline: request.timeout,
        atEnd: 'end',
        signal: request.signal,
        onLog: request.onLog,
        onProgress: (_, reference) => request.onPull(reference),
    });
    try {
        const records = await run.result;
        return { images: new Map(records.all('image').map(readImage)), notKept: records.all('not-kept') };
    }
    catch (error) {
        throw (0,shared_failure/* isFailure */.N6)(error) ? pull_explain(error, registry) : error;
    }
}
function readImage(value) {
    const [reference = '', id = '', platform = '', ...repoDigests] = value.trim().split(' ');
    if (!(0,release/* isImageId */.rw)(id)) {
        throw new shared_failure/* Failure */.HR('image-missing', `The image ${(0,shared_clean/* cleanLine */.Ow)(reference, 300)} is not on the host`, {
            hint: otherTarget,
        });
    }
    return [reference, { id, platform, repoDigests }];
}
const otherTarget = 'Nothing was stopped. Set "target" to a release that still exists';
/** Translates Docker's message into one of our failures. Docker's own words become the cause. */
function pull_explain(error, registry) {
    if (error.code !== 'pull-failed' && error.code !== 'login-failed')
        return error;
    const said = error.message;
    const isLogin = error.code === 'login-failed';
    const reference = isLogin ? registry : said.slice(0, said.indexOf(' '));
    const what = isLogin ? `the login at ${registry}` : (0,shared_clean/* cleanLine */.Ow)(reference, 300);
    const at = (0,image_reference/* referenceOf */.Bz)(reference)?.registry ?? registry;
    const failure = (code, message, hint) => new shared_failure/* Failure */.HR(code, message, { hint: `Nothing was stopped. ${hint}`, cause: said });
    switch (registryWord(said, isLogin ? [registry] : [reference, registry])) {
        case 'full':
            return failure('disk-full', `The host's disk is full: could not pull ${what}`, 'On the host: docker system df, then docker image prune. Then run it again');
        case 'refused':
            return failure('registry-refused', `The registry ${at} refuses ${what}`, 'Set "registry-username" and "registry-password". For ghcr.io, use a token with packages: read from a repository that may read the package');
        case 'busy':
            return failure('registry-busy', `The registry ${at} asks to wait: too many requests came from this host or with this login`, 'Wait, then run it again: an hour is enough for most registries, six for Docker Hub. With a login, registries allow more');
        case 'missing':
            if (isLogin)
                break;
            return new shared_failure/* Failure */.HR('image-missing', `${what} is neither in the registry nor on the host`, {
                hint: otherTarget,
                cause: said,
            });
        case 'wrong-platform':
            return failure('pull-failed', `${what} is in the registry, but not for the processor of the host`, 'Build it for that platform too, or set "target" to another release');
        case 'broken':
            return failure('registry-unreachable', `The registry ${at} has an error of its own, and gave no answer for ${what}`, 'Run it again later');
        case 'unreachable':
            return failure('registry-unreachable', isLogin ? `The host cannot reach the registry ${at}` : `The host cannot reach the registry ${at} for ${what}`, `On the host: curl -sI https://${at}/v2/. Once it answers, run it again`);
        case 'helper':
            return failure('pull-failed', `Could not pull ${what}: the helper that keeps the logins of this user on the host failed`, 'Set "registry-username" and "registry-password", or correct "credsStore" in ~/.docker/config.json on the host');
        case 'docker':
            return failure('docker-refuses', `Docker on the host refuses to work for this user: could not pull ${what}`, "Docker's message is in the log of this step, below the error");
    }
    return failure('pull-failed', isLogin ? `The login at ${registry} failed` : `Could not pull ${what}`, "Docker's message is in the log of this step, below the error");
}

;// CONCATENATED MODULE: ./build/rollback-action/pull-target.js




/** Pulls every image of the target and checks that the host has it, before anything is stopped. */
async function pullTarget(connection, plan, inputs, history, signal) {
    return log.group('Images', async () => {
        const wanted = plan.services.map(({ service, pull, localImage }) => ({ service, name: pull ?? localImage ?? '' }));
        const pulls = plan.services.flatMap(({ pull }) => (pull === null ? [] : [pull]));
        const running = plan.services.flatMap(({ fromImage, localImage }) => [fromImage.imageId, localImage]);
        const releases = history.map(({ release }) => release);
        const { images, notKept } = await pullImages(connection, {
            registry: inputs.registry,
            login: pulls.length > 0 ? inputs.login : null,
            pulls: [...new Set(pulls)],
            images: [...new Set(wanted.map(({ name }) => name))],
            keep: keptImages(inputs.backupDir, running.filter((id) => id !== null), releases),
            timeout: inputs.timeout,
            signal,
            onLog: log.host,
            onPull: (reference) => log.progress(`Pulling ${reference}`),
        });
        for (const id of notKept)
            log.warning(`Could not protect the image ${id} from docker image prune`);
        const targets = new Map(wanted.map(({ service, name }) => {
            const image = images.get(name);
            if (image === undefined)
                throw notThere(name);
            return [service, image];
        }));
        for (const [service, { id, platform }] of targets)
            log.info(`✔ ${service}: ${id} (${platform}) is on the host`);
        return targets;
    });
}
function notThere(name) {
    return new shared_failure/* Failure */.HR('image-missing', `The image ${name} is not on the host`, {
        hint: 'Nothing was stopped. Set "target" to a release that still exists',
    });
}

;// CONCATENATED MODULE: ./build/shared/plan/override.js
/** The label that holds the id of the transaction. */
const label = 'atlasia.transaction';
/** The label that holds the user's own compose files, as absolute paths: compose's own label names this override as well. */
const filesLabel = 'atlasia.compose-files';
/** The label that holds its env files: compose's own is lost with a configuration that was kept. */
const envFilesLabel = 'atlasia.compose-env-files';
/**
 * A compose file on top of the user's, from which the new containers are created.
 * @param images the image for each service, by a name that Docker finds on this host: `repository:tag@digest`, or an id
 * @param transaction its id, or a placeholder for it
 * @param origin of the user's own files
 * @param networks of these services as they are on the host, by key; empty if compose cannot be told
 */
function overrideYaml(steps, images, transaction, origin, networks) {
    const labels = [
        [label, transaction],
        [filesLabel, origin.files.join(',')],
        ...(origin.envFiles.length === 0 ? [] : [[envFilesLabel, origin.envFiles.join(',')]]),
    ];
    const services = steps.flatMap(({ service, fixedName, anonymousVolumes }) => [
        `  ${scalar(service)}:`,
        `    image: ${scalar(images.get(service) ?? '')}`,
        '    pull_policy: never',
        // Two containers cannot share a name: the new one gets it once the old one has given it up.
        ...(fixedName === null ? [] : ['    container_name: !reset null']),
        `    labels: {${labels.map(([name, value]) => `${scalar(name)}: ${scalar(value)}`).join(', ')}}`,
        ...volumesOf(anonymousVolumes),
    ]);
    const external = [...new Set(steps.flatMap(({ anonymousVolumes }) => Object.values(anonymousVolumes)))].map((name) => `  ${scalar(`atlasia-${name}`)}: {external: true, name: ${scalar(name)}}`);
    const volumes = external.length === 0 ? [] : ['volumes:', ...external];
    return ['services:', ...services, ...volumes, ...networksAsTheyAre(networks), ''].join('\n');
}
/**
 * Networks are used as they are: if the file says something else today, compose would stop whatever is in one, to make it
 * anew, before anything may stop.
 */
function networksAsTheyAre(networks) {
    const lines = [...networks].map(([key, name]) => `  ${scalar(key)}: !override {external: true, name: ${scalar(name)}}`);
    return lines.length === 0 ? [] : ['networks:', ...lines];
}
function volumesOf(volumes) {
    const lines = Object.entries(volumes).map(([destination, name]) => `      - {type: volume, source: ${scalar(`atlasia-${name}`)}, target: ${scalar(destination)}}`);
    return lines.length === 0 ? [] : ['    volumes:', ...lines];
}
/**
 * A compose file with the images that run now, to recreate a container that was lost.
 * @param services all that are stopped meanwhile
 */
function revertYaml(services, networks) {
    const lines = services.flatMap(({ service, imageId }) => imageId === null ? [] : [`  ${scalar(service)}: {image: ${scalar(imageId)}, pull_policy: never}`]);
    return ['services:', ...lines, ...networksAsTheyAre(networks), ''].join('\n');
}
/** JSON strings are valid YAML except for unprintable characters. `$` is doubled: compose must not see variables here. */
function scalar(value) {
    return JSON.stringify(value.replaceAll('$', '$$$$')).replace(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

;// CONCATENATED MODULE: ./build/rollback-action/request.js









/** The plan with the ids and digests of the pulled images. Services that already run the target are left out. */
function settledPlan(plan, images) {
    const services = plan.services
        .map((step) => {
        const image = images.get(step.service);
        if (image === undefined)
            return step;
        const { toImage } = step;
        const digest = toImage.digest ?? digestIn(image, toImage.image);
        const name = (toImage.image ?? '').split('@')[0];
        return {
            ...step,
            toImage: {
                ...toImage,
                imageId: image.id,
                digest,
                image: digest === null ? toImage.image : `${name}@${digest}`,
            },
        };
    })
        .filter(({ mixed, fromImage, toImage }) => mixed || fromImage.imageId !== toImage.imageId);
    const to = {
        ...plan.from,
        ...Object.fromEntries(services.map(({ service, toImage }) => [service, toImage])),
    };
    return { ...plan, services, to, restore: settledRestore(plan, services) };
}
/** What turned out to run the target already is not swapped, but still has to stop while the databases exchange their names. */
function settledRestore({ services, restore }, swapped) {
    if (restore === null)
        return null;
    const spared = services.filter(({ service }) => !swapped.some((step) => step.service === service));
    const restarted = spared
        .filter(({ strategy }) => strategy === 'recreate')
        .map(({ service, fromImage }) => ({
        service,
        imageId: fromImage.imageId ?? '',
        why: 'it already runs the target',
    }));
    return { ...restore, restarted: [...restore.restarted, ...restarted] };
}
/** The digest in the reference's own repository. Docker uses short names for repositories on Docker Hub. */
function digestIn({ repoDigests }, reference) {
    const repository = (0,image_reference/* referenceOf */.Bz)(reference)?.repository;
    const own = repoDigests.map(image_reference/* referenceOf */.Bz).find((name) => name !== null && name.repository === repository);
    return own?.digest ?? null;
}
/** Everything the host needs to carry out the plan without us. */
function transactionRequest(decided) {
    const { inputs, plan, images } = decided;
    const names = new Map(plan.services.map(({ service, toImage }) => [
        service,
        toImage.digest === null ? (images.get(service)?.id ?? '') : (toImage.image ?? ''),
    ]));
    const { compose } = decided;
    const networksAround = (services) => (0,compose_version/* supportsReset */.Uz)(compose.version) ? networksOf(compose.config, services) : new Map();
    const networks = networksAround(plan.services.map(({ service }) => service));
    const stopped = [
        ...plan.services.map(({ service, fromImage }) => ({ service, imageId: fromImage.imageId })),
        ...(plan.restore?.restarted ?? []).map(({ service, imageId }) => ({ service, imageId: imageId || null })),
    ];
    return {
        startedAt: decided.startedAt,
        backupDir: inputs.backupDir,
        deployDir: inputs.deployDir,
        project: plan.project,
        compose: decided.compose.call,
        inlineFiles: inlineArchives(decided),
        projectState: plan.projectState,
        services: servicesOf(decided),
        database: decided.restoring?.exchange ?? null,
        proxies: plan.proxies,
        lookedUpOnce: plan.lookedUpOnce,
        override: overrideYaml(plan.services, names, transaction_files/* transactionMark */.cO, decided.compose.origin, networks),
        revert: revertYaml(stopped, networksAround(stopped.map(({ service }) => service))),
        planJson: `${JSON.stringify(plan, null, 2)}\n`,
        stopTimeout: inputs.stopTimeout,
        healthTimeout: inputs.healthTimeout,
        stableFor: inputs.stableFor,
        maxDowntime: inputs.maxDowntime,
        healthUrl: inputs.healthUrl,
        onFailure: inputs.onFailure,
        // Of a restore alone, the release is not to blame.
        blame: !plan.otherSettings && plan.services.length > 0,
        settings: inputs.compose,
        lockWait: inputs.lockWait,
        holder: decided.holder,
        historyId: decided.historyId,
        outcome: outcomeTexts(decided),
    };
}
/** What is swapped and what is only restarted, dependencies first. */
function servicesOf({ plan, restoring }) {
    const swapped = plan.services.map(({ service, strategy, retag, fixedName, toImage }) => ({
        service,
        strategy,
        targetImageId: toImage.imageId ?? '',
        retag,
        fixedName,
    }));
    if (restoring === null || plan.restore === null)
        return swapped;
    const restarted = plan.restore.restarted.map(({ service, imageId }) => ({
        service,
        strategy: 'restart',
        targetImageId: imageId,
        retag: null,
        fixedName: null,
    }));
    const all = [...swapped, ...restarted];
    return restoring.order.flatMap((name) => all.filter(({ service }) => service === name));
}
function inlineArchives({ plan, compose }) {
    return new Map(plan.services.flatMap(({ service }) => {
        const files = inlineFiles(compose.config, compose.values, service);
        return files.length === 0 ? [] : [[service, tarOf(files)]];
    }));
}
/** What the host adds to the history, for each possible ending. */
function outcomeTexts(decided) {
    const { inputs, plan, token, workflow } = decided;
    const marks = (0,transaction_files/* outcomeMarks */.zE)(token);
    // The marks are placeholders that the host fills in; until then this is not a valid record.
    const record = (status, verdict) => ({
        version: 1,
        id: decided.historyId,
        at: marks.at,
        environment: inputs.environment,
        event: plan.services.length === 0 ? 'restore' : 'rollback',
        status,
        verdict,
        release: plan.to,
        previous: plan.from,
        schemaSha256: decided.schemaSha256,
        backupId: decided.backupId,
        restoredId: plan.restore?.backupId ?? null,
        // A record with a longer reason would be rejected when it is read.
        reason: inputs.reason?.slice(0, longestReason) ?? null,
        actor: workflow.actor,
        runUrl: workflow.runUrl,
        commit: workflow.commit,
        settings: decided.compose.settings,
        durationMs: marks.duration,
        downtimeMs: marks.downtime,
    });
    const texts = (each) => ({ record: historyLine(each), line: auditLine(each) });
    // Without a health check, nothing has proven that a service works.
    const isProven = plan.services.length > 0 && (inputs.healthUrl !== null || plan.services.every(({ proven }) => proven));
    const hold = {
        reason: inputs.reason ?? 'a rollback',
        since: marks.at,
        run: workflow.runUrl,
        by: workflow.actor,
        from: plan.services.map((step) => `${step.service}=${step.fromName ?? step.fromImage.imageId ?? 'none'}`).join(' '),
        to: plan.services.map((step) => `${step.service}=${step.toName ?? step.toImage.imageId}`).join(' '),
        id: decided.historyId,
    };
    return {
        token,
        endings: {
            'rolled-back': texts(record('succeeded', isProven ? 'good' : 'unknown')),
            reverted: texts(record('reverted', marks.verdict)),
            failed: texts(record('failed', marks.verdict)),
        },
        // A restore alone takes no release back.
        hold: inputs.hold && plan.services.length > 0 ? holdText(hold) : null,
    };
}

;// CONCATENATED MODULE: ./build/rollback-action/strangers.js

/** Events that a stranger can trigger, most of them with their own code or text: on a public repository, anybody may open an issue. */
const untrustedEvents = /^(pull_request|issue|discussion|fork$|watch$)/;
/** @throws Failure `untrusted-event` if anybody could have started this run */
function refuseStrangers({ event }) {
    if (event === null || !untrustedEvents.test(event))
        return;
    throw new shared_failure/* Failure */.HR('untrusted-event', `Refusing to roll back for the event ${event}: anybody can trigger it`, {
        hint: 'Start it with workflow_dispatch, from a branch that only you can write to',
    });
}

// EXTERNAL MODULE: ./build/shared/plan/persist.js
var persist = __nccwpck_require__(44010);
// EXTERNAL MODULE: ./build/shared/report/in-container.js
var in_container = __nccwpck_require__(97718);
// EXTERNAL MODULE: ./build/shared/restore/given-up.js
var given_up = __nccwpck_require__(2668);
;// CONCATENATED MODULE: ./build/rollback-action/summary.js











/** Summary of a rollback that succeeded. */
function summarizeRollback({ id, outcome, lines }, plan, { backup, compose, restoring, loaded }, inputs, durationMs) {
    const done = doneIn(plan);
    log.success(`${done} in ${(0,units/* formatDuration */.a3)(durationMs)}; longest downtime: ${downtimeOf(outcome)}`);
    const forward = forwardCommands(plan, outcome, compose);
    for (const line of forward)
        log.info(line);
    const aside = restoring?.exchange.aside.replace(transaction_files/* transactionMark */.cO, id) ?? null;
    const cleanup = restoring === null || aside === null ? null : dropCommand(restoring, aside);
    if (cleanup !== null)
        log.info(`The old database is kept as ${aside}. When you no longer need it, drop it: ${cleanup}`);
    writeSummary([
        summary_verdictOf(done, outcome, loaded),
        ...[...outcome.problems, ...(loaded?.problems ?? [])].map(paragraph),
        ...(plan.services.length === 0 ? [] : [servicesTable(plan)]),
        ...(restoring === null || loaded === null || aside === null
            ? []
            : restoreBlocks(plan, {
                loaded,
                aside,
                givenUp: (0,given_up/* givenUp */.b)(restoring.manifest, backup?.manifest ?? null, new Date()),
            })),
        facts([
            ['Environment', inputs.environment],
            ['Reason', inputs.reason ?? 'none given'],
            ...downtimeRows(outcome),
            ...(outcome.reloaded.length === 0 ? [] : [['Reloaded or restarted', outcome.reloaded.join(', ')]]),
            ['Took', (0,units/* formatDuration */.a3)(durationMs)],
            ['Backup before the rollback', backup === null ? 'none, because of skip-backup' : { code: backup.file }],
            ['Transaction', { code: (0,backup_folder/* transactionFolder */.ZZ)(inputs.backupDir, id) }],
        ]),
        ...timelineBlocks(lines),
        ...(forward.length === 0 && cleanup === null ? [] : [heading('Next steps')]),
        ...forward.flatMap(job_summary_advice),
        ...(cleanup === null || aside === null ? [] : afterRestore(backup, aside, cleanup)),
        ...notesBlock(plan),
    ]);
}
function summary_verdictOf(done, outcome, loaded) {
    if (outcome.problems.length > 0)
        return verdict('attention', `${done}, but some steps failed`);
    if ((loaded?.problems ?? []).length > 0)
        return verdict('attention', `${done}; the restored database needs a look`);
    return verdict('good', done);
}
/** Summary of a plan that was not carried out. */
function summarizePlan(plan, inputs, candidates) {
    const isEmpty = plan.services.length === 0 && plan.restore === null;
    writeSummary([
        isEmpty
            ? verdict('good', `Nothing would change in ${inputs.environment}`)
            : verdict('attention', `A plan for ${inputs.environment}; nothing was changed`),
        paragraph(`${targetText(plan)}.`),
        ...(plan.services.length + plan.leftAlone.length === 0 ? [] : [servicesTable(plan)]),
        ...restoreBlocks(plan, null),
        ...(isEmpty ? [] : howToCarryOut(plan)),
        ...notesBlock(plan),
        ...candidatesBlocks(candidates),
    ]);
}
/** Which boxes of the form carry out this plan and no other. */
function howToCarryOut({ hash, restore }) {
    return [
        heading('To carry out exactly this plan'),
        ...boxes('fill in the form as for this run, with "plan-only" unticked and these', [
            ['confirm', 'ROLLBACK'],
            ...(restore === null ? [] : [['confirm-restore', 'RESTORE']]),
            ['expect-plan', hash],
        ]),
        paragraph('In a workflow file:'),
        codeBlock(`expect-plan: ${hash}`, 'yaml'),
    ];
}
/** Summary of a run whose target was already running. */
function summarizeUnchanged(plan, inputs) {
    writeSummary([
        verdict('good', `${inputs.environment} already runs the target; nothing was done`),
        table(['Service', 'Why it is left alone'], plan.leftAlone.map(({ service, why }) => [service, why])),
    ]);
}
/** How to take a restore back, and how to end it. */
function afterRestore(backup, aside, cleanup) {
    return [
        ...(backup === null
            ? []
            : boxes('to get back the data from before this restore, start the same workflow with these', [
                ['restore-database', backup.id],
                ['confirm-restore', 'RESTORE'],
            ])),
        paragraph(`The old database is kept as ${aside}. When you no longer need it, drop it on the host:`),
        codeBlock(cleanup, 'bash'),
    ];
}
/** To be typed on the host, when the old database is no longer needed. */
function dropCommand({ exchange, containerName: container }, aside) {
    const { access, user } = exchange;
    const words = ['dropdb', `--username=${user}`, '--maintenance-db=template1', '--', aside];
    return (0,in_container/* pastedLine */.wQ)([...(0,in_container/* inContainer */.Bc)({ container, access }), ...words]);
}
/** How to keep the rollback in force, and how to end it. */
function forwardCommands(plan, { held }, source) {
    return [
        ...(0,persist/* linesToChange */.P9)(plan.services, source),
        ...(source.keptIn === null
            ? []
            : [
                `The target runs with its old compose files; put them back in place before the next docker compose up: ls ${(0,shell_quote/* quoteForShell */.e)(`${source.keptIn}/files`)}`,
            ]),
        ...(held
            ? [
                'Deployments are on hold: backup-action refuses kind: predeployment. Once the cause is fixed, start the deployment with the box "release-hold" ticked. In a workflow file: release-hold: true',
            ]
            : []),
    ];
}

;// CONCATENATED MODULE: ./build/rollback-action/rollback.js






















/** Survey, plan, pull, take a backup, swap as one transaction, record, report. */
async function rollback(inputs, workflow, context, story) {
    const { signal, outputs, atEnd } = context;
    refuseStrangers(workflow);
    const startedAt = new Date();
    const run = {
        inputs,
        workflow,
        signal,
        startedAt,
        holder: (0,lock_holder/* holderText */.ii)('rollback-action', workflow.runUrl, startedAt),
        historyId: record_recordId(workflow.runId, workflow.runAttempt, (0,external_node_crypto_.randomBytes)(4).toString('hex')),
        outputs,
        story,
        created: null,
        held: null,
    };
    atEnd(() => {
        outputs['duration-ms'] = Date.now() - startedAt.getTime();
    });
    const connections = [];
    const reach = async () => {
        const connection = await reachHost(inputs.ssh, context);
        connections.push(connection);
        return connection;
    };
    try {
        await carryOut(await reach(), reach, run);
    }
    catch (thrown) {
        const error = (0,typed_as/* failureTypedAs */.p)(inputs.ssh, await tidied(thrown, connections, run));
        // These leave the operator with a choice. Once the plan was shown, so were they.
        const mustChoose = (0,shared_failure/* isFailure */.N6)(error, 'no-target', 'image-missing', 'record-unknown', 'target-bad', 'schema-changed');
        if (!mustChoose)
            run.story.candidates = [];
        for (const line of tableOf(run.story.candidates))
            log.info(line);
        summarizeFailure(error, inputs, outputs, run.story);
        throw error;
    }
    finally {
        await run.held?.release();
        await Promise.all(connections.map((connection) => connection.close()));
    }
}
/** A database that was created for the restore goes again if that came to nothing, and nobody else works on it. */
async function tidied(error, connections, run) {
    const [connection] = connections.slice(-1);
    const isOver = run.outputs.status === 'refused' || run.outputs.status === 'reverted';
    if (run.created === null || connection === undefined || !isOver)
        return error;
    await run.held?.release();
    run.held = null;
    const { withoutCreated } = await __nccwpck_require__.e(/* import() */ 134).then(__nccwpck_require__.bind(__nccwpck_require__, 12134));
    return withoutCreated(connection, run.created, { ...run, backupDir: run.inputs.backupDir }, error);
}
async function carryOut(connection, reach, run) {
    const { inputs, workflow, signal } = run;
    const mirror = historyMirror({
        environment: inputs.environment,
        kinds: inputs.history,
        token: inputs.githubToken,
        workflow,
    });
    // GitHub may be slow: ask it while the survey runs.
    const mirrored = mirror.load();
    const seen = await look(connection, run);
    run.story.seen = seen;
    const decision = await decide(connection, seen, await mirrored, inputs, signal, (list) => {
        run.story.candidates = list;
    });
    try {
        await carryOutPlan(connection, reach, run, { ...decision, seen, mirror });
    }
    finally {
        await decision.restoring?.source.close();
    }
}
async function carryOutPlan(connection, reach, run, { seen, plan, knownHistory, compose, restoring, afterPull, mirror }) {
    const { inputs, signal, outputs, historyId } = run;
    run.story.plan = plan;
    outputs.from = JSON.stringify(plan.from);
    outputs.to = JSON.stringify(plan.to);
    outputs['plan-hash'] = plan.hash;
    if (inputs.planOnly) {
        outputs.status = 'planned';
        summarizePlan(plan, inputs, run.story.candidates);
        log.success(`Plan only: nothing was changed. To carry out this plan: expect-plan: ${plan.hash}`);
        return;
    }
    expectPlan(plan, inputs);
    if (plan.services.length === 0 && restoring === null) {
        await tellUnchanged(plan, run);
        return;
    }
    if (knownHistory.missing.length > 0) {
        await appendHistory(connection, { backupDir: inputs.backupDir, records: knownHistory.missing, onLog: log.host });
        log.info(`Missing records added to the history on the host: ${knownHistory.missing.length}`);
    }
    const images = await pullTarget(connection, plan, inputs, knownHistory.host, signal);
    const settled = await afterPull(settledPlan(plan, images));
    restoring?.demandPaired(settled);
    run.story.plan = settled;
    outputs.to = JSON.stringify(settled.to);
    if (settled.services.length === 0 && restoring === null) {
        await tellUnchanged(settled, run);
        return;
    }
    const backup = inputs.skipBackup ? null : await backUp(connection, seen, run, settled.restore?.backupId ?? null);
    run.story.backup = backup;
    outputs['backup-id'] = backup?.id ?? null;
    const loaded = (await restoring?.load(connection, run)) ?? null;
    run.story.loaded = loaded;
    const request = transactionRequest({
        ...run,
        plan: settled,
        compose,
        images,
        restoring,
        backupId: backup?.id ?? null,
        schemaSha256: backup?.schemaSha256 ?? null,
        token: (0,external_node_crypto_.randomBytes)(8).toString('hex'),
    });
    const carried = await handOver(connection, { request, signal, reconnect: reach }, outputs, restoring);
    run.story.carried = carried;
    await copyRecords(carried, knownHistory, run, mirror);
    if (carried.outcome.ending === 'rolled-back')
        await keepFiles(connection, compose, run);
    await tellEnding(carried, settled, { backup, compose, restoring, loaded }, run);
    if (carried.recorded !== null)
        outputs['history-id'] = historyId;
}
/** Keeps the compose files of the release that is running now. */
async function keepFiles(connection, compose, { inputs }) {
    if (compose.settings === null || compose.keptIn !== null)
        return;
    const { config, files, envFiles } = compose;
    try {
        await keepCompose(connection, { backupDir: inputs.backupDir, id: compose.settings.kept, config, files, envFiles }, log.host);
    }
    catch (error) {
        if (!(0,shared_failure/* isFailure */.N6)(error))
            throw error;
        log.notice(`The compose files of this release were not kept on the host: ${error.message}`);
    }
}
function expectPlan(plan, { expectPlan: expected }) {
    if (expected === null || expected === plan.hash)
        return;
    throw new shared_failure/* Failure */.HR('plan-changed', 'The plan has changed since it was reviewed', {
        hint: `Nothing was done. Review the plan above; then, in the form under "Run workflow", put its hash into the box "expect-plan". In a workflow file: expect-plan: ${plan.hash}`,
    });
}
async function tellUnchanged(plan, { outputs, inputs }) {
    outputs.status = 'unchanged';
    summarizeUnchanged(plan, inputs);
    log.success('The target is already running: nothing was done');
}
/** @param spared the backup that is restored then; null if none is */
async function backUp(connection, seen, run, spared) {
    const order = backupOrder(run.inputs, spared);
    return takePrerollbackBackup(connection, seen, { ...run, order }, () => look(connection, run));
}
/** Copies the record off the host. Problems with the copies are reported but do not fail the run. */
async function copyRecords(carried, knownHistory, { inputs }, mirror) {
    if (carried.recorded === null || inputs.history.length === 0)
        return;
    const { records, problems } = parseHistory(carried.recorded);
    for (const text of [...problems, ...(await storeCopies(knownHistory, records, mirror))])
        log.notice(text);
}
/** Reports how it ended. @throws Failure unless the rollback succeeded */
async function tellEnding(carried, plan, means, { inputs, outputs, startedAt }) {
    const { outcome, id } = carried;
    outputs.status = outcome.ending ?? 'failed';
    outputs['downtime-ms'] = outcome.downtimeMs;
    outputs['failed-requests'] = outcome.failedRequests;
    if (outcome.ending === 'rolled-back') {
        summarizeRollback(carried, plan, means, inputs, Date.now() - startedAt.getTime());
        for (const problem of outcome.problems)
            log.error(problem, 'Rolled back, with problems');
        return;
    }
    for (const line of carried.log.split('\n').slice(-30))
        if (line.trim() !== '')
            log.host(line);
    for (const { service, lines } of lastWordsOf(carried))
        for (const line of lines)
            log.host(`${service}: ${line}`);
    throw endingFailure(outcome, (0,backup_folder/* transactionFolder */.ZZ)(inputs.backupDir, id), plan);
}

;// CONCATENATED MODULE: ./build/rollback-action/main.js








const telling = new Notices(noStory(), rollbackReport);
runAction('rollback-action', noOutputs(), (context) => rollback(telling.begin(readRollbackInputs), context_workflowContext(), context, telling.story), { telling });

