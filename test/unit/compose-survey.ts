import { readComposeCall } from '../../shared/survey/compose-call.ts';
import type { ComposeSurvey } from '../../shared/survey/survey-compose.ts';

/** What compose says of a project with nothing to object to, for tests to change. */
export function composeSurvey(changes: Partial<ComposeSurvey> = {}): ComposeSurvey {
  return {
    version: '2.26.1',
    call: readComposeCall(['file docker-compose.yml']),
    otherFiles: [],
    missingFiles: [],
    config: JSON.stringify({ name: 'shop', services: { web: { image: 'web:' } } }),
    template: '',
    idle: [],
    unset: [],
    unsetNames: [],
    settings: [],
    values: '',
    settingsKey: null,
    mountedFiles: [],
    words: '',
    changedAt: 0,
    envNames: null,
    projectState: null,
    images: [],
    proxies: [],
    ...changes,
  };
}
