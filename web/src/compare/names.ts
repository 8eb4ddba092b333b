/** Short names for runs that are shown beside each other. */

/**
 * Return a name for each run: that of its pipeline, with the end of its id where several have the same
 * name. Ids end in what tells them apart.
 */
export function shortNames(
  runs: readonly string[],
  names: readonly string[],
): ReadonlyMap<string, string> {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(
    runs.map((run, at) => {
      const name = names[at] ?? "";
      if (name === "") return [run, run];
      return [run, (times.get(name) ?? 0) > 1 ? `${name} …${run.slice(-4)}` : name];
    }),
  );
}
