/** A slider for the probability from which a picture counts to a class, and what follows for each class. */
import { Slider, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import { readThresholds } from "../api/explainQuestions";
import type { Thresholds as Found } from "../api/types";
import { fixed, numberIn, percent } from "../i18n/numbers";
import results from "../results/results.module.css";
import { RequestFailure } from "../runs/FailureCard";
import { atThreshold, meansAt, placeOf } from "./atThreshold";
import { ThresholdCurve } from "./ThresholdCurve";
import styles from "./thresholds.module.css";

const MOST_ROWS = 50;

export function Thresholds({ run, node }: { run: string; node: string }) {
  const { t } = useTranslation();
  const found = useQuery({
    queryKey: ["thresholds", run, node],
    queryFn: ({ signal }) => readThresholds(run, node, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const isOlder = found.error instanceof ApiFailure && found.error.error.reason === "no-thresholds";
  return (
    <section>
      <h3>{t("thresholds.title")}</h3>
      <p className={`quiet ${styles.help}`}>{t("thresholds.help")}</p>
      {isOlder && <p className="quiet">{t("thresholds.older")}</p>}
      {found.error && !isOlder && (
        <RequestFailure problem={found.error} onAgain={() => void found.refetch()} />
      )}
      {found.data && <Table found={found.data} />}
    </section>
  );
}

function Table({ found }: { found: Found }) {
  const { t } = useTranslation();
  const [threshold, setThreshold] = useState(0.5);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(found.classes[0]?.label ?? "");
  const place = placeOf(found.thresholds, threshold);
  const means = useMemo(() => meansAt(found, place), [found, place]);
  const fitting = found.classes.filter((one) =>
    one.label.toLowerCase().includes(text.toLowerCase()),
  );
  const rows = fitting.slice(0, MOST_ROWS).map((one) => atThreshold(one, place));
  const curve = found.classes.find((one) => one.label === chosen);
  return (
    <div className={styles.parts}>
      <div className={styles.controls}>
        <div className={styles.slider}>
          <span aria-hidden="true">
            {t("thresholds.threshold")} <strong className="number">{fixed(threshold, 2)}</strong>
          </span>
          <Slider
            value={threshold}
            onChange={setThreshold}
            min={0}
            max={1}
            step={0.01}
            label={(value) => fixed(value, 2)}
            thumbLabel={t("thresholds.threshold")}
            size="sm"
          />
        </div>
        <p className="number">
          {t("thresholds.mean")}: {t("evaluation.precision")}{" "}
          <strong>{percent(means.precision)}</strong>, {t("evaluation.recall")}{" "}
          <strong>{percent(means.recall)}</strong>
        </p>
        {curve && (
          <ThresholdCurve one={curve} thresholds={found.thresholds} threshold={threshold} />
        )}
      </div>
      <div className={results.scroll}>
        {found.classes.length > MOST_ROWS && (
          <TextInput
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            placeholder={t("thresholds.filter")}
            aria-label={t("thresholds.filter")}
          />
        )}
        <table className={`table ${results.classes}`} aria-label={t("thresholds.title")}>
          <thead>
            <tr>
              <th>{t("evaluation.class")}</th>
              <th className="right">{t("thresholds.reached")}</th>
              <th className="right">{t("evaluation.precision")}</th>
              <th className="right">{t("evaluation.recall")}</th>
              <th className="right">{t("evaluation.f1")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.label} data-chosen={row.label === chosen || undefined}>
                <td>
                  <button
                    type="button"
                    className={results.plain}
                    aria-pressed={row.label === chosen}
                    title={t("thresholds.choose", { label: row.label })}
                    onClick={() => setChosen(row.label)}
                  >
                    {row.label}
                  </button>
                </td>
                <td className="right number">{numberIn(row.reached)}</td>
                {(["precision", "recall", "f1"] as const).map((name) => (
                  <td key={name} className="right number">
                    {row[name] === null ? "–" : fixed(row[name], 3)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {fitting.length > rows.length && (
          <p className="quiet">
            {t("thresholds.some", { count: rows.length, all: fitting.length })}
          </p>
        )}
      </div>
    </div>
  );
}
