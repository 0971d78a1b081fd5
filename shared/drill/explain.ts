import { Failure } from '../failure.ts';
import { formatBytes } from '../units.ts';
import { containerOf, type DrillRequest } from './drill-request.ts';

/** Turns a failure that the host named into advice for the operator. */
export function explain(failure: Failure, request: DrillRequest): Failure {
  const { image } = request;
  if (failure.code === 'drill-room-gone') return roomGone(failure, request);
  if (failure.code === 'transfer-cut')
    return new Failure(failure.code, failure.message, {
      hint: 'Nothing was proven. Check the connection between runner and host, then drill it again',
      cause: failure.cause,
    });
  if (failure.code === 'drill-no-room') {
    const [free = 0, needed = 0] = failure.message.split(' ').map(Number);
    return new Failure(
      failure.code,
      `Not enough space on Docker's disk: a drill needs ${formatBytes(needed)}, and ${formatBytes(free)} are free`,
      {
        hint: 'Nothing was restored. Make room: docker system df on the host. Or drill on another machine',
      },
    );
  }
  if (failure.code !== 'drill-not-started') return failure;
  return new Failure(failure.code, failure.message, {
    hint: `Check that ${image} is an official PostgreSQL image with a user "postgres", or raise "drill-memory"`,
    cause: failure.cause,
  });
}

/** States only what is known: the free space, and what the container itself used. Not who used the rest. */
function roomGone({ code, message }: Failure, { token, neededBytes, leastBytes }: DrillRequest): Failure {
  const [free = NaN, filled = NaN] = message.split(' ').map(Number);
  const expected = neededBytes - leastBytes;
  const writes = 'Check what the functions, triggers and indexes of the backup write when it is restored';
  let why = `Docker's disk had only ${formatBytes(free)} left, less than "min-free-space" (${formatBytes(leastBytes)})`;
  let next = filled > expected ? writes : 'Make room, or lower "min-free-space", then drill it again';
  if (Number.isNaN(free)) {
    why = "could no longer tell how much space is free on Docker's disk";
    next = 'Check that Docker answers, and what the functions of the backup start when it is restored';
  } else if (free >= leastBytes) {
    why = "Docker's disk is almost out of inodes";
    next = `To see which disk: df -i. ${writes}`;
  }
  const share = Number.isNaN(filled)
    ? ''
    : `. Its container had used ${formatBytes(filled)}; at most ${formatBytes(expected)} was expected`;
  const removed = message.endsWith(' gone')
    ? 'The container was removed and its space freed'
    : `The container could not be removed: docker rm --force --volumes ${containerOf(token)}`;
  return new Failure(code, `Stopped the drill: ${why}${share}`, {
    hint: `${removed}; nothing else was touched. On the host: docker system df. ${next}`,
  });
}
