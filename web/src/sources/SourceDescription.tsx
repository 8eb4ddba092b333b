/** What a folder, an archive or a table holds as pictures: classes, a few of each, what is left out. */
import { Button, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { readDescription } from "../api/questions";
import type { ClassInfo, Losses, SourceInfo } from "../api/types";
import { numberIn } from "../i18n/numbers";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { LeftOut } from "./LeftOut";
import styles from "./sources.module.css";

const CLASSES = 30;
const SAMPLES = 4;

export function SourceDescription({ path }: { path: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["description", path],
    queryFn: ({ signal }) => readDescription(path, signal),
    enabled: path !== "",
    retry: false,
    staleTime: Number.POSITIVE_INFINITY, // looking takes seconds: only a person asks for it again
  });
  const look = async () => {
    await found.refetch();
    await queries.invalidateQueries({ queryKey: ["description", path, "left-out"] });
  };
  return (
    <section className={styles.source} aria-label={t("source.title")}>
      <header className={styles.head}>
        <h3>{t("source.title")}</h3>
        <Button
          size="compact-xs"
          leftSection={<Icon name="refresh" size={14} />}
          loading={found.isFetching && !found.isPending}
          onClick={look}
        >
          {t("source.again")}
        </Button>
      </header>
      {found.isPending && (
        <p className="quiet">
          <Loader size="xs" /> {t("source.looking")}
        </p>
      )}
      {found.error && <RequestFailure problem={found.error} onAgain={look} />}
      {found.data && !found.error && <Found source={found.data} />}
    </section>
  );
}

function Found({ source }: { source: SourceInfo }) {
  const { t } = useTranslation();
  const most = Math.max(1, ...source.classes.map((one) => one.images));
  return (
    <>
      {source.losses.is_refused && <WouldFail losses={source.losses} />}
      <p className="number">
        {t("source.pictures", { count: source.images })},{" "}
        {t("source.classes", { count: source.classes.length })}
      </p>
      <ul className={styles.classes}>
        {source.classes.slice(0, CLASSES).map((one) => (
          <Class key={one.name ?? ""} one={one} most={most} />
        ))}
      </ul>
      {source.classes.length > CLASSES && (
        <p className="quiet">
          {t("source.moreClasses", { count: source.classes.length - CLASSES })}
        </p>
      )}
      {source.notices.map((text) => (
        <p key={text} className={styles.notice} lang="en">
          {text}
        </p>
      ))}
      <LeftOut source={source} />
      <LookedAt source={source} />
    </>
  );
}

function Class({ one, most }: { one: ClassInfo; most: number }) {
  const { t } = useTranslation();
  return (
    <li>
      <div className={styles.name}>
        <span>{one.name ?? t("source.unlabelled")}</span>
        <span className="quiet number">{numberIn(one.images)}</span>
      </div>
      <div className={styles.bar} style={{ width: `${(100 * one.images) / most}%` }} />
      <div className={styles.samples}>
        {one.samples.slice(0, SAMPLES).map((sample) =>
          sample.thumbnail ? (
            <img key={sample.file} src={sample.thumbnail} alt={sample.file} title={sample.file} />
          ) : (
            <span
              key={sample.file}
              className={styles.broken}
              title={`${sample.file} ${sample.problem}`}
            >
              <Icon name="warning" size={14} />
            </span>
          ),
        )}
      </div>
    </li>
  );
}

/** That a run would fail at its conversion, with both numbers, and what to do. */
function WouldFail({ losses }: { losses: Losses }) {
  const { t } = useTranslation();
  const { lost, pictures, most_fraction, enough_fraction, emptied } = losses;
  const share = (fraction: number) => Number((100 * fraction).toPrecision(3));
  const isEmptied = emptied.length > 0;
  return (
    <section className={styles.wouldFail} role="alert">
      <strong>
        <Icon name="warning" size={14} />{" "}
        {isEmptied
          ? t("source.emptied", { count: emptied.length, names: emptied.slice(0, 5).join(", ") })
          : t("source.wouldFail", {
              count: pictures,
              lost,
              pictures,
              percent: share(lost / Math.max(pictures, 1)),
              most: share(most_fraction),
            })}
      </strong>
      <p>
        {enough_fraction > 0
          ? t("source.repairOrAllow", { enough: enough_fraction })
          : t("source.repair")}
      </p>
    </section>
  );
}

/** How closely the files were looked at, so that nobody takes the numbers for more than they are. */
function LookedAt({ source }: { source: SourceInfo }) {
  const { t } = useTranslation();
  const { files, headers_read, is_decoded } = source;
  if (is_decoded) return <p className="quiet">{t("source.decoded")}</p>;
  const number = { read: headers_read, files };
  return (
    <p className="quiet">
      {headers_read === files ? t("source.allHeaders") : t("source.someHeaders", number)}{" "}
      {t("source.later")}
    </p>
  );
}
