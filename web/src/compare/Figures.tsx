/** The figures of every evaluation, with the interval of its accuracy as a bar on one scale for all. */
import { useTranslation } from "react-i18next";
import type { EvaluationFigures } from "../api/types";
import { fixed, numberIn, percent } from "../i18n/numbers";
import { Link } from "../shell/Link";
import styles from "./compare.module.css";

interface FiguresProps {
  figures: readonly EvaluationFigures[];
  names: ReadonlyMap<string, string>;
}

export function Figures({ figures, names }: FiguresProps) {
  const { t } = useTranslation();
  if (figures.length === 0) return <p className="quiet">{t("compare.figuresNone")}</p>;
  const low = Math.min(...figures.map((one) => one.low));
  const width = Math.max(...figures.map((one) => one.high)) - low || 1;
  // With several labels per picture the first figure is of those that were given exactly theirs.
  const hasSeveral = figures.map((one) => typeof one.micro_f1 === "number");
  const anySeveral = hasSeveral.includes(true);
  const mixed = hasSeveral.includes(false) ? "accuracyOrExactMatch" : "exactMatch";
  const place = (value: number) => `${(100 * (value - low)) / width}%`;
  return (
    <>
      <p className="quiet">{t("compare.figuresHelp")}</p>
      <div className={styles.scroll}>
        <table className="table">
          <thead>
            <tr>
              <th>{t("compare.evaluation")}</th>
              <th className="right">{t("compare.pictures")}</th>
              <th className="right">{t(`compare.${anySeveral ? mixed : "accuracy"}`)}</th>
              <th className={styles.wide}>
                {percent(low)} – {percent(low + width)}
              </th>
              <th className="right">{t("compare.macroF1")}</th>
              {anySeveral && <th className="right">{t("compare.meanAveragePrecision")}</th>}
              <th className="right">{t("compare.logLoss")}</th>
            </tr>
          </thead>
          <tbody>
            {figures.map((one) => {
              const interval = t("compare.interval", {
                low: percent(one.low),
                high: percent(one.high),
              });
              return (
                <tr key={`${one.run} ${one.node} ${one.name}`}>
                  <th scope="row">
                    <Link to={{ view: "run", id: one.run, node: one.node }}>
                      {names.get(one.run) ?? one.run}, {one.node}
                    </Link>
                  </th>
                  <td className="right number">{numberIn(one.images)}</td>
                  <td className="right number">{percent(one.accuracy)}</td>
                  <td className={styles.wide}>
                    <div
                      className={styles.interval}
                      role="img"
                      aria-label={interval}
                      title={interval}
                    >
                      <span
                        style={{
                          left: place(one.low),
                          width: `calc(${place(low + one.high - one.low)})`,
                        }}
                      />
                      <i style={{ left: place(one.accuracy) }} />
                    </div>
                  </td>
                  <td className="right number">{percent(one.macro_f1)}</td>
                  {anySeveral && (
                    <td className="right number">
                      {typeof one.mean_average_precision === "number" &&
                        percent(one.mean_average_precision)}
                    </td>
                  )}
                  <td className="right number">{fixed(one.log_loss, 4)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
