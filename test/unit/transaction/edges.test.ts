// What the host's scripts make of published ports, of nginx's configuration and of failures: in a real bash, with a Docker that
// answers as its template asks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const shared = join(import.meta.dirname, '../../../shared');

/** What a call prints, or its exit if that is not 0. */
function run(files: readonly string[], call: string, input = ''): string | number {
  const sources = files.map((file) => `source ${join(shared, file)}`).join('\n');
  const script = `set -u\n${sources}\n${call}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { input, encoding: 'utf8' });
  assert.equal(stderr, '');
  return status === 0 ? stdout.trim() : (status ?? -1);
}

describe('the ports that are open on the host', () => {
  const table: [what: string, lines: string, expected: string][] = [
    ['none', '', ''],
    [
      'one that is open everywhere is asked once',
      '/a bound 80/tcp 0.0.0.0 8080 "web"\n/a open 80/tcp 0.0.0.0 8080 "web"\n/a open 80/tcp :: 8080 "web"',
      '127.0.0.1 8080 80 everywhere a web',
    ],
    [
      'one of IPv6 alone, one of an address',
      '/a open 80/tcp ::1 80 "web"\n/a open 81/tcp 10.0.0.5 81 "web"',
      '10.0.0.5 81 81 any a web\n::1 80 80 any a web',
    ],
    [
      'one that Docker chose',
      '/a bound 80/tcp 0.0.0.0 - "web"\n/a open 80/tcp 0.0.0.0 32768 "web"',
      '127.0.0.1 32768 80 any a web',
    ],
    [
      'one of a range',
      '/a bound 80/tcp 0.0.0.0 8000-8010 "web"\n/a open 80/tcp 0.0.0.0 8003 "web"',
      '127.0.0.1 8003 80 any a web',
    ],
    [
      'one of the network of the host',
      '/a host 8080/tcp 127.0.0.1 - "web"\n/a host 53/udp 127.0.0.1 - "web"',
      '127.0.0.1 8080 8080 host a web',
    ],
    [
      'UDP, and a service that compose would not name so',
      '/a open 53/udp 0.0.0.0 53 "web"\n/a open 80/tcp 0.0.0.0 80 "a;b"',
      '',
    ],
  ];
  for (const [what, lines, expected] of table) {
    test(what, () => {
      assert.equal(
        run(['survey/ports.sh'], `lines=$(cat); docker() { printf '%s\\n' "$lines"; }; published_ports id`, lines),
        expected,
      );
    });
  }
});

describe('how an address answers', () => {
  const wrong = 'curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number\n000';
  const nameless = 'curl: (35) OpenSSL/3.0.19: error:0A000458:SSL routines::tlsv1 unrecognized name\n000';
  const table: [what: string, plain: string, curl: string, way: string][] = [
    ['a page', '200', '!no', 'http'],
    ['a TLS port that answers plain HTTP', '400', '404', 'https'],
    ['one that cannot reach what is behind it', '400', '502', 'tcp'],
    ['one that wants another name', '400', `!${nameless}`, 'tcp'],
    ['one that is slow', '400', '!curl: (28) Operation timed out', 'tcp'],
    ['400 without TLS', '400', `!${wrong}`, 'http'],
    ['400 where nobody can tell, for want of curl', '400', '!bash: curl: command not found', 'tcp'],
    ['TLS alone', '', '200', 'https'],
    ['neither', '', `!${wrong}`, 'tcp'],
    ['a proxy that reaches nobody', '502', '!no', 'tcp'],
    ['a server that fails', '500', '!no', 'http-any'],
    ['one that fails behind TLS', '400', '500', 'https-any'],
  ];
  for (const [what, plain, curl, way] of table) {
    test(`${what}: ${way}`, () => {
      const call = `
        says=$(cat)
        http_status() { http_status=${plain} http_location=; [[ -n $http_status ]]; }
        curl() { printf '%s' "\${says#!}"; [[ $says != !* ]]; }
        is_open() { :; }
        way_of 127.0.0.1 443 443`;
      assert.equal(run(['survey/ports.sh', 'transaction/answers.sh'], call, curl), way);
    });
  }

  for (const [way, status, is] of [
    ['http', 404, true],
    ['http', 500, false],
    ['http', 502, false],
    ['http-any', 500, true],
    ['http-any', 503, false],
    ['https', 500, false],
    ['https-any', 500, true],
    ['https-any', 502, false],
  ] as const)
    test(`one that was ${way}, and now says ${status}, ${is ? 'answers' : 'does not'}`, () => {
      const call = `
        http_status() { http_status=${status}; }
        https_status() { http_status=${status}; }
        answers_as ${way} 127.0.0.1 80`;
      assert.equal(run(['survey/ports.sh', 'transaction/answers.sh'], call), is ? '' : 1);
    });

  test('advice to come by HTTPS shows nothing', () => {
    const leads = (way: string, location: string) =>
      run(['survey/ports.sh'], `web_way=${way} http_location=${location}; sends_to_https`) === '';
    assert.equal(leads('http', 'HTTPS://localhost/'), true);
    assert.equal(leads('http', 'http://localhost/login'), false);
    assert.equal(leads('http', ''), false);
    assert.equal(leads('https', 'https://localhost/login'), false);
  });
});

describe('an address is still published', () => {
  const table: [address: string, bound: string, is: boolean][] = [
    ['127.0.0.1 8080', '0.0.0.0 8080', true],
    ['127.0.0.1 8080 fixed', '127.0.0.1 8080', true],
    ['127.0.0.1 8080 everywhere', '127.0.0.1 8080', false],
    ['127.0.0.1 8080', ':: 8080', true],
    ['::1 8080', ':: 8080', true],
    ['127.0.0.1 8080', '0.0.0.0 8000-8100', true],
    ['127.0.0.1 8080', '0.0.0.0 8081', false],
    ['127.0.0.1 8080', '0.0.0.0 -', false],
    ['127.0.0.1 8080', '10.0.0.5 8080', false],
    ['10.0.0.5 8080', '127.0.0.1 8080', false],
    ['127.0.0.1 8080', '', false],
  ];
  for (const [address, bound, is] of table) {
    test(`${address}, where the file has ${bound || 'nothing'}: ${is}`, () => {
      const result = run(
        ['survey/ports.sh', 'transaction/edges.sh'],
        `publishes ${address} fixed`,
        bound === '' ? '' : `${bound}\n`,
      );
      assert.equal(result, is ? '' : 1);
    });
  }
});

describe('the hosts that nginx looks up once', () => {
  const table: [what: string, configuration: string, hosts: string[]][] = [
    ['by name', 'location / { proxy_pass http://api:8080; }', ['api']],
    [
      'of an upstream',
      'upstream u { server API:8080 weight=5; server web; } proxy_pass http://u/x;',
      ['api', 'u', 'web'],
    ],
    [
      'other protocols',
      'fastcgi_pass php:9000; grpc_pass grpcs://g:50; uwsgi_pass py:1; proxy_pass s:5432;',
      ['g', 'php', 'py', 's'],
    ],
    ['over several lines, in quotes', 'proxy_pass\n  "http://api:8080/v1/";', ['api']],
    [
      'not by a variable',
      'set $u http://api:8080; proxy_pass $u; proxy_pass http://$host:80; proxy_pass http://web$uri;',
      [],
    ],
    ['not where nginx resolves again', 'upstream u { zone z 64k; server api:8080 resolve; }', []],
    [
      'neither comments, addresses nor sockets',
      '# proxy_pass http://a;\nserver { listen 80; server_name b; } proxy_pass http://10.0.0.5; fastcgi_pass unix:/run/c.sock; upstream u { server unix:/d; }',
      [],
    ],
    [
      'of variables too, where answers are kept for longer than ten seconds',
      'resolver 127.0.0.11; set $u http://api:8080; proxy_pass $u; location / { set $v "Web"; fastcgi_pass $v:9000; }',
      ['api', 'web'],
    ],
    ['and of a map', 'resolver 1.1.1.1 valid=1m; map $host $b { default http://api:80; x.y web; }', ['api', 'web']],
    [
      'before a variable, and of servers that are resolved again',
      'resolver a valid=30s; proxy_pass http://api$uri; upstream u { server web:80 resolve; } proxy_pass http://$'.concat(
        '{x}:80;',
      ),
      ['api', 'web'],
    ],
    ['where one of several resolvers keeps them', 'resolver a valid=1s; server { resolver b; set $u api; }', ['api']],
    [
      'not where all ask again',
      'resolver a b valid=10s ipv6=off; resolver c valid=500ms; set $u api; proxy_pass $u;',
      [],
    ],
    ['no text but names', 'proxy_pass http://[::1]:80; proxy_pass http://a(b;', []],
  ];
  for (const [what, configuration, hosts] of table) {
    test(what, () => {
      const expected = hosts.map((host) => `looks-up-once ${host}`).join('\n');
      assert.equal(run(['survey/survey-proxies.sh'], 'hosts_looked_up_once', configuration), expected);
    });
  }
});

describe('a container that is silent is restarted', () => {
  const id = 'a'.repeat(64);
  const table: [what: string, command: string, sharer: string, is: boolean][] = [
    ['nginx', '/docker-entrypoint.sh nginx -g daemon off;', '', true],
    ['of a shell', 'sh -c envsubst </t >/c && exec nginx', '', true],
    ['Apache as an image of its own', 'httpd-foreground', '', true],
    ['no application', 'node server.js', '', false],
    ['no application in Apache', 'docker-php-entrypoint apache2-foreground', '', false],
    ['no exporter', '/usr/bin/nginx-prometheus-exporter --nginx.scrape-uri=http://nginx/s', '', false],
    ['none in whose network another lives, by id', 'caddy run', `vpn network ${id}`, false],
    ['nor by name', 'caddy run', 'vpn processes shop-edge-1', false],
    ['but one that others only link to', 'caddy run', 'old link shop-edge-1', true],
    ['and one beside others that share', 'caddy run', `vpn network ${'b'.repeat(64)}`, true],
  ];
  for (const [what, command, sharer, is] of table) {
    test(`${what}: ${is}`, () => {
      const call = `
        proxies=(named) runs=$(cat)
        look() { printf '%s' "$runs"; }; name_of() { printf shop-edge-1; }; sharers() { printf '%s\\n' '${sharer}'; }
        may_restart`;
      const files = ['transaction/edges.sh', 'transaction/proxies.sh'];
      assert.equal(run(files, `${call} edge ${id}`, command), is ? '' : 1);
      assert.equal(run(files, `${call} named ${id}`, command), sharer === '' || is ? '' : 1);
    });
  }

  test('but not where nobody knows who lives in it', () => {
    const files = ['transaction/edges.sh', 'transaction/proxies.sh'];
    assert.equal(run(files, 'proxies=(edge); sharers() { return 1; }; may_restart edge id'), 1);
  });
});

test('a proxy is reloaded as it knows how', () => {
  const table: [command: string, expected: string | number][] = [
    ['caddy run --config /srv/Caddyfile', 1],
    ['/entrypoint.sh traefik', 1],
    ['docker-entrypoint.sh haproxy -f /h.cfg', 'docker kill --signal HUP id'],
    ['haproxy_exporter --haproxy.scrape-uri=http://h', 'docker exec id nginx -s reload'],
    ['/start.sh', 'docker exec id nginx -s reload'],
  ];
  for (const [command, expected] of table) {
    const call = `runs=$(cat) said=$(mktemp); look() { printf '%s' "$runs"; }
      timeout() { printf '%s ' "\${@:2}" >"$said"; }; reload_proxy id && cat "$said"`;
    assert.equal(run(['transaction/proxies.sh'], call, command), expected);
  }
});

describe('the hosts that others look up once', () => {
  const table: [what: string, call: string, configuration: string, hosts: string[]][] = [
    [
      'HAProxy, without resolvers',
      'haproxy',
      'backend b\n  server a api:8080 check # x\n server i 10.0.0.1:80\n server w ipv4@Web:80 resolvers d\n server-template t 3 shop:80',
      ['api', 'shop'],
    ],
    ['with them by default', 'haproxy', 'defaults\n default-server check resolvers d\nbackend b\n server a api:80', []],
    [
      'with them for one part',
      'haproxy',
      'backend b\n default-server resolvers d\n server a api:80\nbackend c\n server w web:80',
      ['web'],
    ],
    [
      'Apache',
      'apache',
      'ProxyPass "/" "http://api:8080/"\n#ProxyPass / http://no/\n SetHandler "proxy:fcgi://PHP:9000"\nRedirect / http://other/',
      ['api', 'php'],
    ],
  ];
  for (const [what, call, configuration, hosts] of table) {
    test(what, () => {
      const expected = hosts.map((host) => `looks-up-once ${host}`).join('\n');
      assert.equal(run(['survey/survey-proxies.sh'], `hosts_${call}_looks_up_once`, configuration), expected);
    });
  }

  test('HAProxy tells nothing if its configuration is not one file', () => {
    const hosts = (command: string, file: string) =>
      run(
        ['survey/survey-proxies.sh'],
        `timeout() { [[ \${*: -1} == ${file} ]] && echo ' server a api:80'; }; haproxy_hosts id "$(cat)"`,
        `"haproxy:3" "docker-entrypoint.sh" ${command}["PATH"]`,
      );
    assert.equal(hosts('["haproxy","-f","/h.cfg"]', '/h.cfg'), 'looks-up-once api');
    assert.equal(hosts('["haproxy","-W"]', '/usr/local/etc/haproxy/haproxy.cfg'), 'looks-up-once api');
    assert.equal(hosts('["haproxy","-f","/h.cfg","-f","/i.cfg"]', '/h.cfg'), 1);
    assert.equal(hosts('["haproxy","-f","/etc/h"]', '/h.cfg'), 1);
  });
});

test('only what was seen to fail makes a target bad', () => {
  const blamed = (code: string) => run(['transaction/gates.sh'], `blames_target ${code}`) === '';
  assert.deepEqual(['unhealthy', 'crashed', 'health-url'].filter(blamed), ['unhealthy', 'crashed', 'health-url']);
  assert.deepEqual(['still-starting', 'no-answer', 'max-downtime', 'engine-died'].filter(blamed), []);
});

test('an address that answered, and is published no more, keeps the swap from beginning', () => {
  const kept = (bound: string, kind = 'fixed', strategy = 'recreate', settings = 'current') =>
    run(
      ['survey/ports.sh', 'transaction/edges.sh'],
      `cd -- "$(mktemp -d)"
      declare -A strategy=([web]=${strategy}) plan=()
      new_containers() { echo new; }
      bound_ports() { echo '${bound}'; }
      broken() { printf '%s' "$1"; return 1; }
      printf '127.0.0.1\\t8080\\t80\\t${kind}\\tweb-1\\tweb\\thttp\\n' >addresses.tsv
      plan=([settings]=${settings})
      journal() { printf '%s ' "$@"; }
      put_table() { printf '%s %s left' "$2" "\${#1}"; }
      keeps_addresses || true
      rm -r -- "$PWD"`,
    );
  assert.equal(kept('127.0.0.1 8080'), '');
  assert.equal(kept('127.0.0.1 8081'), 'no-answer');
  // Docker chooses another port each time; what is not created anew keeps its own.
  assert.equal(kept('127.0.0.1 8081', 'any'), '');
  assert.equal(kept('127.0.0.1 8081', 'fixed', 'restart'), '');
  // With the settings of that time it is told of, and asked no more.
  assert.equal(kept('127.0.0.1 8081', 'fixed', 'recreate', 'kept'), 'unpublished 127.0.0.1:8080 web addresses 0 left');
  assert.equal(kept('127.0.0.1 8080', 'fixed', 'recreate', 'kept'), '');
});

describe('the ports of the target are free', () => {
  const table: [bound: string, held: string, taken: string][] = [
    ['0.0.0.0 80', '', ''],
    ['0.0.0.0 80', '127.0.0.1 80 8080 fixed edge-1 edge', 'edge-1'],
    ['127.0.0.1 80', '127.0.0.1 80 8080 everywhere edge-1 -', 'edge-1'],
    ['10.0.0.5 80', '127.0.0.1 80 8080 fixed edge-1 edge', ''],
    ['127.0.0.1 80', '127.0.0.1 81 80 fixed edge-1 edge', ''],
    ['0.0.0.0 -', '127.0.0.1 32768 80 any edge-1 edge', ''],
    ['0.0.0.0 80-90', '127.0.0.1 80 80 fixed edge-1 edge', ''],
    // That it listens there is not certain.
    ['0.0.0.0 80', '127.0.0.1 80 80 host edge-1 edge', ''],
  ];
  for (const [bound, held, taken] of table) {
    test(`${bound}, while others have ${held || 'none'}: ${taken || 'free'}`, () => {
      const script = `
        cd -- "$(mktemp -d)"
        printf 'web\\told\\n' >before.tsv
        new_containers() { echo new; }
        bound_ports() { echo '${bound}'; }
        without() { echo others; }
        docker() { :; }
        published_ports() { [[ $1 == others ]] && printf '%s' '${held}'; }
        broken() { printf '%s %s' "$1" "\${2##*which }"; return 1; }
        ports_are_free || true
        rm -r -- "$PWD"`;
      const said = run(['survey/ports.sh', 'transaction/edges.sh'], script);
      assert.equal(said, taken === '' ? '' : `port-taken ${taken} holds`);
    });
  }
});
