import { parse, rcompare, type SemVer } from 'semver';

/**
 * Names of version folders, newest first: releases (`1.2.0`, `v2`, `1.10`) by semantic order, then pre-releases
 * (`2.0.0-rc.1`) likewise, then all other names, the last by name first. So nothing but a release is the newest where
 * there is one. Pure.
 */
export function newestFirst(names: readonly string[]): string[] {
  const ranked = names.map((name) => ({ name, version: semantic(name) }));
  return ranked
    .toSorted((a, b) => {
      if (kindOf(a.version) !== kindOf(b.version)) return kindOf(a.version) - kindOf(b.version);
      const order = a.version && b.version ? rcompare(a.version, b.version) : 0;
      return order || (a.name < b.name ? 1 : -1);
    })
    .map(({ name }) => name);
}

/** Whether a folder of this name is meant by a version: `1.2.0` also by `v1.2.0`. Pure. */
export function namesVersion(folder: string, version: string): boolean {
  return folder === version || folder === `v${version}` || `v${folder}` === version;
}

function kindOf(version: SemVer | null): number {
  if (!version) return 2;
  return version.prerelease.length > 0 ? 1 : 0;
}

/** Missing parts are 0: `v2` is 2.0.0. */
function semantic(name: string): SemVer | null {
  const [, major, minor = '.0', patch = '.0', rest = ''] =
    /^v?(\d+)(\.\d+)?(\.\d+)?([-+].*)?$/.exec(name) ?? [];
  return major === undefined ? null : parse(`${major}${minor}${patch}${rest}`);
}
