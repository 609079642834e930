import type { TestProject } from 'vitest/node';
import { ensureServices, removeServices, serviceStatus, stopService } from '../../scripts/services/index.ts';
import { servicesNeededBy } from './needs.ts';

/**
 * Brings up the services that the selected tests need and tells the tests where they are (`process.env.SLUICE_KAFKA` …).
 * A service that cannot be had fails the run with its name and the way to get it. At the end every service is as it was
 * before: what ran runs, what was stopped is stopped, what was not there is removed.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Not part of vitest's types; without it every test file counts as selected.
  const { filenamePattern } = project.vitest as unknown as { readonly filenamePattern?: readonly string[] };
  const filters = filenamePattern?.map((filter) => filter.replace(/:\d+$/, ''));
  const { testFiles } = await project.globTestFiles(filters);
  const needed = servicesNeededBy(testFiles);
  const before = await serviceStatus(needed);
  const restore = async () => {
    for (const { name, condition } of before) {
      if (condition === 'down') await removeServices([name]);
      else if (condition === 'stopped' || condition === 'dead') await stopService(name);
    }
  };
  try {
    const { environment } = await ensureServices(needed);
    Object.assign(process.env, environment);
  } catch (error) {
    await restore();
    throw error;
  }
  return restore;
}
