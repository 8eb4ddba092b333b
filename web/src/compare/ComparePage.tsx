/** Runs side by side: what was asked differently, how good they are, their curves, and what changed sides. */
import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { readComparison } from "../api/explainQuestions";
import type { RunComparison } from "../api/types";
import { RequestFailure } from "../runs/FailureCard";
import { Link } from "../shell/Link";
import { ChangedSides } from "./ChangedSides";
import { CompareCurves } from "./CompareCurves";
import styles from "./compare.module.css";
import { Figures } from "./Figures";
import { shortNames } from "./names";

export function ComparePage({ runs }: { runs: readonly string[] }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["comparison", runs],
    queryFn: ({ signal }) => readComparison(runs, signal),
  });
  return (
    <div className={styles.page}>
      <header className={styles.top}>
        <h1 className={styles.title}>{t("compare.title")}</h1>
        <Link to={{ view: "runs" }}>{t("compare.toRuns")}</Link>
      </header>
      {found.error && <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />}
      {found.isPending && <Loader size="sm" aria-label={t("loading")} />}
      {found.data && <Compared found={found.data} />}
    </div>
  );
}

function Compared({ found }: { found: RunComparison }) {
  const { t } = useTranslation();
  const names = shortNames(found.runs, found.names);
  return (
    <>
      <section>
        <h2>{t("compare.different")}</h2>
        {found.different.length === 0 && <p className="quiet">{t("compare.differentNone")}</p>}
        <SideBySide found={found} names={names} rows={found.different} />
      </section>
      <section>
        <h2>{t("compare.figures")}</h2>
        <Figures figures={found.figures} names={names} />
      </section>
      <section>
        <h2>{t("compare.curves")}</h2>
        <CompareCurves runs={found.runs} names={names} metrics={found.metrics} />
      </section>
      <section>
        <h2>{t("compare.changed")}</h2>
        <ChangedSides figures={found.figures} names={names} />
      </section>
      <section>
        <h2>{t("compare.nodes")}</h2>
        <SideBySide found={found} names={names} rows={found.nodes} />
      </section>
    </>
  );
}

interface SideBySideProps {
  found: RunComparison;
  names: ReadonlyMap<string, string>;
  rows: RunComparison["nodes"];
}

function SideBySide({ found, names, rows }: SideBySideProps) {
  const { t } = useTranslation();
  if (rows.length === 0) return null;
  return (
    <div className={styles.scroll}>
      <table className="table">
        <thead>
          <tr>
            <th>{t("compare.what")}</th>
            {found.runs.map((run) => (
              <th key={run}>
                <Link to={{ view: "run", id: run, node: "" }}>{names.get(run) ?? run}</Link>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {found.runs.map((run, at) => (
                <td key={run} className="number">
                  {row.values[at] || "–"}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
