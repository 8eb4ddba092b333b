/** What an evaluation found: figures, the confusion matrix with its pictures, classes, mistakes. */
import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { readModel } from "../api/explainQuestions";
import { addressOf, readEvaluation } from "../api/runQuestions";
import { LabelErrors } from "../explain/LabelErrors";
import { type Explained, PicturePanel } from "../explain/PicturePanel";
import { Thresholds } from "../explain/Thresholds";
import { TryPicture } from "../explain/TryPicture";
import { percent } from "../i18n/numbers";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { ClassTable } from "./ClassTable";
import { type Evaluation, evaluationOf } from "./evaluation";
import { FigureList } from "./FigureList";
import { LabelSetView } from "./LabelSetView";
import { Matrix } from "./Matrix";
import { type Choice, PictureGrid } from "./PictureGrid";
import styles from "./results.module.css";

interface EvaluationViewProps {
  run: string;
  node: string;
  /** What stands beside the way to the whole report. */
  children?: ReactNode;
}

export function EvaluationView({ run, node, children }: EvaluationViewProps) {
  const { t } = useTranslation();
  const [number, setNumber] = useState(0);
  const [choice, setChoice] = useState<Choice>({ correct: false });
  const [explained, setExplained] = useState<Explained | null>(null);
  const found = useQuery({
    queryKey: ["evaluation", run, node],
    queryFn: ({ signal }) => readEvaluation(run, node, signal),
  });
  const model = useQuery({
    queryKey: ["model", run, node],
    queryFn: ({ signal }) => readModel(run, node, signal),
  });
  if (found.error)
    return <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />;
  if (!found.data) return null;
  const all = found.data.evaluations.map(evaluationOf);
  const evaluation = all[number] ?? all[0];
  if (!evaluation) return null;
  const ways = (
    <>
      {children}
      {found.data.has_report && (
        <Button
          component="a"
          href={addressOf.nodeReport(run, node)}
          target="_blank"
          leftSection={<Icon name="external" size={14} />}
        >
          {t("evaluation.table")}
        </Button>
      )}
    </>
  );
  if (evaluation.labels) {
    return <LabelSetView evaluation={evaluation} labels={evaluation.labels} ways={ways} />;
  }
  return (
    <div className={styles.results}>
      <header className={styles.top}>
        {all.length > 1 && (
          <Select
            aria-label={t("evaluation.figures")}
            data={all.map((one, index) => ({ value: String(index), label: one.name }))}
            value={String(number)}
            onChange={(value) => setNumber(Number(value ?? 0))}
            allowDeselect={false}
          />
        )}
        <Headline evaluation={evaluation} />
        {ways}
      </header>
      <section>
        <h3>{t("evaluation.matrix")}</h3>
        <p className="quiet">{t("evaluation.matrixHelp")}</p>
        <Matrix
          evaluation={evaluation}
          chosen={choice}
          onChoose={(label, scored) => setChoice({ label, scored })}
        />
      </section>
      <PictureGrid
        run={run}
        node={node}
        choice={choice}
        onChoice={setChoice}
        onOpen={
          model.data && (({ row, file, label }) => setExplained({ picture: { row }, file, label }))
        }
      />
      {model.data && <TryPicture run={run} node={node} onExplain={setExplained} />}
      <LabelErrors
        run={run}
        node={node}
        found={evaluation.suspicions}
        hasLearned={model.data?.has_learned_scored ?? false}
        onExplain={model.data && setExplained}
      />
      <Thresholds run={run} node={node} />
      <section>
        <h3>{t("evaluation.perClass")}</h3>
        <ClassTable evaluation={evaluation} onChoose={(label) => setChoice({ label })} />
      </section>
      <section>
        <h3>{t("evaluation.figures")}</h3>
        <FigureList figures={evaluation.figures} />
      </section>
      {explained && (
        <PicturePanel
          key={JSON.stringify(explained.picture)}
          run={run}
          node={node}
          explained={explained}
          classes={evaluation.classes}
          knowsTraining={model.data?.knows_training ?? false}
          onClose={() => setExplained(null)}
        />
      )}
    </div>
  );
}

function Headline({ evaluation }: { evaluation: Evaluation }) {
  const { t } = useTranslation();
  const { accuracy, interval, baseline, images, leftOut } = evaluation;
  return (
    <div className={styles.headline}>
      {accuracy !== null && (
        <strong>{t("evaluation.accuracy", { value: percent(accuracy), count: images })}</strong>
      )}
      <span className="quiet number">
        {interval &&
          t("evaluation.interval", { low: percent(interval[0]), high: percent(interval[1]) })}
        {baseline !== null && ` · ${t("evaluation.baseline", { value: percent(baseline) })}`}
        {leftOut > 0 && ` · ${t("evaluation.leftOut", { count: leftOut })}`}
      </span>
    </div>
  );
}
