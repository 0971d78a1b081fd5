import type { Records } from '../host/records.ts';

/** What only a check of the set-up needs. */
export interface SetupSurvey {
  /** Files and folders in the backup folder that others can access or own, by path relative to it. */
  open: { type: string; mode: string; owner: string; path: string }[];
  /** How many there are; `open` does not list all if there are very many. */
  openCount: number;
  /** Folders that could not be read. */
  unseen: string[];
  /** Whether logind ends processes that this user's sessions have started; null if there is no systemd. */
  killsSessions: 'yes' | 'no' | 'unknown' | null;
  /** Free bytes on the disk of Docker; null if unknown. */
  dockerFree: number | null;
  /** A former holder of the lock that died without removing its text. */
  leftHolder: string | null;
}

/** null if the survey was not asked for it. */
export function readSetup(records: Records): SetupSurvey | null {
  if (records.find('open-count') === undefined) return null;
  const kills = records.find('kills-sessions') as SetupSurvey['killsSessions'] | undefined;
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
