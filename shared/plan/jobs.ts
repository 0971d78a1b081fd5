import type { ComposeProject } from '../releases/project.ts';

/** Whether it is a one-off task whose end other services await (`condition: service_completed_successfully`). */
export function isJob(name: string, { services }: ComposeProject): boolean {
  return awaitedBy(name, { services }).length > 0;
}

/** The services that await its end. */
export function awaitedBy(name: string, { services }: Pick<ComposeProject, 'services'>): string[] {
  return [...services.values()]
    .filter(({ dependsOn }) => dependsOn.some(({ service, awaitsEnd }) => service === name && awaitsEnd))
    .map((service) => service.name);
}
