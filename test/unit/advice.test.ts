import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandsIn, partsOf } from '../../shared/advice.ts';

/** Hints as they are printed, and the commands in them. */
const hints: [hint: string, commands: string[]][] = [
  ['As root: chmod 700 /opt/atlasia/backups', ['chmod 700 /opt/atlasia/backups']],
  [
    'On the host: docker start f38ac0, then docker logs --tail 50 f38ac0',
    ['docker start f38ac0', 'docker logs --tail 50 f38ac0'],
  ],
  ['Make room: docker system df on the host', ['docker system df']],
  ['Check its owner and the free space: ls -l /b/rollback; df -h /b', ['ls -l /b/rollback', 'df -h /b']],
  ['On the host, as root: apt-get install age. Or set "compression" to auto', ['apt-get install age']],
  [
    'On the host, as root: sshd -T | grep -iE "maxauthtries|pubkeyaccepted"; journalctl -u ssh -n 20',
    ['sshd -T | grep -iE "maxauthtries|pubkeyaccepted"', 'journalctl -u ssh -n 20'],
  ],
  [
    'On the host, as root: sshd -T -C user=u | grep -i forcecommand. Take it out of sshd_config for this user',
    ['sshd -T -C user=u | grep -i forcecommand'],
  ],
  [
    'If it says "permission denied", run as root: usermod -aG docker deploy. Otherwise: systemctl status docker',
    ['usermod -aG docker deploy', 'systemctl status docker'],
  ],
  ['As root: chown -R u: /b && chmod -R u=rwX,go= /b', ['chown -R u: /b && chmod -R u=rwX,go= /b']],
  ["As root: chown u '/a b; c/it'", ["chown u '/a b; c/it'"]],
  [
    'On the host, as root, in /etc/systemd/logind.conf: KillExcludeUsers=root u; then systemctl restart systemd-logind',
    ['systemctl restart systemd-logind'],
  ],
  ['Once its cause is fixed, set release-hold: true, or on the host: rm /b/rollback/HOLD', ['rm /b/rollback/HOLD']],
  [
    'Store the lines: ssh-keyscan db1 > known_hosts; ssh-keygen -lf known_hosts',
    ['ssh-keyscan db1 > known_hosts', 'ssh-keygen -lf known_hosts'],
  ],
  // Prose in which the name of a program is a word.
  ['Install Docker, or find out why docker is not on the path', []],
  ['Set "encrypt" to age as well', []],
  ['See what docker compose says in the log', []],
  ['Find out what it is', []],
  ['To keep images, do not run docker image prune --all', []],
  ['Something else changed the containers: find out what, then run it again', []],
  ['Start it with docker compose, or set "db-service"', []],
  ['ssh no longer takes host keys with these signatures', []],
  ['sshd does so for MaxStartups. On the host, as root: journalctl -u ssh -n 50', ['journalctl -u ssh -n 50']],
  ['This is for bash on the machine that has it, with age and docker: copy the files', []],
  ['ls -ld /b/rollback; dmesg | tail. Mend that', ['ls -ld /b/rollback', 'dmesg | tail']],
  ['If it is meant to go, first: docker compose up -d', ['docker compose up -d']],
  ['', []],
];

describe('the commands in a hint', () => {
  for (const [hint, commands] of hints) {
    test(hint, () => {
      assert.deepEqual(commandsIn(hint), commands);
      // Nothing is lost.
      assert.equal(
        partsOf(hint)
          .map((part) => ('command' in part ? part.command : part.text))
          .join(''),
        hint,
      );
    });
  }
});
