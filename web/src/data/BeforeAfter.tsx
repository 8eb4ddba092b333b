/** What corrections changed: pictures of each class, and figures beside those of an earlier run. */
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import { readEvaluation, readRuns } from "../api/runQuestions";
import type { RunDetail } from "../api/types";
import { endOf, type Pipeline } from "../graph/pipeline";
import { evaluationOf } from "../results/evaluation";
import { RequestFailure } from "../runs/FailureCard";
import { moment } from "../runs/words";
import { CompareTable } from "./CompareTable";
import styles from "./data.module.css";
import { useImages } from "./queries";

const RUNS = 50;
const INPUT = "images";

export function BeforeAfter({ which, run }: { which: Pictures; run: RunDetail }) {
  return (
    <div className={styles.column}>
      <Counts which={which} run={run} />
      <Evaluations run={run} />
    </div>
  );
}

function Counts({ which, run }: { which: Pictures; run: RunDetail }) {
  const { t } = useTranslation();
  const end = `${which.node}.${INPUT}`;
  const pipeline = run.pipeline as unknown as Pipeline;
  const from = endOf(pipeline.edges?.find((edge) => edge.to === end)?.from ?? "");
  const before = useImages({ run: run.id, ...from });
  const after = useImages(which);
  const problem = before.error ?? after.error;
  if (problem) return <RequestFailure problem={problem} />;
  if (!before.data || !after.data) return null;
  const counts = (classes: typeof after.data.classes) =>
    new Map(classes.map(({ name, images }) => [name ?? t("data.unlabelled"), images]));
  const [old, now] = [counts(before.data.classes), counts(after.data.classes)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return (
    <CompareTable
      title={t("beforeAfter.counts")}
      name={t("beforeAfter.class")}
      digits={0}
      rows={[
        ...names.map((name) => ({
          name,
          before: old.get(name) ?? 0,
          after: now.get(name) ?? 0,
        })),
        { name: t("beforeAfter.total"), before: before.data.images, after: after.data.images },
      ]}
    />
  );
}

function Evaluations({ run }: { run: RunDetail }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<string | null>(null);
  const runs = useQuery({
    queryKey: ["runs-before", run.name, run.id],
    queryFn: ({ signal }) =>
      readRuns(
        {
          q: run.name,
          state: "completed",
          whose: "all",
          sort: "created",
          reverse: false,
          offset: 0,
          limit: RUNS,
        },
        signal,
      ),
  });
  const earlier = (runs.data?.runs ?? []).filter(
    (one) => one.name === run.name && one.created < run.created,
  );
  const other = chosen ?? earlier[0]?.id ?? null;
  const nodes = run.wanted.filter((node) =>
    Object.values(run.nodes[node]?.outputs ?? {}).some((one) => one.type === "EvaluationResults"),
  );
  if (runs.error) return <RequestFailure problem={runs.error} />;
  if (!runs.data || nodes.length === 0) return null;
  if (other === null) return <p className="quiet">{t("beforeAfter.noRun")}</p>;
  return (
    <section className={styles.column}>
      <Select
        label={t("beforeAfter.compareWith")}
        data={earlier.map((one) => ({
          value: one.id,
          label: `${one.id} (${moment(one.created)})`,
        }))}
        value={other}
        onChange={setChosen}
        allowDeselect={false}
      />
      {nodes.map((node) => (
        <Figures key={node} node={node} before={other} after={run.id} />
      ))}
      <p className="quiet">{t("beforeAfter.caution")}</p>
    </section>
  );
}

function Figures({ node, before, after }: { node: string; before: string; after: string }) {
  const { t } = useTranslation();
  const [old, now] = [useFigures(before, node), useFigures(after, node)];
  if (old.error || now.error) return <p className="quiet">{t("beforeAfter.noEvaluation")}</p>;
  if (!old.data || !now.data) return null;
  const known = new Map(old.data.figures);
  return (
    <CompareTable
      title={t("beforeAfter.figures", { node })}
      name={t("beforeAfter.figure")}
      digits={4}
      rows={now.data.figures.map(([name, value]) => ({
        name: name.replaceAll("_", " "),
        before: known.get(name) ?? null,
        after: value,
      }))}
    />
  );
}

function useFigures(run: string, node: string) {
  return useQuery({
    queryKey: ["evaluation", run, node],
    queryFn: ({ signal }) => readEvaluation(run, node, signal),
    select: (found) => evaluationOf(found.evaluations[0] ?? {}),
    retry: false,
  });
}
