/** How large, of what shape and how bright the pictures are. */
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import type { Histogram, ImagesInfo } from "../api/types";
import { numberIn } from "../i18n/numbers";
import { sizeText } from "../i18n/when";
import factsStyles from "../runs/facts.module.css";
import styles from "./data.module.css";
import { Operations } from "./PicturePanel";
import { useSearch } from "./queries";

const GREY_LEVELS = 256;

export function Sizes({ which, images }: { which: Pictures; images: ImagesInfo }) {
  const { t } = useTranslation();
  const search = useSearch(which, "");
  const counts = search.data?.found?.brightness_counts;
  return (
    <div className={styles.column}>
      <div className={styles.charts}>
        <Bars
          title={`${t("sizes.shorter")}, ${t("sizes.pixels")}`}
          histogram={images.shorter_side}
          digits={0}
        />
        <Bars title={t("sizes.shape")} histogram={images.shape} digits={2} />
        {counts ? (
          <Bars
            title={t("sizes.brightness")}
            histogram={{ counts, edges: greyEdges(counts.length) }}
            digits={0}
          />
        ) : (
          <p className="quiet">{t("sizes.needsSearch")}</p>
        )}
      </div>
      <dl className={factsStyles.facts}>
        <div>
          <dt>{t("sizes.formats")}</dt>
          <dd className="number">
            {Object.entries(images.formats)
              .map(([name, count]) => `${name} ${numberIn(count)}`)
              .join(", ")}
          </dd>
        </div>
        <div>
          <dt>{t("sizes.bytes")}</dt>
          <dd className="number">{sizeText(images.size_bytes)}</dd>
        </div>
      </dl>
      {images.transforms && (
        <section>
          <h2>{t("sizes.transforms")}</h2>
          <Operations operations={images.transforms} />
        </section>
      )}
      {images.notices.length > 0 && (
        <section>
          <h2>{t("sizes.notices")}</h2>
          <ul>
            {images.notices.map((text) => (
              <li key={text} lang="en">
                {text}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

interface BarsProps {
  title: string;
  histogram: Histogram;
  digits: number;
}

/** A histogram as bars; a reader hears each bin that has pictures. */
function Bars({ title, histogram, digits }: BarsProps) {
  const { t } = useTranslation();
  const id = useId();
  const most = Math.max(1, ...histogram.counts);
  const edge = (place: number) =>
    numberIn(histogram.edges[place] ?? 0, { maximumFractionDigits: digits });
  const last = histogram.counts.length;
  if (edge(0) === edge(last)) {
    return (
      <p className={styles.chart}>
        <strong>{title}</strong> {t("sizes.allAre", { value: edge(0) })}
      </p>
    );
  }
  return (
    <figure className={styles.chart} aria-labelledby={id}>
      <figcaption id={id}>{title}</figcaption>
      <ul className={styles.bars}>
        {histogram.counts.map((count, place) => {
          const text = t("sizes.bin", {
            from: edge(place),
            to: edge(place + 1),
            shown: count,
          });
          return (
            <li key={histogram.edges[place]} title={text} aria-hidden={count === 0}>
              <span
                style={{ height: `${(100 * count) / most}%` }}
                data-some={count > 0 || undefined}
              >
                <span className="readOut">{text}</span>
              </span>
            </li>
          );
        })}
      </ul>
      <div className={styles.axis}>
        <span className="quiet number">{edge(0)}</span>
        <span className="quiet number">{edge(last)}</span>
      </div>
    </figure>
  );
}

function greyEdges(bins: number): number[] {
  return Array.from({ length: bins + 1 }, (_, place) => (place * GREY_LEVELS) / bins);
}
