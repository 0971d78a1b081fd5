// What is told, and to whom.
import type { Rule } from './rule.ts';

export const notifyRules: readonly Rule[] = [
  {
    rule: 'a proxy that refuses is not taken for the server',
    file: 'shared/notify/connect.ts',
    text: 'if (response.statusCode === 200) return socket;',
    instead: 'if (response.statusCode !== 0) return socket;',
    test: 'test/unit/notify/connect.test.ts',
  },
  {
    rule: 'nobody gets mail of what went well, unless it is asked for',
    file: 'shared/notify/mail.ts',
    text: "return on === 'always' || !isGood(notice);",
    instead: "return on === 'always' || notice.verdict !== null;",
    test: 'test/unit/notify/notice.test.ts',
    named: 'mail is for what needs somebody',
  },
  {
    rule: 'mail goes over TLS only',
    file: 'shared/notify/mail.ts',
    text: "    requireTLS: tls !== 'none',\n",
    test: 'test/e2e/verify-outside.test.ts',
    named: 'that offers no TLS',
  },
  {
    rule: 'a run that failed is no sign of life to a watcher',
    file: 'shared/notify/notice.ts',
    text: "return verdict === 'success' || verdict === 'warning';",
    instead: "return verdict !== 'cancelled';",
    test: 'test/unit/notify/notice.test.ts',
  },
  {
    rule: 'what was masked leaves in no notice',
    file: 'shared/notify/notice.ts',
    text: 'shown(hide(text))',
    instead: 'shown(text)',
    test: 'test/unit/notify/notice.test.ts',
  },
  {
    rule: 'a ping has no more text than servers keep',
    file: 'shared/notify/ping.ts',
    text: '.subarray(0, longestBody)',
    instead: '.subarray(longestBody - longestBody)',
    test: 'test/unit/notify/ping.test.ts',
  },
  {
    rule: 'a run that went badly does not ping as if it had gone well',
    file: 'shared/notify/ping.ts',
    text: "isGood(notice) ? '' : '/fail'",
    instead: "isGood(notice) ? '' : ''",
    test: 'test/unit/notify/ping.test.ts',
  },
  {
    rule: 'what is posted follows no redirect',
    file: 'shared/notify/post.ts',
    text: 'if (status >= 200 && status < 300) return text;',
    instead: 'if (status >= 200 && status < 400) return text;',
    test: 'test/unit/notify/post.test.ts',
  },
  {
    rule: 'what a run tells is text in a mail, not HTML',
    file: 'shared/notify/text.ts',
    text: ".replaceAll('<', '&lt;')",
    test: 'test/unit/notify/notice.test.ts',
  },
  {
    rule: 'a webhook that needs no signature gets none',
    file: 'shared/notify/webhook.ts',
    text: "    ...(secret !== null && { 'x-atlasia-signature-256': signatureOf(body, secret) }),\n",
    instead: "    'x-atlasia-signature-256': signatureOf(body, secret ?? ''),\n",
    test: 'test/unit/notify/webhook.test.ts',
  },
];
