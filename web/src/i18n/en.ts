/** Every text of the page, in English. */
export const en = {
  shell: {
    views: "Views",
    pipelines: "Pipelines",
    runs: "Runs",
    light: "Light appearance",
    dark: "Dark appearance",
  },
  drafts: { none: "No pipelines yet" },
  runs: { none: "No runs yet" },
};
