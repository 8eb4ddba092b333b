/** All charts of a node, with what holds for all of them: smoothing, scale, and the part shown. */
import { Button, Select, Slider, Switch } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { addressOf } from "../api/runQuestions";
import { fixed } from "../i18n/numbers";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { ChartCard } from "./ChartCard";
import styles from "./charts.module.css";
import { groupsOf } from "./groups";
import { useSeries } from "./queries";

interface ChartsProps {
  run: string;
  node: string;
  /** Changes when there are more rows. */
  mark: string;
}

export function Charts({ run, node, mark }: ChartsProps) {
  const { t } = useTranslation();
  const [smoothing, setSmoothing] = useState(0);
  const [isLog, setLog] = useState(false);
  const [steps, setSteps] = useState<[number, number] | null>(null);
  const [rank, setRank] = useState<string | null>(null);
  const series = useSeries(run, node, mark);
  if (series.error) {
    return <RequestFailure problem={series.error} onAgain={() => void series.refetch()} />;
  }
  const all = series.data ?? [];
  if (series.isSuccess && all.length === 0) return <p className="quiet">{t("charts.none")}</p>;
  const ranks = [...new Set(all.map((one) => one.rank))];
  const shown = all.filter((one) => rank === null || one.rank === Number(rank));
  return (
    <div className={styles.charts}>
      <div className={styles.controls}>
        <div className={styles.slider}>
          <span aria-hidden="true">{t("charts.smooth")}</span>
          <Slider
            value={smoothing}
            onChange={setSmoothing}
            min={0}
            max={0.99}
            step={0.01}
            label={(value) => fixed(value, 2)}
            thumbLabel={t("charts.smooth")}
            size="xs"
          />
        </div>
        <Switch
          size="xs"
          label={t("charts.log")}
          checked={isLog}
          onChange={(event) => setLog(event.currentTarget.checked)}
        />
        {ranks.length > 1 && (
          <Select
            aria-label={t("charts.ranks")}
            placeholder={t("charts.allRanks")}
            data={ranks.map((one) => ({
              value: String(one),
              label: t("charts.rank", { rank: one }),
            }))}
            value={rank}
            onChange={setRank}
            clearable
            w={140}
          />
        )}
        {steps && (
          <Button onClick={() => setSteps(null)} leftSection={<Icon name="fit" size={14} />}>
            {t("charts.whole")}
          </Button>
        )}
        <Button
          component="a"
          href={addressOf.table(run, node)}
          leftSection={<Icon name="download" size={14} />}
        >
          {t("charts.table")}
        </Button>
      </div>
      <p className={`quiet ${styles.help}`}>{t("charts.zoom")}</p>
      <div className={styles.grid}>
        {groupsOf(shown).map((group) => (
          <ChartCard
            key={group.title}
            run={run}
            node={node}
            group={group}
            isLog={isLog}
            smoothing={smoothing}
            steps={steps}
            hasRanks={ranks.length > 1}
            onZoom={setSteps}
          />
        ))}
      </div>
    </div>
  );
}
