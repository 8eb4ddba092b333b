/** What the network sees of a picture, with the map of where it finds a class laid over it. */
import { Slider } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Explanation } from "../api/types";
import { percent } from "../i18n/numbers";
import styles from "./explain.module.css";

interface HeatMapProps {
  explanation: Explanation;
  isBusy: boolean;
}

export function HeatMap({ explanation, isBusy }: HeatMapProps) {
  const { t } = useTranslation();
  const [opacity, setOpacity] = useState(0.6);
  return (
    <>
      <div className={styles.map} aria-busy={isBusy}>
        <img src={explanation.seen} alt={t("explain.seen")} />
        <img
          className={styles.over}
          src={explanation.heat}
          alt={t("explain.heat", { label: explanation.explained })}
          style={{ opacity }}
        />
      </div>
      <div className={styles.opacity}>
        <span aria-hidden="true">{t("explain.opacity")}</span>
        <Slider
          value={opacity}
          onChange={setOpacity}
          min={0}
          max={1}
          step={0.05}
          label={percent}
          thumbLabel={t("explain.opacity")}
          size="xs"
        />
      </div>
      <p className="quiet">{t("explain.lookHelp")}</p>
    </>
  );
}
