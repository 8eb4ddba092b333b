/** One node of a run: what became of it, what it measured, what it wrote, what it found. */
import { Tabs } from "@mantine/core";
import { useThrottledValue } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useCatalogue } from "../api/queries";
import type { ErrorInfo, NodeFacts, RunDetail, RunNow } from "../api/types";
import { Charts } from "../charts/Charts";
import type { Parameter } from "../graph/catalogue";
import type { Json } from "../graph/json";
import { shownValue } from "../i18n/value";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { LogView } from "../logs/LogView";
import { EvaluationView } from "../results/EvaluationView";
import { MakerButton } from "../results/MakerButton";
import { ModelView } from "../results/ModelView";
import { Link } from "../shell/Link";
import { FailureCard } from "./FailureCard";
import factsStyles from "./facts.module.css";
import { NodeProgress, useTitles } from "./NodeList";
import styles from "./run.module.css";
import { StateLabel } from "./StateLabel";
import { duration } from "./words";

interface NodePanelProps {
  run: RunDetail;
  now: RunNow | null;
  node: string;
}

const REDRAW_MS = 1_000;

type Tab = "overview" | "metrics" | "model" | "logs" | "evaluation";

export function NodePanel({ run, now, node }: NodePanelProps) {
  const { t } = useTranslation();
  const facts = run.nodes[node];
  const live = now?.nodes[node];
  const component = run.resolved[node]?.component ?? "";
  const titleOf = useTitles(run);
  const title = titleOf(node);
  const { data: catalogue } = useCatalogue();
  const kind = catalogue?.components.get(component)?.title ?? component;
  const trains = component === "train_pytorch_model";
  const made = new Set(Object.values(facts?.outputs ?? {}).map((output) => output.type));
  const evaluates = made.has("EvaluationResults");
  const hasModel = made.has("ModelDirectory");
  const maker = <MakerButton run={run} node={node} title={title} />;
  const state = live?.state ?? facts?.state ?? "waiting";
  const error = errorOf(facts);
  const [tab, setTab] = useState<Tab>(
    error ? "overview" : evaluates ? "evaluation" : trains ? "metrics" : "overview",
  );
  const [place, setPlace] = useState<{ label: string; offset: number } | null>(null);
  const line = placeOf(facts);
  const mark = useThrottledValue(`${state} ${live?.rows ?? ""}`, REDRAW_MS);
  const hasError = error !== null;
  useEffect(() => {
    if (hasError) setTab("overview"); // also when it fails while one looks on
  }, [hasError]);
  return (
    <div className={styles.nodePanel}>
      <header className={styles.nodeTitle}>
        <h2>{title}</h2>
        <StateLabel state={state} />
        {kind !== title && <span className="quiet">{kind}</span>}
      </header>
      <NodeProgress live={live} />
      <Tabs
        value={tab}
        onChange={(value) => setTab((value as Tab | null) ?? "overview")}
        keepMounted={false}
        className={styles.tabs}
      >
        <Tabs.List>
          <Tabs.Tab value="overview" leftSection={<Icon name="info" size={14} />}>
            {t("run.overview")}
          </Tabs.Tab>
          {trains && (
            <Tabs.Tab value="metrics" leftSection={<Icon name="chart" size={14} />}>
              {t("run.metrics")}
            </Tabs.Tab>
          )}
          {hasModel && (
            <Tabs.Tab value="model" leftSection={<Icon name="output" size={14} />}>
              {t("model.tab")}
            </Tabs.Tab>
          )}
          {evaluates && (
            <Tabs.Tab value="evaluation" leftSection={<Icon name="table" size={14} />}>
              {t("run.evaluation")}
            </Tabs.Tab>
          )}
          <Tabs.Tab value="logs" leftSection={<Icon name="log" size={14} />}>
            {t("run.logs")}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview" className={styles.tab}>
          {error && (
            <FailureCard
              error={error}
              onLog={() => {
                setPlace(line ?? { label: "", offset: Number.MAX_SAFE_INTEGER });
                setTab("logs");
              }}
            />
          )}
          <Overview run={run} node={node} facts={facts} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics" className={styles.tab}>
          <Charts run={run.id} node={node} mark={mark} />
        </Tabs.Panel>
        <Tabs.Panel value="model" className={styles.tab}>
          <ModelView run={run.id} node={node} titleOf={titleOf}>
            {maker}
          </ModelView>
        </Tabs.Panel>
        <Tabs.Panel value="evaluation" className={styles.tab}>
          <EvaluationView run={run.id} node={node}>
            {maker}
          </EvaluationView>
        </Tabs.Panel>
        <Tabs.Panel value="logs" className={styles.tab}>
          <LogView run={run.id} node={node} sizes={live?.logs ?? {}} mark={mark} place={place} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

interface OverviewProps {
  run: RunDetail;
  node: string;
  facts: NodeFacts | undefined;
}

function Overview({ run, node, facts }: OverviewProps) {
  const { t } = useTranslation();
  const resolved = run.resolved[node];
  const { data: catalogue } = useCatalogue();
  const component = catalogue?.components.get(resolved?.component ?? "");
  const outputs = Object.entries(facts?.outputs ?? {});
  const maker = facts?.made_by?.[0];
  return (
    <div className={styles.overview}>
      {facts?.message && facts.state !== "failed" && <p lang="en">{facts.message}</p>}
      {facts?.warnings && facts.warnings.length > 0 && (
        <section>
          <h3>{t("run.warnings")}</h3>
          <ul className={styles.warnings} lang="en">
            {facts.warnings.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h3>{t("run.outputs")}</h3>
        {outputs.length === 0 && <p className="quiet">{t("run.noOutputs")}</p>}
        <dl className={factsStyles.facts}>
          {outputs.map(([port, output]) => (
            <div key={port}>
              <dt>{component?.outputs.find((one) => one.name === port)?.title ?? port}</dt>
              <dd>
                {catalogue?.portTypes.get(output.type)?.title ?? output.type}{" "}
                <span className="quiet number">{sizeText(output.size_bytes)}</span>{" "}
                {output.type === "ImageDirectory" && (
                  <Link to={{ view: "data", run: run.id, node, port }}>{t("data.look")}</Link>
                )}
              </dd>
            </div>
          ))}
        </dl>
        {facts?.seconds ? (
          <p className="quiet">{t("run.took", { time: duration(t, facts.seconds) })}</p>
        ) : null}
        {maker && maker !== run.id && (
          <Link to={{ view: "run", id: maker, node: facts?.made_by?.[1] ?? "" }}>
            {t("run.madeBy", { run: maker })}
          </Link>
        )}
      </section>
      <Values
        title={t("run.parameters")}
        values={resolved?.params ?? {}}
        known={component?.parameters}
      />
      <Values
        title={t("run.settings")}
        values={resolved?.settings ?? {}}
        known={component?.run_settings}
      />
    </div>
  );
}

interface ValuesProps {
  title: string;
  values: Record<string, unknown>;
  known: readonly Parameter[] | undefined;
}

function Values({ title, values, known = [] }: ValuesProps) {
  const entries = Object.entries(values);
  if (entries.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <dl className={factsStyles.facts}>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{known.find((one) => one.name === name)?.title ?? name}</dt>
            <dd className="number">{shownValue(value as Json)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function errorOf(facts: NodeFacts | undefined): ErrorInfo | null {
  const error = facts?.state === "failed" ? facts.error : null;
  return error ? (error as unknown as ErrorInfo) : null;
}

/** The line of the log where an error stands, if it was found there. */
function placeOf(facts: NodeFacts | undefined): { label: string; offset: number } | null {
  const place = (facts?.error as { log_position?: unknown } | null | undefined)?.log_position;
  if (typeof place !== "object" || place === null) return null;
  const { offset } = place as { offset?: unknown };
  return typeof offset === "number" ? { label: "worker", offset } : null;
}
