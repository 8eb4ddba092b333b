/** The nodes of a run as a list, in the order in which they run: for narrow screens and readers. */
import { Progress } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../api/queries";
import type { NodeNow, RunDetail, RunNow } from "../api/types";
import { titleOf } from "../graph/catalogue";
import type { Pipeline } from "../graph/pipeline";
import { fromServer } from "../i18n/fromServer";
import { numberIn } from "../i18n/numbers";
import { Link } from "../shell/Link";
import styles from "./run.module.css";
import { StateLabel } from "./StateLabel";
import { duration } from "./words";

interface NodeListProps {
  run: RunDetail;
  now: RunNow | null;
  chosen: string;
}

export function NodeList({ run, now, chosen }: NodeListProps) {
  const { t } = useTranslation();
  const titleIn = useTitles(run);
  return (
    <ol className={styles.nodes} aria-label={t("run.nodes")}>
      {run.wanted.map((name) => {
        const live = now?.nodes[name];
        const facts = run.nodes[name];
        const state = live?.state ?? facts?.state ?? "waiting";
        return (
          <li key={name} className={styles.node} data-chosen={name === chosen || undefined}>
            <Link to={{ view: "run", id: run.id, node: name }} className={styles.nodeLink}>
              <span className={styles.nodeName}>{titleIn(name)}</span>
              <StateLabel state={state} />
              {facts?.ended && facts.started ? (
                <span className={`quiet number ${styles.took}`}>
                  {duration(t, facts.ended - facts.started)}
                </span>
              ) : null}
            </Link>
            <NodeProgress live={live} />
          </li>
        );
      })}
    </ol>
  );
}

/** What a node says of itself while it waits or runs. */
export function NodeProgress({ live }: { live: NodeNow | undefined }) {
  const { t } = useTranslation();
  if (!live) return null;
  const progress = live.progress;
  if (live.state !== "running" || !progress) {
    const isWaiting = live.state === "waiting" || live.state === "running";
    return live.message && isWaiting ? (
      <p className={styles.waits} lang="en">
        {live.message}
      </p>
    ) : null;
  }
  const share = progress.total ? (100 * progress.done) / progress.total : null;
  const left = progress.time_left_s;
  return (
    <div className={styles.progress}>
      <Progress
        value={share ?? 100}
        animated={share === null}
        size="sm"
        aria-label={fromServer(progress.stage)}
      />
      <p className="quiet number">
        {t("run.stage", { stage: fromServer(progress.stage) })} {numberIn(progress.done)}
        {progress.total !== null && `/${numberIn(progress.total)}`} {fromServer(progress.unit)}
        {progress.text && `, ${progress.text}`}
        {left !== null && left !== undefined && `, ${t("run.left", { time: duration(t, left) })}`}
      </p>
    </div>
  );
}

/** What a node is called: as its person named it, or as its component is. */
export function useTitles(run: RunDetail): (name: string) => string {
  const { data: catalogue } = useCatalogue();
  const { nodes } = run.pipeline as unknown as Pipeline; // the server has checked it
  return (name) => {
    const node = nodes.find((one) => one.id === name);
    return node && catalogue ? titleOf(node, catalogue) : name;
  };
}
