/** A trained model's card: what it was trained on, what was measured, how its input is made, how it is used. */
import { Button, Code } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { addressOf, readModelCard } from "../api/runQuestions";
import type { ModelCard } from "../api/types";
import { fromServer } from "../i18n/fromServer";
import { numberIn, percent } from "../i18n/numbers";
import { sizeText } from "../i18n/when";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import factsStyles from "../runs/facts.module.css";
import styles from "./results.module.css";
import { SeenClasses } from "./SeenClasses";

interface ModelViewProps {
  run: string;
  node: string;
  /** What a node is called. */
  titleOf: (node: string) => string;
  /** What stands beside the button that saves the model. */
  children?: ReactNode;
}

export function ModelView({ run, node, titleOf, children }: ModelViewProps) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["model-card", run, node],
    queryFn: ({ signal }) => readModelCard(run, node, signal),
  });
  if (found.error)
    return <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />;
  if (!found.data) return null;
  const model = found.data;
  return (
    <div className={styles.results}>
      <header className={styles.top}>
        <strong className={styles.headline}>{model.title}</strong>
        {children}
        <Button
          component="a"
          href={addressOf.model(run, node)}
          leftSection={<Icon name="download" size={14} />}
        >
          {t("model.save", { size: sizeText(model.size_bytes) })}
        </Button>
      </header>
      <Measured model={model} titleOf={titleOf} />
      <Section title={t("model.trainedOn")}>
        <SeenClasses model={model} />
      </Section>
      <Section title={t("model.input")}>
        <Pairs pairs={inputOf(model, t)} />
      </Section>
      <Use size={model.input_size} />
      <Section title={t("model.toWrite")}>
        <Pairs
          pairs={["intended", "notMeant", "licence", "pictures"].map((name) => [
            t(`model.${name}`),
            t("model.notWritten"),
          ])}
        />
      </Section>
      <Section title={t("model.versions")}>
        <Pairs pairs={[...Object.entries(model.versions), [t("model.digest"), model.digest]]} />
      </Section>
    </div>
  );
}

function Measured({ model, titleOf }: { model: ModelCard; titleOf: ModelViewProps["titleOf"] }) {
  const { t } = useTranslation();
  return (
    <Section title={t("model.measured")}>
      {model.evaluations.map(({ node, name, images, accuracy, interval_95: [low, high] }) => (
        <p key={`${node} ${name}`}>
          <strong>
            {t("model.accuracy", {
              value: percent(accuracy),
              count: images,
              low: percent(low),
              high: percent(high),
            })}
          </strong>{" "}
          <span className="quiet">{t("model.evaluatedBy", { node: titleOf(node) })}</span>
        </p>
      ))}
      {model.evaluations.length === 0 && <p>{t("model.notEvaluated")}</p>}
      <p className="quiet">{t("model.validation")}</p>
      <Pairs
        pairs={Object.entries(model.metrics).map(([name, value]) => [
          fromServer(name),
          value === null ? "–" : numberIn(value, { maximumSignificantDigits: 4 }),
        ])}
      />
    </Section>
  );
}

function Use({ size }: { size: number }) {
  const { t } = useTranslation();
  return (
    <Section title={t("model.use")}>
      <p>{t("model.useHelp")}</p>
      <Code block className={styles.code ?? ""}>
        {PYTHON}
      </Code>
      <p>{t("model.useShell")}</p>
      <Code block className={styles.code ?? ""}>
        {SHELL}
      </Code>
      <p className="quiet number">{t("model.inputSize", { size })}</p>
    </Section>
  );
}

const PYTHON = `import imageloom

table = imageloom.score("model", "folder-of-pictures", "scores.parquet")`;
const SHELL = "imageloom predict --model model picture.jpg";

type Pair = readonly [string, string];

function inputOf(model: ModelCard, t: TFunction): Pair[] {
  const { kind, name } = model.initial_weights;
  const { transforms = [], normalisation } = model.preprocessing as Preprocessing;
  const steps = transforms.map(({ kind: step, ...values }) =>
    [step, ...Object.values(values).map(String)].join(" "),
  );
  const listed = (values: readonly number[] = []) => values.map((one) => numberIn(one)).join("; ");
  return [
    [t("model.input"), t("model.inputSize", { size: model.input_size })],
    [t("model.steps"), steps.join(", ") || "–"],
    [
      t("model.normalisation"),
      t("model.meanStd", { mean: listed(normalisation?.mean), std: listed(normalisation?.std) }),
    ],
    [t("model.start"), t(`model.${kind ?? "random"}`, { name: name ?? "" })],
  ];
}

interface Preprocessing {
  readonly transforms?: readonly ({ readonly kind: string } & Record<string, unknown>)[];
  readonly normalisation?: { readonly mean: number[]; readonly std: number[] };
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Pairs({ pairs }: { pairs: readonly Pair[] }) {
  return (
    <dl className={factsStyles.facts}>
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
